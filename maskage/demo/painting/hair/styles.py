"""The hairstyles, hats and scarves: what is painted behind the head and on it."""

from collections.abc import Callable

from maskage.demo.painting.canvas import Canvas
from maskage.demo.painting.hair.hats import (
    paint_beanie,
    paint_flatcap,
    paint_headwrap,
    paint_hijab,
    paint_kerchief,
    paint_scarf_back,
)
from maskage.demo.painting.hair.long import (
    paint_afro,
    paint_bob,
    paint_braids,
    paint_braids_back,
    paint_bun_back,
    paint_long,
    paint_long_tied,
    paint_perm,
    paint_pigtails,
    paint_pigtails_back,
    paint_sheet,
    paint_tail_back,
    paint_tied,
    paint_wavy,
)
from maskage.demo.painting.hair.short import (
    paint_bald,
    paint_buzz,
    paint_crop,
    paint_horseshoe,
    paint_quiff,
    paint_receding,
    paint_short_curl,
    paint_short_soft,
    paint_side_part,
    paint_spiky,
    paint_undercut,
)
from maskage.demo.people import DemoSubject


def paint_back_hair(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint what lies behind neck and shoulders: long hair, tails, scarves."""
    paint = _BACKS.get(subject.hair)
    if paint is not None:
        paint(canvas, subject)


def paint_front_hair(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint what lies on the head and forehead."""
    STYLES[subject.hair](canvas, subject)


_Paint = Callable[[Canvas, DemoSubject], None]

STYLES: dict[str, _Paint] = {
    "crop": paint_crop,
    "buzz": paint_buzz,
    "side_part": paint_side_part,
    "quiff": paint_quiff,
    "spiky": paint_spiky,
    "undercut": paint_undercut,
    "short_soft": paint_short_soft,
    "short_curl": paint_short_curl,
    "horseshoe": paint_horseshoe,
    "bald": paint_bald,
    "receding": paint_receding,
    "afro": paint_afro,
    "perm": paint_perm,
    "bob": paint_bob,
    "long": paint_long,
    "wavy": paint_wavy,
    "ponytail": paint_tied,
    "bun": paint_tied,
    "pigtails": paint_pigtails,
    "braids": paint_braids,
    "long_tied": paint_long_tied,
    "beanie": paint_beanie,
    "flatcap": paint_flatcap,
    "hijab": paint_hijab,
    "kerchief": paint_kerchief,
    "headwrap": paint_headwrap,
}
"""All hairstyles, by name."""

_BACKS: dict[str, _Paint] = {
    "bob": lambda canvas, subject: paint_sheet(canvas, subject, 0.8, 0.06),
    "long": lambda canvas, subject: paint_sheet(canvas, subject, 1.75, 0.16),
    "wavy": lambda canvas, subject: paint_sheet(canvas, subject, 1.5, 0.16, wave=0.05),
    "long_tied": lambda canvas, subject: paint_sheet(canvas, subject, 1.1, 0.05),
    "ponytail": paint_tail_back,
    "bun": paint_bun_back,
    "pigtails": paint_pigtails_back,
    "braids": paint_braids_back,
    "hijab": paint_scarf_back,
}
