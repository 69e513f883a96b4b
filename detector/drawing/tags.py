"""Tags at faces: their words, and their places, so that none hides another face or tag."""

from collections.abc import Sequence
from dataclasses import dataclass

from detector.drawing.styles import unsure_word
from detector.drawing.text import shorten, text_height, text_width
from detector.tracking.tracker import TrackedFace
from maskage.inference.picture_faces import UnsureReason
from maskage.outside_text import shown_text
from maskage.records import FaceBox, RgbImage

MOST_HIDDEN = 0.1
"""Part of a tag that may lie on other faces and tags; with more it moves away."""
LEAST_KEPT_CLEAR = 0.6
"""Size of a face, as part of another's, from which on the other's tag keeps off it: people far away
may be covered."""


@dataclass(frozen=True)
class Tag:
    """The words at a face, and their place.

    Attributes:
        words: "#3 mask, young 93%", or the number alone.
        place: The place in the drawing.
    """

    words: str
    place: FaceBox


def place_tags(
    canvas: RgbImage, faces: Sequence[TrackedFace], boxes: Sequence[FaceBox], selected: int | None
) -> list[Tag]:
    """Place each face's tag above its box, or elsewhere if it hides less of faces and tags there.

    In a crowd, in which every place hides some, the tag is the number alone.

    Args:
        canvas: The drawing, RGB uint8 (H, W, 3).
        faces: The faces.
        boxes: Their places in the drawing.
        selected: Track of the face that the next correction is meant for, or None.
    """
    tags: list[Tag] = []
    for face, box in zip(faces, boxes, strict=True):
        least_px = LEAST_KEPT_CLEAR * box.side_px
        kept_clear = [other for other in boxes if other is not box and other.side_px >= least_px]
        taken = [*kept_clear, *(tag.place for tag in tags)]
        mark = mark_selected(face, selected)
        tag = _place_tag(canvas, box, mark + describe_face(face), taken)
        if _hides(tag, taken):
            tag = _place_tag(canvas, box, f"{mark}#{face.track}", taken)
        tags.append(tag)
    return tags


def _place_tag(canvas: RgbImage, box: FaceBox, words: str, taken: Sequence[FaceBox]) -> Tag:
    text_px = text_height(canvas)
    # A long name of a class is not to hide a row of faces.
    widest_px = max(canvas.shape[1] // 2, min(canvas.shape[1], 20 * text_px))
    words = shorten(words, text_px, widest_px - 2 * paddings(text_px)[0])
    width, height = _size(canvas, box, words)
    left = max(0, min(box.x, canvas.shape[1] - width))
    tops = _tops(canvas, box, height)
    usual = Tag(words, FaceBox(left, tops[0], width, height))
    # It stays at its usual place for the sake of a little: a tag that jumps is worse.
    if not _hides(usual, taken):
        return usual
    ways = [usual, *(Tag(words, FaceBox(left, top, width, height)) for top in tops[1:])]
    return min(ways, key=lambda tag: _common(tag.place, [*taken, box]))


def _hides(tag: Tag, taken: Sequence[FaceBox]) -> bool:
    return _common(tag.place, taken) > MOST_HIDDEN * tag.place.width * tag.place.height


def _size(canvas: RgbImage, box: FaceBox, words: str) -> tuple[int, int]:
    """Return width and height of a tag."""
    text_px = text_height(canvas)
    pad, bar_px = paddings(text_px)
    width = max(text_width(words, text_px) + 2 * pad, min(box.width, 12 * text_px))
    return width, text_px + 3 * pad + bar_px


def _tops(canvas: RgbImage, box: FaceBox, height: int) -> list[int]:
    """Return the possible tops within the picture: above, below, inside at top and foot."""
    lowest = canvas.shape[0] - height
    wanted = (box.y - height - 2, box.y + box.height + 2)
    at_foot = box.y + box.height - height
    return [
        *(top for top in wanted if 0 <= top <= lowest),
        max(0, min(box.y, lowest)),
        *([at_foot] if 0 <= at_foot <= lowest else []),
    ]


def _common(place: FaceBox, taken: Sequence[FaceBox]) -> int:
    """Return the pixels that a place has in common with others, counted for each."""
    return sum(place.overlap(other) for other in taken)


def paddings(text_px: int) -> tuple[int, int]:
    """Return the padding around a tag's words and the thickness of its bar, in pixels."""
    return max(3, text_px // 3), max(4, text_px // 3)


def describe_face(face: TrackedFace) -> str:
    """Return a face in a few words: "#3 mask, young 93%", "#3 unsure 41%", "#3 unsure: unfamiliar".

    The confidence in an unfamiliar face means nothing, so it is not shown.
    """
    if face.unsure_reason is UnsureReason.UNFAMILIAR:
        return f"#{face.track} {unsure_word(face.scheme)}: {UnsureReason.UNFAMILIAR}"
    name = face.scheme.title(face.label) if face.is_sure else unsure_word(face.scheme)
    return f"#{face.track} {shown_text(name)} {face.confidence:.0%}"


def mark_selected(face: TrackedFace, selected: int | None) -> str:
    """Return the mark of the face that the next correction is meant for; empty for others."""
    return "> " if face.track == selected else ""
