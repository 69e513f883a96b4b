"""The widgets of the capture screen: live picture left, counts right, last ten shots below."""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from collector.capture.edit_messages import describe_edits
from collector.capture.photographer import Feedback, Tone
from collector.capture.writer import Edited, How
from collector.keys import KeyCommand
from collector.widgets.panels import MUTED, ClassPanel, KeyFooter, SessionPanel
from collector.widgets.preview import Preview
from collector.widgets.roomy_screen import RoomyScreen, TooSmall
from collector.widgets.shot_strip import ShotStrip
from collector.widgets.tone_line import ToneLine
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.classes.ready_made import MASK_AGE
from maskage.outside_text import shown_text


class CaptureView(RoomyScreen[None]):
    """The widgets of the capture screen; what they show is decided by `CaptureScreen`.

    Args:
        commands: The keys, for the footer.

    Attributes:
        answers: The last answers to the person, the newest at the end.
    """

    def __init__(self, commands: tuple[KeyCommand, ...]) -> None:
        super().__init__()
        self._commands = commands
        self.answers: deque[Feedback] = deque(maxlen=100)
        self._answered_s = float("-inf")

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        yield Static(id="header")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Preview(id="preview")
                yield ToneLine(id="advice")
                yield ToneLine(id="answer")
            with Vertical(id="right"):
                yield ClassPanel(id="classes")
                yield SessionPanel(id="session")
        yield ShotStrip(id="strip")
        yield KeyFooter(self._commands, [("shoot", "shoot, hold: burst")], id="keys")
        yield TooSmall("q  quit", id="too-small")

    @property
    def _preview(self) -> Preview:
        return self.query_one("#preview", Preview)

    @property
    def _strip(self) -> ShotStrip:
        return self.query_one("#strip", ShotStrip)

    @property
    def _class_panel(self) -> ClassPanel:
        return self.query_one("#classes", ClassPanel)

    @property
    def _session_panel(self) -> SessionPanel:
        return self.query_one("#session", SessionPanel)

    @property
    def _advice(self) -> ToneLine:
        return self.query_one("#advice", ToneLine)

    def _answer(self, answer: Feedback) -> None:
        self.answers.append(answer)
        self._answered_s = time.monotonic()
        self.query_one("#answer", ToneLine).say(answer)

    def _draw_header(self, root: Path, place: str) -> None:
        self.query_one("#header", Static).update(
            Content.assemble(
                (" ◉ collector ", "bold $background on $primary"),
                (f"  {shown_text(root)}", "bold"),
                (f"   {place}", MUTED),
            )
        )


def describe_camera(state: CameraState) -> str | None:
    """Return why the camera keeps the shutter closed, or None while it is live."""
    if state.condition is CameraCondition.LOST:
        return f"the camera is lost: reconnecting ({state.attempt})"
    if state.condition is CameraCondition.SILENT:
        return "no picture: waiting for the camera"
    if state.condition is CameraCondition.REFUSED:
        return "the camera refuses its name and password: press c to ask again"
    if state.condition is CameraCondition.ENDED:
        return "no more pictures: press c to start again"
    return None


def describe_saved(report: Edited, total: Mapping[str, int]) -> Feedback:
    """Return the answer to edits that are on the disk.

    Args:
        report: The edits that the writer carried out.
        total: Photos in each class, these included.
    """
    photo = report.edits[0].photo
    taken = report.taken.get(photo.path)
    if report.how is not How.DONE or taken is None:
        return describe_edits(report)
    text = f"saved {MASK_AGE.title(photo.label)}, number {total[photo.label]:,}"
    if taken.flaws:
        return Feedback(f"{text} · {', '.join(taken.flaws)}", Tone.CARE)
    return Feedback(text, Tone.GOOD)
