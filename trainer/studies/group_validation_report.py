"""The result of a cross-validation by group, and how it is printed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from maskage.formats.curated.curated_set import CuratedDataset
from maskage.formats.curated.curation_file import NOTHING
from trainer.evaluation.accuracies import name_accuracies
from trainer.evaluation.metrics import Evaluation
from trainer.evaluation.score_tables import format_confusion, format_scores

WORTH = (
    "These are heads on a frozen backbone, each trained on a part of the photos; the model of "
    "`trainer fit`, fine-tuned on more of them, is usually better."
)


@dataclass(frozen=True)
class GroupKind:
    """The kind of a set's groups: what is new to the head that judges a photo.

    Attributes:
        name: "people", "sessions", "times" or "unknown".
        plural: A word for the groups.
        meaning: What is new to a head, and what is not; a sentence.
        remedy: What to do where there are too few of them.
    """

    name: str
    plural: str
    meaning: str
    remedy: str


_REMEDY = "Collect these classes from more people, then curate again."

_PEOPLE = GroupKind(
    "people",
    "groups",
    "No head saw a photo of the group (person, session or look-alikes) that it judges.",
    _REMEDY,
)
_KINDS: Mapping[str, GroupKind] = {
    "session": GroupKind(
        "sessions",
        "sessions",
        "Heads know the people that they judge, from other sessions: this says how they do on new "
        "days with these people, not on strangers.",
        "Collect these classes in another session, or from more people, then curate again.",
    ),
    "time": GroupKind(
        "times",
        "parts of sessions",
        "Heads know the people and the sessions that they judge, from other minutes: this says "
        "little about new days, and nothing about strangers.",
        "Collect these classes from more people, then curate again without `--split time`.",
    ),
}
_UNKNOWN = GroupKind(
    "unknown",
    "groups",
    "The set does not say which photos belong together (no plan.csv), so a head may know the "
    "people that it judges, or nearly the same photo: the figures may be far too good.",
    _REMEDY,
)


def describe_groups(dataset: CuratedDataset) -> GroupKind:
    """Return what the groups of a set are, as its record says it was split."""
    if all(photo.group == str(photo.path) for split in dataset.splits.values() for photo in split):
        return _UNKNOWN
    record = dataset.curation
    split = None if record is None else record.settings.get("split")
    kind = _KINDS.get(str(split), _PEOPLE)
    if kind is _PEOPLE and record and record.caveat and record.held_out != NOTHING:
        # A split by people has a caveat where too few photos say who they show, or it was given.
        return replace(kind, meaning=f"{kind.meaning} But: {record.caveat}")
    return kind


@dataclass(frozen=True)
class Fold:
    """A part of the photos that one head judges.

    Attributes:
        photos, groups: Number of photos, and of groups that they come from.
        accuracy: Share of the photos with the right class, 0 to 1.
    """

    photos: int
    groups: int
    accuracy: float


@dataclass(frozen=True)
class CrossValidation:
    """The scores of photos that were each judged by a head trained on other groups.

    Attributes:
        evaluation: The scores over all photos.
        folds: The folds in their order.
        groups: What the groups are.
    """

    evaluation: Evaluation
    folds: tuple[Fold, ...]
    groups: GroupKind

    @property
    def meaning(self) -> str:
        """What the figures are worth, in some sentences."""
        return f"{self.groups.meaning} {WORTH}"

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        found = self.evaluation
        by_group = found.accuracy_interval_by_group
        return {
            "photos": found.photos,
            "groups": found.groups,
            "grouped_by": self.groups.name,
            "folds": [asdict(each) for each in self.folds],
            "accuracy": found.accuracy,
            "accuracy_interval": list(found.accuracy_interval),
            "accuracy_interval_by_group": None if by_group is None else list(by_group),
            **name_accuracies(found.accuracies.factors),
            "factors": {name: asdict(each) for name, each in found.factors.items()},
            "per_class": {label: asdict(each) for label, each in found.per_class.items()},
            "averages": {name: asdict(each) for name, each in found.averages.items()},
            "confusion": [list(row) for row in found.confusion],
            "labels": list(found.labels),
            "meaning": self.meaning,
        }

    def __str__(self) -> str:
        found = self.evaluation
        lines = [
            f"{found.photos:,} photos in {found.groups:,} {self.groups.plural}, each judged by a "
            f"head trained on others",
            "",
            f"{'fold':<6}{'photos':>8}{'groups':>8}{'accuracy':>10}",
            *(
                f"{number:<6}{each.photos:>8,}{each.groups:>8,}{each.accuracy:>10.2%}"
                for number, each in enumerate(self.folds, start=1)
            ),
            "",
            *format_scores(found.per_class, found.averages),
            "",
            *found.format_accuracy(),
            "",
            format_confusion(found.confusion, found.labels),
            "",
            self.groups.meaning,
            WORTH,
        ]
        return "\n".join(lines)
