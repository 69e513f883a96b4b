"""What the pictures of a source are listed as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.importing.sources.person_folders import PersonFolders
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.picture_files import LeftOut
from maskage.records import FaceBox, Photo


def as_path(folder: str) -> str:
    """Return a folder as its name or path is compared: with "/", without "./" and a last "/"."""
    return folder.replace("\\", "/").removeprefix("./").rstrip("/") or folder


@dataclass(frozen=True)
class FolderMap:
    """The classes that the user named for folders of a source.

    Attributes:
        classes: Class of each folder, by its name or by its path below the source; None for
            pictures that are left out on purpose. It is also applied to labels of a table.
    """

    classes: Mapping[str, str | None] = field(default_factory=dict)

    def find(self, parts: Sequence[str]) -> str | None:
        """Return the entry of a folder, its path before its name; None without one.

        Args:
            parts: Names of the folder and those above it, below the source.
        """
        names = map(as_path, ("/".join(parts), parts[-1], parts[-1].strip()))
        return next((name for name in names if name in self.classes), None)


@dataclass(frozen=True)
class SourcePicture:
    """One picture to import.

    Attributes:
        path: Path of the file.
        name: Path below the source, POSIX.
        label: Class that it goes into.
        facts: What the metadata says of it.
        region: The only part of it that becomes the photo; None for all of it.
        origin: Split that it lies in, "train", "val" or "test"; None where unknown.
        known: What another dataset knows of it, where it comes from one.
        person: Name of the folder that is the person in it; None where none is.
    """

    path: Path
    name: str
    label: str
    facts: PhotoMetadata
    region: FaceBox | None = None
    origin: str | None = None
    known: Photo | None = None
    person: str | None = None


@dataclass(frozen=True)
class UnknownFolder:
    """A folder of the source that is no class of the dataset.

    Attributes:
        name: Name of the folder.
        pictures: Number of pictures in it, in all places of this name.
        close: Classes that it may mean.
        sure: The class that its name is spelled like; None where that is not sure.
    """

    name: str
    pictures: int
    close: tuple[str, ...] = ()
    sure: str | None = None


@dataclass(frozen=True)
class SourceListing:
    """The pictures of a source; every one is in exactly one of the first three.

    Attributes:
        pictures: Those with a class.
        unlabelled: Names of those whose class is not known.
        left_out: Names of the pictures left out on purpose, by the folder or label of the map.
        unknown: Folders that hold the unlabelled pictures; those that lie in no folder have none.
        unused: Names of the map that are no folder and no label here.
        missing: Paths of the metadata that are not in the source.
        untabled: Pictures that the metadata does not name, where there is any.
        overruled: Pictures whose label in the metadata is not that of their folder; it is taken.
        table_notes: What of the metadata was read otherwise than it is written.
        annotated: Format of the annotations that name the classes; None where folders, a table or
            the user do. Unknown folders are then labels of boxes.
        unboxed: What of the annotations is not used, each with the reason.
        people: Folders that are, or may be, people; None for none. The pictures have these
            subjects only where that is clear, or was asked for.
    """

    pictures: tuple[SourcePicture, ...]
    unlabelled: tuple[str, ...] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: tuple[UnknownFolder, ...] = ()
    unused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    untabled: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()
    table_notes: tuple[str, ...] = ()
    people: PersonFolders | None = None
    annotated: str | None = None
    unboxed: tuple[LeftOut, ...] = ()
