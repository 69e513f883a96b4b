"""SOURCE of `collector import`: what it is, and what lies in it."""

import argparse
import functools
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from collector.commands.folder_map import read_map
from maskage.classes.scheme import Scheme
from maskage.dataset.importing.annotations.reading import read_annotations
from maskage.dataset.importing.annotations.roboflow_csv import is_annotation_table
from maskage.dataset.importing.sources.dataset_source import (
    SourceKnowledge,
    read_knowledge,
    without,
)
from maskage.dataset.importing.sources.own_output import OwnOutput, find_own_output
from maskage.dataset.importing.sources.source_labels import (
    METADATA_COLUMNS,
    SourceListing,
    check_labels,
    list_source,
    read_metadata,
)
from maskage.dataset.importing.sources.source_tables import SourceTables, read_source_tables
from maskage.dataset.importing.sources.source_walk import (
    NOTE_SUFFIXES,
    TABLE_REASON,
    TABLE_SUFFIXES,
    SourceWalk,
    walk_source,
)
from maskage.dataset.importing.sources.unpacked import unpacked
from maskage.errors import DatasetError, UsageError
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.picture_files import LeftOut, reason_of_file
from maskage.pictures.picture_kinds import (
    OTHER_SUFFIXES,
    VIDEO_SUFFIXES,
    is_picture_file,
    is_system_name,
)
from maskage.shell_words import join_words
from maskage.system.archives import find_other_archive, is_zip

_SHEETS = frozenset({".xlsx", ".xls", ".ods", ".numbers"})
_NO_CLASS = "its class is not known"


@dataclass(frozen=True)
class OpenedSource:
    """A source that can be read.

    Attributes:
        folder: The folder or picture; of an archive, where it was unpacked.
        walk: What lies in it.
        knowledge: What it knows of its photos, where the toolchain made it.
        is_archive: It was unpacked.
    """

    folder: Path
    walk: SourceWalk
    knowledge: SourceKnowledge = field(default_factory=SourceKnowledge)
    is_archive: bool = False


@dataclass(frozen=True)
class ReadSource:
    """The pictures of a source with their classes, and all that is left out.

    Attributes:
        listing: The pictures.
        metadata: Rows of the tables that are used.
        tables: Tables in the source.
        left_out: Files and folders that no picture of the listing comes from, with the reasons.
        walk: What lies in the source; without the files that are used.
        annotation_files: Number of files that boxes were read from.
    """

    listing: SourceListing
    metadata: Mapping[str, PhotoMetadata]
    tables: SourceTables
    left_out: tuple[LeftOut, ...]
    walk: SourceWalk
    annotation_files: int = 0

    @property
    def is_dataset(self) -> bool:
        """The source is another dataset."""
        return self.walk.own is OwnOutput.DATASET


def is_video_source(arguments: argparse.Namespace) -> bool:
    """Return whether SOURCE is to be read as a video; refuse what is neither that nor pictures.

    Raises:
        UsageError: It is a table, an archive of another kind, or the dataset itself.
        DatasetError: It is a photo in a format that is not read.
    """
    source, data = arguments.source, arguments.data
    if source.is_dir():
        if data.is_dir() and source.samefile(data):
            raise UsageError(
                f"{source}: SOURCE and DATA are the same folder. Photos in its class folders "
                f"belong to the dataset already; name another folder as DATA. Nothing was "
                f"imported."
            )
        return False
    suffix = source.suffix.lower()
    if suffix in VIDEO_SUFFIXES or not source.is_file():
        return True
    _refuse_tables(arguments, suffix)
    if is_zip(source) or is_picture_file(source):
        return False
    if (found := find_other_archive(source)) is not None:
        kind, command = found
        raise UsageError(
            f"{source}: {kind}, which is not unpacked here. Unpack it and import the folder: "
            f"{join_words([*command.split(), str(source)])}"
        )
    if suffix == ".zip":
        raise DatasetError(
            f"{source}: not a ZIP archive, whatever its name says ({source.stat().st_size:,} "
            f"bytes). Copy or download it again."
        )
    if suffix in OTHER_SUFFIXES:
        raise DatasetError(f"{source}: {reason_of_file(source)}. Nothing was imported.")
    return True


@contextmanager
def opened_source(arguments: argparse.Namespace) -> Iterator[OpenedSource]:
    """Open SOURCE: unpack it where it is an archive, and see what lies in it.

    Raises:
        DatasetError, EnvironmentProblemError: It cannot be unpacked or listed.
        UsageError: The toolchain made it, and it is no source.
    """
    source, data = arguments.source, arguments.data
    if source.is_file() and is_zip(source):
        with unpacked(source) as (top, skipped):
            folder = _content_of(top)
            walk = walk_source(folder, data)
            walk = replace(walk, left_out=tuple(sorted((*walk.left_out, *skipped), key=_path_of)))
            yield _open(folder, walk, data, is_archive=True)
    else:
        yield _open(source, walk_source(source, data), data)


def read_source(arguments: argparse.Namespace, scheme: Scheme, opened: OpenedSource) -> ReadSource:
    """Read the tables of a source and list its pictures with their classes.

    Raises:
        DatasetError: A table cannot be read, or names an unknown label.
        UsageError: `--map` is no map.
    """
    folder_map = read_map(arguments.map or (), scheme)
    tables = SourceTables(unused=opened.walk.tables)
    metadata: Mapping[str, PhotoMetadata]
    if arguments.metadata is not None:
        _refuse_annotations(arguments)
        metadata = read_metadata(arguments.metadata, scheme, folder_map)
    else:
        tables = read_source_tables(opened.folder, opened.walk.tables, METADATA_COLUMNS)
        metadata = tables.rows
        check_labels(", ".join(tables.used), metadata, scheme, folder_map)
    list_with = functools.partial(
        list_source,
        opened.folder,
        scheme,
        label=arguments.label,
        metadata=metadata,
        folder_map=folder_map,
        walk=opened.walk,
        known=opened.knowledge.photos,
        subject_from=arguments.subject_from or ("none" if arguments.subject else None),
    )
    listing, used = list_with(), frozenset[str]()
    if not (listing.pictures or listing.left_out) and _may_be_annotated(opened):
        annotations = read_annotations(opened.folder)
        if annotations is not None and annotations.boxes:
            listing, used = list_with(annotations=annotations), annotations.used
            unused = tuple(name for name in tables.unused if name not in used)
            tables = replace(tables, unused=unused)
    left_out = _all_left_out(arguments, opened, listing, {*tables.used, *used})
    # What the annotations say of a file goes before what the walk could see of it.
    said = {*used, *(each.path for each in listing.unboxed)}
    unread = tuple(each for each in opened.walk.left_out if each.path not in said)
    return ReadSource(
        listing, metadata, tables, left_out, replace(opened.walk, left_out=unread), len(used)
    )


def _content_of(folder: Path) -> Path:
    """Return the dataset or set that is all that an unpacked archive holds; else the folder."""
    inner = [path for path in folder.iterdir() if not is_system_name(path.name)]
    if len(inner) == 1 and inner[0].is_dir():
        names = {path.name for path in inner[0].iterdir()}
        return inner[0] if find_own_output(inner[0], names) else folder
    return folder


def _open(folder: Path, walk: SourceWalk, data: Path, *, is_archive: bool = False) -> OpenedSource:
    knowledge = read_knowledge(folder, walk, data)
    return OpenedSource(folder, without(walk, knowledge.left_out), knowledge, is_archive)


def _all_left_out(
    arguments: argparse.Namespace,
    opened: OpenedSource,
    listing: SourceListing,
    used: Container[str],
) -> tuple[LeftOut, ...]:
    by_map = [
        LeftOut(name, f"left out by --map: {folder}")
        for folder, names in listing.left_out.items()
        for name in names
    ]
    no_class = [LeftOut(name, _NO_CLASS) for name in listing.unlabelled]
    others = [
        LeftOut(name, TABLE_REASON)
        for name in opened.walk.tables
        if name not in used and not _is_same(opened.folder / name, arguments.metadata)
    ]
    said = {each.path for each in listing.unboxed}
    walked = [
        each for each in opened.walk.left_out if each.path not in used and each.path not in said
    ]
    found = [*walked, *by_map, *no_class, *others, *listing.unboxed]
    return tuple(sorted(found, key=_path_of))


def _may_be_annotated(opened: OpenedSource) -> bool:
    """Return whether a file that may hold annotations lies in anybody's folder."""
    if opened.walk.own is not None:
        return False
    if any(name.lower().endswith(".csv") for name in opened.walk.tables):
        return True
    suffixes = (PurePath(each.path).suffix.lower() for each in opened.walk.left_out)
    return any(suffix in NOTE_SUFFIXES for suffix in suffixes)


def _refuse_tables(arguments: argparse.Namespace, suffix: str) -> None:
    source = arguments.source
    if suffix in _SHEETS:
        raise UsageError(
            f"{source}: a spreadsheet. Save it as CSV, and give it with --metadata beside the "
            f"folder of the pictures: collector import FOLDER {arguments.data} --metadata TABLE.csv"
        )
    if suffix in TABLE_SUFFIXES:
        command = join_words(["--metadata", str(source)])
        raise UsageError(
            f"{source}: a table, not pictures. It goes behind --metadata, and the folder of the "
            f"pictures is SOURCE: collector import FOLDER {arguments.data} {command}"
        )
    if suffix in NOTE_SUFFIXES and not is_picture_file(source):
        raise UsageError(
            f"{source}: a {suffix[1:].upper()} file, not pictures. Name the folder of the "
            f"pictures as SOURCE: labels and boxes that lie in it are read from there."
        )


def _refuse_annotations(arguments: argparse.Namespace) -> None:
    """Refuse a table with boxes, or with a column for each class, as one of facts."""
    if is_annotation_table(arguments.metadata):
        command = join_words(["collector", "import", str(arguments.source), str(arguments.data)])
        raise UsageError(
            f"{arguments.metadata}: annotations (boxes, or a column for each class), no table of "
            f"facts. They are read from the folder of the pictures: import it without --metadata: "
            f"{command}"
        )


def _is_same(path: Path, other: Path | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _path_of(each: LeftOut) -> str:
    return each.path
