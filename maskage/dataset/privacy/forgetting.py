"""Forget a person: find, show and delete what a dataset holds of them.

A plan is made first; `forget` carries it out. After a kill at any point, the same command finishes
the work: the rows say whose a file is, so files go first, then cached features, and the rows last.
Thumbnails and previews live in memory only and end with the program that drew them.

Caches are removed too. What a user made from the photos is listed and left: a curated set or a run
without the person is made again, not repaired; pages, pictures, recordings and exports show others
too. Until nothing is listed any more, marks of the photos are kept (`tombstones`), so that the same
command lists again what is still there. Files are unlinked, which does not overwrite them on every
disk; the rows in the manifest are overwritten.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from maskage.dataset.consent import Consent
from maskage.dataset.doctor.files import REBUILDING
from maskage.dataset.doctor.manifest import ASIDE, find_aside
from maskage.dataset.facts.journal import forget_in_journal, subjects_in_journal
from maskage.dataset.manifest.file import COPY_PREFIX
from maskage.dataset.manifest.reading import read_consents, read_rows
from maskage.dataset.photo_files import DAMAGED, TRASH
from maskage.dataset.privacy.derived_copies import DerivedCopies, find_derived_copies
from maskage.dataset.privacy.sought_photos import SoughtPhotos, gather_sought_photos
from maskage.dataset.privacy.subject_files import (
    SubjectFiles,
    all_rows,
    find_subject_files,
    find_unclear,
    known_subjects,
)
from maskage.dataset.privacy.tombstones import (
    Tombstone,
    keep_tombstone,
    open_tombstone,
    remove_tombstone,
)
from maskage.dataset.snapshots.forgetting import (
    SnapshotShare,
    find_in_snapshots,
    forget_in_snapshots,
)
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, EnvironmentProblemError, ToolchainError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.output_log import forget_in_log, read_outputs
from maskage.system.files import TEMPORARY_PREFIX, sync_folder


@dataclass(frozen=True)
class ForgetPlan:
    """The plan to forget one subject: what will be removed, and what will be left.

    Attributes:
        root: Folder of the dataset.
        subject: Pseudonym of the person, as in the rows.
        labels: Classes of the dataset, in order.
        mine: The person's files and rows in the dataset.
        unfinished: Files that were being written when a program was killed; their owner is unknown.
        old_manifests: Damaged manifests that the doctor put aside and that may hold the rows.
        consent: The consent on record.
        snapshots: The person's photos in the snapshots, which are taken out of them.
        left_copies: Copies of the manifest that a killed `collector doctor` left, absolute.
        derived: Caches, which are removed, and everything made from the photos, which stays.
        look_in: Folders that were searched.
        caches: Caches of features that were searched.
        stone: Marks of the person, earlier ones included.
        is_repeat: True if the person was forgotten before, and only copies are searched for.
    """

    root: Path
    subject: str
    labels: tuple[str, ...] = ()
    mine: SubjectFiles = field(default_factory=SubjectFiles)
    unfinished: tuple[str, ...] = ()
    old_manifests: tuple[str, ...] = ()
    consent: Consent | None = None
    snapshots: SnapshotShare = field(default_factory=SnapshotShare)
    left_copies: tuple[Path, ...] = ()
    derived: DerivedCopies = field(default_factory=DerivedCopies)
    look_in: tuple[Path, ...] = ()
    caches: tuple[Path, ...] = ()
    stone: Tombstone | None = None
    is_repeat: bool = False

    @property
    def is_listed(self) -> bool:
        """True if something is left that shows the person, or may."""
        return self.derived.is_listed or bool(self.mine.unclear)

    @property
    def is_going(self) -> bool:
        """True if there is something to remove."""
        return not self.is_repeat or bool(self.left_copies or self.derived.cached)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of the photos in each class folder."""
        found = Counter(path.partition("/")[0] for path in self.mine.photos)
        return {label: found[label] for label in self.labels}

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the dataset that are removed before the rows, in that order."""
        mine = self.mine
        photos = (*mine.photos, *mine.trash, *mine.damaged, *mine.elsewhere)
        return (*photos, *self.unfinished, *self.old_manifests)


def plan_forgetting(
    root: Path, subject: str, look_in: Sequence[Path], cache: Path | None = None
) -> ForgetPlan:
    """Find everything that is kept of a person; nothing is changed.

    Args:
        root: Folder of the dataset.
        subject: Pseudonym of the person.
        look_in: Folders that are searched for curated sets, runs and cached features.
        cache: One more cache of features, wherever it lies.

    Raises:
        DatasetError: There is no such dataset, the subject is not in it and never was, or its
            manifest is damaged.
    """
    mine, stone = find_subject_files(root, subject), open_tombstone(root, subject)
    subjects = known_subjects(root) | subjects_in_journal(root)
    is_repeat = subject not in subjects
    if is_repeat and not stone.marks:
        raise DatasetError(_unknown(root, subject, subjects))
    if find_aside(root) is not None:
        raise DatasetError(
            f"{root}: the doctor was interrupted while it set a damaged manifest aside. Run "
            f"`collector doctor {root} --fix`, then forget {subject}."
        )
    outputs = read_outputs(root)
    sought = gather_sought_photos(root, subject, mine, stone, outputs)
    folders = _places(look_in, stone.look_in)
    caches = _places([cache] if cache else [], stone.caches)
    return ForgetPlan(
        root=root,
        subject=subject,
        labels=read_scheme(root).labels,
        mine=replace(mine, unclear=_unclear(root, mine, stone)),
        unfinished=() if is_repeat else tuple(_unfinished(root, mine.labels)),
        old_manifests=() if is_repeat else tuple(_old_manifests(root)),
        consent=read_consents(root).get(subject),
        snapshots=find_in_snapshots(root, subject, mine.digests),
        left_copies=tuple(_left_copies(sought)),
        derived=find_derived_copies(sought, folders, caches, outputs),
        look_in=folders,
        caches=caches,
        stone=stone,
        is_repeat=is_repeat,
    )


def forget(
    store: PhotoStore, plan: ForgetPlan, on_removed: Callable[[str], None] | None = None
) -> None:
    """Carry a plan out, beyond recovery. After a kill, another run finishes it.

    Args:
        store: The dataset, open, so that no other program writes to it.
        plan: A plan for this dataset, made since it was opened.
        on_removed: Called with the name of each removed file.

    Raises:
        EnvironmentProblemError: The disk refused; the rows are still there for another run.
        PhotoNotSavedError: The manifest could not be written; the files are removed.
    """
    notify = on_removed or (lambda name: None)
    stone = plan.stone or open_tombstone(plan.root, plan.subject)
    if plan.is_listed:
        # Before anything is removed: the marks are made from the rows.
        keep_tombstone(plan.root, plan.subject, _mark_all(stone, plan))
    for path in plan.files:
        _remove(plan.root / path, plan)
        notify(path)
    # Curation's cache about these photos and all others is quickly made again.
    for cached in (*plan.derived.cached, *plan.derived.scans, *plan.left_copies):
        _remove(cached, plan)
        notify(str(cached))
    for folder in sorted({(plan.root / path).parent for path in plan.files}):
        if folder.is_dir():
            sync_folder(folder)
    for folder in sorted({piece.parent for piece in plan.derived.cached}):
        sync_folder(folder)
    _forget_outputs(plan)
    _forget_snapshots(plan)
    forget_in_journal(plan.root, plan.subject, plan.mine.paths, plan.mine.digests)
    if not plan.is_repeat:
        store.forget(plan.subject, plan.mine.row_paths)
    if not plan.is_listed:
        remove_tombstone(plan.root, plan.subject, stone)


def _places(named: Sequence[Path], former: Sequence[Path]) -> tuple[Path, ...]:
    """Return the named folders and those of former searches, as far as they exist."""
    there = (folder for folder in (*named, *former) if folder.is_dir())
    return tuple(dict.fromkeys(folder.resolve() for folder in there))


def _unclear(root: Path, mine: SubjectFiles, stone: Tombstone) -> tuple[str, ...]:
    if not stone.marks:
        return mine.unclear
    links = (str(link) for link in stone.links if link.exists())
    return tuple(sorted({*mine.unclear, *find_unclear(root, stone.of("unclear")), *links}))


def _left_copies(sought: SoughtPhotos) -> Iterator[Path]:
    """Yield copies of the manifest that a kill left in the folder for temporary files."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{COPY_PREFIX}*")):
        try:
            rows = read_rows(folder)
        except (ToolchainError, OSError):
            continue
        if any((row.sha256 or "") in sought.digests for row in all_rows(rows)):
            yield folder


def _mark_all(stone: Tombstone, plan: ForgetPlan) -> Tombstone:
    """Mark everything that identifies the photos when the person is to be forgotten again."""
    mine, derived = plan.mine, plan.derived
    outputs = (str(each.path) for each in read_outputs(plan.root) if each.subject == plan.subject)
    marks: dict[str, Iterable[str]] = {
        "path": mine.paths,
        "digest": mine.digests | mine.sources | derived.copies,
        "name": mine.names,
        "word": mine.words,
        "size": mine.sizes,
        "set": derived.sets,
        "embedded": derived.embedded,
        "output": outputs,
        "unclear": mine.unclear,
    }
    for kind, values in marks.items():
        stone = stone.add(kind, values)
    links = tuple(Path(path) for path in mine.unclear if Path(path).is_absolute())
    return replace(stone, look_in=plan.look_in, caches=plan.caches, links=links)


def _forget_outputs(plan: ForgetPlan) -> None:
    try:
        forget_in_log(plan.root, lambda output: output.subject == plan.subject)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{plan.root}: the log of what was written cannot be changed "
            f"({fault.strerror or fault}). {plan.subject} is forgotten only in part and still on "
            f"record. Check its permissions, then run the same command again."
        ) from fault


def _forget_snapshots(plan: ForgetPlan) -> None:
    try:
        if plan.snapshots.rows:
            forget_in_snapshots(plan.root, plan.snapshots)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{plan.root}: the snapshots cannot be changed ({fault.strerror or fault}). "
            f"{plan.subject} is forgotten only in part and still on record. Check the permissions, "
            f"then run the same command again."
        ) from fault


def _unfinished(root: Path, labels: Iterable[str]) -> list[str]:
    return sorted(
        file.relative_to(root).as_posix()
        for top in (root, root / TRASH, root / DAMAGED)
        for label in labels
        for file in (top / label).glob(f"{TEMPORARY_PREFIX}*")
    )


def _old_manifests(root: Path) -> list[str]:
    """List damaged manifests put aside, their logs, and a new one that never took its place."""
    path = manifest_path(root)
    found: Iterable[Path] = path.parent.glob(f"{path.name}{ASIDE}*")
    rebuilding = [root / REBUILDING] if (root / REBUILDING).is_dir() else []
    return sorted(file.relative_to(root).as_posix() for file in (*found, *rebuilding))


def _remove(path: Path, plan: ForgetPlan) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{path}: cannot be removed ({fault.strerror or fault}). {plan.subject} is forgotten "
            f"only in part and still on record. Check its permissions, then run the same command "
            f"again."
        ) from fault


def _unknown(root: Path, subject: str, subjects: Set[str]) -> str:
    named = sorted(subjects)
    more = f" and {len(named) - 12} more" if len(named) > 12 else ""
    known = f"On record: {', '.join(named[:12])}{more}" if named else "Nobody is on record"
    return f"{root}: no photos and no consent of {subject}. {known}. Nothing was changed."
