"""The middleware around the application: access, limits on bodies, headers on every answer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.web.access.rules import Access, Refusal
from maskage.console import say

BODY_BYTES = 16_384
"""The largest body of a request, except where a picture is sent."""

BODY_TIMEOUT_S = 20.0
_DRAIN_S = 2.0
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": under that a browser sends a form with `Origin: null`, as from elsewhere.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


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
        """Answer one request."""
        if scope["type"] != "http":
            return
        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                self._on_answer(_route_of(scope), _method_of(scope), message["status"])
            await send(message)

        refusal = self._refuse(scope)
        if refusal is not None:
            await _send_refusal(send_guarded, refusal)
            return
        limit = self._body_bytes.get(scope["path"], BODY_BYTES)
        body = _LimitedBody(receive, Headers(scope=scope), limit)
        try:
            await self._app(scope, body.receive, send_guarded)
        except Exception as fault:  # noqa: BLE001  a bug in one answer must not end the live view
            say(f"web: this is a bug in the toolchain: {type(fault).__name__}: {fault}")
            if not has_begun:
                await _send_refusal(
                    send_guarded,
                    Refusal(500, "This is a bug in the program; its terminal shows more."),
                )

    def _refuse(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        path = scope["path"]
        server_ip = scope["server"][0] if scope.get("server") else None
        is_page = path in self._page_paths and scope["method"] == "GET"
        refusal = self._access.refuse_origin(headers, server_ip, is_page=is_page)
        # A page checks by itself: it reads the token in its address, and knows where to log in.
        if refusal is not None or path in self._open_paths or is_page:
            return refusal
        caller = scope["client"][0] if scope.get("client") else ""
        refusal = self._access.refuse_visitor(headers, caller)
        if refusal is None:
            scope["state"]["connection"].authenticate()
        return refusal


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


def _route_of(scope: Scope) -> str:
    """Return the pattern of the route; the path itself may be anything."""
    return str(getattr(scope.get("route"), "path", "other"))


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
    if refusal.retry_s is not None:
        headers.append((b"retry-after", str(refusal.retry_s).encode()))
    body: dict[str, Any] = {"detail": refusal.detail}
    data = json.dumps(body).encode()
    headers.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
