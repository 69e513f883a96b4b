"""Disks that lack what a good one has: links, locks, syncs, shared memory, long names."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from maskage.system.faults import explain_fault
from maskage.system.files import (
    LONGEST_NAME,
    open_replacement,
    save_new_file,
    sync_folder,
    temporary_of,
    with_mark,
)
from maskage.system.lock import lock_file
from tests.conftest import draw_noise

SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from maskage.dataset.store import PhotoStore
from tests.conftest import draw_noise
with PhotoStore(Path("data")) as store:
    photo = store.add(draw_noise(int(sys.argv[2])), "mask_old")
    store.apply([store.relabelling(photo, "mask_young")])
"""


def save_under(faults: list[str], folder: Path, seed: int = 1) -> None:
    """Save one photo and relabel it, where system calls fail."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    words = ["strace", "-f", "-qq", "-o", os.devnull, *faults, sys.executable, "-c", SAVE]
    root = str(Path(__file__).parents[3])
    done = subprocess.run([*words, root, str(seed)], cwd=folder, capture_output=True, text=True)
    if "ptrace" in done.stderr:
        pytest.skip(f"nothing can be traced here: {done.stderr!r}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", ["EACCES", "EINVAL", "EXDEV"])
def test_a_share_refuses_links_in_more_ways_than_one(tmp_path: Path, fault: str) -> None:
    faults = ["-e", "trace=?link,linkat,renameat2", "-e", f"inject=?link,linkat:error={fault}"]
    save_under([*faults, "-e", "inject=renameat2:error=EPERM"], tmp_path)
    assert [photo.label for photo in list_photos(tmp_path / "data")] == ["mask_young"]
    assert not list((tmp_path / "data").rglob(".saving-*"))


@pytest.mark.parametrize("fault", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_a_share_without_flock_is_locked_in_another_way(tmp_path: Path, fault: str) -> None:
    save_under(["-e", "trace=flock", "-e", f"inject=flock:error={fault}"], tmp_path)
    assert len(list_photos(tmp_path / "data")) == 1


def test_a_share_without_shared_memory_keeps_a_plain_journal(tmp_path: Path) -> None:
    index = tmp_path / "data" / ".dataset" / "manifest.db-shm"
    faults = ["-P", str(index), "-e", "trace=mmap", "-e", "inject=mmap:error=ENODEV"]
    save_under(faults, tmp_path)
    assert not index.with_name("manifest.db-wal").exists()
    # Also a manifest that a better disk left with a log, and back again.
    with PhotoStore(tmp_path / "data") as store:
        store.add(draw_noise(2), "mask_old")
    save_under(faults, tmp_path, seed=3)
    photos = list_photos(tmp_path / "data")
    assert len(photos) == 3
    assert all(photo.sha256 for photo in photos)


def test_a_folder_that_cannot_be_synced_is_no_fault_and_a_broken_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    code = errno.EINVAL
    sync_folder(tmp_path)
    save_new_file(tmp_path / "a.jpg", b"pixels")
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        save_new_file(tmp_path / "b.jpg", b"pixels")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_second_lock_on_a_file_is_refused_and_a_shared_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as one, path.open("r+") as other:
        assert lock_file(one.fileno())
        with pytest.raises(BlockingIOError):
            lock_file(other.fileno())
        fcntl.flock(one, fcntl.LOCK_UN)
        assert lock_file(one.fileno(), is_shared=True)
        assert lock_file(other.fileno(), is_shared=True)


@pytest.mark.parametrize("name", ["b" * 251 + ".jpg", "ä" * 125 + ".jpg", "b" * 255])
def test_a_name_of_255_bytes_is_saved_and_replaced(tmp_path: Path, name: str) -> None:
    save_new_file(tmp_path / name, b"pixels")
    with open_replacement(tmp_path / name) as file:
        file.write(b"others")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"others")]


def test_temporary_and_marked_names_are_never_too_long() -> None:
    assert temporary_of(Path("a/b.jpg"), "7-").name == ".saving-7-b.jpg"
    long = temporary_of(Path("b" * 255), "1234567-")
    assert long.name.startswith(".saving-1234567-")
    assert len(os.fsencode(long.name)) <= LONGEST_NAME
    assert with_mark(Path("a/b.jpg"), "-1234").as_posix() == "a/b-1234.jpg"
    marked = with_mark(Path("ä" * 125 + ".jpg"), "-1234").name
    assert marked.endswith("ä-1234.jpg")
    assert len(marked.encode()) <= LONGEST_NAME
    bytes_name = with_mark(Path(os.fsdecode(b"\xe9" * 251 + b".jpg")), "-12").name
    assert len(os.fsencode(bytes_name)) <= LONGEST_NAME


def test_two_photos_of_one_long_name_lie_in_one_class(tmp_path: Path) -> None:
    name = "b" * 251 + ".jpg"
    with PhotoStore(tmp_path / "data") as store:
        for number, label in enumerate(("mask_old", "mask_young")):
            data = encode_jpeg(draw_noise(number))
            store.add_encoded(data, Photo(path=f"{label}/{name}", label=label))
        first = store.photos()[0]
        store.apply([store.relabelling(first, "mask_young")])
    names = [Path(photo.path).name for photo in list_photos(tmp_path / "data")]
    assert len(set(names)) == 2
    assert all(len(each.encode()) <= LONGEST_NAME for each in names)


def test_the_disk_is_blamed_only_where_it_is_at_fault() -> None:
    forbidden = explain_fault(PermissionError(errno.EACCES, "Permission denied"))
    assert forbidden.startswith("(Permission denied). Choose another place")
    assert "disk" not in forbidden
    assert "shorter" in explain_fault(OSError(errno.ENAMETOOLONG, "File name too long"))
    assert "Make room" in explain_fault(OSError(errno.ENOSPC, "No space left on device"))
    assert "Check the disk" in explain_fault(OSError(errno.EREMOTEIO, "Remote I/O error"))
