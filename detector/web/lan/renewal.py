"""The own certificate of a running server: looked after while it runs."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from detector.web.lan.addresses import HostNames, find_host_names
from detector.web.lan.certificate import OwnCertificate, certificate_path, keep_certificate
from detector.web.lan.invitation import describe_certificate
from maskage.console import say
from maskage.errors import ToolchainError

CHECK_EVERY_S = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateKeeper:
    """The certificate that the server uses, renewed before it ends or where addresses change.

    Args:
        path: The file that it is kept in; None for the user's configuration folder.
        find_names: Returns the names and addresses of this machine.
        clock: Returns the time, with its zone.

    Attributes:
        host: Names and addresses of this machine, when they were last found.
        certificate: The certificate.
        context: Uses it for new connections.

    Raises:
        EnvironmentProblemError: The certificate cannot be kept, or the clock is not set.
    """

    def __init__(
        self,
        path: Path | None = None,
        find_names: Callable[[], HostNames] = find_host_names,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._path = path or certificate_path()
        self._find_names, self._clock = find_names, clock
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.host = find_names()
        self.certificate = self._load()

    def refresh(self) -> OwnCertificate | None:
        """Return a new certificate where it had to be made, which new connections get; or None."""
        self.host = self._find_names()
        before = self.certificate.fingerprint
        self.certificate = self._load()
        return self.certificate if self.certificate.fingerprint != before else None

    def _load(self) -> OwnCertificate:
        found = keep_certificate(self._path, self.host, self._clock())
        self.context.load_cert_chain(found.path)
        return found

    async def keep(self, url_of: Callable[[HostNames], str]) -> None:
        """Look after it until cancelled, and report what changes.

        Args:
            url_of: Returns the address to open, for names and addresses.
        """
        url, fault_before = url_of(self.host), ""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                # A name server may be asked.
                renewed = await asyncio.to_thread(self.refresh)
            except (ToolchainError, OSError) as fault:
                if str(fault) != fault_before:
                    fault_before = str(fault)
                    say(f"web: {fault}")
                continue
            if renewed is not None:
                say(*describe_certificate(renewed))
            if (now := url_of(self.host)) != url:
                url = now
                say(f"web: this machine has another address. Open {url}")
