"""Label Studio's JSON export, and its short form, JSON-MIN.

Source: Label Studio's documentation: a list of tasks, each with `data` and `annotations`, whose
`result` holds regions: x, y, width and height in percent of the picture, and a `rotation` in
degrees, clockwise around the left upper corner. `choices` are classes of the whole picture.
"""

import re
from collections import defaultdict
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

from maskage.dataset.importing.annotations.json_values import (
    as_dict,
    as_dicts,
    as_list,
    as_number,
    as_size,
    as_text,
)
from maskage.dataset.importing.annotations.records import DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import (
    Edges,
    edges_of_points,
    edges_of_size,
    turn_edges,
)

KIND = "Label Studio"

OTHER_SHAPE = "a region that is neither a box nor an outline"
SECOND_OPINION = "annotations of a second person; the first one's are used"
NOT_FINISHED = "a task that was skipped by its annotator"
PREDICTED = "a task that only a model has labelled"

_UPLOAD_MARK = re.compile(r"^[0-9a-f]{8}-")
"""The digits of a UUID that an upload puts before a name."""
_LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels")


def is_label_studio(content: object) -> bool:
    """Return whether a JSON's content is an export of Label Studio, in full or short."""
    tasks = as_dicts(content)
    if not tasks or len(tasks) != len(as_list(content)):
        return False
    first = tasks[0]
    is_full = isinstance(first.get("data"), dict) and ("annotations" in first or _old(first))
    return bool(is_full) or {"annotation_id", "annotator"} <= first.keys()


def read_label_studio(content: object, path: str) -> list[DrawnPicture]:
    """Return what an export says of each picture.

    Args:
        content: The content of the JSON.
        path: Path of the file.
    """
    return [replace(_read_task(task, path), is_alone=True) for task in as_dicts(content)]


def _old(task: dict[str, object]) -> bool:
    return isinstance(task.get("completions"), list)


def _read_task(task: dict[str, object], path: str) -> DrawnPicture:
    if not isinstance(task.get("data"), dict):
        return _read_short(task, path)
    names = _names_of(as_dict(task["data"]))
    every = as_dicts(task.get("annotations")) or as_dicts(task.get("completions"))
    done = [each for each in every if not each.get("was_cancelled")]
    if not done:
        reason = NOT_FINISHED if every else PREDICTED
        return DrawnPicture(
            path, names, faults=(reason,) * bool(every or as_list(task.get("predictions")))
        )
    # What was marked as the truth goes first; sorting keeps the order of the others.
    first, *others = sorted(done, key=lambda each: not each.get("ground_truth"))
    drawn = _read_regions(as_dicts(first.get("result")))
    other_boxes = [_read_regions(as_dicts(each.get("result"))) for each in others]
    differ = sum(set(each.boxes) != set(drawn.boxes) for each in other_boxes)
    return DrawnPicture(
        path,
        names,
        drawn.boxes,
        drawn.whole,
        faults=(*drawn.faults, *(SECOND_OPINION,) * differ),
    )


def _read_short(task: dict[str, object], path: str) -> DrawnPicture:
    """Return what a task of JSON-MIN says: its fields lie beside one another."""
    regions: list[dict[str, object]] = []
    whole: list[str] = []
    for name, value in task.items():
        if boxes := [each for each in as_dicts(value) if "width" in each or "points" in each]:
            regions += [{"value": each} for each in boxes]
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            whole += [as_text(each) for each in as_list(value["choices"])]
        elif isinstance(value, str) and name == "choice":
            whole.append(value.strip())
    drawn = _read_regions(regions)
    names = _names_of({name: value for name, value in task.items() if name != "choice"})
    return DrawnPicture(path, names, drawn.boxes, (*drawn.whole, *whole), faults=drawn.faults)


def _read_regions(results: list[dict[str, object]]) -> DrawnPicture:
    """Return the boxes of results; those with one id are one region, its box and its class."""
    regions: dict[str, list[dict[str, object]]] = defaultdict(list)
    for number, each in enumerate(results):
        regions[as_text(each.get("id")) or f"#{number}"].append(each)
    boxes, whole, faults = [], [], []
    for parts in regions.values():
        values = [as_dict(part.get("value")) for part in parts]
        labels = [label for value in values for label in _labels_of(value)]
        placed = [part for part, value in zip(parts, values, strict=True) if _has_place(value)]
        if placed:
            boxes.append(_box_of(placed[0], labels))
        elif chosen := [as_text(each) for v in values for each in as_list(v.get("choices"))]:
            whole += chosen
        elif any(part.get("type") not in _NO_SHAPES for part in parts):
            faults.append(OTHER_SHAPE)
    return DrawnPicture("", (), tuple(boxes), tuple(whole), faults=tuple(faults))


_NO_SHAPES = ("textarea", "rating", "number", "taxonomy", "datetime", "relation", "pairwise")
"""Types of results that are notes about a picture or a region."""


def _labels_of(value: dict[str, object]) -> list[str]:
    for name in _LABELS:
        if labels := [as_text(each) for each in as_list(value.get(name))]:
            return labels
    return [as_text(each) for each in as_list(value.get("choices"))]


def _has_place(value: dict[str, object]) -> bool:
    return "points" in value or {"x", "y", "width", "height"} <= value.keys() or "radiusX" in value


def _box_of(part: dict[str, object], labels: list[str]) -> DrawnBox:
    value = as_dict(part.get("value"))
    # Percent of the width and of the height are no common unit to turn a box in.
    size = as_size(part.get("original_width"), part.get("original_height")) or as_size(
        value.get("original_width"), value.get("original_height")
    )
    across, down = size or (1, 1)
    left, top, right, bottom = _edges_of(value, across / 100, down / 100)
    return DrawnBox(
        labels[0] if labels else "",
        left / across,
        top / down,
        right / across,
        bottom / down,
        is_share=True,
    )


def _edges_of(value: dict[str, object], across: float, down: float) -> Edges:
    """Return the edges of a region in pixels.

    Args:
        value: Its numbers.
        across: Pixels of one percent of the width.
        down: Pixels of one percent of the height.
    """
    angle = as_number(value.get("rotation", 0))
    if "points" in value:
        pairs = [as_list(pair) for pair in as_list(value["points"])]
        numbers = [
            as_number(number) * scale
            for pair in pairs
            for number, scale in zip(pair, (across, down), strict=False)
        ]
        return edges_of_points(numbers)
    x, y = as_number(value.get("x")) * across, as_number(value.get("y")) * down
    if "radiusX" in value:
        wide, high = as_number(value["radiusX"]) * across, as_number(value.get("radiusY")) * down
        return turn_edges((x - wide, y - high, x + wide, y + high), angle, (x, y))
    wide, high = as_number(value.get("width")) * across, as_number(value.get("height")) * down
    return turn_edges(edges_of_size((x, y, wide, high)), angle, (x, y))


def _names_of(data: dict[str, object]) -> tuple[str, ...]:
    """Return the names that a task's picture may have: `image` first, then any other text."""
    first = sorted(data.items(), key=lambda item: item[0] not in ("image", "img", "photo"))
    found = []
    for _, value in first:
        if isinstance(value, str) and value.strip():
            found += _names_in_address(value.strip())
    return tuple(dict.fromkeys(found))


def _names_in_address(address: str) -> list[str]:
    """Return the paths that an address may mean: with the mark of its upload, and without."""
    parts = urlsplit(address) if "/" in address or "?" in address else None
    path = address
    if parts is not None:
        stated = parse_qs(parts.query).get("d")
        path = stated[0] if stated else unquote(parts.path or address)
    folder, _, name = path.rpartition("/")
    bare = _UPLOAD_MARK.sub("", name)
    plain = [path] if bare == name else [path, f"{folder}/{bare}" if folder else bare]
    # A name that was never in an address may hold "%" or "#" as it is.
    return list(dict.fromkeys([*plain, address.rpartition("/")[2]]))
