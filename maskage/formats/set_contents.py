"""What is in a curated set, read from outside: its files by content, its plan, its page.

<set>/{train,val,test}/<label>/<photo>    as `curate` or anybody lays them out
<set>/plan.csv                            `path` and `parent` name photos of the dataset
<set>/report.html                         tells the command that made it

Only reads. Curation is not imported: the files are what the packages promise to each other.
"""

import csv
import hashlib
import html
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from maskage.outside_text import cell_to_path, text_to_path
from maskage.pictures.images import is_picture
from maskage.records import LABELS
from maskage.shell_words import join_words

SPLITS = ("train", "val", "test")
PLAN_FILE = "plan.csv"

_PLAN_COLUMNS = {"path", "kept", "split", "parent"}
_COMMAND = re.compile(r"<pre>(curate .*?)</pre>", re.DOTALL)
_THREADS = 4


@dataclass(frozen=True)
class SetRow:
    """One row of a plan.

    Attributes:
        path: Of a photo in the dataset, or of an augmented copy.
        place: Where its file lies in the set.
        parent: For an augmented copy, the photo it was made from; else "".
        is_kept: Whether it was to be in the set.
    """

    path: str
    place: str
    parent: str
    is_kept: bool


@dataclass(frozen=True)
class CuratedSet:
    """A curated set as it lies.

    Attributes:
        folder: Absolute.
        files: sha256 of each file, by its place in the set: "train/mask_old/a.jpg".
        rows: Of its plan; empty where it has none.
    """

    folder: Path
    files: Mapping[str, str]
    rows: tuple[SetRow, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Of all photos with split and label, as `trainer` writes `dataset_digest`."""
        total = hashlib.sha256()
        for split in SPLITS:
            inside = (Path(place) for place in self.files if place.startswith(f"{split}/"))
            for place in sorted(inside):
                if is_picture(place) and place.parts[1] in LABELS and len(place.parts) == 3:
                    digest = self.files[place.as_posix()]
                    total.update(f"{split}/{place.parts[1]}/{digest}\n".encode())
        return total.hexdigest()

    @cached_property
    def told_words(self) -> list[str]:
        """The command that made it, as its page tells; empty where it does not."""
        return _told_words(self.folder)

    @cached_property
    def made_of(self) -> Path | None:
        """The dataset that it was made of; None where nobody tells, or where that is gone."""
        return _told_dataset(self.told_words)

    def command(self, root: Path) -> str:
        """Makes it anew, where it lies today; of the dataset at `root` unless it tells another."""
        words = list(self.told_words) or ["curate", "", "--out", ""]
        words[1], words[words.index("--out") + 1] = str(self.made_of or root), str(self.folder)
        return join_words(words)


def looks_like_set(files: Sequence[str], folders: Sequence[str]) -> bool:
    """Whether a folder with these files and folders in it may be a curated set."""
    return PLAN_FILE in files or set(SPLITS) <= set(folders)


def dataset_of_set(folder: Path) -> Path | None:
    """Return the dataset that a set was made of, without reading the set itself.

    None where nobody tells, or where that is gone.
    """
    return _told_dataset(_told_words(folder))


def read_set(folder: Path) -> CuratedSet:
    """Read a set and take the digest of every file; what cannot be read is left out."""
    places = [
        (Path(place) / name).relative_to(folder).as_posix()
        for split in SPLITS
        for place, _, names in os.walk(folder / split)
        for name in names
    ]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="digests") as pool:
        digests = pool.map(lambda place: hash_file(folder / place), places)
        files = {place: found for place, found in zip(places, digests, strict=True) if found}
    return CuratedSet(folder, files, tuple(_read_plan(folder / PLAN_FILE)))


def hash_file(path: Path) -> str | None:
    """sha256 of a file; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _told_words(folder: Path) -> list[str]:
    try:
        found = _COMMAND.search((folder / "report.html").read_text(encoding="utf-8"))
        words = shlex.split(text_to_path(html.unescape(found[1]))) if found else []
    except (OSError, ValueError):
        return []
    return words if "--out" in words[2:-1] else []


def _told_dataset(words: Sequence[str]) -> Path | None:
    root = Path(words[1]) if words else Path()
    return root.resolve() if root.is_absolute() and root.is_dir() else None


def _read_plan(table: Path) -> Iterator[SetRow]:
    """The rows of a plan; none of a file that is something else of this name."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if set(reader.fieldnames or ()) >= _PLAN_COLUMNS:
                for row in reader:
                    path, split = cell_to_path(row["path"] or ""), row["split"] or ""
                    place = f"{split}/{path}"
                    yield SetRow(path, place, cell_to_path(row["parent"] or ""), row["kept"] == "1")
    except (OSError, UnicodeDecodeError, csv.Error):
        return
