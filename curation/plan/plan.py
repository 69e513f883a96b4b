"""The plan of a curation: the decision for each photo, made before anything is written."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from curation.caveats import KnownPeople, Straddling, caveat_of, held_out_of
from curation.grouping.ties import Ties
from curation.masks.painting import MaskPainting
from curation.plan.dataset import UnknownFolder
from curation.settings import CurationSettings
from curation.splitting.split import find_straddlers
from maskage.classes.scheme import Scheme
from maskage.dataset.photo_scan import FileScan
from maskage.formats.curated.curated_set import SPLITS
from maskage.pictures.common_formats import FormatChange
from maskage.records import Suggestion


@dataclass(frozen=True)
class PlannedPhoto:
    """The decision for one photo, or for one variant.

    Attributes:
        path: Path relative to the dataset; for a variant, the path that it would have there.
        label: The class.
        kept: True if it goes into the result.
        reason: Reason why it is set aside, "kind: detail"; empty if it is kept.
        group: Name of the group; empty if the photo is unreadable.
        split: "train", "val" or "test"; empty if it is set aside.
        parent: Path of the photo that a variant is made from; None for a photo.
        painting: The painted mask of a variant, or None.
        twin: Path of the photo that is kept in place of a near-duplicate.
        rivals: Paths of the same picture in other classes, for a label conflict.
        subject: Pseudonym of the person, where the manifest knows it.
        named: Person whom the photo's name names, where the manifest knows none.
        file_scan: Hash, size and quality of the file; None for a variant.
        doubt: The more probable label, where labels were checked and this one is doubtful.
        is_confirmed: True if a person confirmed the label against other opinions.
        change: What is changed in the file so that every reader shows it alike, or None.
        written: Path of the changed file in its split; empty where nothing is changed.
    """

    path: str
    label: str
    kept: bool
    reason: str = ""
    group: str = ""
    split: str = ""
    parent: str | None = None
    painting: MaskPainting | None = None
    twin: str | None = None
    rivals: tuple[str, ...] = ()
    subject: str | None = None
    named: str | None = None
    file_scan: FileScan | None = None
    doubt: Suggestion | None = None
    is_confirmed: bool = False
    change: FormatChange | None = None
    written: str = ""

    @property
    def place(self) -> str:
        """The place of the file in the result: "train/mask_old/a.jpg"."""
        return f"{self.split}/{self.written or self.path}"

    @property
    def person(self) -> str | None:
        """Person whom it shows, as the manifest or its name says; None where neither does."""
        return self.subject or self.named

    @property
    def kind(self) -> str:
        """Kind of the reason: "near-duplicate", "exact copy", "unreadable", "blurred", ..."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Notice:
    """A notice on a plan.

    Attributes:
        text: What was found, and what to do.
        is_fault: True if `--strict` fails on it; False for advice.
    """

    text: str
    is_fault: bool = False


@dataclass(frozen=True)
class CurationPlan:
    """The decisions for all photos of a dataset.

    Attributes:
        root: Path of the dataset, absolute.
        settings: Settings of the user.
        scheme: Classes of the dataset.
        photos: Every photo of the dataset and every variant to be made, sorted by path.
        unknown: Folders of the dataset that are no classes, which are not read.
        unread: Other files of the dataset that are not read and have no row, by where they lie.
        ties: What ties photos together that the manifest does not know.
        known: How many of the kept photos say who they show.
        notices: Notices, faults first.
        class_weights: Weight of a photo of each class in training; None without weights.
    """

    root: Path
    settings: CurationSettings
    scheme: Scheme
    photos: tuple[PlannedPhoto, ...]
    unknown: tuple[UnknownFolder, ...] = ()
    ties: Ties = field(default_factory=Ties)
    known: KnownPeople = field(default_factory=KnownPeople)
    notices: tuple[Notice, ...] = ()
    class_weights: Mapping[str, float] | None = None
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def originals(self) -> list[PlannedPhoto]:
        """Photos of the dataset, without variants."""
        return [photo for photo in self.photos if photo.parent is None]

    @cached_property
    def kept(self) -> list[PlannedPhoto]:
        """Photos of the dataset that go into the result, without variants."""
        return [photo for photo in self.originals if photo.kept]

    @cached_property
    def set_aside(self) -> list[PlannedPhoto]:
        """Photos of the dataset that do not go into the result."""
        return [photo for photo in self.originals if not photo.kept]

    @cached_property
    def variants(self) -> list[PlannedPhoto]:
        """Variants to be made."""
        return [photo for photo in self.photos if photo.parent is not None]

    @cached_property
    def painted(self) -> list[PlannedPhoto]:
        """Variants with a painted mask."""
        return [photo for photo in self.variants if photo.painting is not None]

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """Number of originals in the result, by split and class."""
        return self._count(self.kept)

    @cached_property
    def variant_counts(self) -> dict[str, dict[str, int]]:
        """Number of variants in the result, by split and class."""
        return self._count(self.variants)

    @cached_property
    def train_counts(self) -> dict[str, int]:
        """Number of photos and variants in train, by class."""
        made = self.variant_counts["train"]
        return {label: count + made[label] for label, count in self.counts["train"].items()}

    @cached_property
    def found(self) -> dict[str, int]:
        """Number of photos of the dataset, by class."""
        counts = Counter(photo.label for photo in self.originals)
        return {label: counts[label] for label in self.scheme.labels}

    @cached_property
    def reasons(self) -> dict[str, int]:
        """Number of photos set aside, by kind of reason, the most frequent first."""
        return dict(Counter(photo.kind for photo in self.set_aside).most_common())

    @cached_property
    def changes(self) -> dict[str, int]:
        """Number of files that are changed for their readers, by change, the largest first."""
        return dict(
            Counter(photo.change.reason for photo in self.kept if photo.change).most_common()
        )

    @cached_property
    def doubtful(self) -> list[PlannedPhoto]:
        """Photos whose label is probably wrong and not confirmed, the most harmful first."""
        found = [photo for photo in self.originals if photo.doubt and not photo.is_confirmed]
        return sorted(found, key=_harm_first)

    @property
    def expected_wrong(self) -> int:
        """Number of the doubtful labels that are expected to be wrong, one at least if any is."""
        expected = sum(photo.doubt.confidence for photo in self.doubtful if photo.doubt)
        return max(round(expected), min(1, len(self.doubtful)))

    @cached_property
    def confirmed(self) -> list[PlannedPhoto]:
        """Photos whose label is confirmed, though the check takes it for wrong again."""
        return [photo for photo in self.originals if photo.doubt and photo.is_confirmed]

    @cached_property
    def groups(self) -> dict[str, list[PlannedPhoto]]:
        """Photos of each group, set aside or not."""
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

    @cached_property
    def caveat(self) -> str | None:
        """How little a score on the set says; None for a set that holds known people out."""
        return caveat_of(self.settings, self.known, self._straddling)

    @property
    def held_out(self) -> str:
        """What test has that train has not, one of `HELD_OUT` of the set's record."""
        return held_out_of(self.settings, self.known, self._straddling)

    @cached_property
    def _straddling(self) -> Straddling:
        splits: dict[str, set[str]] = {}
        for photo in self.kept:
            splits.setdefault(photo.group, set()).add(photo.split)
        tested = sum({"train", "test"} <= found for found in splits.values())
        return Straddling(len(splits), len(self.straddling), tested)

    def _count(self, photos: list[PlannedPhoto]) -> dict[str, dict[str, int]]:
        counts = Counter((photo.split, photo.label) for photo in photos)
        labels = self.scheme.labels
        return {split: {label: counts[split, label] for label in labels} for split in SPLITS}


def _harm_first(photo: PlannedPhoto) -> tuple[float, float, str]:
    doubt = photo.doubt
    return (-(doubt.cost or 0.0), -doubt.confidence, photo.path) if doubt else (0.0, 0.0, "")
