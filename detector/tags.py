"""Tags at faces: what they say, and where each goes so that it hides no other face or tag."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.records import FaceBox, RgbImage
from detector.lettering import text_height, text_width
from detector.tracker import TrackedFace

MOST_HIDDEN = 0.2
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
    tags = [Tag(words, place) for place in _ways_to_place(canvas, box, words)]
    # Where it usually is, it stays for the sake of a little: a tag that jumps is worse.
    if not _hides(tags[0], taken):
        return tags[0]
    return min(tags, key=lambda tag: _common(tag.place, [*taken, box]))


def _hides(tag: Tag, taken: Sequence[FaceBox]) -> bool:
    return _common(tag.place, taken) > MOST_HIDDEN * tag.place.width * tag.place.height


def _ways_to_place(canvas: RgbImage, box: FaceBox, words: str) -> list[FaceBox]:
    """Above the box, below it, or inside at its top and foot; only what lies in the picture."""
    height, width = canvas.shape[:2]
    text_px = text_height(canvas)
    pad, bar_px = paddings(text_px)
    tag_w = max(text_width(words, text_px) + 2 * pad, min(box.width, 12 * text_px))
    tag_h = text_px + 3 * pad + bar_px
    left = int(np.clip(box.x, 0, max(0, width - tag_w)))
    above, below = box.y - tag_h - 2, box.y + box.height + 2
    inside = max(0, min(box.y, height - tag_h))
    at_foot = box.y + box.height - tag_h
    tops = [top for top in (above, below) if 0 <= top <= height - tag_h] + [inside]
    tops += [at_foot] if 0 <= at_foot <= height - tag_h else []
    return [FaceBox(left, top, tag_w, tag_h) for top in tops]


def _common(place: FaceBox, taken: Sequence[FaceBox]) -> int:
    """Pixels that a place has in common with others, counted for each."""
    common = 0
    for other in taken:
        across = min(place.x + place.width, other.x + other.width) - max(place.x, other.x)
        down = min(place.y + place.height, other.y + other.height) - max(place.y, other.y)
        common += max(0, across) * max(0, down)
    return common


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
