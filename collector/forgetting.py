"""Forgetting a person: what a dataset keeps of them is found, shown, and deleted.

A plan is made first; `forget` carries it out. The order lets a kill at any point be finished by
running again: the rows tell whose a file is, so files go first, then cached features, and the rows
last. Thumbnails and previews live in memory only and end with the program that drew them.

What was made of the photos is listed and left: a curated set or a trained run without the person
is made anew, not mended. Files are unlinked, which no program can make sure of on every disk; the
rows in the manifest are overwritten.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from collector.caches import scan_cache_path
from collector.consent import Consent
from collector.doctor_files import DAMAGED, REBUILDING
from collector.doctor_manifest import ASIDE, find_aside
from collector.errors import DatasetError, EnvironmentProblemError
from collector.files import TEMPORARY_PREFIX, sync_folder
from collector.manifest import manifest_path, read_consents
from collector.records import LABELS, Label
from collector.store import TRASH, PhotoStore
from collector.subjects import Belongings, find_belongings, known_subjects
from collector.traces import Traces, find_traces


@dataclass(frozen=True)
class ForgetPlan:
    """What will be forgotten of one subject, and what will be left.

    Attributes:
        root: The dataset.
        subject: As the rows name the person.
        mine: The person's files and rows in the dataset.
        unfinished: Files that were being written when a program was killed: nobody knows whose.
        old_manifests: What the doctor put aside of damaged manifests, and may hold the rows.
        consent: What is on record.
        traces: Pieces of cached features, which go; curated sets and runs, which stay.
    """

    root: Path
    subject: str
    mine: Belongings = field(default_factory=Belongings)
    unfinished: tuple[str, ...] = ()
    old_manifests: tuple[str, ...] = ()
    consent: Consent | None = None
    traces: Traces = field(default_factory=Traces)

    @cached_property
    def counts(self) -> dict[Label, int]:
        """Photos in each class folder."""
        found = Counter(path.partition("/")[0] for path in self.mine.photos)
        return {label: found[label] for label in LABELS}

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the dataset that goes before the rows, in the order in which it goes."""
        mine = self.mine
        photos = (*mine.photos, *mine.trash, *mine.damaged, *mine.elsewhere)
        return (*photos, *self.unfinished, *self.old_manifests)


def plan_forgetting(
    root: Path, subject: str, look_in: Sequence[Path], cache: Path | None = None
) -> ForgetPlan:
    """Find all that is kept of a person; changes nothing.

    Args:
        root: The dataset.
        subject: Pseudonym.
        look_in: Where curated sets, runs and cached features are looked for.
        cache: One more cache of features, wherever it lies.

    Raises:
        DatasetError: No such dataset, or nobody of this name is in it; or its manifest is damaged.
    """
    mine = find_belongings(root, subject)
    subjects = known_subjects(root)
    if subject not in subjects:
        raise DatasetError(_unknown(root, subject, subjects))
    if find_aside(root) is not None:
        raise DatasetError(
            f"{root}: the doctor was interrupted while it set a damaged manifest aside. Run "
            f"`collector doctor {root} --fix`, then forget {subject}."
        )
    return ForgetPlan(
        root=root,
        subject=subject,
        mine=mine,
        unfinished=tuple(_unfinished(root)),
        old_manifests=tuple(_old_manifests(root)),
        consent=read_consents(root).get(subject),
        traces=find_traces(root, mine.paths, mine.digests, look_in, cache),
    )


def forget(
    store: PhotoStore, plan: ForgetPlan, on_removed: Callable[[str], None] | None = None
) -> None:
    """Carry a plan out, beyond recovery. Killed in between, it is finished by another run.

    Args:
        store: The dataset, open: nobody else writes meanwhile.
        plan: Of this dataset, made since it was opened.
        on_removed: Told the name of each file that went.

    Raises:
        EnvironmentProblemError: The disk refused; the rows are still there, and so is the way on.
        PhotoNotSavedError: The manifest could not be written; the files are gone.
    """
    tell = on_removed or (lambda name: None)
    for path in plan.files:
        _remove(plan.root / path, plan)
        tell(path)
    for piece in plan.traces.cached:
        _remove(piece, plan)
        tell(str(piece))
    # Curation's record of its looks at these photos, and at all others: it is quickly made again.
    _remove(scan_cache_path(plan.root), plan)
    for folder in sorted({(plan.root / path).parent for path in plan.files}):
        if folder.is_dir():
            sync_folder(folder)
    for folder in sorted({piece.parent for piece in plan.traces.cached}):
        sync_folder(folder)
    store.forget(plan.subject)


def _unfinished(root: Path) -> list[str]:
    return sorted(
        file.relative_to(root).as_posix()
        for top in (root, root / TRASH, root / DAMAGED)
        for label in LABELS
        for file in (top / label).glob(f"{TEMPORARY_PREFIX}*")
    )


def _old_manifests(root: Path) -> list[str]:
    """Damaged manifests put aside, with their logs, and a new one that never took its place."""
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
            f"in part, and still on record: mend its permissions, then run the same command again."
        ) from fault


def _unknown(root: Path, subject: str, subjects: Set[str]) -> str:
    named = sorted(subjects)
    more = f" and {len(named) - 12} more" if len(named) > 12 else ""
    known = f"On record: {', '.join(named[:12])}{more}" if named else "Nobody is on record"
    return f"{root}: no photos and no consent of {subject}. {known}. Nothing was changed."
