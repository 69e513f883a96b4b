"""YOLO: a text file a picture, with a line a box, and the names of the classes in another file.

Source: the formats of Darknet and Ultralytics: number of the class, then the middle, width and
height of the box as shares of the picture; or its outline as x and y in turn; or a box with the
points of a pose behind it.
"""

import math
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import yaml

from maskage.dataset.importing.annotations.annotated_folder import AnnotatedFolder
from maskage.dataset.importing.annotations.json_values import as_dict, as_list, as_text
from maskage.dataset.importing.annotations.records import Drawings, DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import UNKNOWN, Edges, edges_of_points
from maskage.errors import DatasetError
from maskage.pictures.picture_files import LeftOut

KIND = "YOLO"

NOT_SHARES = "a box in numbers above 1, where YOLO has shares of the picture"
OTHER_TEXT = "a text that holds no boxes in the form of YOLO"
NO_SUCH_CLASS = "a box whose class has no name in the list of classes"

_NAME_FILES = frozenset({"classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt"})
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf"
_LINE = re.compile(rf"\s*\d+(?:\.0*)?(?:\s+(?:{_NUMBER})){{4,}}\s*", re.IGNORECASE)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LARGEST_SHARE = 1.5
"""Boxes end a little outside a picture where a person drew over its edge."""


def read_yolo(folder: AnnotatedFolder) -> Drawings | None:
    """Return the annotations in a folder's text files; None where there are none.

    A picture without a text file, or with an empty one, has no box.

    Raises:
        DatasetError: The file with the names of the classes cannot be read.
    """
    names = _read_names(folder)
    texts = [path for path in folder.with_suffix(".txt") if path not in names]
    pictures, problems, used = [], list[LeftOut](), set(names)
    for path in texts:
        picture = folder.find(_picture_of(path), path)
        is_label_file = picture is not None and _stem(picture) == _stem(path)
        lines = _read_lines(folder, path) if is_label_file or _in_labels(path) else None
        if lines is None:
            continue
        if not all(map(_LINE.fullmatch, lines)):
            if names:
                problems.append(LeftOut(path, OTHER_TEXT))
            continue
        used.add(path)
        pictures.append(_read_picture(path, lines, _nearest_names(path, names)))
    if not any(picture.boxes or picture.faults for picture in pictures):
        return None
    return Drawings(KIND, tuple(pictures), tuple(problems), frozenset(used))


def _picture_of(path: str) -> str:
    """Return the path, without suffix, of the picture that a text file describes."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    for at in reversed(range(len(parts) - 1)):
        if parts[at].casefold() == "labels":
            parts[at] = "images"
            break
    # From the top of the folder: a name beside the text file goes before it.
    return "/".join(parts)


def _in_labels(path: str) -> bool:
    return "labels" in map(str.casefold, PurePosixPath(path).parts[:-1])


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.casefold()


def _read_lines(folder: AnnotatedFolder, path: str, *, is_strict: bool = True) -> list[str] | None:
    try:
        data = folder.read_bytes(path)
    except OSError:
        return None
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        if is_strict:
            return None
        text = data.decode("cp1252", errors="replace")
    return [line for line in text.splitlines() if line.strip()]


class _Names:
    """The names of classes in one file, and the number of values of a pose."""

    def __init__(self, names: dict[int, str], pose_values: int = 0) -> None:
        self.names, self.pose_values = names, pose_values


def _read_names(folder: AnnotatedFolder) -> dict[str, _Names]:
    """Return the lists of classes by the path of their file."""
    found = {}
    for path in folder.notes:
        lower = PurePosixPath(path).name.lower()
        if lower in _NAME_FILES or lower.endswith(".names"):
            lines = _read_lines(folder, path, is_strict=False) or []
            found[path] = _Names(dict(enumerate(line.strip() for line in lines)))
        elif lower.endswith((".yaml", ".yml")) and (names := _read_yaml(folder, path)) is not None:
            found[path] = names
    return found


def _read_yaml(folder: AnnotatedFolder, path: str) -> _Names | None:
    try:
        data = folder.read_bytes(path)
        # Texts only: a class named `no` is no truth value, nor 007 a number.
        content = as_dict(yaml.load(data, Loader=yaml.BaseLoader))
    # A tab, a number of 5,000 digits, a thousand brackets: each raises something else.
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as fault:
        if isinstance(fault, OSError) or b"names" not in data:
            return None
        raise DatasetError(
            f"{folder.root / path}: the names of the classes cannot be read in it, as it is no "
            f"valid YAML. Correct it, or export it again. Nothing was imported."
        ) from fault
    shape = [as_text(number) for number in as_list(content.get("kpt_shape"))]
    pose_values = math.prod(map(int, shape)) if shape and all(map(str.isdecimal, shape)) else 0
    names = content.get("names")
    if isinstance(names, list):
        return _Names({number: as_text(name) for number, name in enumerate(names)}, pose_values)
    if isinstance(names, dict):
        numbers = {as_text(number): as_text(name) for number, name in names.items()}
        return _Names({int(n): name for n, name in numbers.items() if n.isdecimal()}, pose_values)
    return None


def _nearest_names(path: str, names: dict[str, _Names]) -> _Names | None:
    """Return the list of classes that lies nearest to a text file: above it, or beside."""
    parents = [str(parent) for parent in PurePosixPath(path).parents]

    def distance(other: str) -> tuple[int, str]:
        folder = str(PurePosixPath(other).parent)
        return (parents.index(folder) if folder in parents else len(parents)), other

    return names[min(names, key=distance)] if names else None


def _read_picture(path: str, lines: Sequence[str], names: _Names | None) -> DrawnPicture:
    boxes, faults = [], []
    for line in lines:
        number, *values = line.split()
        label = _label_of(int(float(number)), names)
        edges = _edges_of([float(value) for value in values], names.pose_values if names else 0)
        if label is None:
            faults.append(NO_SUCH_CLASS)
        elif any(abs(edge) > _LARGEST_SHARE for edge in edges):
            faults.append(NOT_SHARES)
        else:
            boxes.append(DrawnBox(label, *edges, is_share=True))
    return DrawnPicture(path, (_picture_of(path),), tuple(boxes), faults=tuple(faults))


def _label_of(number: int, names: _Names | None) -> str | None:
    """Return the name of a class; its number where nothing names the classes."""
    return str(number) if names is None else names.names.get(number) or None


def _edges_of(values: Sequence[float], pose_values: int) -> Edges:
    is_pose = bool(pose_values) or (len(values) % 2 == 1 and (len(values) - 4) % 3 == 0)
    # A fifth number is the confidence of a model.
    if len(values) in (4, 5) or is_pose:
        x, y, width, height = values[:4]
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return edges_of_points(values) if len(values) % 2 == 0 else UNKNOWN
