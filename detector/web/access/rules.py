"""Rules on who may see the picture: the token, the password, and which pages may ask.

A page of another site must not reach this server through the visitor's browser: requests are
answered only under a known host name (against DNS rebinding), never for a foreign origin, and the
cookie is not sent along from elsewhere.
"""

import base64
import binascii
import hmac
import ipaddress
import math
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from time import monotonic

from starlette.datastructures import Headers

from detector.web.access.throttle import Throttle
from detector.web.options import Address, WebOptions

# Five in a row, then one every 12 s: 7,200 guesses a day, of a password of 8 characters or more.
_MOST_WRONG, _WRONG_REFILL_S = 5, 12.0
# All addresses together, against guesses from many of them.
_MOST_WRONG_OF_ALL, _WRONG_OF_ALL_REFILL_S = 50, 1.0
_EVERYONE = "everyone"


@dataclass(frozen=True)
class Refusal:
    """The reason why a request is refused.

    Attributes:
        status: HTTP status.
        detail: A sentence for people.
        retry_s: Seconds after which to try again; None where that would not help.
    """

    status: int
    detail: str
    retry_s: int | None = None


class Access:
    """The rules, with their secrets.

    Args:
        options: The token, the password and the host names.
        address: The address that the server is bound to.
        port: The port that the server is bound to.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        options: WebOptions,
        address: Address,
        port: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.token = options.token or secrets.token_urlsafe(32)
        self._password = options.password
        self._has_tls = options.has_tls
        # The cookie holds another secret than the address, because addresses are copied and logged.
        self._session = secrets.token_urlsafe(32)
        # Cookies do not tell ports apart: two of us on one machine must not take each other's.
        self.cookie_name = f"detector_{port}"
        self._hosts = _known_hosts(options, address)
        self._wrong = Throttle(_MOST_WRONG, _WRONG_REFILL_S, clock)
        self._wrong_of_all = Throttle(_MOST_WRONG_OF_ALL, _WRONG_OF_ALL_REFILL_S, clock)

    @property
    def has_password(self) -> bool:
        """True where visitors may log in with a password."""
        return self._password is not None

    @property
    def cookie(self) -> str:
        """The `Set-Cookie` header for a visitor who has authenticated."""
        secure = "; Secure" if self._has_tls else ""
        return f"{self.cookie_name}={self._session}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def refuse_origin(
        self, headers: Headers, server_ip: str | None, *, is_page: bool
    ) -> Refusal | None:
        """Refuse a request that another site or another host name has sent; None allows it.

        Args:
            headers: Headers of the request.
            server_ip: The address at which it arrived.
            is_page: True for a whole page, to which links on other sites may lead.
        """
        host = headers.get("host", "")
        if not host:
            return Refusal(400, "The request names no host.")
        name = _host_name(host)
        if name not in self._hosts and name != server_ip:
            return Refusal(
                421,
                f"This server is not {name!r}. Open the address that the program printed, or "
                f"start it with --host-name and that name.",
            )
        origin = headers.get("origin")
        own = f"{'https' if self._has_tls else 'http'}://{host}".lower()
        if origin is not None and origin.lower() != own:
            return Refusal(403, "Another site may not use this server.")
        if not is_page and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return Refusal(403, "Another site may not use this server.")
        return None

    def refuse_visitor(self, headers: Headers, caller: str) -> Refusal | None:
        """Refuse a visitor without cookie, token or password; None lets the visitor in.

        Args:
            headers: Headers of the request.
            caller: The numeric address that it came from.
        """
        if self._has_cookie(headers):
            return None
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(credentials.strip()):
            return None
        if scheme.lower() == "basic" and self._password is not None:
            return self.refuse_password(_basic_password(credentials), caller)
        return Refusal(
            401,
            "Open the address that the program printed, with its token, or send the token as "
            "`Authorization: Bearer`.",
        )

    def refuse_password(self, given: str, caller: str) -> Refusal | None:
        """Refuse a wrong password, or any after too many wrong ones; None accepts it."""
        wait_s = max(self._wrong.wait_s(caller), self._wrong_of_all.wait_s(_EVERYONE))
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            return Refusal(429, f"Too many wrong passwords. Wait {seconds} s.", seconds)
        if self._password is not None and _same(given, self._password):
            return None
        self._wrong.use(caller)
        self._wrong_of_all.use(_EVERYONE)
        return Refusal(401, "The password is wrong. Try again.")

    def is_token(self, given: str) -> bool:
        """Return True for the token; every wrong one takes the same time."""
        return _same(given, self.token)

    def _has_cookie(self, headers: Headers) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        for line in headers.getlist("cookie"):
            try:
                cookies.load(line)
            except CookieError:
                continue
        found = cookies.get(self.cookie_name)
        return found is not None and _same(found.value, self._session)


def _known_hosts(options: WebOptions, address: Address) -> frozenset[str]:
    """Return the host names that requests may use, in lower case, without ports."""
    names: Iterable[str] = ("127.0.0.1", "localhost", "::1", address.ip, *options.names)
    if not address.is_loopback:
        own = socket.gethostname()
        names = (*names, options.host, own, f"{own}.local")
    return frozenset(name.lower() for name in names if name)


def _host_name(host: str) -> str:
    """Return a `Host` header without its port: "::1" for "[::1]:8000"."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name = host.partition(":")[0].lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _basic_password(credentials: str) -> str:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text.partition(":")[2]


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
