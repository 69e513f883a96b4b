"""The route `/camera`: a WebSocket that takes pictures in, and answers each with its faces.

One picture, one answer, then the next: the page sends its newest picture once the last one was
answered, so that nothing piles up however slow the line or the network is.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from detector.events.events import event_of
from detector.tracking.pipeline import FrameResult
from detector.web.device.labelling import Device, DeviceCameras, DevicesBusyError
from maskage.errors import ToolchainError, UnreadableImageError

LEAST_PERIOD_S = 1 / 30
"""Between two pictures of a device: more than a camera gives would only take from the others."""

SILENT_S = 60.0
"""Longest time without a picture, after which the place is free for another device."""

MOST_UNREADABLE = 10
"""Unreadable pictures in a row, after which the connection is closed."""

_TRY_LATER, _UNREADABLE, _OUR_FAULT, _GONE_SILENT = 1013, 1003, 1011, 4000


def device_routes(cameras: DeviceCameras) -> APIRouter:
    """Build the route."""
    router = APIRouter(tags=["pictures"])

    @router.websocket("/camera")
    async def camera(socket: WebSocket) -> None:
        """Label the pictures of a device's camera."""
        await socket.accept()
        with suppress(WebSocketDisconnect):
            try:
                with cameras.connect() as device:
                    await _answer_pictures(socket, device)
            except DevicesBusyError:
                await refuse_socket(
                    socket,
                    "As many cameras are connected as this program takes. Stop one of them, or "
                    "try again later.",
                    _TRY_LATER,
                )

    return router


async def refuse_socket(socket: WebSocket, why: str, code: int) -> None:
    """Send the reason for people, which a close frame has no room for, and close."""
    await socket.send_json({"refused": why})
    await socket.close(code)


async def receive_picture(socket: WebSocket) -> bytes | str | None:
    """Return the next message: a picture, or text; None after `SILENT_S` without one.

    Raises:
        WebSocketDisconnect: The client is gone.
    """
    try:
        async with asyncio.timeout(SILENT_S):
            message = await socket.receive()
    except TimeoutError:
        return None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    data: bytes | str | None = message.get("bytes")
    return data if data is not None else str(message.get("text", ""))


async def _answer_pictures(socket: WebSocket, device: Device) -> None:
    unreadable = 0
    while True:
        data = await receive_picture(socket)
        began_s = time.monotonic()
        if data is None:
            await socket.close(_GONE_SILENT, "no picture for a minute")
            return
        if isinstance(data, str):
            await refuse_socket(socket, "Only pictures are sent here, as JPEG.", _UNREADABLE)
            return
        try:
            answer = _describe(await device.label(data), device, began_s)
            unreadable = 0
        except UnreadableImageError as fault:
            unreadable += 1
            if unreadable >= MOST_UNREADABLE:
                await refuse_socket(socket, str(fault), _UNREADABLE)
                return
            answer = {"fault": str(fault)}
        except ToolchainError as fault:
            await refuse_socket(socket, str(fault), _OUR_FAULT)
            return
        await socket.send_json(answer)
        await asyncio.sleep(max(0.0, began_s + LEAST_PERIOD_S - time.monotonic()))


def _describe(result: FrameResult, device: Device, began_s: float) -> dict[str, Any]:
    """Return the event of `detector run --json`, with the size that its boxes are for."""
    return {
        **event_of(result),
        "width": result.frame.width,
        "height": result.frame.height,
        "work_ms": round(1000 * (time.monotonic() - began_s), 1),
        "notice": device.notice,
    }
