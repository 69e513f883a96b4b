"""The certificate that this machine makes for itself, kept from one start to the next.

Nobody vouches for it: a browser warns once, and remembers the visitor's answer for as long as the
certificate stays the same. So it is made anew only where it must be, and always with a reason.
"""

import ipaddress
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from detector.web.lan.addresses import HostNames
from maskage.errors import EnvironmentProblemError
from maskage.system.files import keeps_permissions, replace_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

VALID = timedelta(days=397)
"""Apple's systems accept 825 days at most, and public authorities issue 398 (CA/B Forum, 6.3.2)."""

RENEWED_BEFORE_END = timedelta(days=30)
MOST_ADDRESSES = 24
"""Addresses that one names: those of networks that a laptop comes back to are kept."""

_BACKDATED = timedelta(days=1)
"""The clock of a phone may be behind."""

_EARLIEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this there was no program that asks: a clock that shows less is not set."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class OwnCertificate:
    """The certificate, ready for use.

    Attributes:
        path: PEM file with the certificate and its key, which only its owner may read.
        fingerprint: SHA-256 as browsers show it: "3A:0F:...".
        ends_at: Its end.
        reason: Why it was made now; None where it was there.
        notice: What is wrong with the clock; None where nothing is.
    """

    path: Path
    fingerprint: str
    ends_at: datetime
    reason: str | None = None
    notice: str | None = None


def certificate_path() -> Path:
    """Return the path of the certificate, whether it is there or not."""
    from platformdirs import user_config_path

    return user_config_path("maskage") / "tls" / "own-certificate.pem"


def keep_certificate(path: Path, host: HostNames, now: datetime) -> OwnCertificate:
    """Return the certificate in a file, made anew where it does not serve any more.

    Args:
        path: The file; its folder is made where it is missing.
        host: Names and addresses that it must hold.
        now: The time, with its zone.

    Raises:
        EnvironmentProblemError: The file cannot be read or written, or the clock is not set.
    """
    try:
        found, key, reason = _read(path)
        if found is not None and reason is None:
            reason = _find_fault(found, host, now)
        if found is not None and reason is None:
            return _describe(path, found, notice=_find_clock_fault(found, now))
        _require_clock(now)
        made, content = _make(host, _names_of(found), key, now)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"The certificate cannot be kept in {path} ({fault.strerror or fault}). Make that "
            f"folder writable, or give a certificate of your own with --tls-cert and --tls-key."
        ) from fault
    return _describe(path, made, reason=reason)


def _read(
    path: Path,
) -> "tuple[x509.Certificate | None, ec.EllipticCurvePrivateKey | None, str | None]":
    """Return certificate and key of a file, and the reason why they cannot be used on."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if not path.exists():
        return None, None, "there was none yet"
    if path.stat().st_mode & _OTHERS and keeps_permissions(path.parent):
        return None, None, "other users of this machine could read the key of the last one"
    try:
        content = path.read_bytes()
        found = x509.load_pem_x509_certificate(content)
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        return None, None, "the last one cannot be read"
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != found.public_key():
        return None, None, "the last one and its key do not belong together"
    return found, key, None


def _find_fault(found: "x509.Certificate", host: HostNames, now: datetime) -> str | None:
    """Return the reason why a certificate must be made anew; None where it need not be."""
    end = found.not_valid_after_utc
    if now > end - RENEWED_BEFORE_END:
        return f"the last one {'ended' if now > end else 'ends'} on {end:%Y-%m-%d}"
    names = _names_of(found)
    missing = [
        each
        # It holds no more than these, and made anew each minute it would have to be trusted anew.
        for each in (*host.names[:MOST_ADDRESSES], *host.addresses[:MOST_ADDRESSES])
        if each not in (*names.names, *names.addresses)
    ]
    return f"the last one does not name {', '.join(missing)}" if missing else None


def _find_clock_fault(found: "x509.Certificate", now: datetime) -> str | None:
    begin = found.not_valid_before_utc
    if now >= begin:
        return None
    return (
        f"The clock of this machine shows {now:%Y-%m-%d %H:%M} UTC, but its certificate was made "
        f"after {begin:%Y-%m-%d}. Set the clock, or sessions end at the wrong time."
    )


def _require_clock(now: datetime) -> None:
    if now < _EARLIEST_CLOCK:
        raise EnvironmentProblemError(
            f"The clock of this machine shows {now:%Y-%m-%d %H:%M} UTC, so a certificate made now "
            f"would have ended for everybody else. Set the clock, then start again."
        )


def _names_of(found: "x509.Certificate | None") -> HostNames:
    from cryptography import x509

    if found is None:
        return HostNames((), ())
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return HostNames((), ())
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return HostNames(tuple(names), tuple(str(each) for each in addresses))


def _make(
    host: HostNames,
    before: HostNames,
    key: "ec.EllipticCurvePrivateKey | None",
    now: datetime,
) -> "tuple[x509.Certificate, bytes]":
    """Return a new certificate, and the content of its file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = key or ec.generate_private_key(ec.SECP256R1())
    title = f"maskage detector on {host.names[-1]}"[:64]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + VALID)
        .add_extension(_alternative_names(host, before), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made, made.public_bytes(serialization.Encoding.PEM) + private


def _alternative_names(host: HostNames, before: HostNames) -> "x509.SubjectAlternativeName":
    """Return what the certificate is for: the names of now first, then those of before."""
    from cryptography import x509

    def most(new: Iterable[str], old: Iterable[str]) -> list[str]:
        return list(dict.fromkeys((*new, *old)))[:MOST_ADDRESSES]

    return x509.SubjectAlternativeName(
        [
            *(x509.DNSName(each) for each in most(host.names, before.names)),
            *(
                x509.IPAddress(ipaddress.ip_address(each))
                for each in most(host.addresses, before.addresses)
            ),
        ]
    )


def _describe(
    path: Path,
    found: "x509.Certificate",
    *,
    reason: str | None = None,
    notice: str | None = None,
) -> OwnCertificate:
    from cryptography.hazmat.primitives import hashes

    fingerprint = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return OwnCertificate(path, fingerprint, found.not_valid_after_utc, reason, notice)
