"""Carry out what the doctor found. No photo is deleted, and no row.

A kill at any point leaves every photo whole in one folder, and a manifest that can be read: rows
change in one transaction, files move in one atomic step each, after their rows, and a new manifest
takes the place of a damaged one in one step. What was left undone is found and done by the next
run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from maskage.console import Progress, no_progress
from maskage.dataset.class_change_steps import finish_own_change
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.files import REBUILDING
from maskage.dataset.doctor.findings import Diagnosis, Finding, Kind
from maskage.dataset.doctor.manifest import Condition
from maskage.dataset.doctor.match_rows import free_path
from maskage.dataset.doctor.repair_manifest import (
    clear_rebuilding,
    put_companions_aside,
    replace_manifest,
)
from maskage.dataset.manifest.reading import KnownPhoto
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.outside_folders import require_dataset
from maskage.dataset.photo_files import DAMAGED, TRASH
from maskage.errors import PhotoNotSavedError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.system.faults import explain_fault
from maskage.system.files import rename_new, sync_folder
from maskage.system.lock import lock_dataset

Left = list[tuple[Finding, str]]
"""A fault that could not be repaired, and why."""


@dataclass(frozen=True)
class RepairResult:
    """The result of a repair: what was found, and what is left.

    Attributes:
        diagnosis: The diagnosis before anything was changed.
        left: The faults that could not be repaired, and why.
    """

    diagnosis: Diagnosis
    left: Left


def repair_dataset(root: Path, progress: Progress = no_progress) -> RepairResult:
    """Examine a dataset and repair every fault that can be repaired; nobody else writes meanwhile.

    Args:
        root: The dataset.
        progress: Shows the reading of the photos.

    Raises:
        DatasetInUseError: Another program has it open for writing.
        DatasetError, EnvironmentProblemError: See `examine`; nothing was changed.
        PhotoNotSavedError: The disk refused the manifest; no row was changed.
    """
    require_dataset(root, read_scheme(root))
    lock = lock_dataset(root)
    try:
        finish_own_change(root)
        diagnosis = examine(root, progress, is_ours=True)
        return RepairResult(diagnosis, _RepairRun(diagnosis).run())
    finally:
        lock.close()


class _RepairRun:
    """One run over the findings of a diagnosis."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._root = diagnosis.root
        self._moment = datetime.now(UTC)
        self._now = self._moment.isoformat(timespec="milliseconds")
        self._unsynced: set[Path] = set()
        self._left: Left = [(found, found.detail) for found in self._of(Kind.UNREADABLE)]

    def run(self) -> Left:
        self._each(Kind.FOLDER, self._make_folder)
        self._each(Kind.OPEN, self._close_to_others)
        self._each(Kind.STRAY, self._rename_stray)
        self._repair_manifest()
        self._each(Kind.DAMAGED, self._set_aside)
        self._each(Kind.TEMPORARY, self._remove_unfinished)
        for folder in self._unsynced:
            sync_folder(folder)
        return self._left

    def _of(self, *kinds: Kind) -> list[Finding]:
        return self._diagnosis.of_kind(*kinds)

    def _each(self, kind: Kind, step: Callable[[Finding], None]) -> None:
        """Take a step for each finding of a kind; what the disk refuses is left."""
        for finding in self._of(kind):
            try:
                step(finding)
            except OSError as fault:
                self._left.append((finding, fault.strerror or str(fault)))

    def _make_folder(self, finding: Finding) -> None:
        (self._root / finding.path).mkdir(parents=True, exist_ok=True, mode=0o700)

    def _close_to_others(self, finding: Finding) -> None:
        path = self._root / finding.path
        path.chmod(0o700 if path.is_dir() else 0o600)

    def _rename_stray(self, finding: Finding) -> None:
        source = self._root / finding.path
        target = self._root / TRASH / _known(finding).photo.path
        if source != target:
            rename_new(source, target)
            self._unsynced.add(target.parent)

    def _set_aside(self, finding: Finding) -> None:
        source = self._root / finding.path
        folder = self._root / DAMAGED / source.parent.name
        for part in (folder.parent, folder):
            if not part.is_dir():
                part.mkdir(mode=0o700)
                # A photo that is moved into a folder which a power cut takes away is lost.
                sync_folder(part.parent)
        taken = {path.name for path in folder.iterdir()}
        rename_new(source, folder / free_path(source.name, "again", taken))
        self._unsynced |= {source.parent, folder, folder.parent, self._root}

    def _remove_unfinished(self, finding: Finding) -> None:
        if finding.path == REBUILDING.as_posix():
            clear_rebuilding(self._root)
        else:
            (self._root / finding.path).unlink(missing_ok=True)

    def _repair_manifest(self) -> None:
        state = self._diagnosis.manifest
        self._repair_file()
        left = {id(finding) for finding, _reason in self._left}
        findings = [f for f in self._diagnosis.findings if f.known and id(f) not in left]
        if not findings and state.condition is Condition.WHOLE:
            return
        manifest = Manifest(self._root)
        try:
            with manifest.transaction():
                _repair_rows(manifest, findings, self._now)
        finally:
            manifest.close()

    def _repair_file(self) -> None:
        salvage = self._diagnosis.manifest.salvage
        path = manifest_path(self._root)
        try:
            if salvage is not None:
                replace_manifest(self._root, salvage, self._moment)
            elif not path.exists():
                put_companions_aside(self._root, self._moment)
        except OSError as fault:
            raise PhotoNotSavedError(
                f"{path}: cannot be made anew {explain_fault(fault)} The photos are safe in "
                f"their folders."
            ) from fault


def _repair_rows(manifest: Manifest, findings: Sequence[Finding], now: str) -> None:
    """Make every row say what is so. The order matters: a row may need another one's path."""
    by_kind = {kind: [f for f in findings if f.kind is kind] for kind in Kind}
    for kind, action in (
        (Kind.MISSING, "missing"),
        (Kind.TRASHED, "trash"),
        (Kind.DAMAGED, "damaged"),
    ):
        for finding in by_kind[kind]:
            if _known(finding).row_path is not None:
                manifest.mark_removed(finding.path, now, action, _known(finding).photo.label)
    for finding in by_kind[Kind.STRAY]:
        _repair_stray(manifest, _known(finding), now)
    _follow_files(manifest, by_kind[Kind.MOVED] + by_kind[Kind.FOUND], now)
    for finding in by_kind[Kind.UNKNOWN]:
        # The row of a removed photo of the same name gives way.
        manifest.rename_row(finding.path, f"{finding.path}~{now}", _known(finding).photo.label)
        manifest.settle(_known(finding), now)
    for finding in by_kind[Kind.CHANGED] + by_kind[Kind.UNMEASURED]:
        photo = _known(finding).photo
        manifest.measure(photo)
        if finding.kind is Kind.CHANGED:
            manifest.log(now, photo.path, "changed", photo.label)


def _follow_files(manifest: Manifest, findings: Sequence[Finding], now: str) -> None:
    """Give rows the new paths of their files, also where two files swapped names."""
    underway = []
    for known in map(_known, findings):
        row_path = known.row_path
        if row_path is not None and row_path != known.photo.path:
            row_path = f"{row_path}~moving"
            manifest.rename_row(known.row_path or "", row_path, known.photo.label)
        underway.append(replace(known, row_path=row_path))
    for known in underway:
        manifest.settle(known, now)


def _repair_stray(manifest: Manifest, known: KnownPhoto, now: str) -> None:
    photo = known.photo
    if known.row_path is None:
        manifest.add(photo, now, action="adopt")
    elif known.row_path != photo.path:
        manifest.rename_row(known.row_path, photo.path, photo.label)
    if known.row_path is None or not known.is_removed:
        manifest.mark_removed(photo.path, now, "trash", photo.label)


def _known(finding: Finding) -> KnownPhoto:
    assert finding.known is not None
    return finding.known
