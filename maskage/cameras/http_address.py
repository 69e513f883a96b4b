"""Asks cameras by HTTP: time-outs, Basic and Digest logins, redirects, certificates.

httpx does the asking, and it is imported with this module only: files and webcams need none of it.
Proxies and logins of the environment are not used, for a camera is usually next door.
"""

import http.client
import logging
import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from urllib.parse import SplitResult

import httpx

from maskage.addresses import (
    find_login,
    find_port,
    find_target,
    follow_redirect,
    public_url,
    split_address,
)
from maskage.cameras.camera_transport import CameraTransport, TimedStream
from maskage.errors import CameraError, CameraLoginError

CONNECT_TIMEOUT_S = 2.0
_REDIRECTS = 5
_HEADERS = {
    "Accept": "multipart/x-mixed-replace, image/jpeg, */*",
    "Accept-Encoding": "identity",
    # Many cameras mean to close a connection after an answer, and forget to say so.
    "Connection": "close",
    "User-Agent": "maskage",
}
_SPECIAL_SIGNS = "In the address write %25 for '%', %2F for '/', %3F for '?' and %23 for '#'."


@dataclass
class HttpAnswer:
    """An answer whose body is still to be read.

    Attributes:
        name: The address it came from in the end, as it may be shown.
        kind: Content-Type, in lower case, without parameters.
        boundary: The boundary of a multipart body, or None.
    """

    name: str
    kind: str
    boundary: str | None
    _response: httpx.Response
    _chunks: Iterator[bytes]
    _stream: TimedStream

    def receive(self, timeout_s: float) -> bytes:
        """Return what has come of the body, waiting for some; empty at its end, however early.

        Raises:
            TimeoutError: Nothing came within `timeout_s`.
            CameraError: The connection broke.
        """
        self._stream.timeout_s = timeout_s
        try:
            return next(self._chunks, b"")
        except httpx.ReadTimeout as fault:
            raise TimeoutError from fault
        except httpx.RemoteProtocolError:
            return b""
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as fault:
            # OSError and ValueError: the answer was closed while it was being read.
            raise CameraError(
                f"{self.name}: the connection broke ({_explain_fault(fault)})."
            ) from fault

    @property
    def has_more(self) -> bool:
        """True where more has come already, or the end: `receive` would not wait."""
        sock: socket.socket = self._stream.get_extra_info("socket")
        if sock.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self._response.close()


class HttpAddress:
    """The address of a camera, which can be asked again and again.

    Args:
        url: The address, with name and password where the camera wants them.

    Attributes:
        name: The address as it may be shown.

    Raises:
        CameraError: It is no address.
    """

    def __init__(self, url: str) -> None:
        self.name = public_url(url)
        self._url = url
        self._clients: dict[str, httpx.Client] = {}
        self._logins: dict[str, _Login] = {}

    def ask(self) -> HttpAnswer:
        """Request the address, following redirects.

        Raises:
            CameraLoginError: The camera wants a name and password, or refuses those it was given.
            CameraError: Nobody answers, or the answer is not a success.
        """
        url = self._url
        for _ in range(_REDIRECTS):
            parts = split_address(url)
            login = self._find_login(parts)
            response = self._request(parts, login)
            if response.status_code in (301, 302, 303, 307, 308):
                response.close()
                url = follow_redirect(url, response.headers.get("Location", ""))
            elif response.status_code == 200:
                return _open_answer(public_url(url), response)
            else:
                response.close()
                raise self._explain_status(response, parts, has_login=login is not None)
        raise CameraError(
            f"{self.name}: redirected more than {_REDIRECTS} times. Check the address."
        )

    def _find_login(self, parts: SplitResult) -> "_Login | None":
        """Return the login of an address; a Digest goes on counting from request to request."""
        found = find_login(parts)
        if found is None:
            return None
        return self._logins.setdefault(parts.netloc, _Login(*found))

    def _request(self, parts: SplitResult, login: "_Login | None") -> httpx.Response:
        client = self._client(parts.scheme)
        # Without name and password: whatever shows or logs a request cannot show them.
        url = httpx.URL(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=find_port(parts),
            raw_path=find_target(parts).encode("ascii"),
        )
        request = client.build_request("GET", url)
        # A Digest names its user in clear.
        request.headers.encoding = "utf-8"
        try:
            if login is None:
                return client.send(request, stream=True)
            return login.send(client, request)
        except httpx.TransportError as fault:
            raise CameraError(_explain_silence(public_url(parts.geturl()), parts, fault)) from fault

    def _client(self, scheme: str) -> httpx.Client:
        if scheme not in self._clients:
            self._clients[scheme] = httpx.Client(
                transport=CameraTransport(scheme),
                timeout=CONNECT_TIMEOUT_S,
                headers=_HEADERS,
                trust_env=False,
            )
        return self._clients[scheme]

    def _explain_status(
        self, response: httpx.Response, parts: SplitResult, *, has_login: bool
    ) -> CameraError:
        status, name = response.status_code, public_url(parts.geturl())
        if status not in (401, 403):
            reason = http.client.responses.get(status, "unknown")
            return CameraError(
                f"{name}: the camera answers HTTP {status} ({reason}). Check the path of the "
                f"address."
            )
        if has_login:
            return CameraLoginError(
                f"{name}: the camera refuses the name or the password of the address "
                f"(HTTP {status}). Check them in a browser, before too many attempts lock the "
                f"camera. {_SPECIAL_SIGNS}"
            )
        if find_login(split_address(self._url)) is not None:
            return CameraLoginError(
                f"{name}: this host wants a name and password (HTTP {status}). {self.name} sent "
                f"on to it; they are not passed on to another host. Name this address itself."
            )
        return CameraLoginError(
            f"{name}: the camera wants a name and password (HTTP {status}). Write them into the "
            f"address: {parts.scheme}://NAME:PASSWORD@HOST/..."
        )


class _Login:
    """The name and password for one host; they are sent only when, and as, the host asks."""

    def __init__(self, user: bytes, password: bytes) -> None:
        self._digest = httpx.DigestAuth(user, password)
        self._basic = httpx.BasicAuth(user, password)
        self._is_basic = False

    def send(self, client: httpx.Client, request: httpx.Request) -> httpx.Response:
        """Send a request, and once more with the login where the camera asks for it."""
        flow = (self._basic if self._is_basic else self._digest).auth_flow(request)
        response = client.send(next(flow), stream=True)
        if response.status_code != 401 or self._is_basic:
            return response
        try:
            again = flow.send(response)
        except StopIteration:
            if not _asks_for_basic(response):
                return response
            self._is_basic = True
            again = next(self._basic.auth_flow(request))
        except (ValueError, KeyError, NotImplementedError, httpx.ProtocolError) as fault:
            raise CameraLoginError(
                f"{public_url(str(request.url))}: the camera asks for a kind of login that is not "
                f"known here ({type(fault).__name__}). Choose Digest or Basic in its settings."
            ) from fault
        finally:
            # Its body is a page for people, and some cameras never end it.
            response.close()
        return client.send(again, stream=True)


def _open_answer(name: str, response: httpx.Response) -> HttpAnswer:
    kind = Message()
    kind["Content-Type"] = response.headers.get("Content-Type", "application/octet-stream")
    boundary = kind.get_param("boundary")
    return HttpAnswer(
        name,
        kind.get_content_type(),
        boundary if isinstance(boundary, str) else None,
        response,
        response.iter_raw(),
        response.extensions["network_stream"],
    )


def _asks_for_basic(response: httpx.Response) -> bool:
    asked = response.headers.get_list("WWW-Authenticate")
    return any(challenge.lower().startswith("basic") for challenge in asked)


def _explain_silence(name: str, parts: SplitResult, fault: Exception) -> str:
    cause = _find_os_error(fault)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"{name}: the camera's certificate is not one that this machine trusts "
            f"({cause.verify_message}); cameras often make their own. In a network that you trust, "
            f"try the camera's http:// address. Or save its certificate once: openssl s_client "
            f"-connect {parts.hostname}:{find_port(parts)} </dev/null | openssl x509 > camera.pem, "
            f"compare it with the camera's own page, and set SSL_CERT_FILE=camera.pem."
        )
    return (
        f"{name}: the camera does not answer ({_explain_fault(fault)}). Check that it is on and "
        f"the address is right, for instance in a browser."
    )


def _explain_fault(fault: Exception) -> str:
    if isinstance(fault, httpx.TimeoutException):
        return f"silent for {CONNECT_TIMEOUT_S:.0f} s"
    cause = _find_os_error(fault)
    return (cause.strerror if cause else None) or str(fault) or type(fault).__name__


def _find_os_error(fault: BaseException | None) -> OSError | None:
    """Return the system's own error behind one of httpx, or None."""
    while fault is not None and not isinstance(fault, OSError):
        fault = fault.__cause__ or fault.__context__
    return fault


def _hide_queries(record: logging.LogRecord) -> bool:
    """Take from a line of httpx's log what may be a password in an address."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            public_url(str(each)) if isinstance(each, httpx.URL) else each for each in record.args
        )
    return True


logging.getLogger("httpx").addFilter(_hide_queries)
