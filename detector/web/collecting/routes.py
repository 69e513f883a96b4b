"""The routes of collecting: the page, the beginning of a session, and the line of its camera."""

import json
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field

from detector.web.collecting.dataset import (
    MOST_SESSIONS,
    CollectingDataset,
    NotAllowedError,
    SessionsBusyError,
    SessionWish,
)
from detector.web.collecting.session import CollectingSession
from detector.web.device.routes import receive_picture, refuse_socket
from detector.web.page_routes import PageFiles
from maskage.capture.shutter import Gate
from maskage.dataset.consent import SELF_SUBJECT, Consent, check_subject
from maskage.errors import DatasetInUseError, ToolchainError, UnreadableImageError, UsageError

_NO_SESSION, _OUR_FAULT, _GONE_SILENT = 4404, 1011, 4000


class ConsentRequest(BaseModel):
    """A consent to put on record, from today on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    basis: str = Field(min_length=1, max_length=200, description='Such as "form 12".')
    expires_on: date | None = None
    is_minor: bool = False
    guardian: str | None = Field(None, max_length=200, description='A role, such as "mother".')


class SessionRequest(BaseModel):
    """A session of one person before the camera."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    subject: str = Field("", max_length=200)
    is_self: bool = False
    is_new: bool = False
    gate: Literal["strict", "warn", "off"] = "warn"
    consent: ConsentRequest | None = None

    def to_wish(self) -> SessionWish:
        """Return it as the dataset takes it.

        Raises:
            UsageError: The subject is no pseudonym.
            ValueError: The consent contradicts itself.
        """
        name = self.subject.strip() or (SELF_SUBJECT if self.is_self else "")
        subject = check_subject(name)
        given = self.consent
        consent = None
        if given is not None:
            today, end = date.today(), given.expires_on
            consent = Consent(subject, given.basis, today, end, given.is_minor, given.guardian)
        return SessionWish(subject, Gate(self.gate), self.is_self, self.is_new, consent)


def collecting_routes(dataset: CollectingDataset) -> APIRouter:
    """Build the routes."""
    router = APIRouter(tags=["collecting"])
    files = PageFiles()

    @router.get("/collect", include_in_schema=False)
    async def page() -> Response:
        return Response(files.read("collect.html"), media_type=files.media_type("collect.html"))

    @router.post("/collect/sessions", status_code=201)
    async def begin(wanted: SessionRequest) -> dict[str, Any]:
        """Begin to photograph one person; the answer has the key of its camera's WebSocket."""
        try:
            key, session = await dataset.begin(wanted.to_wish())
        except DatasetInUseError as fault:
            raise HTTPException(409, str(fault)) from fault
        except NotAllowedError as fault:
            raise HTTPException(403, str(fault)) from fault
        except (UsageError, ValueError) as fault:
            raise HTTPException(422, str(fault)) from fault
        except SessionsBusyError:
            raise HTTPException(
                503,
                f"{MOST_SESSIONS} browsers collect here already. Stop one of them; its place is "
                f"free half a minute later.",
                {"Retry-After": "30"},
            ) from None
        except ToolchainError as fault:
            raise HTTPException(500, str(fault)) from fault
        return {"session": key, **session.describe()}

    @router.websocket("/collect/camera")
    async def camera(socket: WebSocket, session: str = "") -> None:
        """Take the pictures of a session's camera, and its orders."""
        await socket.accept()
        with suppress(WebSocketDisconnect):
            held = dataset.hold(session)
            if held is None:
                why = "This session has ended. Begin again: every photo that was saved is safe."
                await refuse_socket(socket, why, _NO_SESSION)
                return
            try:
                await _serve(socket, dataset, held)
            finally:
                held.release()
                dataset.release(session)

    return router


async def _serve(socket: WebSocket, dataset: CollectingDataset, session: CollectingSession) -> None:
    while True:
        data = await receive_picture(socket)
        if data is None:
            await socket.close(_GONE_SILENT, "no picture for a minute")
            return
        if isinstance(data, str):
            # The second: brackets in brackets without end.
            with suppress(ValueError, RecursionError):
                order = json.loads(data)
                if isinstance(order, dict):
                    session.obey(order)
            continue
        try:
            answer = await dataset.run(partial(session.see, data))
        except UnreadableImageError as fault:
            answer = {"fault": str(fault)}
        except ToolchainError as fault:
            await refuse_socket(socket, str(fault), _OUR_FAULT)
            return
        await socket.send_json(answer)
