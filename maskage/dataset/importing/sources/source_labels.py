"""The class of each picture of a source: by its metadata, or by the folder that it lies in.

A folder that is no class of the dataset is never taken for another: it is listed as unknown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.importing.annotations.records import Annotations
from maskage.dataset.importing.sources.listing_records import FolderMap as FolderMap
from maskage.dataset.importing.sources.listing_records import SourceListing as SourceListing
from maskage.dataset.importing.sources.listing_records import SourcePicture as SourcePicture
from maskage.dataset.importing.sources.listing_records import UnknownFolder as UnknownFolder
from maskage.dataset.importing.sources.listing_records import as_path as as_path
from maskage.dataset.importing.sources.near_classes import close_classes, sure_class
from maskage.dataset.importing.sources.person_folders import (
    PersonFolders,
    PicturePlace,
    find_person_folders,
    name_all_folders,
)
from maskage.dataset.importing.sources.source_folders import find_class_folders, split_of
from maskage.dataset.importing.sources.source_walk import SourceWalk, walk_source
from maskage.errors import DatasetError
from maskage.formats import metadata_file
from maskage.formats.metadata_file import MetadataTable, PhotoMetadata, match_metadata
from maskage.formats.tables.table_match import TableMatch, require_rows
from maskage.pictures.picture_files import LeftOut
from maskage.records import FaceBox, Photo

_NO_BOX = "a picture that no annotation describes"
_NO_MAP = FolderMap()
METADATA_COLUMNS = ("subject", "session", "group", "label")


def read_metadata(path: Path, scheme: Scheme, folder_map: FolderMap = _NO_MAP) -> MetadataTable:
    """Read a table of `path` (relative to the source) and any of `METADATA_COLUMNS`.

    Raises:
        DatasetError: A label is neither a class nor in the map; or see
            `maskage.formats.metadata_file.read_metadata`.
    """
    rows = metadata_file.read_metadata(path, METADATA_COLUMNS)
    check_labels(str(path), rows, scheme, folder_map)
    return rows


def check_labels(
    path: str,
    rows: Mapping[str, PhotoMetadata],
    scheme: Scheme,
    folder_map: FolderMap = _NO_MAP,
) -> None:
    """Refuse a table with a label that is neither a class nor in the map.

    Raises:
        DatasetError: There is one.
    """
    unknown = Counter(
        facts.label
        for facts in rows.values()
        if facts.label and facts.label not in scheme and facts.label not in folder_map.classes
    )
    if not unknown:
        return
    label = next(iter(unknown))
    first = next(name for name, facts in rows.items() if facts.label == label)
    close = close_classes(label, scheme)
    raise DatasetError(
        f"{path}: unknown label {label!r} for {first}"
        + (f", and {len(unknown) - 1} other unknown labels" if len(unknown) > 1 else "")
        + f". The classes are {', '.join(scheme.labels)}."
        + (f" Did you mean {' or '.join(close[:3])}?" if close else "")
        + " Correct the table, or name the class with --map LABEL=CLASS. Nothing was imported."
    )


def list_source(
    source: Path,
    scheme: Scheme,
    *,
    label: str | None = None,
    metadata: Mapping[str, PhotoMetadata] | None = None,
    folder_map: FolderMap = _NO_MAP,
    walk: SourceWalk | None = None,
    known: Mapping[str, Photo] | None = None,
    subject_from: str | None = None,
    annotations: Annotations | None = None,
) -> SourceListing:
    """List the pictures of a folder (or one picture) with their classes; opens none of them.

    Args:
        source: The folder or picture.
        scheme: Classes of the dataset.
        label: Class of all pictures; None for the metadata's, or else the folder's.
        metadata: What is known of the pictures, by their paths below `source`.
        folder_map: Classes of folders and labels that are named otherwise.
        walk: What lies in the source; None to find that out.
        known: What the dataset or curated set that the source is knows of each path.
        subject_from: "folder" for folders that are people, "none" for none that are; None to take
            folders for people where that is clear.
        annotations: Boxes that were drawn in the pictures. They name the classes; each box is a
            picture of its own.

    Raises:
        DatasetError: The metadata is a table that names none of the pictures, or two of its rows
            disagree.
    """
    walk = walk or walk_source(source)
    is_folder = source.is_dir()
    match = TableMatch[PhotoMetadata]({})
    if metadata:
        match = match_metadata(metadata, walk.pictures, source if is_folder else source.parent)
    if walk.pictures and isinstance(metadata, MetadataTable):
        require_rows(match, metadata.path, source)
    lister = _Lister(source, scheme, label, match.rows, folder_map, known or {})
    if annotations is not None:
        listing = lister.list_boxes(annotations, walk.pictures)
    else:
        for name in walk.pictures:
            lister.add(name)
        listing = lister.finish(subject_from)
    return replace(
        listing,
        missing=match.unmatched_rows if is_folder else (),
        untabled=match.unmatched_names,
        table_notes=match.notes,
    )


class _Lister:
    def __init__(
        self,
        source: Path,
        scheme: Scheme,
        label: str | None,
        metadata: Mapping[str, PhotoMetadata],
        folder_map: FolderMap,
        known: Mapping[str, Photo],
    ) -> None:
        self._scheme, self._label = scheme, label
        self._metadata, self._map, self._known = metadata, folder_map, known
        self._top = source if source.is_dir() else source.parent
        self._top_name = self._top.name or self._top.resolve().name
        self._pictures: list[SourcePicture] = []
        self._places: list[PicturePlace] = []
        self._unlabelled: list[str] = []
        self._overruled: list[str] = []
        self._left_out: dict[str, list[str]] = {}
        self._depths: Counter[int] = Counter()
        self._used: set[str] = set()
        self._names: set[str] = set()
        self._sure_classes: dict[str, str | None] = {}

    def add(self, name: str) -> None:
        self._names.add(name)
        facts = self._metadata.get(name, PhotoMetadata())
        folders = tuple(name.split("/")[:-1])
        found, depth = self._label or self._of_metadata(facts), 0
        if found is None:
            found, depth = self._of_folder(folders)
        if found is None:
            self._unlabelled.append(name)
        elif found in self._map.classes and self._map.classes[found] is None:
            self._left_out.setdefault(found, []).append(name)
        else:
            label = found if self._label else self._map.classes.get(found) or found
            if depth == 0 and self._is_overruled(label, folders):
                self._overruled.append(name)
            above, below = folders[: max(depth - 1, 0)], folders[depth:]
            self._places.append(PicturePlace(label, above, below))
            self._pictures.append(
                SourcePicture(
                    self._top / name,
                    name,
                    label,
                    facts,
                    origin=self._origin_of(label, (*reversed(above), *below)),
                    known=self._known.get(name),
                )
            )

    def list_boxes(self, annotations: Annotations, names: Sequence[str]) -> SourceListing:
        """List the boxes of pictures that are there; labels are classes, or in the map."""
        self._names, unknown, used = set(names), Counter[str](), set[str]()
        for each in annotations.boxes:
            if each.image not in self._names:
                continue
            used.add(each.image)
            entry = self._map.find((each.label,))
            if entry is not None:
                self._used.add(entry)
            label = self._map.classes[entry] if entry is not None else each.label
            if label is None:
                self._left_out.setdefault(each.label, []).append(each.image)
            elif label not in self._scheme:
                unknown[label] += 1
            else:
                self._add_box(each.image, label, each.box)
        reasons = [each for each in annotations.problems if each.path not in annotations.used]
        rest = sorted(self._names - used - {each.path for each in reasons})
        return replace(
            self.finish("none"),
            unknown=self._unknown(unknown),
            annotated=annotations.kind,
            unboxed=(*reasons, *(LeftOut(name, _NO_BOX) for name in rest)),
        )

    def _add_box(self, name: str, label: str, box: FaceBox | None) -> None:
        facts = self._metadata.get(name, PhotoMetadata())
        origin = self._origin_of(label, name.split("/")[-2::-1])
        self._pictures.append(
            SourcePicture(self._top / name, name, label, facts, region=box, origin=origin)
        )

    def finish(self, subject_from: str | None = None) -> SourceListing:
        people = self._find_people(subject_from)
        if people is not None and people.is_clear:
            self._pictures = [
                replace(picture, person=person)
                for picture, person in zip(self._pictures, people.subjects, strict=True)
            ]
        return SourceListing(
            pictures=tuple(self._pictures),
            people=people,
            unlabelled=tuple(self._unlabelled),
            left_out=dict(self._left_out),
            overruled=tuple(self._overruled),
            unknown=self._unknown_folders(),
            unused=tuple(name for name in self._map.classes if name not in self._used),
        )

    def _of_metadata(self, facts: PhotoMetadata) -> str | None:
        if facts.label is not None and facts.label in self._map.classes:
            self._used.add(facts.label)
        return facts.label

    def _is_overruled(self, label: str, folders: tuple[str, ...]) -> bool:
        """Return whether the nearest folder is, or is mapped to, another class than the table's."""
        if self._label or not folders:
            return False
        found, _ = self._of_folder(folders)
        return found is not None and (self._map.classes.get(found) or found) != label

    def _find_people(self, subject_from: str | None) -> PersonFolders | None:
        if subject_from == "none":
            return None
        find = name_all_folders if subject_from == "folder" else find_person_folders
        return find(self._places)

    def _origin_of(self, label: str, folders: Sequence[str]) -> str | None:
        """Return the split of a picture: by its nearest folder that is one, or by the source."""
        top = () if self._top_name == label else (self._top_name,)
        return split_of((*folders, *top))

    def _of_folder(self, parts: tuple[str, ...]) -> tuple[str | None, int]:
        """Return the class of the nearest folder, as in `train/mask_old/a.jpg`, or its map entry.

        A nearer folder that is spelled like another class makes it unknown.

        Returns:
            The class, None where it is unknown, and the number of folders up to that one.
        """
        nearer: str | None = None
        for depth in range(len(parts), -1, -1):
            folder = parts[:depth] or (self._top_name,)
            if (entry := self._map.find(folder)) is not None:
                self._used.add(entry)
                found: str | None = entry
                label = self._map.classes[entry]
            else:
                found = label = folder[-1] if folder[-1] in self._scheme else None
            if found is not None:
                self._depths[depth - 1] += 1
                return (found if nearer in (None, label) else None), depth
            nearer = nearer or self._sure_class(folder[-1])
        return None, 0

    def _unknown_folders(self) -> tuple[UnknownFolder, ...]:
        paths = [tuple(name.split("/")[:-1]) for name in self._unlabelled]
        level = self._class_level()
        counts = Counter(self._folder_of(parts, level) for parts in paths if parts)
        return self._unknown(counts)

    def _unknown(self, counts: Mapping[str, int]) -> tuple[UnknownFolder, ...]:
        return tuple(
            UnknownFolder(
                name,
                count,
                close_classes(name, self._scheme),
                self._sure_class(name),
            )
            for name, count in sorted(counts.items())
        )

    def _class_level(self) -> int:
        """Return how many folders lie above the class folders."""
        if known := [(count, -depth) for depth, count in self._depths.items() if depth >= 0]:
            return -max(known)[1]
        names = [Path(name) for name in self._names]
        return find_class_folders(names).depth

    def _folder_of(self, parts: Sequence[str], level: int) -> str:
        spelled = (name for name in reversed(parts) if self._sure_class(name))
        return next(spelled, parts[min(level, len(parts) - 1)])

    def _sure_class(self, name: str) -> str | None:
        """Return `sure_class` of a folder, which may hold 100,000 pictures."""
        if name not in self._sure_classes:
            self._sure_classes[name] = sure_class(name, self._scheme)
        return self._sure_classes[name]
