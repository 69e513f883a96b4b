"""The caveat of a split: what test holds out, and how little a score on it says.

For people, in the report and the record of the set, from where training repeats it.
"""

from curation.settings import GROUP, RANDOM, SESSION, TIME, CurationSettings
from maskage.formats.curation_file import NOTHING, PEOPLE, PHOTOS, SESSIONS
from maskage.formats.curation_file import TIME as TIMES

WORTH = {
    SESSION: "says how the model does on new days with these people, not on strangers",
    TIME: "says whether the model learned these very faces under this light, and little more",
    RANDOM: "says almost nothing: nearly the same photos are in train",
}
"""What a score on a split of each kind says."""

_SIDES = {
    GROUP: "no person of one part is in another",
    SESSION: "people of train are in {later} too, on other days",
    TIME: "{later} shows the people and the sessions of train, some seconds later",
    RANDOM: "photos were drawn at random, so people and near-duplicates of train are in {later}",
}

_HELD_OUT = {GROUP: PEOPLE, SESSION: SESSIONS, TIME: TIMES, RANDOM: PHOTOS}


def held_out_of(settings: CurationSettings) -> str:
    """Return what test has that train has not, one of `HELD_OUT` of the set's record."""
    return NOTHING if settings.no_test else _HELD_OUT[settings.split]


def caveat_of(settings: CurationSettings) -> str | None:
    """Return how little a score on a set with these settings says; None for people held out."""
    split = settings.split
    if settings.no_test:
        side = _SIDES[split].format(later="val")
        val = WORTH.get(split, "chose the epoch, so it is a little too good")
        return (
            f"This set has no test: nothing measures the model on photos that had no part in "
            f"training. Val is all there is, and {side}. Its score {val}."
        )
    if split == GROUP:
        return None
    side = _SIDES[split].format(later="val and test")
    return f"{side[0].upper()}{side[1:]}. The test score {WORTH[split]}."
