"""Forgetting a person: what a dataset keeps of them is found, shown, and deleted.

A plan is made first; `forget` carries it out. The order lets a kill at any point be finished by
running again: the rows tell whose a file is, so files go first, then cached features, and the rows
last. Thumbnails and previews live in memory only and end with the program that drew them.

What was made of the photos is listed and left: a curated set or a trained run without the person
is made anew, not mended. Files are unlinked, which no program can make sure of on every disk; the
rows in the manifest are overwritten.
"""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from collector.consent import Consent
from collector.doctor_files import DAMAGED, REBUILDING, facts_of_name
from collector.doctor_manifest import ASIDE, find_aside
from collector.errors import DatasetError, EnvironmentProblemError
from collector.files import TEMPORARY_PREFIX, sync_folder
from collector.manifest import KnownPhoto, ManifestRows, manifest_path, read_consents, read_rows
from collector.records import LABELS, Label, Photo
from collector.store import TRASH, PhotoStore, match_photos
from collector.traces import Traces, find_traces, hash_file

_ROW_GAVE_WAY = re.compile(r"~.*$")
_FILE_GAVE_WAY = re.compile(r"-again\d*(?=\.[^.]*$)")


@dataclass(frozen=True)
class ForgetPlan:
    """What will be forgotten of one subject, and what will be left.

    Attributes:
        root: The dataset.
        subject: As the rows name the person.
        photos: Files in the class folders, relative to the dataset, sorted; so are the next ones.
        trash: Files in the trash.
        damaged: Files that the doctor set aside, because they cannot be decoded.
        unfinished: Files that were being written when a program was killed: nobody knows whose.
        old_manifests: What the doctor put aside of damaged manifests, and may hold the rows.
        rows: How many rows of the manifest.
        consent: What is on record.
        traces: Pieces of cached features, which go; curated sets and runs, which stay.
        unclear: Files that may show the person too, though nothing says so for certain: left.
    """

    root: Path
    subject: str
    photos: tuple[str, ...] = ()
    trash: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    old_manifests: tuple[str, ...] = ()
    rows: int = 0
    consent: Consent | None = None
    traces: Traces = field(default_factory=Traces)
    unclear: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> dict[Label, int]:
        """Photos in each class folder."""
        found = Counter(path.partition("/")[0] for path in self.photos)
        return {label: found[label] for label in LABELS}

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the dataset that goes before the rows, in the order in which it goes."""
        return (*self.photos, *self.trash, *self.damaged, *self.unfinished, *self.old_manifests)


def known_subjects(root: Path) -> set[str]:
    """Everybody whom a dataset names: in a row, of a removed photo too, or in a consent.

    Raises:
        DatasetError: The manifest is damaged.
    """
    rows = read_rows(root)
    photos = [*rows.present.values(), *rows.removed.values()]
    return {photo.subject for photo in photos if photo.subject} | set(read_consents(root))


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
    known = match_photos(root)
    subjects = known_subjects(root)
    if subject not in subjects:
        raise DatasetError(_unknown(root, subject, subjects))
    if find_aside(root) is not None:
        raise DatasetError(
            f"{root}: the doctor was interrupted while it set a damaged manifest aside. Run "
            f"`collector doctor {root} --fix`, then forget {subject}."
        )
    return _Search(root, subject, known).plan(look_in, cache)


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
    for folder in sorted({(plan.root / path).parent for path in plan.files}):
        if folder.is_dir():
            sync_folder(folder)
    for folder in sorted({piece.parent for piece in plan.traces.cached}):
        sync_folder(folder)
    store.forget(plan.subject)


class _Search:
    """Whose each file of a dataset is, by its rows and by its content."""

    def __init__(self, root: Path, subject: str, known: Sequence[KnownPhoto]) -> None:
        self._root, self._subject, self._known = root, subject, known
        self._rows: ManifestRows = read_rows(root)
        rows = [*self._rows.present.values(), *self._rows.removed.values()]
        self._mine = [row for row in rows if row.subject == subject]
        self._owners: dict[str, set[str | None]] = {}
        for row in rows:
            if row.sha256:
                self._owners.setdefault(row.sha256, set()).add(row.subject)
        self._removed: dict[str, list[Photo]] = {}
        for path, row in self._rows.removed.items():
            self._removed.setdefault(_ROW_GAVE_WAY.sub("", path), []).append(row)
        self._sittings = {row.session for row in self._mine if row.session}
        self._unclear: set[str] = set()

    def plan(self, look_in: Sequence[Path], cache: Path | None = None) -> ForgetPlan:
        photos = [known.photo.path for known in self._known if self._is_mine(known)]
        trash = list(self._loose(Path(TRASH)))
        damaged = list(self._loose(Path(DAMAGED)))
        digests = {row.sha256 for row in self._mine if row.sha256}
        digests |= {found for path in (*photos, *trash) if (found := hash_file(self._root / path))}
        paths = {_ROW_GAVE_WAY.sub("", row.path) for row in self._mine} | set(photos)
        return ForgetPlan(
            root=self._root,
            subject=self._subject,
            photos=tuple(sorted(photos)),
            trash=tuple(sorted(trash)),
            damaged=tuple(sorted(damaged)),
            unfinished=tuple(_unfinished(self._root)),
            old_manifests=tuple(_old_manifests(self._root)),
            rows=len(self._mine),
            consent=read_consents(self._root).get(self._subject),
            traces=find_traces(self._root, paths, digests, look_in, cache),
            unclear=tuple(sorted(self._unclear)),
        )

    def _is_mine(self, known: KnownPhoto) -> bool:
        """Whether a photo in its class folder is the subject's.

        One that its row finds by name alone, moved or put back by hand, must have its content too:
        another picture may have taken the name.
        """
        photo = known.photo
        if photo.subject == self._subject and (known.is_settled or photo.sha256 is None):
            return True
        if known.row_path is None or (photo.subject == self._subject and not known.is_settled):
            digest = hash_file(self._root / photo.path)
            if self._is_mine_by(self._owners.get(digest or "", set()), photo.path):
                return True
            if photo.subject == self._subject:
                self._unclear.add(photo.path)
        if photo.subject is None:
            session = photo.session or facts_of_name(photo.path)[1]
            if session in self._sittings:
                self._unclear.add(photo.path)
        return False

    def _loose(self, top: Path) -> Iterator[str]:
        """The subject's files in the trash, or among those set aside: "<top>/<label>/<name>"."""
        for label in LABELS:
            folder = self._root / top / label
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if not file.is_file() or file.name.startswith(TEMPORARY_PREFIX):
                    continue
                path = (top / label / file.name).as_posix()
                if self._is_mine_by(self._owners_of_loose(f"{label}/{file.name}", file), path):
                    yield path

    def _owners_of_loose(self, path: str, file: Path) -> set[str | None]:
        """Whose a removed file may be: by path and content, by path, else by content."""
        digest = hash_file(file) or ""
        of_path = self._removed.get(path) or self._removed.get(_FILE_GAVE_WAY.sub("", path), [])
        exact = {row.subject for row in of_path if row.sha256 == digest}
        return exact or {row.subject for row in of_path} or self._owners.get(digest, set())

    def _is_mine_by(self, owners: Set[str | None], path: str) -> bool:
        """Whether these owners are the subject alone; one of several is noted as unclear."""
        if self._subject in owners and owners - {self._subject, None}:
            self._unclear.add(path)
            return False
        return self._subject in owners


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
