"""curation.json: how a curated set was made, and the link to the dataset it was made from.

schema_version      1
version             of the toolchain
dataset             absolute path of the dataset, written by `path_to_text`
dataset_relative    the same from the set's folder, for a project that was moved
dataset_digest      sha256 of the set's photos with split and class; null until all are written
classes             in order
seed, settings      what `curate` was asked for, as data
options             the same as words of its command line
held_out            what test has and train has not: "people", "sessions", "time" (later photos of
                    the same sessions), "photos" (only other photos: a random split, or
                    one of photos that do not say who they show) or "none" (there is no test)
caveat              how little a score on this set says, for people; null for a split by people

Sets of earlier versions have no such file. Their report.html shows the command that made them,
and the link is read from there.
"""

import html
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.errors import DatasetError
from maskage.outside_text import path_to_text, text_to_path
from maskage.security.files import UnsafeFileError, parse_strict_json
from maskage.system.files import write_private

CURATION_FILE = "curation.json"
PAGE_FILE = "report.html"
SCHEMA_VERSION = 1

PEOPLE, SESSIONS, TIME, PHOTOS, NOTHING = HELD_OUT = (
    "people",
    "sessions",
    "time",
    "photos",
    "none",
)
"""What test can have that train has not; with "none" there is no test."""

_CAVEAT_OF_RANDOM = (
    "Photos were drawn at random: people and near-duplicates of train are in val and test. The "
    "test score says almost nothing."
)
"""The caveat of a random split in the records of earlier versions, which have none."""

_PAGE_COMMAND = re.compile(r"<pre>(curate .*?)</pre>", re.DOTALL)


@dataclass(frozen=True)
class CurationRecord:
    """A record of how a curated set was made.

    Attributes:
        dataset: Absolute path of the dataset.
        version: Version of the toolchain.
        classes: Class folders, in order.
        seed: Seed of the split and the variants.
        settings: Everything `curate` was asked for.
        options: The same as words of the command line, without the dataset and `--out`.
        dataset_digest: The digest that `digest_set` gives the photos, 64 hex digits; None in a set
            that an interrupted `curate` left.
        relative: Path of the dataset from the set's folder; "" before it is written.
        held_out: What test has and train has not, one of `HELD_OUT`.
        caveat: How little a score on this set says, sentences for people; None for a split by
            people.
    """

    dataset: Path
    version: str
    classes: tuple[str, ...]
    seed: int
    settings: Mapping[str, Any]
    options: tuple[str, ...]
    dataset_digest: str | None = None
    relative: str = ""
    held_out: str = PEOPLE
    caveat: str | None = None

    def __post_init__(self) -> None:
        _require(self.held_out in HELD_OUT, f"its held_out is {self.held_out[:40]!r}")
        _require(self.dataset.is_absolute(), f"its dataset is {str(self.dataset)!r}")
        _require(len(self.classes) > 1, f"its classes are {list(self.classes)}")
        digest = self.dataset_digest
        is_digest = digest is None or re.fullmatch("[0-9a-f]{64}", digest) is not None
        _require(is_digest, f"its dataset_digest is {str(digest)[:70]!r}")


@dataclass(frozen=True)
class SetOrigin:
    """The origin of a curated set, as far as it is known.

    Attributes:
        dataset: Folder of the dataset, resolved; None if it is not known or not there any more.
        options: Options of `curate` that make the set again; empty if they are not known.
    """

    dataset: Path | None = None
    options: tuple[str, ...] = ()


def write_curation(folder: Path, record: CurationRecord, place: Path) -> None:
    """Write a record into a set's folder; the same record gives the same bytes.

    Args:
        folder: The set's folder while it is built.
        record: What to write; its `relative` is computed here.
        place: Where the set will lie, absolute.

    Raises:
        OSError: The disk refused.
    """
    values = {
        "schema_version": SCHEMA_VERSION,
        "version": record.version,
        "dataset": path_to_text(str(record.dataset)),
        "dataset_relative": path_to_text(os.path.relpath(record.dataset, place)),
        "dataset_digest": record.dataset_digest,
        "classes": list(record.classes),
        "seed": record.seed,
        "settings": dict(record.settings),
        "options": [path_to_text(word) for word in record.options],
        "held_out": record.held_out,
        "caveat": record.caveat,
    }
    text = json.dumps(values, indent=2, ensure_ascii=False)
    write_private(folder / CURATION_FILE, f"{text}\n")


def read_curation(folder: Path, labels: Sequence[str] | None = None) -> CurationRecord | None:
    """Read the record of the set in `folder`; None if it has none, as in earlier versions.

    Args:
        folder: The set.
        labels: The class folders that the record must have, in any order; None for any.

    Raises:
        DatasetError: The file is damaged, a later version wrote it, or it has other classes.
    """
    path = folder / CURATION_FILE
    if not path.is_file():
        return None
    try:
        record = _record_of(parse_strict_json(path.read_bytes()))
        same = labels is None or set(labels) == set(record.classes)
        _require(
            same, f"its classes are {', '.join(record.classes)}, not {', '.join(labels or ())}"
        )
        return record
    except (OSError, UnsafeFileError, ValueError, TypeError, KeyError, AttributeError) as fault:
        found = f"it has no {fault}" if isinstance(fault, KeyError) else str(fault)[:200]
        raise DatasetError(
            f"{path}: cannot be read as the record of a curated set: {found}. Curate again, or "
            f"remove the file: then the link to the dataset is taken from {PAGE_FILE}."
        ) from fault


def find_origin(folder: Path) -> SetOrigin:
    """Return the origin of the set in `folder`, as far as it is known.

    `curation.json` is read first. A set without one, or with a damaged one, may have a page that
    shows its command. Nothing is raised: a damaged file must not hide a set from `collector
    forget`, which reads whatever it finds. Training reads the set with `read_curation`.
    """
    try:
        record = read_curation(folder)
    except DatasetError:
        record = None
    if record is None:
        return _origin_on_page(folder / PAGE_FILE)
    # The absolute path first: beside a set that was taken elsewhere, another dataset may lie.
    for dataset in (record.dataset, folder.resolve() / record.relative):
        if dataset.is_dir():
            return SetOrigin(dataset.resolve(), record.options)
    return SetOrigin(None, record.options)


def _record_of(values: Mapping[str, Any]) -> CurationRecord:
    version = values["schema_version"]
    # True is 1 to Python.
    is_known = version == SCHEMA_VERSION and not isinstance(version, bool)
    _require(is_known, f"its schema is {version}, this version reads {SCHEMA_VERSION}")
    dataset, settings = _text(values["dataset"]), dict(values["settings"])
    # Earlier versions split by people or at random, and wrote neither key.
    is_random = settings.get("split") == "random"
    earlier = PHOTOS if is_random else PEOPLE
    caveat = values.get("caveat", _CAVEAT_OF_RANDOM if is_random else None)
    return CurationRecord(
        dataset=Path(text_to_path(dataset)),
        version=_text(values["version"]),
        classes=tuple(map(_text, values["classes"])),
        seed=int(values["seed"]),
        settings=settings,
        options=tuple(text_to_path(_text(word)) for word in values["options"]),
        dataset_digest=values["dataset_digest"],
        relative=text_to_path(_text(values["dataset_relative"])),
        held_out=_text(values.get("held_out", earlier)),
        caveat=None if caveat is None else _text(caveat),
    )


def _origin_on_page(page: Path) -> SetOrigin:
    try:
        found = _PAGE_COMMAND.search(page.read_text(encoding="utf-8"))
        words = shlex.split(text_to_path(html.unescape(found[1]))) if found else []
    except (OSError, ValueError):
        return SetOrigin()
    if "--out" not in words[2:-1]:
        return SetOrigin()
    return SetOrigin(_dataset_at(words[1]), _without_out(words[2:]))


def _dataset_at(word: str) -> Path | None:
    dataset = Path(word)
    return dataset.resolve() if dataset.is_absolute() and dataset.is_dir() else None


def _without_out(words: Sequence[str]) -> tuple[str, ...]:
    at = words.index("--out")
    return (*words[:at], *words[at + 2 :])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:40]!r} is not a text")  # noqa: TRY004  one fault for all of these
    return value


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise ValueError(found)
