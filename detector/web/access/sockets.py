"""WebSockets: served to who was let in, until the visit ends; refused with a status otherwise."""

import json
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.web.access.rules import Access, Refusal, Visit
from maskage.console import say

SESSION_ENDED = 4401
"""Code of the close frame; the numbers from 4000 on are an application's own (RFC 6455, 7.4.2)."""

_FAULT = 1011
_SWITCHING = 101


async def serve_socket(
    app: ASGIApp,
    visit: Visit | Refusal,
    access: Access,
    call: tuple[Scope, Receive, Send],
    on_answer: Callable[[str, str, int], None],
) -> None:
    """Serve one WebSocket, or refuse it before it is opened.

    Args:
        app: The application.
        visit: The visitor, or why there is none.
        access: The rules on who may come in.
        call: What the server calls the application with.
        on_answer: Called with the route, the method and the status of the answer.
    """
    scope, receive, send = call
    is_open = False

    async def send_noted(message: Message) -> None:
        nonlocal is_open
        if message["type"] == "websocket.accept":
            is_open = True
            on_answer(route_of(scope), "GET", _SWITCHING)
        elif message["type"] == "websocket.close":
            if not is_open:
                on_answer(route_of(scope), "GET", 403)
            is_open = False
        await send(message)

    if isinstance(visit, Refusal):
        await _refuse(send, visit)
        on_answer(route_of(scope), "GET", visit.status)
        return
    code, reason = _FAULT, "This is a bug in the program; its terminal shows more."
    try:
        async with access.until_end(visit) as deadline:
            await app(scope, receive, send_noted)
        return
    except Exception as fault:  # noqa: BLE001  a bug in one answer must not end the live view
        if isinstance(fault, TimeoutError) and deadline.expired():
            code, reason = SESSION_ENDED, "Your session has ended. Log in again."
        else:
            say(f"web: this is a bug in the toolchain: {type(fault).__name__}: {fault}")
    if is_open:
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Answer the request for a WebSocket with a status, as a request for a page is answered."""
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if refusal.retry_s is not None:
        headers.append((b"retry-after", str(refusal.retry_s).encode()))
    start = {
        "type": "websocket.http.response.start",
        "status": refusal.status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": body})


def route_of(scope: Scope) -> str:
    """Return the pattern of the route; the path itself may be anything."""
    return str(getattr(scope.get("route"), "path", "other"))
