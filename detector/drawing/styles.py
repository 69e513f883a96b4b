"""The colour, line and word of each face: the same on pictures, in the terminal and on the page.

A class has its colour from the scheme, and the colour is never alone. Where the classes say who
wears a mask, a worn mask has a closed box, a misworn one a box that is open below, and a bare face
only corners; an unsure face is dotted. The label is always there in words.
"""

from enum import StrEnum
from functools import lru_cache

from detector.drawing.text import Color
from detector.tracking.tracker import TrackedFace
from maskage.classes.scheme import AGE, MASK, MISWORN, NONE, Scheme

AGE_NOTICE = "Age is estimated from appearance and may be wrong."
UNSURE_COLOR: Color = (200, 200, 200)
INK: Color = (20, 20, 20)
PAPER: Color = (255, 255, 255)
_BLACK: Color = (0, 0, 0)
_UNSURE_WORDS = ("unsure", "not sure", "below the threshold")


class Line(StrEnum):
    """The line of a box around a face."""

    CLOSED = "closed"
    OPEN_BELOW = "open_below"
    CORNERS = "corners"
    DOTTED = "dotted"


_LINES = {MISWORN: Line.OPEN_BELOW, NONE: Line.CORNERS}


def class_line(scheme: Scheme, label: str) -> Line:
    """Return the line of a face that is surely of a class."""
    return _LINES.get(scheme.value(label, MASK) or "", Line.CLOSED)


def face_line(face: TrackedFace) -> Line:
    """Return the line of a face's box."""
    return class_line(face.scheme, face.label) if face.is_sure else Line.DOTTED


def face_color(face: TrackedFace) -> Color:
    """Return the RGB colour of a face's box and tag."""
    return face.scheme[face.label].rgb if face.is_sure else UNSURE_COLOR


@lru_cache(maxsize=256)
def ink_on(color: Color) -> Color:
    """Return black or white, whichever is easier to read on a colour: at least 4.5 to 1."""
    return max(_BLACK, PAPER, key=lambda ink: contrast(color, ink))


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    parts = [value / 255 for value in color]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def age_notice(scheme: Scheme) -> str:
    """Return the notice that an age may be wrong; empty for classes that say nothing of an age."""
    return AGE_NOTICE if AGE in scheme.factors else ""


def unsure_word(scheme: Scheme) -> str:
    """Return "unsure", or another word where a class is called so."""
    taken = {each.title.casefold() for each in scheme}
    return next((word for word in _UNSURE_WORDS if word not in taken), "?")
