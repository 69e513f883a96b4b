"""The people whom the demo camera shows: 32 of them, young and old in turn."""

from dataclasses import dataclass

from collector.demo_paint import Colour, colour_of
from collector.records import Label


@dataclass(frozen=True)
class DemoSubject:
    """One rendered person.

    Attributes:
        subject_id: "demo-01", the pseudonym a photo is stored under.
        is_old: The age group.
        skin: Skin colour.
        face: Width of the face, of the jaw and of the chin, relative to the usual.
        hair: Style; see `demo_hair.STYLES`.
        hair_colour: Of hair, or of the headscarf or hat that covers it.
        brow_colour: Of the brows, and of a beard.
        iris: Eye colour.
        brow: Thickness of the brows, relative to the usual.
        nose: Width of the nose, relative to the usual.
        lips: Fullness of the lips, relative to the usual.
        top: What they wear; see `demo_body.TOPS`.
        top_colour: Its colour.
        extras: Glasses, earrings, freckles and so on.
    """

    subject_id: str
    is_old: bool
    skin: Colour
    face: tuple[float, float, float]
    hair: str
    hair_colour: Colour
    brow_colour: Colour
    iris: Colour
    brow: float
    nose: float
    lips: float
    top: str
    top_colour: Colour
    extras: frozenset[str]

    def label(self, *, has_mask: bool) -> Label:
        """The class of this person, with or without a mask."""
        return Label.of(has_mask=has_mask, is_old=self.is_old)


_SKINS = {
    "porcelain": "#f7d9c6",
    "fair": "#f0c6a6",
    "rosy": "#edb89c",
    "olive": "#d8a67a",
    "tan": "#c58d60",
    "brown": "#9f6a45",
    "deep": "#754a34",
}
_IRISES = {
    "blue": "#5d8fb8",
    "grey": "#7f8f99",
    "green": "#668c5a",
    "hazel": "#8c6b3a",
    "brown": "#6b4326",
    "dark": "#3f2a1c",
}

# One person a line: skin | face | hair, its colour, the brows' | iris | brow, nose, lips | top,
# its colour | extras. Even lines are old. Hair colour alone must not give the age away: some
# of the young are very fair, some of the old dye or cover their hair.
_TABLE = """
rosy      | 1.00 1.00 1.00 | quiff      #5b3620 #4a2b1a | hazel | 1.15 1.00 1.00 | tee      #2f8f83 | freckles
fair      | 1.00 1.06 1.05 | horseshoe  #e6e4df #d9d6d0 | blue  | 1.40 1.25 0.70 | shirt    #7fa3c4 | round_glasses moustache
deep      | 0.98 0.98 0.95 | afro       #1f1512 #1c1310 | dark  | 1.00 1.20 1.35 | hoodie   #f2b632 | hoops
rosy      | 0.98 1.04 1.00 | perm       #efedea #cfcac4 | blue  | 0.80 1.05 0.80 | cardigan #b35c7a | pearls lipstick
porcelain | 0.94 0.92 0.90 | long       #e9c873 #b08c4a | blue  | 0.85 0.90 1.05 | vneck    #d8577b | blush
brown     | 1.02 1.04 1.05 | receding   #a9a6a3 #b5b1ad | dark  | 1.30 1.25 0.85 | turtle   #4b5563 | full_beard
olive     | 0.96 0.95 0.95 | bob        #241a1a #241a1a | dark  | 0.90 0.90 1.00 | tee      #e9e4d8 | fringe
tan       | 1.00 1.05 1.00 | bun        #c9c7c6 #a8a4a0 | brown | 0.85 1.10 0.80 | vneck    #7a4d8f | hoops spots
fair      | 1.04 1.10 1.10 | crop       #c2571f #a34a1c | green | 1.10 1.05 0.95 | hoodie   #3a4a8c | freckles stubble
olive     | 1.03 1.08 1.05 | flatcap    #6e6554 #c4c0ba | hazel | 1.50 1.30 0.70 | shirt    #a35d3d | moustache spots
brown     | 0.95 0.94 0.92 | braids     #231713 #231713 | dark  | 0.95 1.10 1.25 | tee      #e2574c | studs
porcelain | 0.97 1.00 0.95 | short_soft #f5f4f1 #d8d5d0 | grey  | 0.80 1.00 0.75 | turtle   #3f7f75 | half_glasses lipstick
tan       | 1.00 1.00 1.00 | buzz       #2a1d17 #2a1d17 | brown | 1.20 1.10 1.10 | vneck    #6d7f3a | goatee
deep      | 1.00 1.02 1.00 | short_curl #d4d2d0 #c2bfbc | dark  | 1.20 1.25 1.05 | cardigan #c7862f | square_glasses
fair      | 0.95 0.93 0.92 | ponytail   #a0522c #7d4023 | green | 0.90 0.92 1.05 | hoodie   #58a6a6 | freckles headband
fair      | 1.00 1.06 1.02 | bob        #b9b6b4 #9b9794 | hazel | 0.85 1.05 0.75 | shirt    #d9b8c4 | round_glasses
olive     | 0.96 0.95 0.95 | hijab      #4f6fb0 #2b1d17 | brown | 1.05 1.00 1.10 | vneck    #39507f | blush
olive     | 0.98 1.04 1.00 | kerchief   #b23a48 #b9b4ae | brown | 0.95 1.15 0.75 | cardigan #4d6b57 | spots
rosy      | 1.02 1.06 1.06 | spiky      #f0dc9c #b89658 | blue  | 1.05 1.00 0.95 | tee      #8a4fb0 | studs
porcelain | 1.03 1.08 1.08 | bald       #dedbd6 #d4d0cb | grey  | 1.50 1.25 0.65 | vneck    #8c3b3b | spots
deep      | 1.00 1.00 1.00 | short_curl #17100e #17100e | dark  | 1.10 1.20 1.30 | shirt    #f0ece2 | round_glasses
rosy      | 1.00 1.06 1.02 | perm       #8e4a33 #9a8478 | green | 0.80 1.10 0.80 | vneck    #2f6690 | pearls lipstick cat_glasses
fair      | 0.96 0.95 0.95 | wavy       #6b4226 #4f301c | hazel | 0.95 0.95 1.10 | cardigan #e7a1a1 | blush hoops
tan       | 1.00 1.03 1.00 | side_part  #8f8d8c #a09d9a | brown | 1.30 1.20 0.80 | shirt    #55606e | square_glasses moustache
brown     | 1.00 1.02 1.00 | beanie     #d4572f #2a1c16 | dark  | 1.15 1.15 1.15 | hoodie   #6b7a8f | stubble
deep      | 0.98 1.00 0.97 | headwrap   #d99a1f #b3afac | dark  | 0.95 1.20 1.10 | vneck    #8a2f5a | hoops
porcelain | 0.94 0.93 0.90 | pigtails   #d86a2c #b5551f | green | 0.90 0.90 1.00 | tee      #f2c84b | freckles blush
fair      | 1.01 1.05 1.03 | long_tied  #dbd9d6 #bdb9b5 | blue  | 1.25 1.15 0.75 | tee      #34495e | full_beard
olive     | 1.02 1.05 1.02 | side_part  #2a1e19 #2a1e19 | brown | 1.30 1.10 1.00 | turtle   #20242e | square_glasses
brown     | 0.98 1.02 1.00 | bun        #e3e1df #b8b4b0 | dark  | 0.90 1.20 0.95 | cardigan #2e8b8b | half_glasses studs
tan       | 0.97 0.96 0.95 | undercut   #3b6fd1 #35231a | brown | 1.00 1.00 1.10 | hoodie   #2b2b33 | nose_ring studs
rosy      | 1.04 1.10 1.10 | beanie     #39567d #e4e1dc | blue  | 1.40 1.30 0.70 | turtle   #d9cfb8 | full_beard spots
"""


def _read_table(table: str) -> tuple[DemoSubject, ...]:
    lines = [line for line in table.splitlines() if line.strip()]
    return tuple(_read_line(number, line) for number, line in enumerate(lines, start=1))


def _read_line(number: int, line: str) -> DemoSubject:
    skin, face, hair, iris, sizes, top, extras = (part.split() for part in line.split("|"))
    width, jaw, chin = (float(value) for value in face)
    brow, nose, lips = (float(value) for value in sizes)
    return DemoSubject(
        subject_id=f"demo-{number:02d}",
        is_old=number % 2 == 0,
        skin=colour_of(_SKINS[skin[0]]),
        face=(width, jaw, chin),
        hair=hair[0],
        hair_colour=colour_of(hair[1]),
        brow_colour=colour_of(hair[2]),
        iris=colour_of(_IRISES[iris[0]]),
        brow=brow,
        nose=nose,
        lips=lips,
        top=top[0],
        top_colour=colour_of(top[1]),
        extras=frozenset(extras),
    )


DEMO_SUBJECTS: tuple[DemoSubject, ...] = _read_table(_TABLE)
"""Everyone the demo camera can show."""
