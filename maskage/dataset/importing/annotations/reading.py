"""The annotations of a folder: which format they are in, and the boxes in its pictures.

People draw a box where the face finder finds it: around 41 of 43 faces of 11 photos from a public
face-mask set both have one, with a median of 1.01 of their sides (0.65 to 1.45). So the crops of
both have the same margin.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from maskage.dataset.importing.annotations import coco, cvat_xml, datumaro, label_studio, voc
from maskage.dataset.importing.annotations.annotated_folder import AnnotatedFolder, list_folder
from maskage.dataset.importing.annotations.place_boxes import (
    NO_CLASS,
    PictureSize,
    place_box,
    read_size,
)
from maskage.dataset.importing.annotations.records import (
    AnnotatedBox,
    Annotations,
    Drawings,
    DrawnPicture,
)
from maskage.dataset.importing.annotations.roboflow_csv import read_csv_files
from maskage.dataset.importing.annotations.xml_files import read_xml
from maskage.dataset.importing.annotations.yolo import read_yolo
from maskage.errors import DatasetError, UnreadableImageError
from maskage.pictures.picture_files import LeftOut

NOT_HERE = "boxes of a picture that is not here, or is here several times"
NO_BOX = "a picture in which no box is drawn"
BROKEN_FILE = "a picture whose annotation file cannot be used"
UNREADABLE = "a picture with boxes that cannot be read"
WHOLE_AND_BOXES = "a class of the whole picture, which has boxes too"
TAKEN_BY_ANOTHER = "boxes of a picture that another file has the boxes of"
OTHER_FORMAT = "boxes in a second format; the first one's are used"

_JSON_MARKS = (b'"annotations"', b'"images"', b'"items"', b'"completions"', b'"annotation_id"')
"""Words of which one stands in every JSON with annotations."""


def read_annotations(root: Path) -> Annotations | None:
    """Read the boxes that were drawn in the pictures of a folder; None where there are none.

    Pascal VOC, YOLO, COCO, Label Studio's JSON, CVAT's XML, Datumaro's JSON and Roboflow's CSV are
    recognised by their content, wherever they lie below `root`. Boxes are given in pixels of the
    whole picture, upright as viewers show it, and clipped to it. Where two formats describe one
    picture, that with more boxes in all is used.

    Args:
        root: The folder.

    Raises:
        DatasetError: A file that holds the annotations of many pictures is damaged.
    """
    if not root.is_dir():
        return None
    folder = list_folder(root)
    found = [each for each in _read_all(folder) if each.pictures]
    if not found:
        return None
    found.sort(key=lambda each: -sum(len(picture.boxes) for picture in each.pictures))
    placer = _Placer(folder)
    kinds = [each.kind for each in found if placer.add(each)]
    return placer.finish(" and ".join(kinds) or found[0].kind, found)


def _read_all(folder: AnnotatedFolder) -> list[Drawings]:
    """Return the annotations in each format."""
    merged: dict[str, Drawings] = {}
    yolo = read_yolo(folder)
    files = (*_read_xml_files(folder), *_read_json_files(folder), *read_csv_files(folder))
    for each in (*files, *([yolo] if yolo else ())):
        before = merged.get(each.kind, Drawings(each.kind, ()))
        merged[each.kind] = Drawings(
            each.kind,
            before.pictures + each.pictures,
            before.problems + each.problems,
            before.used | each.used,
        )
    return list(merged.values())


def _read_xml_files(folder: AnnotatedFolder) -> Iterator[Drawings]:
    pictures: dict[str, list[DrawnPicture]] = {voc.KIND: [], cvat_xml.KIND: []}
    used: dict[str, set[str]] = {voc.KIND: set(), cvat_xml.KIND: set()}
    problems = []
    for path in folder.with_suffix(".xml"):
        root = read_xml(folder, path)
        if isinstance(root, LeftOut):
            problems.append(root)
        elif root.tag == voc.ROOT:
            pictures[voc.KIND].append(voc.read_voc(root, path))
            used[voc.KIND].add(path)
        elif root.tag == cvat_xml.ROOT:
            pictures[cvat_xml.KIND] += cvat_xml.read_cvat(root, path)
            used[cvat_xml.KIND].add(path)
    for kind, drawn in pictures.items():
        # One damaged file among others is one of them.
        broken = tuple(problems) if kind == voc.KIND or not pictures[voc.KIND] else ()
        yield Drawings(kind, tuple(drawn), broken, frozenset(used[kind]))


def _read_json_files(folder: AnnotatedFolder) -> Iterator[Drawings]:
    # Of several exports the newest goes first: their names end in their date.
    for path in reversed(folder.with_suffix(".json")):
        content = _read_json(folder, path)
        used = frozenset((path,))
        if coco.is_coco(content):
            pictures, problems = coco.read_coco(content, path)
            yield Drawings(coco.KIND, tuple(pictures), tuple(problems), used)
        elif datumaro.is_datumaro(content):
            yield Drawings(datumaro.KIND, tuple(datumaro.read_datumaro(content, path)), used=used)
        elif label_studio.is_label_studio(content):
            drawn = label_studio.read_label_studio(content, path)
            yield Drawings(label_studio.KIND, tuple(drawn), used=used)


def _read_json(folder: AnnotatedFolder, path: str) -> object:
    try:
        data = folder.read_bytes(path)
    except OSError as fault:
        raise DatasetError(
            f"{folder.root / path}: cannot be read ({fault.strerror}). Nothing was imported."
        ) from fault
    if not any(mark in data for mark in _JSON_MARKS):
        return None
    try:
        content: object = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise DatasetError(
            f"{folder.root / path}: the annotations in it cannot be read, as it is no valid JSON "
            f"({fault}). It may be cut short: copy or export it again. Nothing was imported."
        ) from fault
    return content


class _Placer:
    """Puts the annotations of all formats into the pictures of a folder."""

    def __init__(self, folder: AnnotatedFolder) -> None:
        self._folder = folder
        self._boxes: dict[str, list[AnnotatedBox]] = {}
        self._problems: list[LeftOut] = []
        self._covered: set[str] = set()
        """Pictures that a format added before describes."""
        self._sizes: dict[str, PictureSize | None] = {}

    def add(self, drawings: Drawings) -> bool:
        """Add the annotations in one format; return whether any of them was used."""
        self._problems += drawings.problems
        found = [(drawn, self._find(drawn)) for drawn in drawings.pictures]
        new = [(drawn, path) for drawn, path in found if path not in self._covered]
        if found and not new:
            self._problems += [LeftOut(file, OTHER_FORMAT) for file in sorted(drawings.used)]
            return False
        claimed: dict[str, str] = {}
        # The picture of the same name goes before one that only names it.
        for drawn, path in sorted(new, key=lambda pair: not _has_same_stem(*pair)):
            if path is None:
                self._leave_missing(drawn)
            elif drawn.is_alone and claimed.setdefault(path, drawn.file) != drawn.file:
                self._problems.append(LeftOut(drawn.file, TAKEN_BY_ANOTHER))
            else:
                self._place(drawn, path)
        self._covered.update(path for _, path in new if path is not None)
        return bool(self._boxes)

    def finish(self, kind: str, found: Sequence[Drawings]) -> Annotations:
        """Return everything that was added; pictures without a box are problems."""
        named = {*self._boxes, *(problem.path for problem in self._problems)}
        broken = {self._picture_beside(problem.path) for problem in self._problems}
        boxless = [
            LeftOut(path, BROKEN_FILE if path in broken else NO_BOX)
            for path in self._folder.pictures
            if path not in named
        ]
        return Annotations(
            kind,
            tuple(box for path in sorted(self._boxes) for box in self._boxes[path]),
            tuple(sorted([*self._problems, *boxless], key=lambda problem: problem.path)),
            frozenset(file for each in found for file in each.used if file not in named),
        )

    def _picture_beside(self, file: str) -> str | None:
        """Return the picture that a file is named after; None where it is no annotation file."""
        stem = PurePosixPath(file).stem
        found = self._folder.find(stem, file) if file in self._folder.notes else None
        return found if found is not None and PurePosixPath(found).stem == stem else None

    def _find(self, drawn: DrawnPicture) -> str | None:
        """Return the picture that is meant: the first that is here, and has the stated size."""
        paths = [self._folder.find(name, drawn.file) for name in drawn.names]
        here = list(dict.fromkeys(path for path in paths if path is not None))
        if len(here) > 1 and drawn.size is not None:
            for path in here:
                size = self._size_of(path)
                if size is not None and drawn.size in (size.upright, size.upright[::-1]):
                    return path
        return here[0] if here else None

    def _size_of(self, path: str) -> PictureSize | None:
        if path not in self._sizes:
            try:
                self._sizes[path] = read_size(self._folder.root / path)
            except (OSError, UnreadableImageError):
                self._sizes[path] = None
        return self._sizes[path]

    def _leave_missing(self, drawn: DrawnPicture) -> None:
        count = len(drawn.boxes) + len(drawn.whole)
        self._problems += [LeftOut(drawn.names[0] if drawn.names else drawn.file, NOT_HERE)] * count

    def _place(self, drawn: DrawnPicture, path: str) -> None:
        reasons = list(drawn.faults)
        boxes: list[AnnotatedBox] = []
        for box in drawn.boxes:
            if (size := self._size_of(path)) is None:
                self._problems.append(LeftOut(path, UNREADABLE))
                return
            placed = place_box(box, drawn.size, size)
            if isinstance(placed, str):
                reasons.append(placed)
            else:
                boxes.append(AnnotatedBox(path, box.label, placed))
        if drawn.boxes:
            reasons += [WHOLE_AND_BOXES] * len(drawn.whole)
        else:
            boxes += [AnnotatedBox(path, label, None) for label in drawn.whole if label]
            reasons += [NO_CLASS for label in drawn.whole if not label]
        self._problems += [LeftOut(path, reason) for reason in reasons]
        if boxes:
            known = self._boxes.setdefault(path, [])
            known += [box for box in dict.fromkeys(boxes) if box not in known]


def _has_same_stem(drawn: DrawnPicture, path: str | None) -> bool:
    return path is not None and PurePosixPath(path).stem == PurePosixPath(drawn.file).stem
