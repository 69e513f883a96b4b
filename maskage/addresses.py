"""Addresses of network cameras: their parts, their logins, and the part that may be shown."""

import re
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

from maskage.errors import CameraError

_PORTS = {"http": 80, "https": 443}
# Characters that a path may hold as they stand; a "%" belongs to what was quoted before.
_PLAIN = "/%:=&?~+!$,;'@()*[]"
_WRITE_IT_LIKE = (
    "Write it like http://NAME:PASSWORD@HOST:PORT/PATH; in a password write %2F for '/', %3F for "
    "'?', %23 for '#' and %40 for '@', and write %40 in a path too."
)
_HAS_UNCLEAR_AT = re.compile(r"//[^/?#]*[/?#].*@", re.DOTALL)
"""An "@" behind the end of the host: it may end a password that holds a "/", "?" or "#"."""
_HAS_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
"""Control characters, some of which `urlsplit` silently leaves out."""
_SECRET = re.compile(r"((?:password|passwd|pwd|pass|token|key)=)[^&;/]+", re.IGNORECASE)
"""A password in the path, as some cameras take it."""
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)\S+", re.IGNORECASE)


def split_address(url: str) -> SplitResult:
    """Split an address into its parts.

    Raises:
        CameraError: It is not a valid address. The message does not repeat it: a part that cannot
            be recognised may be a password.
    """
    if _HAS_UNCLEAR_AT.search(url) or _HAS_CONTROLS.search(url):
        found = "an '@' behind a '/', '?' or '#'" if "@" in url else "a control character"
        raise CameraError(
            f"The address cannot be read: it has {found}, so it is unclear where its password "
            f"ends. {_WRITE_IT_LIKE}"
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # a port is checked as it is asked for
        (host or "").encode("idna")
    except ValueError as fault:
        kind = "host name" if isinstance(fault, UnicodeError) else "host or port"
        # Without the cause, which quotes what it could not read.
        raise CameraError(
            f"The address cannot be read: its {kind} is not valid. {_WRITE_IT_LIKE}"
        ) from None
    if not host:
        raise CameraError(f"The address names no host. Write it like {parts.scheme}://HOST/PATH.")
    return parts


def public_url(url: str) -> str:
    """Return an address as it may be shown and saved: without login, query and fragment.

    Raises:
        CameraError: See `split_address`.
    """
    parts = split_address(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port else ""
    path = _SECRET.sub(r"\1...", parts.path)
    return f"{parts.scheme}://{host}{port}{path}"


def find_login(parts: SplitResult) -> tuple[bytes, bytes] | None:
    """Return the name and password of an address, or None where it has none.

    They end at the last "@" before the path, and the name ends at the first ":". "%" with two hex
    digits is decoded; any other "%", ":" and "@" and letters beyond ASCII stand for themselves.
    """
    login, separator, _ = parts.netloc.rpartition("@")
    if not separator:
        return None
    user, _, password = login.partition(":")
    return unquote_to_bytes(user), unquote_to_bytes(password)


def encode_login(url: str) -> str:
    """Return an address with name and password percent-encoded, as every reader understands them.

    Raises:
        CameraError: See `split_address`.
    """
    parts = split_address(url)
    login = find_login(parts)
    if login is None:
        return url
    user, password = (quote(part, safe="") for part in login)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{password}@{host}").geturl()


def hide_addresses(text: str) -> str:
    """Return a text with every address in it cut down to its scheme."""
    return _ADDRESS.sub(r"\1...", text)


def find_port(parts: SplitResult) -> int:
    """Return the port of an HTTP address, also where it names none."""
    return parts.port or _PORTS[parts.scheme]


def find_target(parts: SplitResult) -> str:
    """Return path and query of an HTTP address, in ASCII, as a server is asked for them."""
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=_PLAIN)


def follow_redirect(url: str, location: str) -> str:
    """Return the address that a server sends on to.

    Name and password are kept for the same server only, which may move from http:// to https://.

    Raises:
        CameraError: It leads to no HTTP address.
    """
    target = urlsplit(urljoin(url, location))
    # A server's answer holds no password, so its path may hold an "@".
    path, query = (part.replace("@", "%40") for part in (target.path, target.query))
    target = target._replace(path=path, query=query, fragment="")
    was, parts = split_address(url), split_address(target.geturl())
    if parts.scheme not in _PORTS:
        raise CameraError(
            f"{public_url(url)}: the server sends on to a {parts.scheme}:// address. Try that one "
            f"itself."
        )
    if _is_same_server(was, parts) and "@" in was.netloc and "@" not in parts.netloc:
        user, _, _ = was.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{user}@{parts.netloc}")
    return parts.geturl()


def _is_same_server(was: SplitResult, now: SplitResult) -> bool:
    """Return whether a password for one address is meant for the other too."""
    if was.hostname != now.hostname:
        return False
    ends = ((was.scheme, find_port(was)), (now.scheme, find_port(now)))
    return ends[0] == ends[1] or ends == (("http", 80), ("https", 443))
