"""The plan: what becomes of every photo. Decided whole before anything is written."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curation.masks.painting import MaskPainting
from curation.plan.split import find_straddlers
from curation.settings import CurationSettings
from maskage.dataset.photo_scan import Sight
from maskage.formats.curated_set import SPLITS
from maskage.records import LABELS, Label, Suggestion


@dataclass(frozen=True)
class PlannedPhoto:
    """What becomes of one photo, or of one augmented variant.

    Attributes:
        path: Relative to the dataset; of a variant, where it would lie in it.
        label: Its class.
        kept: Whether it goes into the result.
        reason: Why it is set aside: "kind: detail". Empty where it is kept.
        group: Name of its group; empty where it could not be read.
        split: "train", "val" or "test"; empty where it is set aside.
        parent: For a variant, the photo it is made from.
        painting: For a variant with a painted mask, which.
        twin: For a near-duplicate that is set aside, the photo that stays in its place.
        rivals: For a label conflict, the same picture in other classes.
        subject: Pseudonym of the person, where the manifest knows it.
        sight: What the file showed; None for a variant.
        doubt: What its label probably should be, where that was looked for and it is another.
    """

    path: str
    label: Label
    kept: bool
    reason: str = ""
    group: str = ""
    split: str = ""
    parent: str | None = None
    painting: MaskPainting | None = None
    twin: str | None = None
    rivals: tuple[str, ...] = ()
    subject: str | None = None
    sight: Sight | None = None
    doubt: Suggestion | None = None

    @property
    def kind(self) -> str:
        """The kind of reason: "near-duplicate", "exact copy", "unreadable", "blurred", ..."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Notice:
    """Something to know about a plan.

    Attributes:
        text: What was found, and what to do.
        is_fault: `--strict` fails on it. Others are advice.
    """

    text: str
    is_fault: bool = False


@dataclass(frozen=True)
class CurationPlan:
    """What becomes of every photo of a dataset.

    Attributes:
        root: The dataset, absolute.
        settings: What was asked for.
        photos: Every photo of the dataset and every variant to be made, sorted by path.
        notices: Faults first.
        class_weights: What a photo of each class is to count in training; None where nobody says.
    """

    root: Path
    settings: CurationSettings
    photos: tuple[PlannedPhoto, ...]
    notices: tuple[Notice, ...] = ()
    class_weights: Mapping[Label, float] | None = None

    @cached_property
    def originals(self) -> list[PlannedPhoto]:
        return [photo for photo in self.photos if photo.parent is None]

    @cached_property
    def kept(self) -> list[PlannedPhoto]:
        """Photos of the dataset that go into the result, without variants."""
        return [photo for photo in self.originals if photo.kept]

    @cached_property
    def set_aside(self) -> list[PlannedPhoto]:
        return [photo for photo in self.originals if not photo.kept]

    @cached_property
    def variants(self) -> list[PlannedPhoto]:
        return [photo for photo in self.photos if photo.parent is not None]

    @cached_property
    def painted(self) -> list[PlannedPhoto]:
        """The variants with a painted mask."""
        return [photo for photo in self.variants if photo.painting is not None]

    @cached_property
    def counts(self) -> dict[str, dict[Label, int]]:
        """Originals in the result, by split and class."""
        return _count(self.kept)

    @cached_property
    def variant_counts(self) -> dict[str, dict[Label, int]]:
        """Variants in the result, by split and class."""
        return _count(self.variants)

    @cached_property
    def train_counts(self) -> dict[Label, int]:
        """What the trainer sees of each class: photos and variants."""
        made = self.variant_counts["train"]
        return {label: count + made[label] for label, count in self.counts["train"].items()}

    @cached_property
    def found(self) -> dict[Label, int]:
        """Photos of the dataset, by class."""
        counts = Counter(photo.label for photo in self.originals)
        return {label: counts[label] for label in LABELS}

    @cached_property
    def reasons(self) -> dict[str, int]:
        """How many photos were set aside, by kind of reason, the most frequent first."""
        return dict(Counter(photo.kind for photo in self.set_aside).most_common())

    @cached_property
    def doubtful(self) -> list[PlannedPhoto]:
        """Photos whose label is probably wrong, the surest first."""
        found = [photo for photo in self.originals if photo.doubt]
        return sorted(found, key=lambda p: (-p.doubt.confidence if p.doubt else 0.0, p.path))

    @cached_property
    def groups(self) -> dict[str, list[PlannedPhoto]]:
        """The photos of each group, set aside or not."""
        found: dict[str, list[PlannedPhoto]] = {}
        for photo in self.originals:
            if photo.group:
                found.setdefault(photo.group, []).append(photo)
        return found

    @cached_property
    def straddling(self) -> list[str]:
        """Names of the groups with photos in more than one split; empty for a split by group."""
        names = sorted({photo.group for photo in self.kept})
        number = {name: index for index, name in enumerate(names)}
        groups = [number[photo.group] for photo in self.kept]
        return [names[i] for i in find_straddlers(groups, [photo.split for photo in self.kept])]


def _count(photos: list[PlannedPhoto]) -> dict[str, dict[Label, int]]:
    counts = Counter((photo.split, photo.label) for photo in photos)
    return {split: {label: counts[split, label] for label in LABELS} for split in SPLITS}
