"""The JSON bodies of requests and answers, and the command that a request becomes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from detector.screens.commands import (
    Command,
    CorrectLabel,
    NextCamera,
    NextPicture,
    SelectNextFace,
    SetThreshold,
    ShowAll,
    TakeSnapshot,
    ToggleMirror,
    TogglePause,
    ToggleRecording,
    UseCamera,
)
from detector.web.access.signed_addresses import MOST_HOURS


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlainRequest(_Request):
    """A command that needs nothing but its name."""

    command: Literal[
        "toggle_pause",
        "toggle_mirror",
        "take_snapshot",
        "toggle_recording",
        "next_picture",
        "next_camera",
        "show_all",
        "select_next_face",
    ]

    def to_command(self) -> Command:
        """Return the command for the live loop."""
        return _PLAIN[self.command]


class UseCameraRequest(_Request):
    """Watch another source."""

    command: Literal["use_camera"]
    index: int = Field(ge=0, le=1000, description="Index into `controls.sources`.")

    def to_command(self) -> Command:
        """Return the command for the live loop."""
        return UseCamera(self.index)


class SetThresholdRequest(_Request):
    """Set the confidence from which a face counts as sure."""

    command: Literal["set_threshold"]
    value: float = Field(ge=0, le=1, allow_inf_nan=False)

    def to_command(self) -> Command:
        """Return the command for the live loop."""
        return SetThreshold(self.value)


class CorrectLabelRequest(_Request):
    """Save a face with its right label into the dataset."""

    command: Literal["correct_label"]
    label: str
    track: int | None = Field(
        None,
        ge=1,
        le=2**53,
        description="Number of a face; null for the selected or largest one.",
    )

    def to_command(self) -> Command:
        """Return the command for the live loop."""
        return CorrectLabel(self.label, self.track)


class SignedAddressRequest(_Request):
    """Sign the address of a picture."""

    address: str = Field(
        max_length=500, description="Path and parameters, such as /stream.mjpg or /snapshot.jpg."
    )
    hours: float = Field(24, gt=0, le=MOST_HOURS, allow_inf_nan=False)


CommandRequest = Annotated[
    PlainRequest | UseCameraRequest | SetThresholdRequest | CorrectLabelRequest,
    Field(discriminator="command"),
]

_PLAIN: dict[str, Command] = {
    "toggle_pause": TogglePause(),
    "toggle_mirror": ToggleMirror(),
    "take_snapshot": TakeSnapshot(),
    "toggle_recording": ToggleRecording(),
    "next_picture": NextPicture(),
    "next_camera": NextCamera(),
    "show_all": ShowAll(),
    "select_next_face": SelectNextFace(),
}


class FaceAnswer(BaseModel):
    """One face of a classified picture."""

    box: tuple[int, int, int, int] = Field(description="x, y, width, height in pixels")
    label: str
    confidence: float
    unsure: bool
    unsure_reason: Literal["unfamiliar", "confidence"] | None = Field(
        description="unfamiliar: unlike the faces that the model learned; confidence: under the "
        "threshold; null where it is sure."
    )
    strangeness: float | None = Field(
        description="How unlike the learned faces it is; null where the model does not measure it."
    )
    probabilities: dict[str, float]


class PictureAnswer(BaseModel):
    """A classified picture; faces largest first."""

    width: int
    height: int
    faces: list[FaceAnswer]
    notice: str | None
    age_notice: str
    preview: str | None = Field(
        None, description="The picture, upright and small, as a JPEG in base64, if asked for."
    )


class HealthAnswer(BaseModel):
    """The state: live, paused, ready (no camera); with status 503: starting, stale, stuck."""

    status: Literal["live", "paused", "ready", "starting", "stale", "stuck"]


class AcceptedAnswer(BaseModel):
    """The command was accepted; the live loop runs it and reports in `status.message`."""

    accepted: str


class SessionAnswer(BaseModel):
    """The visitor's session; nulls where the token itself gives access, which has no end."""

    ends_at: int | None = Field(description="Seconds since the epoch, by the server's clock.")
    left_s: float | None = Field(description="Seconds until then.")
    has_password: bool = Field(description="True where visitors log in with a password.")


class SignedAddressAnswer(BaseModel):
    """An address that needs no cookie and no token, until it ends."""

    address: str
    ends_at: int = Field(description="Seconds since the epoch, by the server's clock.")
    note: str


class LabelAnswer(BaseModel):
    """One class, as the page shows it."""

    name: str = Field(description="The class folder, which is the label.")
    folder: str
    title: str
    color: str
    factors: dict[str, str] = Field(description="Its value of each factor.")
    has_mask: bool | None = Field(description="mask=worn; null where classes say nothing of masks.")
    line: str = Field(description="Line of its box: closed, open_below or corners.")


class SeriesAnswer(BaseModel):
    """One line of the chart: faces with one value of the mask factor, or of one class."""

    name: str
    title: str
    label: int | None = Field(description="Index into `labels`, of the class it is about.")


class KeyAnswer(BaseModel):
    """One key of the window, which means the same on the page."""

    key: str = Field(description='A letter or sign; "\\r" is Enter.')
    action: str = Field(description="toggle_pause, correct_label and so on.")
    label: str | None = Field(description="The class of correct_label.")
    by: float | None = Field(description="The step of move_threshold and choose_label.")


class CostAnswer(BaseModel):
    """The answers at one threshold."""

    answered: int = Field(description="Test photos whose confidence reaches it.")
    accuracy: float | None = Field(description="Share of right answers; null without answers.")


class CostsAnswer(BaseModel):
    """The test answers of the training run at the thresholds 0, 1 ... 100 percent."""

    photos: int
    steps: list[CostAnswer]


class AboutAnswer(BaseModel):
    """The facts that the page reads once, when it starts."""

    has_camera: bool
    collects: bool = Field(description="Visitors may photograph into a dataset, at /collect.")
    has_device_camera: bool = Field(description="Visitors may send their own camera's picture.")
    labels: list[LabelAnswer]
    series: list[SeriesAnswer]
    unsure_color: str
    unsure_word: str
    age_notice: str = Field(description="Empty where classes say nothing of an age.")
    upload_bytes: int
    counted_s: int
    keys: list[KeyAnswer]
    threshold_costs: CostsAnswer | None = Field(description="Null where the model has no run.")
    has_history: bool
