"""The address that the page is served at, and what protects it."""

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskage.errors import EnvironmentProblemError, UsageError
from maskage.security.secret_file import read_secret

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PASSWORD_VARIABLE = "DETECTOR_PASSWORD"
TOKEN_VARIABLE = "DETECTOR_TOKEN"
LEAST_PASSWORD = 8
"""The least length of a password that a person chooses (NIST SP 800-63B, 5.1.1.1)."""
LEAST_TOKEN = 20
DEFAULT_SESSION_HOURS = 168
MOST_SESSION_HOURS = 24 * 366
# Scheme, host and port alone: whatever else stands in it would go into a header.
_ORIGIN = re.compile(r"https?://([a-zA-Z0-9_.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True)
class WebOptions:
    """The settings of the web server.

    Attributes:
        host: Address to listen on; any but the loopback needs TLS and a password.
        port: Port to listen on; 0 takes a free one.
        certificate, key: PEM files for TLS; both or neither.
        password: A password that visitors may log in with; None for the token alone.
        token: The key that gives access; None draws a random one.
        names: More host names that requests may use, beside its address and the machine's name.
        upload_bytes: Size of the largest picture that is accepted.
        collect: The dataset that visitors photograph into; None for none.
        face_model: The copy of YuNet for that; None to look for one.
        session_s: Seconds after which a visitor logs in again.
        frame_origins: Pages that may show this one in a frame, such as "https://home.example".
        is_lan: Serve the local network, with a certificate of its own where none is given.
        is_password_made: Show the password once, because nobody knows it yet.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    upload_bytes: int = 40_000_000
    collect: Path | None = None
    face_model: Path | None = None
    session_s: float = DEFAULT_SESSION_HOURS * 3600
    frame_origins: tuple[str, ...] = ()
    is_lan: bool = False
    is_password_made: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(
                f"A port is a number from 0 to 65535; found {self.port}. Use --port 0 for a free "
                f"one."
            )
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                "TLS needs a certificate and its key; found only one of them. Name both files."
            )
        for origin in self.frame_origins:
            _check_origin(origin)
        _check_length("password", self.password, LEAST_PASSWORD, PASSWORD_VARIABLE)
        _check_length("token", self.token, LEAST_TOKEN, TOKEN_VARIABLE)

    @property
    def has_tls(self) -> bool:
        """True where it is served over HTTPS."""
        return self.certificate is not None or self.is_lan


@dataclass(frozen=True)
class Address:
    """The address to bind.

    Attributes:
        family: `socket.AF_INET` or `AF_INET6`.
        ip: The numeric address.
    """

    family: socket.AddressFamily
    ip: str

    @property
    def is_loopback(self) -> bool:
        """True where only this machine can reach it."""
        return ipaddress.ip_address(self.ip).is_loopback

    @property
    def is_any(self) -> bool:
        """True where it stands for every address of this machine."""
        return ipaddress.ip_address(self.ip).is_unspecified


def resolve_address(options: WebOptions) -> Address:
    """Find the numeric address to bind.

    Raises:
        EnvironmentProblemError: The host is not known.
        UsageError: Other machines could reach it, and TLS or the password is missing.
    """
    try:
        found = socket.getaddrinfo(
            options.host or "0.0.0.0",
            options.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
    except (OSError, UnicodeError) as fault:
        raise EnvironmentProblemError(
            f"The host {options.host!r} is not known on this machine ({fault}). Use "
            f"--host {DEFAULT_HOST}, or an address of this machine."
        ) from fault
    # A name such as "localhost" may stand for several; IPv4 is what people type.
    family, _, _, _, place = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
    # A link-local IPv6 address carries its interface behind a percent sign.
    address = Address(family, str(place[0]).partition("%")[0])
    missing = [
        what
        for what, is_there in (
            ("TLS (--lan, or --tls-cert and --tls-key)", options.has_tls),
            (f"a password (${PASSWORD_VARIABLE} or --password-file)", options.password is not None),
        )
        if not is_there
    ]
    if missing and not address.is_loopback:
        raise UsageError(
            f"{options.host or address.ip} can be reached by other machines, and the picture shows "
            f"people: that needs {' and '.join(missing)}. Or leave --host out to serve this "
            f"machine only, and reach it from another one with `ssh -L`."
        )
    return address


def read_password(file: Path | None, environment: Mapping[str, str] | None = None) -> str | None:
    """Read the password of the page; see `maskage.security.secret_file.read_secret`."""
    environment = os.environ if environment is None else environment
    return read_secret("password", file, PASSWORD_VARIABLE, environment)


def _check_length(what: str, secret: str | None, least: int, variable: str) -> None:
    if secret is not None and len(secret) < least:
        raise UsageError(
            f"The {what} has {len(secret)} characters; it needs at least {least}. Choose a longer "
            f"one in ${variable}."
        )


def _check_origin(origin: str) -> None:
    if not _ORIGIN.fullmatch(origin):
        raise UsageError(
            f"--allow-frame takes the origin of a page, such as https://home.example:8123; found "
            f"{origin!r}. Leave out its path."
        )
