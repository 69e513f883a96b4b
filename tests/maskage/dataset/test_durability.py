"""Saved means saved: kills, faults of the disk, a disk that is full, one writer at a time.

`benchmarks/maskage/saving.py` does the same at length.
"""

import copy
import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError
from tests.conftest import draw_noise
from tests.maskage.dataset.saving_checks import (
    Call,
    CannotTraceError,
    Ledger,
    fail_at,
    kill_at,
    kill_at_random,
    list_calls,
    make_dataset,
    run_collector,
    small_disk,
    start_worker,
)

FAULTS = (errno.ENOSPC, errno.EIO)


@pytest.mark.slow
def test_kills_of_one_dataset_after_another_lose_nothing(tmp_path: Path) -> None:
    chance, ledger = random.Random(0), Ledger()
    for number in range(4):
        assert kill_at_random(tmp_path, ledger, chance.uniform(0, 0.3), number) == []
    assert ledger.acknowledged > 4


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["save", "relabel", "trash", "restore"])
def test_a_kill_at_any_system_call_loses_nothing(tmp_path: Path, mode: str) -> None:
    template, ledger = tmp_path / "template", make_dataset(tmp_path / "template")
    calls = _list_calls(tmp_path, mode)[::4]
    for number, call in enumerate(calls):
        data = shutil.copytree(template, tmp_path / f"data{number}")
        wrong, is_dead = kill_at(data, copy.deepcopy(ledger), mode, 77, call)
        assert wrong == [], call
        assert is_dead, call


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_save_that_fails_anywhere_is_not_called_saved(tmp_path: Path, error: str) -> None:
    template, ledger = tmp_path / "template", make_dataset(tmp_path / "template")
    calls = [
        call
        for call in _list_calls(tmp_path, "save")
        if not call.is_report and call.name in ("write", "pwrite64", "fsync", "fdatasync", "link")
    ]
    assert {"write", "fsync", "link", "pwrite64", "fdatasync"} <= {call.name for call in calls}
    refused = 0
    for number, call in enumerate(calls):
        data = shutil.copytree(template, tmp_path / f"data{number}")
        told = copy.deepcopy(ledger)
        assert fail_at(data, told, "save", 77, call, error, ever_after=False) == [], call
        refused += bool(told.failures)
    # SQLite does without a sync or two; what it says is saved was found above.
    assert refused >= len(calls) - 2


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_an_edit_of_two_photos_that_fails_moves_neither(tmp_path: Path, error: str) -> None:
    template, ledger = tmp_path / "template", make_dataset(tmp_path / "template")
    calls = [c for c in _list_calls(tmp_path, "relabel") if c.name in ("renameat2", "fsync")]
    # Both photos come from one folder, and go to one.
    assert [call.name for call in calls] == ["renameat2", "renameat2", "fsync", "fsync"]
    calls.append(Call("pwrite64", 1, "the log of the manifest"))
    for number, call in enumerate(calls):
        data = shutil.copytree(template, tmp_path / f"data{number}")
        told = copy.deepcopy(ledger)
        assert fail_at(data, told, "relabel", 77, call, error, ever_after=False) == [], call
        assert [fault["action"] for fault in told.failures] == ["relabel"], call


@pytest.mark.slow
def test_a_manifest_that_cannot_be_written_any_more_fails_every_save(tmp_path: Path) -> None:
    ledger = make_dataset(tmp_path / "template")
    call = next(c for c in _list_calls(tmp_path, "save") if c.name == "pwrite64")
    data = tmp_path / "template"
    assert fail_at(data, ledger, "save", 77, call, "ENOSPC", ever_after=True) == []
    assert [fault["action"] for fault in ledger.failures] == ["save", "save"]


@pytest.mark.slow
def test_a_full_disk_is_told_with_exit_code_5_and_import_goes_on_later(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    source = four_folders(40)
    try:
        with small_disk(tmp_path / "disk", 8) as disk:
            data, ballast = disk / "data", disk / "ballast"
            ballast.write_bytes(b"x" * 7_800_000)
            answer = run_collector("import", str(source), str(data))
            assert answer.returncode == 5, answer.stderr
            assert "No space left" in answer.stderr or "full" in answer.stderr
            kept = list_photos(data)
            assert 0 < len(kept) < 160
            assert all(photo.sha256 for photo in kept)
            ballast.unlink()
            again = run_collector("import", str(source), str(data))
            assert again.returncode == 0, again.stderr
            assert len(list_photos(data)) == 160
    except PermissionError as fault:
        pytest.skip(f"no small disk can be mounted here: {fault}")


@pytest.mark.slow
def test_one_writer_and_a_killed_one_lets_go_at_once(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    data, source = tmp_path / "data", four_folders(1)
    with start_worker(data, "hold") as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        answer = run_collector("import", str(source), str(data))
        assert answer.returncode == 75
        assert f"process {holder.pid}" in answer.stderr
        holder.kill()
        holder.wait()
        PhotoStore(data).close()
    assert run_collector("import", str(source), str(data)).returncode == 0
    assert len(list_photos(data)) == 4


@pytest.mark.parametrize("code", FAULTS, ids=errno.errorcode.get)
@pytest.mark.parametrize(("name", "nth"), [("write", 1), ("fsync", 1), ("fsync", 2), ("link", 1)])
def test_a_disk_that_refuses_leaves_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, nth: int, code: int
) -> None:
    with PhotoStore(tmp_path) as store:
        before = store.add(draw_noise(1), "mask_old")
        monkeypatch.setattr(os, name, _fail_at(getattr(os, name), nth, code))
        with pytest.raises(PhotoNotSavedError, match=os.strerror(code)):
            store.add(draw_noise(2), "mask_old")
        monkeypatch.undo()
        assert [f"mask_old/{p.name}" for p in (tmp_path / "mask_old").iterdir()] == [before.path]
        assert store.counts()["mask_old"] == 1
        after = store.add(draw_noise(2), "mask_old")
    assert list_photos(tmp_path) == sorted([before, after], key=lambda photo: photo.path)


def test_a_dataset_that_could_not_be_opened_is_not_kept_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pwrite", "fsync"):
        monkeypatch.setattr(os, name, _fail_at(getattr(os, name), 1, errno.ENOSPC))
        with pytest.raises(PhotoNotSavedError, match="No space left"):
            PhotoStore(tmp_path / "data")
        monkeypatch.undo()
    PhotoStore(tmp_path / "data").close()


def _list_calls(folder: Path, mode: str) -> list[Call]:
    data = shutil.copytree(folder / "template", folder / "counted")
    try:
        return list_calls(data, mode, 77, folder / "calls.txt")
    except CannotTraceError as fault:
        pytest.skip(f"no system call can be made to fail here: {fault}")


def _fail_at(call: Callable[..., object], nth: int, code: int) -> Callable[..., object]:
    """`call`, but for one time that fails."""
    count = 0

    def fail(*arguments: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(code, os.strerror(code))
        return call(*arguments, **options)

    return fail
