"""Paint the masks of the demo camera, worn over the nose, or below it, on the chin, or hanging."""

import numpy as np

from maskage.classes.scheme import MISWORN, NONE, WORN
from maskage.demo.colours import colour_of, darker
from maskage.demo.painting.canvas import Canvas, both_halves, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.mask_cloth import paint_details, paint_straps
from maskage.demo.painting.mask_prints import MaskKind
from maskage.demo.painting.misworn import (
    paint_below_nose,
    paint_on_chin,
    paint_on_ear,
    paint_on_forehead,
)
from maskage.demo.people import DemoSubject

NO_MASK = "none"
BELOW_NOSE, ON_CHIN, ON_FOREHEAD = "nose", "chin", "forehead"
LEFT_EAR, RIGHT_EAR = "left ear", "right ear"

MISWORN_WAYS = (BELOW_NOSE, ON_CHIN, LEFT_EAR, RIGHT_EAR, ON_FOREHEAD)
"""Ways to wear a mask that does not cover nose and mouth; left and right are the picture's."""

CHIN_PREFIX = f"{ON_CHIN} "


def _kind(name: str, cut: str, colour: str, pattern: str = "", ink: str = "#ffffff") -> MaskKind:
    return MaskKind(name, cut, colour_of(colour), pattern, colour_of(ink))


MASK_KINDS: dict[str, MaskKind] = {
    kind.name: kind
    for kind in (
        _kind("surgical-blue", "surgical", "#8fc3e6"),
        _kind("surgical-white", "surgical", "#eef1f2"),
        _kind("surgical-green", "surgical", "#9fd6bd"),
        _kind("surgical-pink", "surgical", "#f3b4c6"),
        _kind("ffp2-white", "ffp2", "#f2f2ee"),
        _kind("ffp2-black", "ffp2", "#34363b"),
        _kind("ffp2-blue", "ffp2", "#3d6ea8"),
        _kind("cloth-black", "cloth", "#26262b"),
        _kind("cloth-red", "cloth", "#c23b3b"),
        _kind("cloth-grey", "cloth", "#8b9097"),
        _kind("dots", "cloth", "#2f4a8c", "dots", "#f5f3ea"),
        _kind("stripes", "cloth", "#f3efe4", "stripes", "#2c6e9b"),
        _kind("checks", "cloth", "#f6efe6", "checks", "#cf3f4a"),
        _kind("flowers", "cloth", "#3f8f77", "flowers", "#f7d24a"),
        _kind("smile", "cloth", "#f4cf3d", "smile", "#33261d"),
        _kind("cat", "cloth", "#5a5560", "cat", "#f6c9cf"),
    )
}
"""All kinds of masks, by name."""


def wear(way: str, kind: str) -> str:
    """Return the name of a kind of mask that is worn in one of `MISWORN_WAYS`: "chin dots"."""
    return f"{way} {kind}"


def split_mask(mask: str) -> tuple[str, str]:
    """Return the way of wearing, "" for the right one, and the kind of a mask that is there."""
    way, _, kind = mask.rpartition(" ")
    return way, kind


def mask_state(mask: str) -> str:
    """Return `WORN`, `MISWORN` or `NONE` for a mask: "dots", "chin dots" or "none"."""
    return NONE if mask == NO_MASK else WORN if mask_covers(mask) else MISWORN


def mask_covers(mask: str) -> bool:
    """Return True for a mask ("none", "dots", "chin dots") that covers nose and mouth."""
    return mask in MASK_KINDS


def mask_hides_mouth(mask: str) -> bool:
    """Return True for a mask that covers the mouth, be the nose bare or not."""
    return mask_covers(mask) or split_mask(mask)[0] == BELOW_NOSE


def lies_on_hair(mask: str) -> bool:
    """Return True for a mask that lies over hair and hats."""
    return split_mask(mask)[0] in (LEFT_EAR, RIGHT_EAR, ON_FOREHEAD)


def paint_mask(canvas: Canvas, subject: DemoSubject, mask: str) -> None:
    """Paint a mask: a kind, a way of wearing and a kind, or "none"."""
    if mask == NO_MASK:
        return
    way, kind_name = split_mask(mask)
    kind = MASK_KINDS[kind_name]
    x = CHEEK_X * subject.face[0]
    if way == "":
        _paint_worn(canvas, subject, kind, x)
    elif way == BELOW_NOSE:
        paint_below_nose(canvas, subject, kind, x)
    elif way == ON_CHIN:
        paint_on_chin(canvas, subject, kind, x)
    elif way == ON_FOREHEAD:
        paint_on_forehead(canvas, kind, x)
    else:
        paint_on_ear(canvas, kind, x, -1 if way == LEFT_EAR else 1)


def _paint_worn(canvas: Canvas, subject: DemoSubject, kind: MaskKind, x: float) -> None:
    jaw = subject.face[1]
    paint_straps(canvas, kind, [(x * 0.86, 0.27), (x * 0.74 * jaw, 0.8)], x)
    beak = kind.cut == "ffp2"
    half = [
        (0.0, 0.08 if not beak else 0.04),
        (0.13, 0.10),
        (0.34, 0.245),
        (x * 0.9, 0.26),
        (x * 0.9, 0.5),
        (x * 0.76 * jaw, 0.82),
        (x * 0.42 * jaw, 1.03 if not beak else 0.98),
        (0.0, 1.07 if not beak else 1.05),
    ]
    outline = smooth(both_halves(half))
    canvas.fill(outline + np.array([0, 0.025], np.float32), darker(subject.skin, 0.55), 0.45, 0.03)
    cloth = canvas.fill(outline, kind.colour, 1, 0.005)
    paint_details(canvas, kind, cloth, outline, x)
