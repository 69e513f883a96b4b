"""The people of the demo camera, young and old in turn: 32 by hand and 64 relatives of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from maskage.classes.scheme import AGE, MASK, MISWORN, NONE, OLD, YOUNG, Scheme
from maskage.demo.colours import Colour, colour_of


@dataclass(frozen=True, kw_only=True)
class DemoSubject:
    """A rendered person.

    Attributes:
        subject_id: Pseudonym such as "demo-01", under which photos are stored.
        is_old: True for the older age group.
        skin: Skin colour.
        face: Width of the face, the jaw and the chin, 1 for average.
        hair: Hairstyle, a key of `painting.hair.styles.STYLES`.
        hair_colour: Colour of the hair, or of the headscarf or hat that covers it.
        brow_colour: Colour of the brows and of a beard.
        iris: Colour of the eyes.
        brow: Thickness of the brows, 1 for average.
        nose: Width of the nose, 1 for average.
        lips: Fullness of the lips, 1 for average.
        top: Top that they wear, a key of `painting.body._NECKLINES`.
        top_colour: Colour of the top.
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

    def label(self, scheme: Scheme, mask_state: str) -> str | None:
        """Return the class of this person with a mask `WORN`, `MISWORN` or `NONE`.

        A misworn mask is none where the scheme does not know the difference. None where the scheme
        has no such class, or asks for more than mask and age.
        """
        if MISWORN not in scheme.factors.get(MASK, ()) and mask_state == MISWORN:
            mask_state = NONE
        known = {MASK: mask_state, AGE: OLD if self.is_old else YOUNG}
        if not scheme.factors or not set(scheme.factors) <= set(known):
            return None
        return scheme.find({factor: known[factor] for factor in scheme.factors})


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

# Two lines for each person: skin | face, in percent | hair, its colour, the brows' | iris | brow,
# nose, lips, in percent; then top and its colour | extras. Every second person is old. Hair colour
# alone must not reveal the age: some young people are very fair, some old ones dye or cover their
# hair.
_TABLE = """
rosy      | 100 100 100 | quiff      #5b3620 #4a2b1a | hazel | 115 100 100
    tee      #2f8f83 | freckles
fair      | 100 106 105 | horseshoe  #e6e4df #d9d6d0 | blue  | 140 125  70
    shirt    #7fa3c4 | round_glasses moustache
deep      |  98  98  95 | afro       #1f1512 #1c1310 | dark  | 100 120 135
    hoodie   #f2b632 | hoops
rosy      |  98 104 100 | perm       #efedea #cfcac4 | blue  |  80 105  80
    cardigan #b35c7a | pearls lipstick
porcelain |  94  92  90 | long       #e6bd5c #a67c38 | blue  |  85  90 105
    vneck    #d8577b | blush
brown     | 102 104 105 | receding   #a9a6a3 #b5b1ad | dark  | 130 125  85
    turtle   #4b5563 | full_beard
olive     |  96  95  95 | bob        #241a1a #241a1a | dark  |  90  90 100
    tee      #e9e4d8 | fringe
tan       | 100 105 100 | bun        #c9c7c6 #a8a4a0 | brown |  85 110  80
    vneck    #7a4d8f | hoops spots
fair      | 104 110 110 | crop       #c2571f #a34a1c | green | 110 105  95
    hoodie   #3a4a8c | freckles stubble
olive     | 103 108 105 | flatcap    #6e6554 #c4c0ba | hazel | 150 130  70
    shirt    #a35d3d | moustache spots
brown     |  95  94  92 | braids     #231713 #231713 | dark  |  95 110 125
    tee      #e2574c | studs
porcelain |  97 100  95 | short_soft #f5f4f1 #d8d5d0 | grey  |  80 100  75
    turtle   #3f7f75 | half_glasses lipstick
tan       | 100 100 100 | buzz       #2a1d17 #2a1d17 | brown | 120 110 110
    vneck    #6d7f3a | goatee
deep      | 100 102 100 | short_curl #d4d2d0 #c2bfbc | dark  | 120 125 105
    cardigan #c7862f | square_glasses
fair      |  95  93  92 | ponytail   #a0522c #7d4023 | green |  90  92 105
    hoodie   #58a6a6 | freckles headband
fair      | 100 106 102 | bob        #b9b6b4 #9b9794 | hazel |  85 105  75
    shirt    #d9b8c4 | round_glasses
olive     |  96  95  95 | hijab      #4f6fb0 #2b1d17 | brown | 105 100 110
    vneck    #39507f | blush
olive     |  98 104 100 | kerchief   #b23a48 #b9b4ae | brown |  95 115  75
    cardigan #4d6b57 | spots
rosy      | 102 106 106 | spiky      #e8b545 #a5722a | blue  | 105 100  95
    tee      #8a4fb0 | studs
porcelain | 103 108 108 | bald       #dedbd6 #d4d0cb | grey  | 150 125  65
    vneck    #8c3b3b | spots
deep      | 100 100 100 | short_curl #17100e #17100e | dark  | 110 120 130
    shirt    #f0ece2 | round_glasses
rosy      | 100 106 102 | perm       #8e4a33 #9a8478 | green |  80 110  80
    vneck    #2f6690 | pearls lipstick cat_glasses
fair      |  96  95  95 | wavy       #6b4226 #4f301c | hazel |  95  95 110
    cardigan #e7a1a1 | blush hoops
tan       | 100 103 100 | side_part  #8f8d8c #a09d9a | brown | 130 120  80
    shirt    #55606e | square_glasses moustache
brown     | 100 102 100 | beanie     #d4572f #2a1c16 | dark  | 115 115 115
    hoodie   #6b7a8f | stubble
deep      |  98 100  97 | headwrap   #d99a1f #b3afac | dark  |  95 120 110
    vneck    #8a2f5a | hoops
porcelain |  94  93  90 | pigtails   #d86a2c #b5551f | green |  90  90 100
    tee      #f2c84b | freckles blush
fair      | 101 105 103 | long_tied  #dbd9d6 #bdb9b5 | blue  | 125 115  75
    tee      #34495e | full_beard
olive     | 102 105 102 | side_part  #2a1e19 #2a1e19 | brown | 130 110 100
    turtle   #20242e | square_glasses
brown     |  98 102 100 | bun        #e3e1df #b8b4b0 | dark  |  90 120  95
    cardigan #2e8b8b | half_glasses studs
tan       |  97  96  95 | undercut   #3b6fd1 #35231a | brown | 100 100 110
    hoodie   #2b2b33 | nose_ring studs
rosy      | 104 110 110 | beanie     #39567d #e4e1dc | blue  | 140 130  70
    turtle   #d9cfb8 | full_beard spots
"""


def _read_table(table: str) -> tuple[DemoSubject, ...]:
    lines = [line for line in table.splitlines() if line]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return tuple(_read_person(number, *pair) for number, pair in enumerate(pairs, start=1))


def _read_person(number: int, person: str, clothes: str) -> DemoSubject:
    skin, face, hair, iris, sizes = (part.split() for part in person.split("|"))
    top, extras = (part.split() for part in clothes.split("|"))
    width, jaw, chin = (float(value) / 100 for value in face)
    brow, nose, lips = (float(value) / 100 for value in sizes)
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


RELATIVES = 64
COVERINGS = frozenset({"flatcap", "hijab", "kerchief", "beanie", "headwrap"})
_COVERED_SHARE = 0.2
_SKIN_EXTRAS = frozenset({"freckles", "spots"})
_GLASSES = frozenset({"round_glasses", "half_glasses", "square_glasses", "cat_glasses"})


def _make_relatives(people: Sequence[DemoSubject], count: int) -> Iterator[DemoSubject]:
    """Make more people, each with the skin of one, the hair of another and the clothes of a third.

    Signs of age come from people of the same age, hair from a person of similar skin. Clothes and
    glasses come from the other age and hats from either, so that they do not reveal the age.
    """
    rng = np.random.default_rng(1)
    for number in range(len(people) + 1, len(people) + count + 1):
        is_old = number % 2 == 0
        peers = [person for person in people if person.is_old is is_old]
        skin, face = (peers[int(i)] for i in rng.choice(len(peers), 2, replace=False))
        alike = [
            person
            for person in peers
            if person is not skin and _is_light(person.skin) is _is_light(skin.skin)
        ]
        hair = alike[int(rng.integers(len(alike)))]
        others = [person for person in people if person.is_old is not is_old]
        clothes, glasses = (others[int(i)] for i in rng.choice(len(others), 2, replace=False))
        relative = replace(
            skin,
            subject_id=f"demo-{number:02d}",
            face=face.face,
            brow=face.brow,
            hair=hair.hair,
            hair_colour=hair.hair_colour,
            brow_colour=hair.brow_colour,
            top=clothes.top,
            top_colour=clothes.top_colour,
            extras=(skin.extras & _SKIN_EXTRAS)
            | (hair.extras - _SKIN_EXTRAS - _GLASSES)
            | (glasses.extras & _GLASSES),
        )
        if rng.random() < _COVERED_SHARE:
            covered = [person for person in people if person.hair in COVERINGS]
            donor = covered[int(rng.integers(len(covered)))]
            relative = replace(relative, hair=donor.hair, hair_colour=donor.hair_colour)
        yield relative


def _is_light(skin: Colour) -> bool:
    return sum(skin) > 560


_BY_HAND = _read_table(_TABLE)

DEMO_SUBJECTS: tuple[DemoSubject, ...] = (*_BY_HAND, *_make_relatives(_BY_HAND, RELATIVES))
"""All people that the demo camera can show."""
