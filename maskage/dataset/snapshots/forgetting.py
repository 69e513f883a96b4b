"""What snapshots hold of a person who is to be forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from maskage.dataset.snapshots.snapshot_file import SUFFIX, Snapshot, write_snapshot
from maskage.dataset.snapshots.taking import (
    open_objects,
    read_snapshots,
    remove_unused,
    snapshots_folder,
)
from maskage.system.files import TEMPORARY_PREFIX


@dataclass(frozen=True)
class SnapshotShare:
    """A person's photos in the snapshots of a dataset.

    Attributes:
        snapshots: The snapshots that hold one, without them.
        rows: Number of the person's photos in all snapshots together.
        digests: sha256 of the pictures that only the person's photos have.
    """

    snapshots: tuple[Snapshot, ...] = ()
    rows: int = 0
    digests: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the snapshots."""
        return tuple(each.name for each in self.snapshots)


def subjects_in_snapshots(root: Path) -> set[str]:
    """Return everybody who is named in a snapshot."""
    return {
        each.photo.subject
        for snapshot in read_snapshots(root)
        for each in snapshot.photos
        if each.photo.subject
    }


def find_in_snapshots(root: Path, subject: str, digests: Iterable[str]) -> SnapshotShare:
    """Find a person's photos in the snapshots of a dataset; nothing is changed.

    Args:
        root: The dataset.
        subject: Pseudonym of the person.
        digests: sha256 of the person's photos as far as the dataset knows them today: a snapshot
            may be older than the knowledge of who is in a photo.

    Raises:
        DatasetError: A snapshot is damaged.
    """
    today = frozenset(digests)
    cleaned, rows = [], 0
    mine: set[str] = set()
    others: set[str] = set()
    for snapshot in read_snapshots(root):
        kept = []
        for each in snapshot.photos:
            if each.photo.subject == subject or each.digest in today:
                mine.add(each.digest)
            else:
                kept.append(each)
                others.add(each.digest)
        if len(kept) < len(snapshot.photos):
            rows += len(snapshot.photos) - len(kept)
            cleaned.append(replace(snapshot, photos=tuple(kept)))
    return SnapshotShare(tuple(cleaned), rows, tuple(sorted(mine - others)))


def forget_in_snapshots(root: Path, share: SnapshotShare) -> None:
    """Take a person's photos out of the snapshots. After a kill, another run finishes it.

    The pictures go first: what names them is needed to find them.

    Raises:
        OSError: The disk refused.
    """
    objects = open_objects(root)
    for digest in share.digests:
        objects.path_of(digest).unlink(missing_ok=True)
    for snapshot in share.snapshots:
        write_snapshot(snapshots_folder(root) / f"{snapshot.name}{SUFFIX}", snapshot)
    for left in snapshots_folder(root).glob(f"{TEMPORARY_PREFIX}*"):
        left.unlink()
    remove_unused(root)
