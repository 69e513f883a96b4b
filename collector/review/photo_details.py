"""The details of one photo: the picture, large, and the facts beside it."""

from collections.abc import Iterator

import cv2
import numpy as np
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from collector.widgets.class_text import class_rgb, class_title, name_style
from collector.widgets.panels import MUTED
from collector.widgets.pixel_widget import PixelWidget
from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text
from maskage.pictures.half_blocks import place_picture
from maskage.pictures.quality import find_faults
from maskage.records import Photo, RgbImage

_WIDE = 32
"""Cells in which a time fits with its seconds."""


class PhotoPicture(PixelWidget):
    """One photo as large as there is room; its thumbnail until it is decoded."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pixels: RgbImage | None = None
        self._note = ""
        self._strips: list[Strip] | None = None
        self._drawn_for: object = None

    def show(self, pixels: RgbImage | None, note: str = "") -> None:
        """Show this picture, RGB uint8 (H, W, 3), or a note where there is none."""
        if pixels is self._pixels and note == self._note:
            return
        self._pixels, self._note, self._strips = pixels, note, None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of cells of the picture."""
        if self._strips is None or self._drawn_for != (self.size, self.is_raw):
            self._strips = self._draw()
            self._drawn_for = (self.size, self.is_raw)
        return self._strips[y] if y < len(self._strips) else self.blank_line()

    def _draw(self) -> list[Strip]:
        columns, rows = self.size
        if self._pixels is None:
            text = Content(shown_text(self._note).center(columns)[:columns])
            line = Strip(list(text.render_segments(self.visual_style)), columns) if text else None
            middle = [self.blank_line()] * (rows // 2)
            return [*middle, line] if line else middle
        height, width = self._pixels.shape[:2]
        place = place_picture(width, height, columns, rows)
        if place.rows == 0:
            return []
        canvas = np.empty((2 * rows, columns, 3), np.uint8)
        canvas[:] = self.background_colors[1].rgb
        method = cv2.INTER_AREA if width > place.columns else cv2.INTER_LINEAR
        small = cv2.resize(self._pixels, (place.columns, 2 * place.rows), interpolation=method)
        top = 2 * place.row
        canvas[top : top + len(small), place.column : place.column + place.columns] = small
        return [Strip(cells, columns) for cells in self.encode_lines(canvas)]


class PhotoDetails(Widget):
    """The class of one photo, the opinions on it, and what is known of it.

    Args:
        scheme: The classes.

    Attributes:
        photo: The photo, or None.
        removed_at: Time of its removal, for a photo in the trash; None where it is unknown.
    """

    ALLOW_SELECT = False
    photo: reactive[Photo | None] = reactive(None)
    removed_at: reactive[str | None] = reactive(None)

    def __init__(self, scheme: Scheme, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scheme = scheme

    def render(self) -> Content:
        """Draw the facts, one a line; those that matter least are cut off in a low terminal."""
        photo = self.photo
        if photo is None:
            return Content("")
        facts = [*self._facts(photo), *_quality(photo)]
        name = Content.assemble((shown_text(photo.path.partition("/")[2]), MUTED))
        lines = [self._title(photo), *self._opinions(photo)]
        gap = [Content("")] if len(lines) + len(facts) + 3 <= self.size.height else []
        return Content("\n").join([*lines, *gap, *facts, *gap, name])

    def _facts(self, photo: Photo) -> Iterator[Content]:
        if self.removed_at is not None:
            yield _fact("removed", self._moment(self.removed_at))
        yield _fact("subject", photo.subject or "unknown")
        yield _fact("session", photo.session or "unknown")
        if photo.group is not None:
            yield _fact("group", photo.group)
        yield _fact("taken", self._moment(photo.taken_at))
        yield _fact("from", photo.source or "unknown")
        if photo.origin is not None:
            yield _fact("origin", photo.origin)

    def _title(self, photo: Photo) -> Content:
        flag = ("  ⚑ flagged", "bold $warning") if photo.is_flagged else ""
        title = class_title(self._scheme, photo.label)
        return Content.assemble((title, f"bold {self._color(photo.label)}"), flag)

    def _color(self, label: str) -> str:
        return name_style(class_rgb(self._scheme, label), self.background_colors[1].rgb)

    def _opinions(self, photo: Photo) -> list[Content]:
        """Return each opinion, the model's first, its reason, and whether a person confirmed."""
        is_confirmed = photo.confirmed == photo.label
        lines = []
        for source, opinion in (("model", photo.suggestion), ("check", photo.check)):
            if opinion is None:
                continue
            agrees = opinion.label == photo.label
            mark = "=" if agrees else "✗" if is_confirmed else "≠"
            style = MUTED if agrees or is_confirmed else "bold $warning"
            words = f"{class_title(self._scheme, opinion.label)} {opinion.confidence:.0%}"
            name = (words, self._color(opinion.label))
            lines.append(Content.assemble((f"{mark} {source}: ", style), name))
            if opinion.reason and not agrees:
                lines.append(Content.assemble((f"  {shown_text(opinion.reason)}", style)))
        if is_confirmed:
            has_dismissed = any(line.plain.startswith("✗") for line in lines)
            words = "✓ confirmed, dismissed:" if has_dismissed else "✓ you confirmed the label"
            lines.insert(0, Content.styled(words, "$success"))
        return lines

    def _moment(self, time: str | None) -> str:
        if time is None:
            return "unknown"
        is_narrow = self.size.width < _WIDE
        return time[: 16 if is_narrow else 19].replace("T", " ") + ("" if is_narrow else " UTC")


def _quality(photo: Photo) -> Iterator[Content]:
    quality = photo.quality
    if quality is None:
        return
    face = f" · face {quality.face_px} px" if quality.face_px else ""
    yield _fact("sharp", f"{quality.sharpness:.0f}")
    yield _fact("light", f"{quality.brightness:.0f}{face}")
    if faults := find_faults(quality):
        yield Content.assemble((", ".join(faults), "$warning"))


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<8}", MUTED), shown_text(value))
