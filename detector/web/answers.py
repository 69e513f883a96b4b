"""The JSON bodies of answers that hold others: several pictures, and live events."""

from typing import Literal

from pydantic import BaseModel, Field

from detector.web.requests import FaceAnswer, PictureAnswer


class FaultAnswer(BaseModel):
    """The reason why a request, or one picture of it, was refused."""

    detail: str = Field(description="What was wrong, what was found, and what to do next.")


class BatchEntry(BaseModel):
    """One picture of a batch: either `picture` or `detail` is null."""

    name: str = Field(description="Name of its file, or its number.")
    status: int = Field(description="HTTP status that it would have had alone: 200 for a result.")
    picture: PictureAnswer | None = None
    detail: str | None = Field(default=None, description="Why it has no result.")


class BatchAnswer(BaseModel):
    """The answer to several pictures, in their order."""

    pictures: list[BatchEntry]
    classified: int = Field(description="How many have a result.")


class TrackedFaceAnswer(FaceAnswer):
    """One face of a frame."""

    track: int = Field(description="Number of the person's track.")


class StatusAnswer(BaseModel):
    """The status line of the live view."""

    fps: float | None
    age_ms: float | None = Field(description="Age of the newest picture.")
    stale_s: float | None = Field(description="Seconds without a picture; null while they come.")
    is_paused: bool
    is_mirrored: bool
    message: str
    notice: str | None


class ControlsAnswer(BaseModel):
    """The present value of everything that can be chosen."""

    threshold: float
    recording: str | None
    selected: int | None
    source: int | str
    sources: list[str]
    correcting: str | None


class CountsAnswer(BaseModel):
    """The frames so far."""

    frames: int
    dropped: int
    reconnects: int


class WatchedCameraAnswer(BaseModel):
    """One of the cameras that are watched."""

    id: int = Field(description="Its number, from 0; what `?source=` takes.")
    name: str
    state: Literal["waiting", "live", "lost", "ended"]
    fps: float | None = Field(description="Frames labelled a second.")
    age_ms: float | None = Field(description="Age of its newest frame.")
    faces: int = Field(description="Faces in its newest frame.")


class ViewEvent(BaseModel):
    """One view: a line of `/events?format=jsonl`, and the data of the server-sent event `view`.

    The server-sent event `counts` holds finished seconds as rows of [time, one mean for each
    `series` of /about, unsure], and `beat` is a sign of life.
    """

    view: int = Field(description="Number of the view.")
    frame: int
    time_s: float
    file: str | None = Field(
        default=None, description="Name of the picture, in a folder of pictures."
    )
    source: str | None = Field(
        default=None, description="Name of the frame's camera, where several are watched."
    )
    faces: list[TrackedFaceAnswer]
    width: int
    height: int
    is_over: bool
    sources: list[WatchedCameraAnswer]
    shown: int | Literal["all"] = Field(description="`id` of the camera that is shown, or all.")
    status: StatusAnswer
    controls: ControlsAnswer
    counts: CountsAnswer


class AlarmEvent(BaseModel):
    """One alarm, as programs, webhooks and MQTT get it."""

    event: Literal["label"]
    label: str
    track: int
    confidence: float
    time_s: float
    at: str = Field(description="UTC, ISO 8601.")
    source: str
    file: str | None = None
