"""Bring a dataset back to a snapshot. Nothing is lost by it: see `restore_snapshot`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from maskage.console import Progress, no_progress
from maskage.dataset.edits import Edit, trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_files import TRASH, make_folders
from maskage.dataset.recognising import recognise_photos
from maskage.dataset.snapshots.differences import FACTS, Differences, Pair, compare
from maskage.dataset.snapshots.snapshot_file import Snapshot, SnapshotPhoto
from maskage.dataset.snapshots.taking import (
    describe_now,
    open_objects,
    read_snapshots,
    take_snapshot,
)
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError
from maskage.formats.classes.classes_file import CLASSES_FILE
from maskage.formats.sums import hash_file
from maskage.records import Photo
from maskage.system.files import replace_file, sync_folder

_SAFETY = "before-restore-"


@dataclass(frozen=True)
class Restoration:
    """The outcome of a restoration.

    Attributes:
        differences: What was different before it.
        safety: The snapshot that was taken before it; None where nothing had to be changed.
        lost: Photos of the snapshot whose pictures are gone or were changed in place.
    """

    differences: Differences
    safety: Snapshot | None
    lost: tuple[SnapshotPhoto, ...] = ()


def restore_snapshot(
    store: PhotoStore, snapshot: Snapshot, progress: Progress = no_progress
) -> Restoration:
    """Bring an open dataset back to a snapshot.

    A snapshot of the dataset as it is is taken first. Photos that the snapshot does not hold go to
    the trash; those that moved go back to their class; those that are gone come back with all that
    was known of them; subject, session, group, flag and confirmation become what they were, and so
    do the classes. What models suggest stays. After a kill, the same command goes on.

    Args:
        store: The dataset. It must be opened anew afterwards where the classes changed.
        snapshot: The snapshot.
        progress: Shows the photos that come back.

    Raises:
        PhotoNotSavedError: The disk refused; the same command goes on where it stopped.
    """
    root = store.root
    now = describe_now(root, store.photos())
    if any(
        each.digest != photo.sha256 for each, photo in zip(now.photos, store.photos(), strict=True)
    ):
        recognise_photos(store)  # a photo may lie under the name of another
        now = describe_now(root, store.photos())
    found = compare(now, snapshot)
    if found.is_empty:
        return Restoration(found, None)
    safety = _keep_now(store, now, progress) if store.photos() else None
    objects = open_objects(root)
    lost = tuple(each for each in found.added if objects.read(each.digest) is None)
    gone = {each.photo.path for each in lost}
    try:
        make_folders(root, snapshot.scheme.labels)
        for step in [*_removals(store, found.removed), *_moves(found.pairs)]:
            store.apply(step)
        coming = [each for each in found.added if each.photo.path not in gone]
        trashed = _in_trash(root, coming)
        store.apply([Edit(None, each.photo) for each in trashed])
        there = {each.photo.path for each in trashed} | _in_former_folders(root, coming)
        coming = [each for each in coming if each.photo.path not in there]
        for each in progress(coming, "bringing photos back", len(coming)):
            data = objects.read(each.digest)
            if data is not None:
                store.put_back(each.photo, data, each.source_sha256)
        _restore_classes(root, snapshot)
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{root}: the snapshot {snapshot.name} is restored only in part "
            f"({fault.strerror or fault}). Run the same command again to go on."
        ) from fault
    return Restoration(found, safety, lost)


def _keep_now(store: PhotoStore, now: Snapshot, progress: Progress) -> Snapshot:
    """Return a snapshot of the dataset as it is: one from before a restoration, or a new one."""
    for each in read_snapshots(store.root):
        if each.name.startswith(_SAFETY) and compare(now, each).is_empty:
            objects = open_objects(store.root)
            if all(objects.read(photo.digest) is not None for photo in each.photos):
                return each
    moment = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    return take_snapshot(store, f"{_SAFETY}{moment}", progress)


def _in_trash(root: Path, wanted: Sequence[SnapshotPhoto]) -> list[SnapshotPhoto]:
    """Return those photos that lie in the trash, under their path and with their row."""
    removed = read_rows(root).removed
    return [
        each
        for each in wanted
        if each.photo.path in removed and hash_file(root / TRASH / each.photo.path) == each.digest
    ]


def _in_former_folders(root: Path, wanted: Sequence[SnapshotPhoto]) -> set[str]:
    """Return the paths of photos that a restoration which was cut off has brought back.

    They lie in the folder of a class that the dataset has again only at the end. A file that got
    no row any more makes way.
    """
    rows, there = read_rows(root).present, set()
    for each in wanted:
        path = each.photo.path
        if hash_file(root / path) == each.digest:
            if path in rows and rows[path].sha256 == each.digest:
                there.add(path)
            else:
                (root / path).unlink()
    return there


def _removals(store: PhotoStore, removed: Sequence[SnapshotPhoto]) -> list[list[Edit]]:
    """Return the edits that move photos to the trash; one whose place there is taken is renamed."""
    renamed = {
        each.photo.path: store.relabelling(each.photo, each.photo.label)
        for each in removed
        if (store.root / TRASH / each.photo.path).exists()
    }
    photos = [renamed[e.photo.path].photo if e.photo.path in renamed else e.photo for e in removed]
    return [list(renamed.values()), [trashing(photo) for photo in photos]]


def _moves(pairs: Sequence[Pair]) -> list[list[Edit]]:
    """Return the edits that give photos their former places and facts, in an order that works.

    A photo can only go where no other lies. Where photos changed places with one another, they
    first go to names that nothing has, in an edit of their own.
    """
    wanted = [
        Edit(pair.before.photo, _as_before(pair.before.photo, pair.after.photo))
        for pair in pairs
        if pair.is_relabelled or pair.is_renamed or pair.changed_facts
    ]
    taken = {edit.before.path for edit in wanted if edit.before}
    staying = [edit for edit in wanted if edit.before and edit.after and _stays(edit)]
    moving = [edit for edit in wanted if not _stays(edit)]
    steps = [staying] if staying else []
    clashing = [edit for edit in moving if edit.after and edit.after.path in taken]
    if clashing:
        aside = [_aside(edit) for edit in moving]
        steps.append([first for first, _ in aside])
        steps.append([second for _, second in aside])
    elif moving:
        steps.append(moving)
    return steps


def _stays(edit: Edit) -> bool:
    return bool(edit.before and edit.after and edit.before.path == edit.after.path)


def _aside(edit: Edit) -> tuple[Edit, Edit]:
    """Return an edit in two: to a name with the photo's digest, and from there to its place."""
    assert edit.before is not None
    assert edit.after is not None
    path = Path(edit.after.path)
    mark = f"-{(edit.before.sha256 or 'again')[:8]}-moving"
    between = replace(edit.after, path=path.with_name(f"{mark}{path.suffix}").as_posix())
    return Edit(edit.before, between), Edit(between, edit.after)


def _as_before(now: Photo, then: Photo) -> Photo:
    """Return a photo of today with the place and the facts that it had."""
    facts = {name: getattr(then, name) for name in FACTS}
    return replace(now, path=then.path, label=then.label, **facts)


def _restore_classes(root: Path, snapshot: Snapshot) -> None:
    path = root / CLASSES_FILE
    if snapshot.classes is None:
        if path.exists():
            path.unlink()
            sync_folder(root)
    elif not path.exists() or path.read_bytes() != snapshot.classes.encode():
        replace_file(path, snapshot.classes.encode())
