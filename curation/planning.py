"""The steps of a curation, in their order: scan, group, dedupe, check, assign, balance.

Every step writes into one plan; nothing is applied here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from collector.console import Progress, no_progress
from collector.records import LABELS, Photo
from curation.balance import MAX_VARIANTS, plan_variants
from curation.curated import SPLITS
from curation.dataset import Dataset, read_dataset, require_all_classes
from curation.duplicates import find_duplicates, find_label_conflicts
from curation.groups import GROUP_BITS, describe_links, group_photos
from curation.hashing import PhotoScan, scan_photos
from curation.plan import CurationPlan, CurationSettings, Notice, PlannedPhoto
from curation.split import assign_at_random, assign_groups, require_full_splits

T = TypeVar("T")

LARGE_GROUP = 0.1
"""A group above this share of a class is hard to place, and much of a score hangs on it."""
SHARE_TOLERANCE = 0.05


def make_plan(
    root: Path, settings: CurationSettings, progress: Progress = no_progress
) -> CurationPlan:
    """Decide what becomes of every photo of a dataset; writes nothing.

    Args:
        root: Four class folders, with or without a manifest.
        settings: What is asked for.
        progress: Shows the scan, the one step that takes time.

    Raises:
        DatasetError: A class has no usable photos, or there is no split that holds.
    """
    dataset = read_dataset(root)
    total = len(dataset.photos)
    scans = list(progress(scan_photos(dataset.root, dataset.photos), "reading photos", total))
    draft = _Draft(dataset, settings, {scan.photo.path: scan for scan in scans})
    draft.drop_unreadable()
    draft.group()
    draft.drop_label_conflicts()
    if settings.dedupe:
        draft.drop_duplicates()
    draft.assign()
    photos = list(draft.planned.values())
    if settings.balance:
        photos += plan_variants(photos, settings.seed)
    photos.sort(key=lambda photo: photo.path)
    plan = CurationPlan(dataset.root, settings, tuple(photos))
    notices = [*_data_notices(dataset, plan), *_split_notices(dataset, plan)]
    notices.sort(key=lambda notice: not notice.is_fault)
    return replace(plan, notices=tuple(notices))


@dataclass
class _Draft:
    """A plan in the making: the steps narrow `usable` and fill `planned`."""

    dataset: Dataset
    settings: CurationSettings
    scans: dict[str, PhotoScan]
    planned: dict[str, PlannedPhoto] = field(init=False)

    def __post_init__(self) -> None:
        self.planned = {
            photo.path: PlannedPhoto(photo.path, photo.label, kept=True, subject=photo.subject)
            for photo in self.dataset.photos
        }

    @property
    def usable(self) -> list[PhotoScan]:
        return [scan for path, scan in self.scans.items() if self.planned[path].kept]

    def drop_unreadable(self) -> None:
        for path, scan in self.scans.items():
            if scan.fault is not None:
                self._set_aside(path, f"unreadable: {scan.fault}")
        self._require_all_classes("unreadable files were set aside")

    def group(self) -> None:
        """Name the group of every readable photo, also of those that are set aside later."""
        usable = self.usable
        numbers = group_photos(usable, max(GROUP_BITS, self.settings.radius))
        width = len(str(len(usable)))
        for scan, number in zip(usable, numbers, strict=True):
            self._update(scan.photo.path, group=f"g{number + 1:0{width}d}")

    def drop_label_conflicts(self) -> None:
        usable = self.usable
        for conflict in find_label_conflicts(usable):
            paths = [usable[index].photo.path for index in conflict.indices]
            for path in paths:
                others = ", ".join(other for other in paths if other != path)
                self._set_aside(path, f"label conflict: the same file is also {others}")
        self._require_all_classes("files that lie in two classes were set aside")

    def drop_duplicates(self) -> None:
        usable = self.usable
        groups = self._group_numbers(usable)
        for found in find_duplicates(usable, groups, self.settings.radius):
            leader = usable[found.leader].photo.path
            reason = (
                f"exact copy: of {leader}"
                if found.is_copy
                else f"near-duplicate: {found.bits} bits from {leader}"
            )
            self._set_aside(usable[found.index].photo.path, reason, twin=leader)

    def assign(self) -> None:
        photos = [scan.photo for scan in self.usable]
        mode, ratio, seed = self.settings.split, self.settings.ratio, self.settings.seed
        if mode == "random":
            splits = assign_at_random(photos, ratio, seed)
        else:
            splits = assign_groups(photos, self._group_numbers(self.usable), ratio, seed)
        require_full_splits(photos, splits, ratio, mode)
        for photo, split in zip(photos, splits, strict=True):
            self._update(photo.path, split=split)

    def _group_numbers(self, scans: Sequence[PhotoScan]) -> list[int]:
        return [int(self.planned[scan.photo.path].group[1:]) for scan in scans]

    def _set_aside(self, path: str, reason: str, twin: str | None = None) -> None:
        self._update(path, kept=False, reason=reason, twin=twin)

    def _update(self, path: str, **changes: object) -> None:
        self.planned[path] = replace(self.planned[path], **changes)  # type: ignore[arg-type]

    def _require_all_classes(self, doing: str) -> None:
        require_all_classes(self.dataset.root, [scan.photo for scan in self.usable], doing)


def _data_notices(dataset: Dataset, plan: CurationPlan) -> Iterator[Notice]:
    reasons = plan.reasons
    if reasons.get("unreadable"):
        yield Notice(
            f"Set aside: {reasons['unreadable']} unreadable. Replace or remove the files.",
            is_fault=True,
        )
    if reasons.get("label conflict"):
        yield Notice(
            f"{reasons['label conflict']} files lie in several classes, byte for byte the same; "
            f"all were set aside. Keep each in its right class only.",
            is_fault=True,
        )
    if dataset.ignored:
        yield Notice(
            f"Folders that are no class were left alone: {', '.join(dataset.ignored)}.",
        )


def _split_notices(dataset: Dataset, plan: CurationPlan) -> Iterator[Notice]:
    if plan.straddling:
        used = {photo.group for photo in plan.kept}
        yield Notice(
            f"The random split leaks: {len(plan.straddling)} of {len(used)} groups have photos in "
            f"more than one split, so the test score is too good. Use --split group.",
            is_fault=True,
        )
    yield from _large_group_notices(dataset.photos, plan)
    if plan.settings.split == "group":
        yield from _share_notices(plan)
    for label in LABELS:
        train = plan.counts["train"]
        made = plan.variant_counts["train"][label]
        if plan.settings.balance and train[label] + made < max(train.values()):
            yield Notice(
                f"{label} has {train[label]} photos in train and got {made} variants, "
                f"{MAX_VARIANTS} of each at most: still {train[label] + made} against "
                f"{max(train.values())}. Collect more of it."
            )


def _large_group_notices(photos: Sequence[Photo], plan: CurationPlan) -> Iterator[Notice]:
    facts = {photo.path: photo for photo in photos}
    in_class = Counter(photo.label for photo in plan.kept)
    large = []
    for name, members in plan.groups.items():
        counts = Counter(photo.label for photo in members if photo.kept)
        share, label = max(
            ((counts[label] / in_class[label], label) for label in counts), default=(0, "")
        )
        if share > LARGE_GROUP:
            tied = describe_links([facts[photo.path] for photo in members])
            large.append((share, f"{name} ({tied}) is {share:.0%} of {label}"))
    if large and plan.settings.split == "group":
        large.sort(key=lambda item: (-item[0], item[1]))
        shown = "; ".join(text for _, text in large[:3])
        yield Notice(
            f"{len(large)} groups are over {LARGE_GROUP:.0%} of a class, so that much hangs on who "
            f"they are: {shown}{'; ...' if large[3:] else ''}. More people would help."
        )


def _share_notices(plan: CurationPlan) -> Iterator[Notice]:
    wanted = dict(zip(SPLITS, plan.settings.ratio, strict=True))
    off = []
    for label in LABELS:
        total = sum(plan.counts[split][label] for split in SPLITS)
        shares = {split: plan.counts[split][label] / total for split in SPLITS}
        if any(abs(shares[split] - wanted[split]) > SHARE_TOLERANCE for split in SPLITS):
            off.append(f"{label} {' / '.join(f'{shares[split]:.0%}' for split in SPLITS)}")
    if off:
        yield Notice(
            f"Not split {' / '.join(f'{share:.0%}' for share in wanted.values())} but "
            f"{', '.join(off)}: the groups are too few or too large to do better."
        )
