"""The caveat of a split: what test holds out, and how little a score on it says.

For people, in the report and the record of the set, from where training repeats it.
"""

from curation.settings import GROUP, RANDOM, SESSION, TIME, CurationSettings
from maskage.formats.curation_file import NOTHING, PEOPLE, PHOTOS, SESSIONS
from maskage.formats.curation_file import TIME as TIMES

WORTH = {
    SESSION: "says how the model does on new days with these people, not on strangers",
    TIME: "says whether the model learned these very faces under this light, and little more",
    RANDOM: "says almost nothing",
}
"""What a score on a split of each kind says."""

_CAVEATS = {
    SESSION: "People of train are in val and test too, in other sessions.",
    TIME: "Val and test show the people and the sessions of train, only later.",
    RANDOM: "Photos were drawn at random: people and near-duplicates of train are in val and test.",
}
_CAVEATS_WITHOUT_TEST = {
    GROUP: "No person of val is in train, but val chooses the epoch, so its score is too good.",
    SESSION: "People of train are in val too, in other sessions, and val chooses the epoch.",
    TIME: "Val shows the people and the sessions of train, only later, and chooses the epoch.",
    RANDOM: "People and near-duplicates of train are in val, which also chooses the epoch.",
}

_HELD_OUT = {GROUP: PEOPLE, SESSION: SESSIONS, TIME: TIMES, RANDOM: PHOTOS}


def held_out_of(settings: CurationSettings) -> str:
    """Return what test has that train has not, one of `HELD_OUT` of the set's record."""
    return NOTHING if settings.no_test else _HELD_OUT[settings.split]


def caveat_of(settings: CurationSettings) -> str | None:
    """Return how little a score on a set with these settings says; None for people held out."""
    split = settings.split
    if settings.no_test:
        score = f" The val score {WORTH[split]}." if split in WORTH else ""
        return (
            f"This set has no test: no photos are left to measure the model on. "
            f"{_CAVEATS_WITHOUT_TEST[split]}{score} Collect more people before you rely on it."
        )
    if split == GROUP:
        return None
    return f"{_CAVEATS[split]} The test score {WORTH[split]}."
