"""Run the steps of a curation in their order: scan, group, dedupe, check, assign, balance.

Every step writes into one plan; nothing is applied here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from curation.checks import find_flaws
from curation.grouping.conflicts import CONFLICT_BITS, find_label_conflicts
from curation.grouping.duplicates import find_duplicates, rank_key
from curation.grouping.groups import group_photos
from curation.grouping.look_alikes import find_look_alikes
from curation.grouping.ties import Ties, count_known, find_ties
from curation.limits import FLAWS
from curation.plan.balance import choose_drops, plan_variants, weigh_classes
from curation.plan.dataset import LabelledDataset, read_dataset, require_all_classes
from curation.plan.mask_plan import can_paint, plan_painted_masks, require_bare_classes
from curation.plan.notices import gather_notices
from curation.plan.plan import CurationPlan, Notice, PlannedPhoto
from curation.plan.written_files import name_written_files
from curation.scan.cache import open_scan_cache
from curation.scan.scanning import scan_photos
from curation.scan.workers import Workers
from curation.settings import DROP, SESSION, TIME, WEIGHTS, CurationSettings
from curation.splitting.split import place_photos
from curation.splitting.time_split import Placement
from curation.splitting.ways_on import describe_ways
from maskage.console import Progress, no_progress
from maskage.dataset.photo_scan import PhotoScan, needs_face, read_face
from maskage.errors import DatasetError
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import RgbImage


def make_plan(
    root: Path,
    settings: CurationSettings,
    progress: Progress = no_progress,
    workers: Workers | None = None,
    out: Path | None = None,
) -> CurationPlan:
    """Make the plan of a curation, without writing to the dataset.

    Args:
        root: Folder with class folders, with or without a manifest.
        settings: Settings of the user.
        progress: Shows the steps that take time.
        workers: Workers that scan the photos; one thread for each core by default.
        out: Folder of the result, for the commands in messages; None for the default.

    Raises:
        DatasetError: A class has no usable photos, or no valid split is possible.
        EnvironmentProblemError: A file or a worker cannot be reached.
    """
    dataset = read_dataset(root)
    scheme = dataset.scheme
    if settings.painting is not None and settings.painting.is_asked:
        require_bare_classes(scheme)
    elif not can_paint(scheme):
        settings = replace(settings, painting=None, unpainted=None)
    draft = _Draft(dataset, settings, _scan(dataset, settings, progress, workers))
    draft.drop_unreadable()
    draft.group()
    draft.drop_label_conflicts()
    if settings.dedupe:
        draft.drop_duplicates()
    draft.drop_flawed()
    checked = draft.check_labels(progress) if settings.check_labels else None
    draft.assign(root, out)
    if settings.balance == DROP:
        draft.drop_surplus()
    photos = list(draft.planned.values())
    masks = None
    if settings.painting is not None:
        masks = plan_painted_masks(
            dataset.root, photos, scheme, settings.painting, seed=settings.seed, progress=progress
        )
        photos += masks.variants
    photos += plan_variants(photos, scheme.labels, settings)
    photos.sort(key=lambda photo: photo.path)
    photos = name_written_files(dataset.root, photos)
    known = count_known([scan.photo for scan in draft.usable], draft.ties)
    plan = CurationPlan(
        dataset.root,
        settings,
        scheme,
        tuple(photos),
        dataset.unknown,
        draft.ties,
        known,
        unread=dataset.unread_files,
    )
    if settings.balance == WEIGHTS:
        plan = replace(plan, class_weights=weigh_classes(plan.train_counts))
    notices = [*gather_notices(dataset, plan, masks), *(() if checked is None else checked)]
    notices += [Notice(draft.split_notice)] if draft.split_notice else []
    return replace(plan, notices=tuple(notices))


def _scan(
    dataset: LabelledDataset,
    settings: CurationSettings,
    progress: Progress,
    workers: Workers | None,
) -> dict[str, PhotoScan]:
    with open_scan_cache(dataset.root, settings.face_model) as cache:
        scans = scan_photos(dataset.root, dataset.photos, workers, settings.face_model, cache)
        shown: Iterable[PhotoScan] = progress(scans, "scanning photos", len(dataset.photos))
        return {scan.path: scan for scan in shown}


@dataclass
class _Draft:
    """A plan in progress: the steps narrow `usable` and fill `planned`."""

    dataset: LabelledDataset
    settings: CurationSettings
    scans: dict[str, PhotoScan]
    planned: dict[str, PlannedPhoto] = field(init=False)
    readable: list[PhotoScan] = field(init=False)
    """Photos that could be read, which are grouped."""
    ties: Ties = field(init=False)
    """What ties them together that the manifest does not know."""
    split_notice: str = ""

    def __post_init__(self) -> None:
        self.planned = {
            path: PlannedPhoto(
                path,
                scan.photo.label,
                kept=True,
                subject=scan.photo.subject,
                file_scan=scan.file_scan,
                is_confirmed=scan.photo.confirmed == scan.photo.label,
            )
            for path, scan in self.scans.items()
        }
        for unread in self.dataset.unread:
            self.planned[unread.path] = PlannedPhoto(
                unread.path, unread.label, kept=False, reason=unread.reason
            )

    @property
    def usable(self) -> list[PhotoScan]:
        """Photos that no step has set aside so far."""
        return [scan for path, scan in self.scans.items() if self.planned[path].kept]

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Rank of each photo by quality, the best first."""
        limits = self.settings.limits
        order = sorted(self.scans.values(), key=lambda scan: rank_key(scan, limits))
        return {scan.path: place for place, scan in enumerate(order)}

    def drop_unreadable(self) -> None:
        """Set aside photos that cannot be read."""
        for path, scan in self.scans.items():
            if scan.file_scan.fault is not None:
                self._set_aside(path, f"unreadable: {scan.file_scan.fault}")
        self._require_all_classes("unreadable files were set aside", "Replace the broken files.")

    def group(self) -> None:
        """Name the group of every readable photo, also of those that are set aside later."""
        self.readable = self.usable
        self.ties = find_ties([scan.photo for scan in self.readable], self.settings)
        for path, person in self.ties.people.items():
            self._update(path, named=person)
        self._name_groups(self.readable, self._group_as(self.settings))

    def drop_label_conflicts(self) -> None:
        """Set aside pictures that lie in several classes."""
        usable = self.usable
        alike = find_look_alikes(usable, CONFLICT_BITS)
        for conflict in find_label_conflicts(usable, alike, self._read):
            paths = [usable[index].path for index in conflict.indices]
            what = "file" if conflict.is_file else "picture"
            for path in paths:
                others = tuple(other for other in paths if other != path)
                reason = f"label conflict: the same {what} is also {', '.join(others)}"
                self._set_aside(path, reason, rivals=others)
        self._require_all_classes(
            "pictures that lie in two classes were set aside", "Keep each in its right class only."
        )

    def drop_duplicates(self) -> None:
        """Set aside near-duplicates, except the best photo of each set."""
        usable = self.usable
        alike = find_look_alikes(usable, self.settings.radius)
        groups = self._group_numbers(usable)
        for found in find_duplicates(usable, groups, alike, self.settings.limits):
            leader = usable[found.leader].path
            mirrored = ", mirrored" if found.is_mirrored else ""
            reason = (
                f"exact copy: of {leader}"
                if found.is_copy
                else f"near-duplicate: {found.bits} bits from {leader}{mirrored}"
            )
            self._set_aside(usable[found.index].path, reason, twin=leader)

    def drop_flawed(self) -> None:
        """Set aside photos that fail a check of quality."""
        for scan in self.usable:
            if flaws := find_flaws(scan.file_scan, self.settings.limits):
                self._set_aside(scan.path, "; ".join(flaws))
        kinds = Counter(photo.kind for photo in self.planned.values() if photo.kind in FLAWS)
        shown = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        self._require_all_classes(
            f"the checks set photos aside ({shown})",
            "Keep them with --allow KINDS, change a limit (see `curate --help`), or collect more.",
        )

    def check_labels(self, progress: Progress) -> list[Notice]:
        """Note the labels that are probably wrong, without setting photos aside."""
        from curation.labels.factor_check import LabelledPhotos, check_labels

        usable = self.usable
        photos = LabelledPhotos(
            [scan.photo.label for scan in usable],
            self._group_numbers(usable),
            self.dataset.scheme,
            lambda index: self._face(usable[index]),
            self.settings.named_face_model,
        )
        checked = check_labels(photos, self.settings.seed, progress)
        for index, suggestion in checked.doubts.items():
            self._update(usable[index].path, doubt=suggestion)
        return [Notice(text) for text in checked.notices]

    def assign(self, root: Path, out: Path | None) -> None:
        """Assign the usable photos to splits.

        Args:
            root: Dataset as the user named it, for a message.
            out: Folder of the result, likewise.

        Raises:
            DatasetError: No such split is possible; the message says which others are.
        """
        usable = self.usable
        groups, labels = self._group_numbers(usable), self.dataset.scheme.labels
        try:
            placement = place_photos(usable, groups, labels, self.settings, self.ties)
        except DatasetError as fault:
            lines = describe_ways(self.settings, self._try, root, out)
            raise DatasetError(*fault.args, *lines) from fault
        self.split_notice = placement.notice
        for scan, split, reason in zip(usable, placement.splits, placement.reasons, strict=True):
            self._update(scan.path, split=split, kept=not reason, reason=reason)
        if self.settings.split == TIME:
            # The parts of a session are what lies in one split.
            parts = [(group, split) for group, split in zip(groups, placement.splits, strict=True)]
            numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
            self._name_groups(usable, [numbers[part] for part in parts])

    def _try(self, settings: CurationSettings) -> Placement:
        """Split the usable photos as other settings ask, without changing the plan."""
        numbers = self._group_as(settings)
        group_of = {scan.path: number for scan, number in zip(self.readable, numbers, strict=True)}
        usable = self.usable
        groups = [group_of[scan.path] for scan in usable]
        return place_photos(usable, groups, self.dataset.scheme.labels, settings, self.ties)

    def _group_as(self, settings: CurationSettings) -> list[int]:
        radius = settings.radius
        alike = find_look_alikes(self.readable, max(GROUP_BITS, radius))
        by_session = settings.split == SESSION
        return group_photos(self.readable, alike, radius, by_session=by_session, ties=self.ties)

    def _name_groups(self, scans: Sequence[PhotoScan], numbers: Sequence[int]) -> None:
        width = len(str(len(scans)))
        for scan, number in zip(scans, numbers, strict=True):
            self._update(scan.path, group=f"g{number + 1:0{width}d}")

    def drop_surplus(self) -> None:
        """Set aside the photos by which the larger classes of train exceed the smallest."""
        for photo in choose_drops(
            list(self.planned.values()), self.dataset.scheme.labels, self.ranks
        ):
            reason = f"surplus: train has more of {photo.label} than of its smallest class"
            self._set_aside(photo.path, reason, split="")

    def _face(self, scan: PhotoScan) -> RgbImage:
        model = self.settings.face_model if needs_face(scan.photo) else None
        return read_face(self.dataset.root / scan.path, model)

    def _read(self, scan: PhotoScan) -> bytes:
        try:
            return (self.dataset.root / scan.path).read_bytes()
        except OSError as fault:
            raise DatasetError(
                f"{scan.path}: it was changed or removed since it was scanned ({fault.strerror}). "
                f"Curate again."
            ) from fault

    def _group_numbers(self, scans: Sequence[PhotoScan]) -> list[int]:
        return [int(self.planned[scan.path].group[1:]) for scan in scans]

    def _set_aside(self, path: str, reason: str, **changes: object) -> None:
        self._update(path, kept=False, reason=reason, **changes)

    def _update(self, path: str, **changes: object) -> None:
        self.planned[path] = replace(self.planned[path], **changes)  # type: ignore[arg-type]

    def _require_all_classes(self, doing: str, advice: str) -> None:
        photos = [scan.photo for scan in self.usable]
        require_all_classes(self.dataset, photos, doing, advice)
