"""Rules on who may see the picture: the token, the password, and which pages may ask.

A page of another site must not reach this server through the visitor's browser: requests are
answered only under a known host name (against DNS rebinding), never for a foreign origin, and the
cookie is not sent along from elsewhere.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import math
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from starlette.datastructures import Headers

from detector.web.access.sessions import Session, Sessions
from detector.web.access.signed_addresses import AddressSigner
from detector.web.access.signing import Signer
from detector.web.access.throttle import Throttle
from detector.web.options import Address, WebOptions

# Five in a row, then one every 12 s: 7,200 guesses a day, of a password of 8 characters or more.
_MOST_WRONG, _WRONG_REFILL_S = 5, 12.0
# All addresses together, against guesses from many of them.
_MOST_WRONG_OF_ALL, _WRONG_OF_ALL_REFILL_S = 50, 1.0
_EVERYONE = "everyone"
# A browser keeps a cookie for so long after its session, to be told that it ended.
_AFTERWARDS_S = 7 * 86_400
_LOCAL = re.compile(r"/[A-Za-z0-9/._~%?&=+,:@!$'()*;-]{0,500}")


@dataclass(frozen=True)
class Refusal:
    """The reason why a request is refused.

    Attributes:
        status: HTTP status.
        detail: A sentence for people.
        retry_s: Seconds after which to try again; None where that would not help.
        location: The page to go to instead; None where there is none.
    """

    status: int
    detail: str
    retry_s: int | None = None
    location: str | None = None


@dataclass(frozen=True)
class Visit:
    """A visitor who was let in.

    Attributes:
        ends_at: Seconds since the epoch at which answers to this visitor end; None for no end.
        session: The session that the cookie holds; None where it came in another way.
        is_embedded: True for a signed address, which any page may show.
    """

    ends_at: float | None = None
    session: Session | None = None
    is_embedded: bool = False


class Access:
    """The rules, with their secrets.

    Args:
        options: The token, the password, the host names and the pages that may frame this one.
        address: The address that the server is bound to.
        port: The port that the server is bound to.
        clock: Seconds, monotonic.
        wall_clock: Seconds since the epoch.

    Attributes:
        token: The token that gives access.
        cookie_name: Name of the cookie that holds a session.
        sessions: The sessions of visitors.
        addresses: Signs addresses.
        is_token_fixed: True where the token was given, so that it is the same after a restart.
        frame_origins: Pages that may show this one in a frame.
    """

    def __init__(
        self,
        options: WebOptions,
        address: Address,
        port: int,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = options.token or secrets.token_urlsafe(32)
        self.is_token_fixed = options.token is not None
        self.frame_origins = options.frame_origins
        self._password = options.password
        self._has_tls = options.has_tls
        self._wall_clock = wall_clock
        # The cookie does not hold the token, because addresses with it are copied and logged.
        signer = Signer(self.token, self._password)
        self.sessions = Sessions(signer, options.session_s, wall_clock)
        self.addresses = AddressSigner(signer, wall_clock)
        # Cookies do not tell ports apart: two of us on one machine must not take each other's.
        self.cookie_name = f"detector_{port}"
        self._hosts = _known_hosts(options, address)
        self._wrong = Throttle(_MOST_WRONG, _WRONG_REFILL_S, clock)
        self._wrong_of_all = Throttle(_MOST_WRONG_OF_ALL, _WRONG_OF_ALL_REFILL_S, clock)

    @property
    def has_password(self) -> bool:
        """True where visitors may log in with a password."""
        return self._password is not None

    def new_cookie(self) -> str:
        """Return the `Set-Cookie` header that begins the session of an authenticated visitor."""
        age_s = math.ceil(self.sessions.length_s) + _AFTERWARDS_S
        return self._set_cookie(self.sessions.begin(), age_s)

    def no_cookie(self) -> str:
        """Return the `Set-Cookie` header that removes the session of a visitor who logs out."""
        return self._set_cookie("", 0)

    def _set_cookie(self, value: str, age_s: int) -> str:
        # A frame on a page of another site gets no strict cookie. A partitioned one counts only
        # under that page, and every request is checked for its origin as well.
        is_foreign = self._has_tls and self.frame_origins
        same_site = "None; Partitioned" if is_foreign else "Strict"
        secure = "; Secure" if self._has_tls else ""
        return (
            f"{self.cookie_name}={value}; Path=/; Max-Age={age_s}; HttpOnly; "
            f"SameSite={same_site}{secure}"
        )

    def refuse_host(self, headers: Headers, server_ip: str | None) -> Refusal | None:
        """Refuse a request under a host name that is not this server's; None allows it.

        Args:
            headers: Headers of the request.
            server_ip: The address at which it arrived.
        """
        host = headers.get("host", "")
        if not host:
            return Refusal(400, "The request names no host.")
        if self.is_host(host, server_ip):
            return None
        return Refusal(
            421,
            f"This server is not {_host_name(host)!r}. Open the address that the program printed, "
            f"or start it with --host-name and that name.",
        )

    def is_host(self, host: str, server_ip: str | None) -> bool:
        """Return True where a `Host` header names this server."""
        name = _host_name(host)
        return name in self._hosts or name == server_ip

    def refuse_origin(
        self, headers: Headers, *, is_page: bool = False, is_socket: bool = False
    ) -> Refusal | None:
        """Refuse a request that another site has sent; None allows it.

        Args:
            headers: Headers of the request.
            is_page: True for a whole page, to which links on other sites may lead.
            is_socket: True for a WebSocket, which browsers open to any site that a page names.
        """
        refusal = Refusal(403, "Another site may not use this server.")
        site = headers.get("sec-fetch-site")
        if not is_page and site in ("cross-site", "same-site"):
            return refusal
        origin = headers.get("origin")
        if origin is None:
            # A browser names the page that opens a WebSocket; a program sends no cookie.
            return refusal if is_socket and "cookie" in headers else None
        own = f"{'https' if self._has_tls else 'http'}://{headers.get('host', '')}".lower()
        # "null" hides the page, on a visitor's wish; no page can set Sec-Fetch-Site itself.
        is_own = origin.lower() == own or (origin == "null" and site == "same-origin")
        return None if is_own else refusal

    def refuse_visitor(self, headers: Headers, caller: str) -> Refusal | None:
        """Refuse a visitor without cookie, token or password; None lets the visitor in."""
        visit = self.admit(headers, caller)
        return visit if isinstance(visit, Refusal) else None

    def admit(self, headers: Headers, caller: str) -> Visit | Refusal:
        """Let a visitor with cookie, token or password in, or return why not.

        Args:
            headers: Headers of the request.
            caller: The numeric address that it came from.
        """
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(credentials.strip()):
            return Visit()
        session, fault = self._read_cookie(headers)
        if session is not None and fault is None:
            return Visit(session.period.ends_at, session)
        if scheme.lower() == "basic" and self._password is not None:
            return self.refuse_password(_basic_password(credentials), caller) or Visit()
        if fault is not None:
            again = "Log in" if self.has_password else "Open the address that the program printed"
            return Refusal(401, f"{fault} {again} again.")
        way = (
            "Log in with the password"
            if self.has_password
            else "Open the address that the program printed, with its token"
        )
        return Refusal(401, f"{way}, or send the token as `Authorization: Bearer`.")

    def admit_signed(self, path: str, query: str) -> Visit | Refusal:
        """Let the bearer of a signed address in, or return why not."""
        period, fault = self.addresses.check(path, query)
        if period is None:
            return Refusal(403, fault)
        return Visit(period.ends_at, is_embedded=True)

    def find_session(self, headers: Headers) -> Session | None:
        """Return the valid session that the cookie of a request holds; None where it has none."""
        session, fault = self._read_cookie(headers)
        return session if fault is None else None

    def find_end(self, headers: Headers) -> str | None:
        """Return the reason why the cookie of a request is not valid any more; None for none."""
        return self._read_cookie(headers)[1]

    def now(self) -> float:
        """Return the seconds since the epoch, by the clock that sessions go by."""
        return self._wall_clock()

    @asynccontextmanager
    async def until_end(self, visit: Visit) -> AsyncIterator[asyncio.Timeout]:
        """Cancel what runs inside this context when the visit ends, with a `TimeoutError`."""
        left_s = None if visit.ends_at is None else visit.ends_at - self._wall_clock()
        name = visit.session.name if visit.session else None
        async with asyncio.timeout(left_s) as timeout:
            with self.sessions.running(name, timeout) if name else nullcontext():
                yield timeout

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

    def _read_cookie(self, headers: Headers) -> tuple[Session | None, str | None]:
        """Return the session that a cookie holds, and the reason why it is not valid now."""
        cookies: SimpleCookie = SimpleCookie()
        for line in headers.getlist("cookie"):
            try:
                cookies.load(line)
            except CookieError:
                continue
        found = cookies.get(self.cookie_name)
        if found is None or not found.value:
            return None, None
        session = self.sessions.read(found.value)
        if session is None:
            return None, "The program was started again with another token or password."
        return session, self.sessions.find_fault(session)


def login_address(wanted: str) -> str:
    """Return the address of the page for the password, which leads on to the `wanted` one."""
    return f"/login?{urlencode({'next': wanted})}" if wanted != "/" else "/login"


def local_address(wanted: str) -> str:
    """Return an address of this server as it was wanted, or "/" where it leads elsewhere."""
    # Browsers take a backslash for a slash, and "//" for the name of another server.
    is_local = _LOCAL.fullmatch(wanted) is not None and not wanted.startswith("//")
    return wanted if is_local else "/"


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
