"""The widgets of the capture screen: live picture left, counts right, last ten shots below."""

import time
from collections import deque
from collections.abc import Mapping

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from collector.capture.edit_messages import describe_edits
from collector.keys import PALETTE, picture_commands
from collector.screens.capture_parts import CaptureParts
from collector.screens.keyed_screen import KeyedScreen
from collector.widgets.class_palette import ClassPalette
from collector.widgets.class_panel import ClassPanel
from collector.widgets.class_text import fit_cells
from collector.widgets.panels import MUTED, KeyFooter, SessionPanel
from collector.widgets.preview import Preview
from collector.widgets.roomy_screen import TooSmall
from collector.widgets.shot_strip import ShotStrip
from collector.widgets.tone_line import ToneLine
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.cameras.sources import PictureFolder
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import Edited, How
from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text

_BADGE = " ◉ collector "
_LEAST_ROOT, _LEAST_NAME = 6, 16
"""Cells of the dataset and of the picture that the counts beside them leave free."""
_MANY = 12
"""Classes beyond which a broad screen gives the panels more room."""


class CaptureView(KeyedScreen):
    """The widgets of the capture screen; what they show is decided by `CaptureScreen`.

    Args:
        parts: The classes, their targets, and the keys.

    Attributes:
        answers: The last answers to the person, the newest at the end.
    """

    UNDER_PALETTE = "#classes, #session"

    def __init__(self, parts: CaptureParts) -> None:
        super().__init__(parts.store.scheme, parts.commands)
        self._parts = parts
        self.set_class(len(self._scheme) > _MANY, "-many")
        self.answers: deque[Feedback] = deque(maxlen=100)
        self._answered_s = float("-inf")

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        find = next(c.first_key for c in self._commands if c.action == PALETTE)
        yield Static(id="header")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Preview(id="preview")
                yield ToneLine(id="advice")
                yield ToneLine(id="answer")
            with Vertical(id="right"):
                yield ClassPanel(
                    self._scheme, self._class_keys, self._parts.target, find, id="classes"
                )
                yield SessionPanel(id="session")
                yield ClassPalette(self._scheme, self._class_keys, id="palette")
        yield ShotStrip(self._scheme, self._class_keys, id="strip")
        if isinstance(self._parts.camera, PictureFolder):
            yield KeyFooter(picture_commands(self._commands), [("shoot", "label")], id="keys")
        else:
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

    def _draw_header(self, name: str, *places: str) -> None:
        """Draw the first line.

        Args:
            name: The camera, or the picture of a folder.
            places: What is seen in full beside it, such as frames a second and the gate; the
                longest first, and what it is cut down to where the line is too narrow for it and
                for the name.
        """
        others = len("      ·  ")
        # A picture is known by its name alone, a camera beside its dataset.
        least_root = _LEAST_ROOT if len(places) > 1 else None
        least = min(cell_len(shown_text(name)), _LEAST_NAME) + _LEAST_ROOT
        rooms = [self.size.width - cell_len(_BADGE + place) - others for place in places]
        fitting = (i for i, room in enumerate(rooms) if room >= least)
        chosen = next(fitting, len(places) - 1)
        place, room = places[chosen], rooms[chosen]
        root, name = fit_names(str(self._parts.store.root), name, room, least_root)
        self.query_one("#header", Static).update(
            Content.assemble(
                (_BADGE, "bold $background on $primary"),
                (f"  {root}", "bold"),
                (f"   {name} · {place}", MUTED),
            )
        )


def fit_names(root: str, name: str, room: int, least_root: int | None = None) -> tuple[str, str]:
    """Return a path and a name cut to so many cells in all.

    A path is known by its end, a camera by its beginning. The path gives way first, down to
    `least_root` cells, or to half of the room.
    """
    root, name = shown_text(root), shown_text(name)
    left = max(room // 2 if least_root is None else least_root, room - cell_len(name))
    if cell_len(root) > left:
        while root and cell_len(root) >= left:
            root = root[1:]
        root = f"…{root}"
    return root, fit_cells(name, max(1, min(cell_len(name), room - cell_len(root))))


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


def describe_saved(report: Edited, total: Mapping[str, int], scheme: Scheme) -> Feedback:
    """Return the answer to edits that are on the disk.

    Args:
        report: The edits that the writer carried out.
        total: Photos in each class, these included.
        scheme: The classes.
    """
    photo = report.edits[0].photo
    taken = report.taken.get(photo.path)
    if report.how is not How.DONE or taken is None:
        return describe_edits(report, scheme)
    text = f"saved {scheme.title(photo.label)}, number {total[photo.label]:,}"
    if taken.flaws:
        return Feedback(f"{text} · {', '.join(taken.flaws)}", Tone.CARE)
    return Feedback(text, Tone.GOOD)
