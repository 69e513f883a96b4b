"""Tags at faces: what they say, and where each goes so that it hides no other face or tag."""

from collections.abc import Sequence
from dataclasses import dataclass

from detector.drawing.text import text_height, text_width
from detector.tracking.tracker import TrackedFace
from maskage.records import FaceBox, RgbImage

MOST_HIDDEN = 0.1
"""Part of a tag that may lie on other faces and their tags before it has to give way."""
LEAST_HEEDED = 0.6
"""Size of a face beside that of another one, from which on the other's tag heeds it: people far off
are covered."""


@dataclass(frozen=True)
class Tag:
    """What stands at a face, and where.

    Attributes:
        words: "#3 mask, young 93%", or the number alone.
        place: In the drawing.
    """

    words: str
    place: FaceBox


def place_tags(
    canvas: RgbImage, faces: Sequence[TrackedFace], boxes: Sequence[FaceBox], selected: int | None
) -> list[Tag]:
    """Each face's tag: above its box, or where it hides less of faces and their tags.

    In a crowd, where it would hide them anyhow, only its number stands there.
    """
    tags: list[Tag] = []
    for face, box in zip(faces, boxes, strict=True):
        least_px = LEAST_HEEDED * box.side_px
        heeded = [other for other in boxes if other is not box and other.side_px >= least_px]
        taken = [*heeded, *(tag.place for tag in tags)]
        mark = mark_selected(face, selected)
        tag = _place_tag(canvas, box, mark + describe_face(face), taken)
        if _hides(tag, taken):
            tag = _place_tag(canvas, box, f"{mark}#{face.track}", taken)
        tags.append(tag)
    return tags


def _place_tag(canvas: RgbImage, box: FaceBox, words: str, taken: Sequence[FaceBox]) -> Tag:
    width, height = _size(canvas, box, words)
    left = max(0, min(box.x, canvas.shape[1] - width))
    tops = _tops(canvas, box, height)
    usual = Tag(words, FaceBox(left, tops[0], width, height))
    # Where it usually is, it stays for the sake of a little: a tag that jumps is worse.
    if not _hides(usual, taken):
        return usual
    ways = [usual, *(Tag(words, FaceBox(left, top, width, height)) for top in tops[1:])]
    return min(ways, key=lambda tag: _common(tag.place, [*taken, box]))


def _hides(tag: Tag, taken: Sequence[FaceBox]) -> bool:
    return _common(tag.place, taken) > MOST_HIDDEN * tag.place.width * tag.place.height


def _size(canvas: RgbImage, box: FaceBox, words: str) -> tuple[int, int]:
    """Width and height of a tag."""
    text_px = text_height(canvas)
    pad, bar_px = paddings(text_px)
    width = max(text_width(words, text_px) + 2 * pad, min(box.width, 12 * text_px))
    return width, text_px + 3 * pad + bar_px


def _tops(canvas: RgbImage, box: FaceBox, height: int) -> list[int]:
    """Above the box, below it, or inside at its top and foot; only what lies in the picture."""
    lowest = canvas.shape[0] - height
    wanted = (box.y - height - 2, box.y + box.height + 2)
    at_foot = box.y + box.height - height
    return [
        *(top for top in wanted if 0 <= top <= lowest),
        max(0, min(box.y, lowest)),
        *([at_foot] if 0 <= at_foot <= lowest else []),
    ]


def _common(place: FaceBox, taken: Sequence[FaceBox]) -> int:
    """Pixels that a place has in common with others, counted for each."""
    return sum(place.overlap(other) for other in taken)


def paddings(text_px: int) -> tuple[int, int]:
    """Of a tag: around its words, and how thick its bar is."""
    return max(3, text_px // 3), max(4, text_px // 3)


def describe_face(face: TrackedFace) -> str:
    """A face in a few words: "#3 mask, young 93%", "#3 unsure 41%"."""
    name = face.label.title if face.is_sure else "unsure"
    return f"#{face.track} {name} {face.confidence:.0%}"


def mark_selected(face: TrackedFace, selected: int | None) -> str:
    """What stands before the words of the face that the next correction is meant for."""
    return "> " if face.track == selected else ""
