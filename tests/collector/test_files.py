import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.files import is_disk_full, open_replacement, replace_file
from tests.collector.saving_checks import small_disk


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
