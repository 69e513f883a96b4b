"""The faults that the doctor may find in a dataset, and the repair of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maskage.dataset.doctor.manifest import ManifestState
from maskage.dataset.manifest.reading import KnownPhoto


class Kind(StrEnum):
    """One kind of fault, in the order of the report."""

    MANIFEST_DAMAGED = "manifest_damaged"
    MANIFEST_LOST = "manifest_lost"
    FOLDER = "folder"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    MOVED = "moved"
    FOUND = "found"
    TRASHED = "trashed"
    MISSING = "missing"
    CHANGED = "changed"
    UNMEASURED = "unmeasured"
    STRAY = "stray"
    TEMPORARY = "temporary"
    OPEN = "open"


WORDS: Mapping[Kind, tuple[str, str, str]] = {
    Kind.MANIFEST_DAMAGED: (
        "damaged manifest",
        "damaged manifests",
        "set aside, and rebuilt from the folders and from what can be read of it",
    ),
    Kind.MANIFEST_LOST: ("lost manifest", "lost manifests", "rebuilt from the folders"),
    Kind.FOLDER: ("missing folder", "missing folders", "made"),
    Kind.DAMAGED: (
        "photo that cannot be decoded",
        "photos that cannot be decoded",
        "moved to .damaged/",
    ),
    Kind.UNREADABLE: ("file that cannot be read", "files that cannot be read", "left to you"),
    Kind.UNKNOWN: (
        "photo without a row",
        "photos without a row",
        "adopted; their subject stays unknown",
    ),
    Kind.MOVED: ("photo moved by hand", "photos moved by hand", "corrected in its row"),
    Kind.FOUND: (
        "photo whose row says that it was removed",
        "photos whose rows say that they were removed",
        "marked as present",
    ),
    Kind.TRASHED: (
        "row whose photo lies in the trash",
        "rows whose photo lies in the trash",
        "marked as trashed",
    ),
    Kind.MISSING: (
        "row whose photo is gone",
        "rows whose photo is gone",
        "marked as gone; no row is deleted",
    ),
    Kind.CHANGED: (
        "photo changed by another program",
        "photos changed by another program",
        "measured again",
    ),
    Kind.UNMEASURED: (
        "photo without fingerprint or quality",
        "photos without fingerprint or quality",
        "measured",
    ),
    Kind.STRAY: (
        "photo in the trash without a row",
        "photos in the trash without a row",
        "given one, as trashed",
    ),
    Kind.TEMPORARY: ("unfinished file", "unfinished files", "removed"),
    Kind.OPEN: (
        "file or folder open to other users",
        "files and folders open to other users",
        "closed to them",
    ),
}
"""The name of one fault of each kind, of several, and what `--fix` does, as a participle."""


@dataclass(frozen=True)
class Finding:
    """One fault of a dataset.

    Attributes:
        kind: The kind of fault.
        path: Path of the file or row, relative to the dataset.
        detail: The finding in words, where the kind alone does not say it.
        known: The photo as its row should be, and the path of the row it has now.
    """

    kind: Kind
    path: str
    detail: str = ""
    known: KnownPhoto | None = None


@dataclass(frozen=True)
class Note:
    """Something that only a person can decide; no fault, and never changed.

    Attributes:
        kind: One word for machines.
        text: A sentence for people.
        names: The paths or subjects concerned.
    """

    kind: str
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found in one dataset; finding it changed nothing.

    Attributes:
        root: The dataset.
        photos: Number of whole photos in the class folders.
        manifest: The state and the rows of its manifest.
        findings: Faults, by kind and path.
        notes: Things that only a person can decide.
    """

    root: Path
    photos: int
    manifest: ManifestState
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def of_kind(self, *kinds: Kind) -> list[Finding]:
        """The findings of these kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]
