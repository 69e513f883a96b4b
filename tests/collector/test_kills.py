"""Saved means saved: kills at random and at system calls, a disk that refuses, one writer.

`benchmarks/saving.py` does the same at length.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.records import LABELS
from collector.store import PhotoStore, list_photos
from tests.collector.kills import (
    REFUSABLE,
    ROOT,
    can_trace,
    find_losses,
    kill_at,
    kill_at_random,
    list_calls,
    mounted,
    refuse_at,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    if not can_trace(tmp_path):
        pytest.skip("needs strace, and leave to trace")
    return tmp_path


def test_a_kill_at_any_moment_loses_nothing_that_was_told(tmp_path: Path) -> None:
    done = 0
    for seed, delay_s in enumerate((0.0, 0.02, 0.05, 0.11, 0.2, 0.3)):
        root = tmp_path / f"data{seed}"
        told = kill_at_random(root, seed, delay_s)
        assert find_losses(root, told) == []
        done += told.done
    assert done > 50


@pytest.mark.parametrize("action", ["save", "relabel"])
def test_a_kill_at_a_system_call_loses_nothing_that_was_told(traced: Path, action: str) -> None:
    calls = list_calls(traced, action)
    assert {"fsync", "fdatasync", "pwrite64"} <= {call.name for call in calls}
    for number, call in enumerate(calls[::3]):
        root = traced / f"data{number}"
        told = kill_at(root, action, call)
        assert told.done >= 1
        assert find_losses(root, told) == [], call


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_refuses_anything_makes_no_false_saved(traced: Path, error: str) -> None:
    calls = [c for c in list_calls(traced, "save") if c.name in REFUSABLE and not c.is_telling]
    assert {"write", "fsync", "link", "pwrite64", "fdatasync"} <= {call.name for call in calls}
    refused = 0
    for number, call in enumerate(calls):
        root = traced / f"data{number}"
        told = refuse_at(root, "save", call, error)
        assert find_losses(root, told) == [], call
        refused += bool(told.refused)
        # Before it, after it, and it itself where the disk let it pass: all are there.
        assert told.done + len(told.refused) == 3, call
        assert len(list_photos(root)) == told.done, call
    assert refused > len(calls) // 2


def collect(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "collector.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_a_full_disk_is_told_with_exit_code_5_and_import_goes_on_later(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    source = four_folders(40)
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "4m") as is_mounted:
        if not is_mounted:
            pytest.skip("needs leave to mount a small disk")
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 3_600_000)
        answer = collect("import", str(source), str(disk / "data"))
        assert answer.returncode == 5, answer.stderr
        assert "No space left" in answer.stderr or "full" in answer.stderr
        kept = list_photos(disk / "data")
        assert 0 < len(kept) < 160
        assert all(photo.sha256 for photo in kept)
        ballast.unlink()
        again = collect("import", str(source), str(disk / "data"))
        assert again.returncode == 0, again.stderr
        assert len(list_photos(disk / "data")) == 160


@contextmanager
def holding(root: Path) -> Iterator[subprocess.Popen[str]]:
    script = (
        "import sys, time; from pathlib import Path; from collector.store import PhotoStore; "
        "store = PhotoStore(Path(sys.argv[1])); print('open', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_one_writer_and_a_killed_one_lets_go_at_once(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    data = tmp_path / "data"
    source = four_folders(1)
    with holding(data) as holder:
        answer = collect("import", str(source), str(data))
        assert answer.returncode == 75
        assert f"process {holder.pid}" in answer.stderr
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        PhotoStore(data).close()
    assert collect("import", str(source), str(data)).returncode == 0
    assert len(list_photos(data)) == len(LABELS)
