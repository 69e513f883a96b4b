"""The routes of the history: what there is, its pictures and files, and deleting."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from detector.web.history.alarm_history import AlarmHistory, RaisedAlarm
from detector.web.history.kept_files import (
    MOST_LISTED,
    GoneError,
    KeptFile,
    KeptFiles,
    KeptKind,
    NotKeptError,
)
from detector.web.history.thumbnails import make_thumbnail
from detector.web.views.hub import ViewHub
from maskage.errors import EnvironmentProblemError, ToolchainError
from maskage.outside_text import path_to_text

_MEDIA = {KeptKind.SNAPSHOTS: "image/jpeg", KeptKind.RECORDINGS: "video/mp4"}


@dataclass(frozen=True, eq=False)
class History:
    """The history of a live view.

    Attributes:
        kept: Its snapshots and recordings.
        alarms: Its alarms; None where none were asked for.
    """

    kept: KeptFiles
    alarms: AlarmHistory | None = None


class AlarmAnswer(BaseModel):
    """One alarm; its picture is at /history/alarms/NUMBER."""

    number: int
    label: str
    track: int
    confidence: float
    at: str = Field(description="UTC, ISO 8601.")
    source: str
    file: str | None


class KeptAnswer(BaseModel):
    """One file; it is at /history/KIND/NAME, and small at the same with ?small=1."""

    kind: KeptKind
    name: str
    at: str = Field(description="When it was begun, UTC, ISO 8601.")
    bytes: int
    is_growing: bool = Field(description="It is being recorded, and cannot be deleted yet.")


class HistoryAnswer(BaseModel):
    """The history, newest first."""

    has_alarms: bool = Field(description="False where no alarm was asked for.")
    alarms_raised: int = Field(description="Since the start; older ones are not listed.")
    alarms: list[AlarmAnswer]
    kept: list[KeptAnswer]
    left_out: int = Field(description="Older files, which are not listed.")
    problem: str | None = Field(description="Why the folders cannot be read.")


class DeletedAnswer(BaseModel):
    """The file that was deleted."""

    deleted: str


def history_routes(history: History | None, hub: ViewHub | None) -> APIRouter:
    """Build the routes; without a history each answers 404."""
    router = APIRouter(tags=["history"])
    # One at a time: many thumbnails at once would take the cores from the live picture.
    turn = asyncio.Lock()

    def known() -> History:
        if history is None:
            raise HTTPException(404, "This server watches no camera, and so keeps no history.")
        return history

    @router.get("/history")
    async def show() -> HistoryAnswer:
        """List the alarms since the start, and the files that were kept."""
        return await run_in_threadpool(_describe_history, known(), hub)

    @router.get("/history/alarms/{number}", response_class=Response)
    async def alarm_picture(number: int) -> Response:
        """Return the picture of an alarm, as a JPEG."""
        alarms = known().alarms
        found = alarms.find(number) if alarms is not None else None
        if found is None:
            raise HTTPException(404, f"The picture of alarm {number} is no longer kept.")
        return Response(found.jpeg, media_type="image/jpeg")

    @router.get("/history/{kind}/{name}", response_class=Response)
    async def file(kind: KeptKind, name: str, small: bool = False) -> Response:
        """Return a snapshot or recording, in parts where asked so; or a small picture of it."""
        found = _find(known(), kind, name)
        if not small:
            return FileResponse(found.path, media_type=_MEDIA[kind])
        try:
            async with turn:
                jpeg = await run_in_threadpool(make_thumbnail, found)
        except ToolchainError as fault:
            raise HTTPException(422, str(fault)) from fault
        return Response(jpeg, media_type="image/jpeg")

    @router.delete("/history/{kind}/{name}")
    async def delete(kind: KeptKind, name: str) -> DeletedAnswer:
        """Delete a snapshot or recording for good."""
        found = _find(known(), kind, name)
        if _is_growing(found, hub):
            raise HTTPException(409, f"{name} is being recorded. Stop the recording first.")
        try:
            await run_in_threadpool(known().kept.delete, kind, name)
        except GoneError as fault:
            raise HTTPException(410, str(fault)) from fault
        except EnvironmentProblemError as fault:
            raise HTTPException(500, str(fault)) from fault
        return DeletedAnswer(deleted=name)

    return router


def _find(history: History, kind: KeptKind, name: str) -> KeptFile:
    try:
        return history.kept.find(kind, name)
    except GoneError as fault:
        raise HTTPException(410, str(fault)) from fault
    except NotKeptError as fault:
        raise HTTPException(404, str(fault)) from fault


def _describe_history(history: History, hub: ViewHub | None) -> HistoryAnswer:
    files, problem = [], None
    try:
        files = history.kept.list_files()
    except EnvironmentProblemError as fault:
        problem = str(fault)
    alarms = history.alarms
    return HistoryAnswer(
        has_alarms=alarms is not None,
        alarms_raised=0 if alarms is None else alarms.raised,
        alarms=[_describe_alarm(each) for each in alarms.newest_first()] if alarms else [],
        kept=[_describe_file(each, hub) for each in files[:MOST_LISTED]],
        left_out=max(0, len(files) - MOST_LISTED),
        problem=problem,
    )


def _describe_alarm(raised: RaisedAlarm) -> AlarmAnswer:
    alarm = raised.alarm
    return AlarmAnswer(
        number=raised.number,
        label=alarm.label,
        track=alarm.track,
        confidence=round(alarm.confidence, 4),
        at=alarm.at,
        source=alarm.source,
        file=None if alarm.file is None else path_to_text(alarm.file),
    )


def _describe_file(file: KeptFile, hub: ViewHub | None) -> KeptAnswer:
    return KeptAnswer(
        kind=file.kind,
        name=file.path.name,
        at=file.at.isoformat(timespec="milliseconds"),
        bytes=file.size,
        is_growing=_is_growing(file, hub),
    )


def _is_growing(file: KeptFile, hub: ViewHub | None) -> bool:
    newest = hub.newest if hub is not None else None
    recording: Path | None = newest.view.controls.recording if newest is not None else None
    return recording is not None and recording.name == file.path.name
