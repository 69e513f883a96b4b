"""The middleware around the application: access, limits on bodies, headers on every answer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.web.access.headers import security_headers
from detector.web.access.rules import Access, Refusal, Visit, login_address
from detector.web.access.sockets import route_of, serve_socket
from maskage.console import say

BODY_BYTES = 16_384
"""The largest body of a request, except where a picture is sent."""

BODY_TIMEOUT_S = 20.0
_DRAIN_S = 2.0
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class AccessMiddleware:
    """The application, wrapped; a refusal is a JSON object with `detail`.

    Args:
        app: The application that answers.
        access: The rules on who may come in.
        open_paths: Paths that need no authentication.
        page_paths: Pages that ask a visitor to log in by themselves.
        body_bytes: Limits of the paths that accept larger bodies than `BODY_BYTES`.
        on_answer: Called with the route, the method and the status of each answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        open_paths: frozenset[str],
        page_paths: frozenset[str],
        body_bytes: Mapping[str, int],
        on_answer: Callable[[str, str, int], None],
    ) -> None:
        self._app = app
        self._access = access
        self._open_paths = open_paths
        self._page_paths = page_paths
        self._body_bytes = body_bytes
        self._on_answer = on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one WebSocket."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            visit = self._admit(scope)
            await serve_socket(
                self._app, visit, self._access, (scope, receive, send), self._on_answer
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = self._admit(scope)
        admitted = Visit() if isinstance(visit, Refusal) else visit
        answer = _Answer(scope, send, self._access, admitted, self._on_answer)
        if isinstance(visit, Refusal):
            await _send_refusal(answer.send, self._ask_to_log_in(scope, visit))
            return
        limit = self._body_bytes.get(scope["path"], BODY_BYTES)
        body = _LimitedBody(receive, Headers(scope=scope), limit)
        try:
            async with self._access.until_end(visit) as deadline:
                await self._app(scope, body.receive, answer.send)
        except Exception as fault:  # noqa: BLE001  a bug in one answer must not end the live view
            if isinstance(fault, TimeoutError) and deadline.expired():
                # The answer stops where it is, which a client sees, and asks again.
                return
            say(f"web: this is a bug in the toolchain: {type(fault).__name__}: {fault}")
            if not answer.has_begun:
                await _send_refusal(
                    answer.send,
                    Refusal(500, "This is a bug in the program; its terminal shows more."),
                )

    def _admit(self, scope: Scope) -> Visit | Refusal:
        headers = Headers(scope=scope)
        path, method = scope["path"], scope.get("method", "")
        server_ip = scope["server"][0] if scope.get("server") else None
        is_page = path in self._page_paths and method == "GET"
        visit: Visit | Refusal | None = self._access.refuse_host(headers, server_ip)
        query = scope["query_string"].decode("latin-1")
        if visit is None and self._access.addresses.is_meant(method, path, query):
            visit = self._access.admit_signed(path, query)
        if visit is None:
            is_socket = scope["type"] == "websocket"
            visit = self._access.refuse_origin(headers, is_page=is_page, is_socket=is_socket)
        if visit is None:
            # A page checks by itself: it reads the token in its address, and knows where to log in.
            if (path in self._open_paths and method) or is_page:
                return Visit()
            caller = scope["client"][0] if scope.get("client") else ""
            visit = self._access.admit(headers, caller)
        if isinstance(visit, Visit):
            scope["state"]["connection"].authenticate()
        return visit

    def _ask_to_log_in(self, scope: Scope, refusal: Refusal) -> Refusal:
        """Return a refusal that leads to the page for the password, where a person asks."""
        headers = Headers(scope=scope)
        is_person = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
        if refusal.status != 401 or not is_person or not self._access.has_password:
            return refusal
        return replace(refusal, status=303, location=login_address(_address_of(scope)))


class _Answer:
    """One answer on its way out: with the headers of all answers, and counted.

    Attributes:
        has_begun: True once its status was sent.
    """

    def __init__(
        self,
        scope: Scope,
        send: Send,
        access: Access,
        visit: Visit,
        on_answer: Callable[[str, str, int], None],
    ) -> None:
        self._scope, self._send = scope, send
        self._access, self._visit = access, visit
        self._on_answer = on_answer
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            is_embedded = self._visit.is_embedded
            for name, value in security_headers(self._access.frame_origins, is_embedded).items():
                headers[name] = value
            session = self._visit.session
            if session is not None and self._access.sessions.is_half_over(session):
                headers.setdefault("Set-Cookie", self._access.new_cookie())
            self._on_answer(route_of(self._scope), _method_of(self._scope), message["status"])
        await self._send(message)


class _LimitedBody:
    """The body of a request, passed on until it is too large or too slow."""

    def __init__(self, receive: Receive, headers: Headers, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._taken = 0
        self._is_whole = False
        self._deadline_s: float | None = None
        declared = headers.get("content-length", "0")
        self._is_declared_too_large = declared.isdecimal() and int(declared) > limit
        self._waits_for_continue = headers.get("expect", "").lower() == "100-continue"

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if self._is_declared_too_large:
            if not self._waits_for_continue:
                await self._drain()
            raise self._too_large()
        loop = asyncio.get_running_loop()
        if self._deadline_s is None:
            self._deadline_s = loop.time() + BODY_TIMEOUT_S
        try:
            async with asyncio.timeout_at(self._deadline_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                408,
                f"The request took longer than {BODY_TIMEOUT_S:.0f} s to arrive.",
                {"Connection": "close"},
            ) from None
        self._taken += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._taken > self._limit:
            await self._drain()
            raise self._too_large()
        return message

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413,
            f"The request is larger than {self._limit:,} bytes. Send a smaller one.",
            {"Connection": "close"},
        )

    async def _drain(self) -> None:
        """Read on for a moment: a client that cannot finish writing would miss the answer."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                while not self._is_whole:
                    self._is_whole = not (await self._receive()).get("more_body", False)
        except TimeoutError:
            pass
        self._is_whole = True


def _address_of(scope: Scope) -> str:
    """Return the path and the parameters that a request asks for."""
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _method_of(scope: Scope) -> str:
    return str(scope["method"]) if scope["method"] in _METHODS else "other"


async def _send_refusal(send: Send, refusal: Refusal) -> None:
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        # Whatever else the client was about to send is not read.
        (b"connection", b"close"),
    ]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="detector"'))
    if refusal.location is not None:
        headers.append((b"location", refusal.location.encode()))
    if refusal.retry_s is not None:
        headers.append((b"retry-after", str(refusal.retry_s).encode()))
    body: dict[str, Any] = {"detail": refusal.detail}
    data = json.dumps(body).encode()
    headers.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
