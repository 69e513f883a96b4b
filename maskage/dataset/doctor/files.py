"""The files in the folders of a dataset, and whether each is a whole picture; reads only."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from maskage.dataset.photo_files import DAMAGED, TRASH, is_file_entry, names_in
from maskage.errors import UnreadableImageError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import decode_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.picture_kinds import is_picture_file, is_system_name
from maskage.pictures.quality import measure_quality
from maskage.records import Photo, Quality
from maskage.system.files import TEMPORARY_PREFIX, keeps_permissions

REBUILDING = Path(".dataset") / "rebuilding"
"""Name under which a new manifest is made before it takes its place."""
_THREADS = 4
_NAME = re.compile(r"(\d{8}T\d{9})Z_(.+)_\d{5,}_[0-9a-f]{8}(-[0-9a-f]{8}\d*)?\.jpg")
"""The name that `PhotoStore.add` gives a photo, with the mark that relabelling may add."""


@dataclass(frozen=True)
class PhotoFile:
    """One file in a class folder, as it was read.

    Attributes:
        path: Relative to the dataset, POSIX.
        label: Class of its folder.
        sha256: Digest of its bytes; None where it cannot be read.
        fingerprint, quality: Figures of its picture, where the manifest has none or others.
        damage: Why it is no whole picture; None where it is.
        unreadable: Why its bytes cannot be had; None where they can.
    """

    path: str
    label: str
    sha256: str | None = None
    fingerprint: int | None = None
    quality: Quality | None = None
    damage: str | None = None
    unreadable: str | None = None

    @property
    def is_whole(self) -> bool:
        """The file can be read and decoded."""
        return self.damage is None and self.unreadable is None


def read_photos(
    root: Path, paths: Mapping[str, str], rows: Mapping[str, Photo]
) -> Iterator[PhotoFile]:
    """Read and decode every photo, several at a time; in the order given.

    Args:
        root: The dataset.
        paths: Label of each photo.
        rows: Rows by path. A file unchanged since its row is decoded, but not measured again.
    """
    waiting: list[Future[PhotoFile]] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="doctor") as pool:
        try:
            for path, label in paths.items():
                waiting.append(pool.submit(_read_photo, root, path, label, rows.get(path)))
                if len(waiting) > 8 * _THREADS:
                    yield waiting.pop(0).result()
            for photo in waiting:
                yield photo.result()
        finally:
            pool.shutdown(cancel_futures=True)


def read_facts(root: Path, path: str, label: str) -> PhotoFile:
    """Read one file anywhere in the dataset, as `read_photos` does."""
    return _read_photo(root, path, label, None)


def _read_photo(root: Path, path: str, label: str, row: Photo | None) -> PhotoFile:
    try:
        path.encode()
        data = (root / path).read_bytes()
    except UnicodeEncodeError:
        return PhotoFile(path, label, unreadable="its name is not UTF-8: rename it")
    except OSError as fault:
        return PhotoFile(path, label, unreadable=fault.strerror or str(fault))
    digest = hashlib.sha256(data).hexdigest()
    try:
        pixels = decode_image(data)
    except UnreadableImageError as fault:
        # "picture: the file is empty. Remove or replace it." without name and advice.
        reason = str(fault).removeprefix("picture: ").partition(". ")[0]
        return PhotoFile(path, label, digest, damage=reason)
    if row is not None and row.sha256 == digest and is_measured(row):
        return PhotoFile(path, label, digest)
    return PhotoFile(path, label, digest, hash_crop(pixels), measure_quality(pixels))


def is_measured(row: Photo) -> bool:
    """Return whether a row has everything that can be measured in the picture."""
    return row.fingerprint is not None and row.quality is not None


def facts_of_name(path: str) -> tuple[str | None, str | None]:
    """Return time and session of a photo, as `PhotoStore.add` writes them into its name.

    Returns:
        UTC in ISO 8601 and the session; None for what another name does not tell.
    """
    found = _NAME.fullmatch(Path(path).name)
    if found is None:
        return None, None
    stamp, session = found[1], found[2]
    try:
        # %f takes the three digits of the milliseconds for the first of six.
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None, None
    return moment.isoformat(timespec="milliseconds"), None if session == "single" else session


def folders_of(root: Path, labels: Sequence[str]) -> list[Path]:
    """Return every folder that a dataset of these classes has, its own first."""
    tops = [root, root / TRASH]
    return [*tops, *(top / label for top in tops for label in labels)]


def list_trash(root: Path, labels: Sequence[str] | None = None) -> dict[str, str]:
    """Return the pictures in the trash, sorted: the former path of each, and its label.

    Args:
        root: The dataset.
        labels: Its classes; None to read them.
    """
    return {
        f"{label}/{name}": label
        for label in (read_scheme(root).labels if labels is None else labels)
        for name in _names(root / TRASH / label)
        if is_picture_file(root / TRASH / label / name)
    }


def list_unfinished(root: Path, labels: Sequence[str]) -> list[str]:
    """Return files that a killed program was writing; none was reported as saved."""
    found = [
        (folder / name).relative_to(root).as_posix()
        for folder in (root, manifest_path(root).parent, *folders_of(root, labels)[2:])
        for name in _names(folder)
        if name.startswith(TEMPORARY_PREFIX)
    ]
    return found + ([REBUILDING.as_posix()] if (root / REBUILDING).is_dir() else [])


def lies_open(root: Path, labels: Sequence[str]) -> bool:
    """Return whether the disk that the dataset lies on knows no permissions."""
    return bool(_find_open(root, labels)) and not keeps_permissions(root)


def list_open(root: Path, labels: Sequence[str]) -> list[tuple[str, int]]:
    """Return files and folders of the dataset that other users may read, with their modes.

    What lies elsewhere and is only linked to is left as it is. Where the disk knows no permissions
    there is nothing to close: see `lies_open`.
    """
    found = _find_open(root, labels)
    return found if found and keeps_permissions(root) else []


def _find_open(root: Path, labels: Sequence[str]) -> list[tuple[str, int]]:
    root = root.resolve()
    private = manifest_path(root).parent
    tops = [root / TRASH, root / DAMAGED]
    # Those of former classes too.
    hidden = [top / name for top in tops for name in sorted(names_in(top))]
    classes = [*folders_of(root, labels)[2:], *(path for path in hidden if path.is_dir())]
    holding = list(dict.fromkeys([*classes, private]))
    folders = [root, *tops, *holding]
    paths = folders + [folder / name for folder in holding for name in _names(folder)]
    found = []
    for path in paths:
        # A path under a linked folder is the business of whoever linked it.
        if path.is_symlink() or (path != root and path.parent.is_symlink()):
            continue
        try:
            mode = path.stat().st_mode & 0o777
        except (FileNotFoundError, NotADirectoryError):
            continue
        if mode & 0o077:
            found.append((path.relative_to(root).as_posix(), mode))
    return found


def list_loops(root: Path, labels: Sequence[str]) -> list[str]:
    """Return the links in the class folders that lead in a circle, sorted."""
    links = (path for label in labels for path in _links_in(root / label))
    return sorted(path.relative_to(root).as_posix() for path in links if _is_loop(path))


def _links_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry) for entry in entries if entry.is_symlink()]
    except OSError:
        return []


def _is_loop(path: Path) -> bool:
    try:
        path.stat()
    except OSError as fault:
        return fault.errno == errno.ELOOP
    return False


def list_outside(root: Path, labels: Sequence[str]) -> list[str]:
    """Return pictures in the dataset's folder that lie in none of its class folders."""
    found: list[str] = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [
            name for name in subfolders if not name.startswith(".") and not is_system_name(name)
        ]
        where = Path(folder).relative_to(root)
        if where.as_posix() in labels:
            continue
        found += [
            (where / name).as_posix() for name in names if is_picture_file(Path(folder, name))
        ]
    return sorted(found)


def _names(folder: Path) -> Sequence[str]:
    """The files in a folder, sorted; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_file_entry(entry))
    except (FileNotFoundError, NotADirectoryError):
        return []
