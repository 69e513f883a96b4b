"""The caveat of a split: what test holds out, and how little a score on it says.

For people, in the report and the record of the set, from where training repeats it.
"""

from dataclasses import dataclass

from curation.settings import GIVEN, GROUP, RANDOM, SESSION, TIME, CurationSettings
from maskage.formats.curated.curation_file import NOTHING, PEOPLE, PHOTOS, SESSIONS
from maskage.formats.curated.curation_file import TIME as TIMES


@dataclass(frozen=True)
class KnownPeople:
    """How many photos of a set say who they show.

    Attributes:
        photos: Number of photos.
        subjects: Number of those whose subject the manifest knows.
        names: Number of those whose name names a person, and whose subject is not known.
        others: Number of those of which only a session or group is known.
    """

    photos: int = 0
    subjects: int = 0
    names: int = 0
    others: int = 0

    @property
    def named(self) -> int:
        """Number of photos that name their person."""
        return self.subjects + self.names

    @property
    def tied(self) -> int:
        """Number of photos that say what they belong to: a person, a session or a group."""
        return self.named + self.others

    def __str__(self) -> str:
        """Return "300 of 500 photos name their person"."""
        what = " or session" if self.others else ""
        return f"{self.tied:,} of {self.photos:,} photos name their person{what}"


@dataclass(frozen=True)
class Straddling:
    """How many groups are in more than one split.

    Attributes:
        groups: Number of groups.
        straddling: Number of those that are in more than one split.
        tested: Number of those that are in train and in test.
    """

    groups: int = 0
    straddling: int = 0
    tested: int = 0


WORTH = {
    SESSION: "says how the model does on new days with these people, not on strangers",
    TIME: "says whether the model learned these very faces under this light, and little more",
    RANDOM: "says almost nothing",
}
"""What a score on a split of each kind says."""

LEAST_KNOWN = 0.5
"""Share of the photos that must say who they show before a split by people is one."""

HOW_TO_NAME = (
    "Name the people: `collector --subject NAME` at the camera, a column subject in the table of "
    "`collector import --metadata`, or `collector edit`."
)

_CAVEATS = {
    SESSION: "People of train are in val and test too, in other sessions.",
    TIME: "Val and test show the people and the sessions of train, only later.",
    RANDOM: "Photos were drawn at random: people and near-duplicates of train are in val and test.",
}
_CAVEATS_WITHOUT_TEST = {
    GIVEN: "The split is the one that the photos came with, and val chooses the epoch.",
    GROUP: "No person of val is in train, but val chooses the epoch, so its score is too good.",
    SESSION: "People of train are in val too, in other sessions, and val chooses the epoch.",
    TIME: "Val shows the people and the sessions of train, only later, and chooses the epoch.",
    RANDOM: "People and near-duplicates of train are in val, which also chooses the epoch.",
}

_HELD_OUT = {GROUP: PEOPLE, GIVEN: PEOPLE, SESSION: SESSIONS, TIME: TIMES, RANDOM: PHOTOS}


def held_out_of(
    settings: CurationSettings, known: KnownPeople | None = None, found: Straddling | None = None
) -> str:
    """Return what test has that train has not, one of `HELD_OUT` of the set's record.

    Args:
        settings: Settings of the user.
        known: How many of its photos say who they show.
        found: Groups in more than one split, for a split that was given.
    """
    if settings.no_test:
        return NOTHING
    if settings.split == GIVEN and found and found.straddling:
        return PHOTOS
    if describe_unknown_people(settings, known) is not None:
        return PHOTOS  # the same people may be in train
    return _HELD_OUT[settings.split]


def caveat_of(
    settings: CurationSettings, known: KnownPeople | None = None, found: Straddling | None = None
) -> str | None:
    """Return how little a score on a set says; None for a set that holds known people out.

    Args:
        settings: Settings of the user.
        known: How many of its photos say who they show.
        found: Groups in more than one split, for a split that was given.
    """
    split, unknown = settings.split, describe_unknown_people(settings, known)
    if settings.no_test:
        score = f" The val score {WORTH[split]}." if split in WORTH else ""
        return (
            f"This set has no test: no photos are left to measure the model on. "
            f"{unknown or _CAVEATS_WITHOUT_TEST[split]}{score} Collect more people before you "
            f"rely on it."
        )
    if split == GIVEN:
        return " ".join(filter(None, (_describe_given(found), unknown))) or None
    if split == GROUP:
        return unknown
    return f"{_CAVEATS[split]} The test score {WORTH[split]}."


def describe_unknown_people(settings: CurationSettings, known: KnownPeople | None) -> str | None:
    """Return that too few photos say who they show to hold people out; None where enough do."""
    if settings.split not in (GROUP, GIVEN) or known is None:
        return None
    if known.tied >= LEAST_KNOWN * known.photos:
        return None
    who = f"Only {known}" if known.tied else "No photo says who it shows"
    other = "val" if settings.no_test else "test"
    return (
        f"{who}, so people may be in train and in {other}, and the {other} score may be too good. "
        f"{HOW_TO_NAME}"
    )


def _describe_given(found: Straddling | None) -> str | None:
    if found is None or not found.straddling:
        return None
    return (
        f"The split is the one that the photos came with: {found.straddling} of {found.groups} "
        f"groups are in more than one part of it, {found.tested} of them in train and in test, so "
        f"the test score may be too good."
    )
