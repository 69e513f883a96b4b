"""The panels beside and below the picture: meters and keys; helpers of panels.

Each draws itself from a small record that the screen gives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from collector.keys import KeyCommand, shorten_keys
from maskage.commands.text_table import count_of
from maskage.outside_text import shown_text
from maskage.pictures.quality_limits import QualityLimits
from maskage.records import Quality

MUTED = "$foreground 55%"


def draw_bar(fraction: float, width: int, color: str) -> Content:
    """Draw a bar of `width` cells, filled to `fraction` (0 to 1) in steps of half a cell.

    Anything above 0 shows.
    """
    halves = round(min(1.0, max(0.0, fraction)) * 2 * width)
    if fraction > 0:
        halves = max(1, halves)
    full, half = divmod(halves, 2)
    filled = "━" * full + "╸" * half
    return Content.assemble((filled, color), ("━" * (width - len(filled)), "$panel-lighten-2"))


def spread(left: Content, right: Content, width: int) -> Content:
    """Put two texts at the two ends of a line; the left one is shortened."""
    room = max(0, width - right.cell_length)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), right)


def count_photos(count: int) -> str:
    """Return "1 photo" or "12 photos"."""
    return count_of(count, "photo")


@dataclass(frozen=True, kw_only=True)
class SessionFigures:
    """The figures of `SessionPanel`.

    Attributes:
        subject: Pseudonym of the person, or None.
        session: Name of the session.
        quality: Figures of the newest crop, or None.
        limits: Limits that they are compared with.
        saved: Photos saved in this run.
        refused: Shots refused in this run.
        dropped: Frames dropped in this run.
        failed: Shots that could not be saved.
        waiting: Shots that are being saved.
        subject_count: Photos of the subject in the dataset.
    """

    subject: str | None = None
    session: str = ""
    quality: Quality | None = None
    limits: QualityLimits = field(default_factory=QualityLimits)
    saved: int = 0
    refused: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0
    subject_count: int = 0


class SessionPanel(Widget):
    """A panel with subject, session, three meters, and the counters."""

    ALLOW_SELECT = False
    figures: reactive[SessionFigures] = reactive(SessionFigures())

    def render(self) -> Content:
        """Draw the text of the widget."""
        figures = self.figures
        who = (
            (shown_text(figures.subject), "bold")
            if figures.subject
            else ("not set: press s", "$warning")
        )
        count = f"  {count_photos(figures.subject_count)}" if figures.subject else ""
        head = [
            Content.assemble(("subject  ", MUTED), who, (count, MUTED)),
            Content.assemble(("session  ", MUTED), shown_text(figures.session)),
        ]
        counters = self._draw_counters(figures)
        meters = self._draw_meters(figures)
        gap = [Content("")] if self.size.height >= len(head + meters + counters) + 3 else []
        return Content("\n").join([*gap, *head, *gap, *meters, *gap, *counters])

    def _draw_meters(self, figures: SessionFigures) -> list[Content]:
        quality, limits = figures.quality, figures.limits
        if quality is None:
            return [self._meter(name, 0, "-", True) for name in ("sharp", "light", "face")]
        is_sharp = quality.sharpness >= limits.min_sharpness
        is_lit = limits.min_brightness <= quality.brightness <= limits.max_brightness
        is_near = quality.face_px >= limits.min_face_px or quality.face_px == 0
        # The bar is half full at twice the limit, where a shot is safely sharp or near.
        return [
            self._meter(
                "sharp",
                quality.sharpness / (4 * limits.min_sharpness),
                f"{quality.sharpness:.0f}",
                is_sharp,
            ),
            self._meter("light", quality.brightness / 255, f"{quality.brightness:.0f}", is_lit),
            self._meter(
                "face",
                quality.face_px / (4 * limits.min_face_px),
                f"{quality.face_px} px" if quality.face_px else "-",
                is_near,
            ),
        ]

    def _meter(self, name: str, fraction: float, value: str, is_good: bool) -> Content:
        color = "$success" if is_good else "$error"
        return Content.assemble(
            (f"{name:<7}", MUTED),
            draw_bar(fraction, max(4, self.size.width - 14), color),
            (f"{value:>7}", "" if is_good else color),
        )

    def _draw_counters(self, figures: SessionFigures) -> list[Content]:
        first = Content.assemble(
            ("saved ", MUTED),
            (f"{figures.saved:,}", "bold $success"),
            ("  refused ", MUTED),
            (f"{figures.refused:,}", "bold $warning" if figures.refused else "bold"),
            (f"  failed {figures.failed}", "bold $error") if figures.failed else "",
        )
        second = Content.assemble(
            ("frames dropped ", MUTED),
            (f"{figures.dropped:,}", "bold"),
            ("  saving ", MUTED) if figures.waiting else "",
            (str(figures.waiting), "bold") if figures.waiting else "",
        )
        return [first, second]


class KeyFooter(Widget):
    """The keys and their words, wrapped over as many lines as needed.

    Args:
        commands: The keys.
        families: Actions of several keys, each with one word for all of them.
    """

    ALLOW_SELECT = False
    _GAP = "  "

    def __init__(
        self,
        commands: Sequence[KeyCommand],
        families: Sequence[tuple[str, str]],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        items = []
        # Keys of one kind, such as those of the classes, stand together under one word.
        for action, word in families:
            kin = [c.first_key for c in commands if c.action.startswith(f"{action}(") and c.keys]
            if kin:
                items.append((shorten_keys(kin, longest=6), word))
        items += [(c.first_key, c.short) for c in commands if c.short]
        self._items = [
            Content.assemble((keys, "bold $primary"), (f" {word}", MUTED)) for keys, word in items
        ]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines that the keys take."""
        return len(self._wrap(width))

    def render(self) -> Content:
        """Draw the text of the widget."""
        return Content("\n").join(self._wrap(self.size.width))

    def _wrap(self, width: int) -> list[Content]:
        """Fill lines without parting a key from its word."""
        lines: list[Content] = []
        for item in self._items:
            if lines and lines[-1].cell_length + len(self._GAP) + item.cell_length <= width:
                lines[-1] = Content.assemble(lines[-1], self._GAP, item)
            else:
                lines.append(item)
        return lines
