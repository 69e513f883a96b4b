"""photos.csv: the photos of a run's set, and those that its network knew before the run began.

digest,label,split,phash,mirror    one row for each photo; augmented copies have none

`digest` is the sha256 of the file in the set; `label` its class folder, written by `path_to_cell`;
`split` is "train", "val", "test", or "earlier" for a photo that only an earlier run learned from,
from which this one was started. `phash` and `mirror` are the perceptual hashes of the photo and of
its mirror image, 16 hex digits each; empty where they are not known. No name of a file is kept.

A set is replaced when its dataset has grown. This file then says what the network has seen.
"""

import csv
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from maskage.errors import DatasetError
from maskage.outside_text import cell_to_path, path_to_cell
from maskage.system.files import open_private

PHOTOS_FILE = "photos.csv"
EARLIER = "earlier"

_COLUMNS = ("digest", "label", "split", "phash", "mirror")
_SPLITS = ("train", "val", "test", EARLIER)


@dataclass(frozen=True)
class RunPhoto:
    """One photo of a run.

    Attributes:
        digest: sha256 of the file in the set, 64 hex digits.
        label: Class folder that it lay in.
        split: "train", "val", "test" or "earlier".
        phash: Perceptual hash, 64 bits; None where it is not known.
        mirror: The same of the mirror image.
    """

    digest: str
    label: str
    split: str
    phash: int | None = None
    mirror: int | None = None

    def __post_init__(self) -> None:
        if self.split not in _SPLITS:
            raise ValueError(f"a split is {self.split[:40]!r}")
        if re.fullmatch("[0-9a-f]{64}", self.digest) is None:
            raise ValueError(f"a digest is {self.digest[:70]!r}")


def write_run_photos(run: Path, photos: Iterable[RunPhoto]) -> None:
    """Write the photos of the run in the folder `run`, sorted by split, label and digest.

    Raises:
        OSError: The disk refused.
    """
    rows = sorted(photos, key=lambda each: (_SPLITS.index(each.split), each.label, each.digest))
    with open_private(run / PHOTOS_FILE) as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for each in rows:
            hashes = ("" if bits is None else f"{bits:016x}" for bits in (each.phash, each.mirror))
            writer.writerow([each.digest, path_to_cell(each.label), each.split, *hashes])


def read_run_photos(run: Path) -> list[RunPhoto] | None:
    """Read the photos of the run in the folder `run`; None for a run of an earlier version.

    Raises:
        DatasetError: The file is damaged.
    """
    path = run / PHOTOS_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != _COLUMNS:
            raise ValueError(f"it has not the columns {', '.join(_COLUMNS)}")
        return [_photo_of(row) for row in rows[1:]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, csv.Error) as fault:
        raise DatasetError(
            f"{path}: cannot be read as the photos of a run ({type(fault).__name__}: {fault}). "
            f"Train the run again, or name another one."
        ) from fault


def count_run_photos(run: Path, digests: Container[str]) -> int:
    """Count the photos of a run by their digests; 0 without a readable file.

    Args:
        run: Folder of the run.
        digests: sha256 of the files that are searched for.
    """
    try:
        return sum(each.digest in digests for each in read_run_photos(run) or ())
    except DatasetError:
        return 0


def _photo_of(row: list[str]) -> RunPhoto:
    if len(row) != len(_COLUMNS):
        raise ValueError(f"a row has {len(row)} cells, not {len(_COLUMNS)}")
    digest, label, split, *hashes = row
    phash, mirror = (int(bits, 16) if bits else None for bits in hashes)
    return RunPhoto(digest, cell_to_path(label), split, phash, mirror)
