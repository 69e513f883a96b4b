"""A folder of pictures with everything below it, as `detector run` reads it.

Each file is either read or named with the reason why it is not.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from maskage.errors import CameraError, UnreadableImageError
from maskage.outside_text import shown_text
from maskage.pictures.images import read_image
from maskage.pictures.picture_files import (
    UNLISTABLE,
    FolderListing,
    LeftOut,
    describe_left_out,
    reason_of_file,
)
from maskage.pictures.picture_kinds import (
    PICTURE_FORMATS,
    has_unread_name,
    is_picture_file,
    is_system_name,
)
from maskage.records import Frame

WRITTEN_HERE = "the folder that this command writes into"
_HIDDEN = "hidden"
_LINK = "a link to a folder; name that folder itself"


@dataclass(frozen=True)
class Unread:
    """An input, or a part of it, that could not be read.

    Attributes:
        reason: The reason, for people; it names the file.
        file: Path of the picture in its folder, POSIX; None for a part of a video.
        frame: Number of the picture; None where it has none.
        time_s: Time that a video had reached, in seconds; None for a picture.
    """

    reason: str
    file: str | None = None
    frame: int | None = None
    time_s: float | None = None


class PictureTree:
    """A folder of pictures and of folders of pictures, or one picture, in the order of their names.

    It is a `maskage.cameras.sources.Camera`.

    Args:
        path: The folder or the picture.
        leave_out: Folders that are passed over: what the command itself writes.

    Attributes:
        unread: Pictures that could not be read, so far.
        left_out: Files and folders that are not read, sorted; paths are relative to the folder.

    Raises:
        CameraError: It cannot be listed, or holds no picture.
    """

    is_live = False

    def __init__(self, path: Path, leave_out: Collection[Path] = ()) -> None:
        self.name = shown_text(path)
        self.fps: float | None = None
        is_one = path.is_file()
        self._folder = path.parent if is_one else path
        listing = FolderListing((path,), ()) if is_one else _list_tree(path, leave_out)
        self._files = listing.pictures
        self.left_out = listing.left_out
        self.frame_count: int | None = len(self._files)
        self.unread: list[Unread] = []
        self._index = 0

    def read(self) -> Frame | None:
        """Return the next readable picture as a frame, or None after the last one."""
        while self._index < len(self._files):
            index, path = self._index, self._files[self._index]
            self._index += 1
            name = path.relative_to(self._folder).as_posix()
            try:
                return Frame(read_image(path), index, time.monotonic(), float(index), name)
            except UnreadableImageError as fault:
                self.unread.append(Unread(str(fault), name, index, float(index)))
        return None

    def close(self) -> None:
        """End the folder. May be called twice."""
        self._index = len(self._files)


def is_input(left_out: LeftOut) -> bool:
    """Return True for a photo, a video or a folder that nobody saw, though it was to be labelled.

    A file of notes beside the photos is none.
    """
    return has_unread_name(Path(left_out.path).name) or left_out.reason in (UNLISTABLE, _LINK)


def list_tree(root: Path, leave_out: Collection[Path] = ()) -> FolderListing:
    """List the pictures in and below a folder, sorted by their paths, and all that is left out.

    Args:
        root: The folder. Links to folders below are not followed: they may lead in circles.
        leave_out: Folders that are passed over.

    Raises:
        OSError: The folder itself cannot be listed.
    """
    passed_over = {path.resolve() for path in leave_out}
    pictures: list[Path] = []
    left_out: list[LeftOut] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = [path for path in folder.iterdir() if not is_system_name(path.name)]
        except OSError:
            if folder == root:
                raise
            left_out.append(LeftOut(_name(folder, root), UNLISTABLE))
            continue
        for path in entries:
            if path.is_dir():
                reason = _reason_of_folder(path, passed_over)
                if reason is None:
                    waiting.append(path)
                else:
                    left_out.append(LeftOut(_name(path, root), reason))
            elif path.is_file() and is_picture_file(path):
                pictures.append(path)
            else:
                left_out.append(LeftOut(path.relative_to(root).as_posix(), reason_of_file(path)))
    return FolderListing(
        tuple(sorted(pictures)), tuple(sorted(left_out, key=lambda each: each.path))
    )


def _list_tree(path: Path, leave_out: Collection[Path]) -> FolderListing:
    try:
        listing = list_tree(path, leave_out)
    except OSError as fault:
        raise CameraError(
            f"{path}: the pictures in this folder cannot be listed ({fault.strerror or fault}). "
            f"Check who may read it."
        ) from fault
    if not listing.pictures:
        raise CameraError(
            f"{path}: no pictures in this folder, nor in any folder below it.",
            *(describe_left_out(listing.left_out) or ["It is empty."]),
            f"Pictures are files in {PICTURE_FORMATS}. A video is labelled by itself: "
            f"detector run VIDEO.",
        )
    return listing


def _reason_of_folder(path: Path, passed_over: Collection[Path]) -> str | None:
    if path.resolve() in passed_over:
        return WRITTEN_HERE
    if path.name.startswith("."):
        return _HIDDEN
    return _LINK if path.is_symlink() else None


def _name(folder: Path, root: Path) -> str:
    return f"{folder.relative_to(root).as_posix()}/"
