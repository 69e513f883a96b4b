"""Saved means on the disk: what a power cut leaves, and that each safeguard is missed when gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.repair import repair_dataset
from tests.maskage.dataset.doctor.doctor_cases import (
    damage_manifest,
    found,
    garble_the_header,
    make_mess,
    picture_contents,
)
from tests.maskage.dataset.power_checks import POWER_CUTS, cut_power, list_cuts
from tests.maskage.dataset.power_cut import Loss, record
from tests.maskage.dataset.saboteurs import WORKER
from tests.maskage.dataset.saving_checks import CannotTraceError, check_lock


@pytest.fixture(autouse=True)
def can_trace(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        record(["-c", ""], tmp_path_factory.mktemp("trace") / "calls.txt")
    except CannotTraceError as fault:
        pytest.skip(f"cannot trace here: {fault}")


def lay_out_last(root: Path, script: str, loss: Loss) -> dict[str, bytes]:
    """Run a script in `root`; every file that a cut at its end leaves."""
    setting = f"import os; from pathlib import Path; root = Path({str(root)!r})\n"
    *_, last = (
        {path.relative_to(left).as_posix(): path.read_bytes() for path in files_of(left)}
        for left, _output, _name in list_cuts(root, ["-c", setting + script], [loss])
    )
    return last


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


NEW = "handle = os.open(root / 'new', os.O_WRONLY | os.O_CREAT); os.write(handle, b'data')\n"
SYNC = "os.fsync(handle)\n"
SYNC_FOLDER = "os.fsync(os.open(root, os.O_RDONLY))\n"


@pytest.mark.parametrize(
    ("script", "loss", "left"),
    [
        (NEW, Loss.NOTHING, {"old": b"old", "new": b"data"}),
        (NEW, Loss.ALL, {"old": b"old"}),
        (NEW + SYNC, Loss.ALL, {"old": b"old"}),
        (NEW + SYNC_FOLDER, Loss.ALL, {"old": b"old", "new": b""}),
        (NEW + SYNC + SYNC_FOLDER, Loss.ALL, {"old": b"old", "new": b"data"}),
        (NEW, Loss.CONTENTS, {"old": b"old", "new": b""}),
        (NEW + SYNC, Loss.CONTENTS, {"old": b"old", "new": b"data"}),
        (NEW + SYNC, Loss.NAMES, {"old": b"old"}),
        ("(root / 'old').write_bytes(b'newer')", Loss.NAMES, {"old": b"newer"}),
        ("(root / 'old').write_bytes(b'newer')", Loss.ALL, {"old": b"old"}),
        ("os.truncate(os.open(root / 'old', os.O_WRONLY), 1)", Loss.NOTHING, {"old": b"o"}),
        ("(root / 'old').rename(root / 'other')", Loss.ALL, {"old": b"old"}),
        ("(root / 'old').rename(root / 'other')\n" + SYNC_FOLDER, Loss.ALL, {"other": b"old"}),
        ("(root / 'old').unlink()\n" + SYNC_FOLDER, Loss.ALL, {}),
        ("import shutil; shutil.rmtree(root / 'deep')", Loss.NOTHING, {"old": b"old"}),
    ],
)
def test_the_model_of_the_disk_knows_what_is_synced(
    tmp_path: Path, script: str, loss: Loss, left: dict[str, bytes]
) -> None:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "old").write_bytes(b"old")
    assert lay_out_last(root, script, loss) == left


def test_a_rename_between_two_folders_is_one_step(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
    (root / "one" / "file").write_bytes(b"x")
    script = "os.rename(root / 'one/file', root / 'two/file')\n"
    assert lay_out_last(root, script, Loss.ALL) == {"one/file": b"x"}
    script += "os.fsync(os.open(root / 'one', os.O_RDONLY))\n"
    assert lay_out_last(root, script, Loss.ALL) == {"two/file": b"x"}


def test_a_power_cut_in_the_middle_of_a_save_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    tried, wrong = cut_power(tmp_path, "save", every=6)
    assert wrong == []
    assert tried > 30


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["save", "relabel", "trash", "restore"])
def test_a_power_cut_after_any_call_loses_nothing_that_was_acknowledged(
    tmp_path: Path, mode: str
) -> None:
    tried, wrong = cut_power(tmp_path, mode)
    assert wrong == []
    assert tried > 150


@pytest.mark.parametrize(
    ("saboteur", "mode", "noticed"),
    [
        ("leave_out_file_sync", "save", "torn"),
        ("leave_out_manifest_sync", "save", "known as"),
        pytest.param("leave_out_folder_sync", "save", "found 0 times", marks=pytest.mark.slow),
        pytest.param("leave_out_folder_sync", "relabel", "found at", marks=pytest.mark.slow),
        pytest.param("sync_manifest_later", "trash", "has no row", marks=pytest.mark.slow),
        pytest.param("commit_later", "save", "known as", marks=pytest.mark.slow),
        pytest.param("write_in_place", "save", "torn", marks=pytest.mark.slow),
        pytest.param("move_in_two_steps", "relabel", "found 2 times", marks=pytest.mark.slow),
    ],
)
def test_a_safeguard_that_is_taken_out_is_missed(
    tmp_path: Path, saboteur: str, mode: str, noticed: str
) -> None:
    _tried, wrong = cut_power(tmp_path, mode, (WORKER, saboteur), limit=1)
    assert wrong
    assert noticed in wrong[0]


def test_a_second_writer_is_refused_and_the_check_would_see_one(tmp_path: Path) -> None:
    assert check_lock(tmp_path / "locked") == []
    assert check_lock(tmp_path / "open", (WORKER, "leave_out_lock"))


DOCTOR = "import sys; from collector.cli import main; sys.exit(main(sys.argv[1:]))"
IN_PLACE = """
import shutil
from maskage.dataset.doctor import repair_manifest
from pathlib import Path
Path.replace = lambda self, target: shutil.copyfile(self, target)
"""


def check_doctor(folder: Path, saboteur: str = "", every: int = 1, limit: int = 1000) -> list[str]:
    """What a kill or a power cut during `doctor --fix` of a damaged dataset costs."""
    root = folder / "data"
    make_mess(root)
    damage_manifest(root, garble_the_header)
    before = picture_contents(root)
    words = ["-c", saboteur + DOCTOR, "doctor", str(root), "--fix"]
    wrong: list[str] = []
    for left, _output, name in list_cuts(root, words, [Loss.NOTHING, *POWER_CUTS], every=every):
        if picture_contents(left) != before:
            wrong.append(f"{name}: photos are not the same")
        elif (after := find_after_mending(left)) is not None:
            wrong.append(f"{name}: {after}")
        if len(wrong) >= limit:
            break
    return wrong


def find_after_mending(root: Path) -> str | None:
    """What is left after the next run, which must finish what was cut short."""
    mended = repair_dataset(root)
    if found(examine(root)):
        return f"not clean: {found(examine(root))}"
    subjects = {row.subject for row in mended.diagnosis.manifest.rows.present.values()}
    return None if subjects >= {"p0", "p1", "p2"} else f"known are only {subjects}"


@pytest.mark.slow
def test_a_cut_while_the_doctor_repairs_loses_nothing(tmp_path: Path) -> None:
    assert check_doctor(tmp_path, every=4) == []


@pytest.mark.slow
def test_a_doctor_that_writes_over_the_manifest_is_found_out(tmp_path: Path) -> None:
    assert check_doctor(tmp_path, IN_PLACE, every=3, limit=1)
