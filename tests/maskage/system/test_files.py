import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maskage.system.files import (
    is_disk_full,
    keeps_permissions,
    make_private,
    open_private,
    open_replacement,
    replace_file,
    write_private,
)
from tests.maskage.dataset.saving_checks import small_disk


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_closed_to_others_whatever_was_there(tmp_path: Path) -> None:
    os.umask(0)
    for name, was in (("new", None), ("lax", 0o666), ("own", 0o600)):
        page, table = tmp_path / f"{name}.html", tmp_path / f"{name}.csv"
        if was is not None:
            for path in (page, table):
                path.write_text("something longer that was there")
                path.chmod(was)
        write_private(page, "grün")
        with open_private(table) as file:
            assert mode_of(table) == 0o600
            file.write("ü\n")
        assert (mode_of(page), mode_of(table)) == (0o600, 0o600)
        assert page.read_bytes() == "grün".encode()
        assert table.read_bytes() == "ü\n".encode()


def test_a_device_and_a_missing_file_are_left_alone(tmp_path: Path) -> None:
    before = Path(os.devnull).stat().st_mode
    with open_private(Path(os.devnull)) as file:
        file.write("nothing")
    write_private(Path(os.devnull), b"nothing")
    make_private(tmp_path / "missing")
    assert Path(os.devnull).stat().st_mode == before


def test_a_folder_keeps_what_its_owner_may_do(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o1755)
    make_private(folder)
    assert mode_of(folder) == 0o1700


def test_this_disk_knows_permissions_and_nothing_is_left_of_the_question(tmp_path: Path) -> None:
    assert keeps_permissions(tmp_path)
    assert keeps_permissions(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["EPERM", "ENOSYS", "EOPNOTSUPP", "EMLINK"])
def test_a_photo_is_saved_where_no_file_can_have_two_names(tmp_path: Path, fault: str) -> None:
    """As on exFAT, where neither `link` nor the exclusive rename is known."""
    script = """
import sys
from pathlib import Path
from maskage.system.files import save_new_file
save_new_file(Path("photo.jpg"), b"pixels")
try:
    save_new_file(Path("photo.jpg"), b"others")
except FileExistsError:
    sys.exit(3)
"""
    faults = ["-e", "trace=?link,linkat,renameat2", "-e", f"inject=?link,linkat:error={fault}"]
    faults += ["-e", "inject=renameat2:error=EINVAL"]
    try:
        done = subprocess.run(
            ["strace", "-f", "-o", os.devnull, *faults, sys.executable, "-c", script],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("needs strace")
    if "ptrace" in done.stderr:
        pytest.skip(f"nothing can be traced here: {done.stderr!r}")
    assert done.returncode == 3, done.stderr
    assert (tmp_path / "photo.jpg").read_bytes() == b"pixels"
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    try:
        with small_disk(tmp_path / "disk", 1) as folder:
            yield folder
    except PermissionError as fault:
        pytest.skip(f"no small disk can be mounted here: {fault}")


def write(path: Path, *parts: Any, is_flushed: bool = True) -> None:
    with open_replacement(path, is_flushed=is_flushed) as file:
        for part in parts:
            file.write(part)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("former")
    with open_replacement(path) as file:
        file.write(b"new")
        assert path.read_text() == "former"
    assert path.read_text() == "new"
    replace_file(path, b"newer")
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_flushed", [True, False])
def test_a_full_disk_leaves_the_former_file_and_nothing_else(disk: Path, is_flushed: bool) -> None:
    path = disk / "a.bin"
    path.write_bytes(b"former")
    with pytest.raises(OSError, match="No space left") as fault:
        write(path, b"x" * 2_000_000, is_flushed=is_flushed)
    assert is_disk_full(fault.value)
    assert fault.value.filename == str(path)
    assert path.read_bytes() == b"former"
    assert list(disk.iterdir()) == [path]


def test_what_fails_while_it_is_written_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"former")
    with pytest.raises(TypeError):
        write(path, b"half", "no bytes")
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_other_faults_are_no_full_disk() -> None:
    assert is_disk_full(OSError(errno.EDQUOT, "over quota"))
    assert not is_disk_full(PermissionError(errno.EACCES, "denied"))
