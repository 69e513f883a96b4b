import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.manifest import find_writer
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.manifest.reading import read_rows
from tests.maskage.dataset.doctor.doctor_cases import (
    damage_manifest,
    found,
    garble_the_header,
    garble_the_middle,
    make_mess,
    picture_contents,
)

MEND = "import sys; from collector.cli import main; sys.exit(main(sys.argv[1:]))"


def copy(root: Path, to: Path) -> Path:
    shutil.copytree(root, to, copy_function=shutil.copy2)
    return to


def rows_of(root: Path) -> dict[str, tuple[bool, str | None, str | None]]:
    """What the manifest says that a kill could have lost."""
    rows = read_rows(root)
    return {
        path: (path in rows.present, row.subject, row.sha256)
        for path, row in (rows.present | rows.removed).items()
    }


def kill_points(duration_s: float) -> Iterator[float]:
    return (duration_s * step / 12 for step in range(1, 13))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [None, garble_the_middle])
def test_a_kill_at_any_moment_loses_nothing_and_the_next_run_finishes(
    tmp_path: Path, damage: Callable[[bytes], bytes] | None
) -> None:
    pristine = tmp_path / "pristine"
    make_mess(pristine)
    if damage is not None:
        damage_manifest(pristine, damage)
    before = picture_contents(pristine)
    reference = copy(pristine, tmp_path / "unhurried")
    repair_dataset(reference)
    killed = 0
    for number, delay_s in enumerate(kill_points(0.18)):
        root = copy(pristine, tmp_path / f"killed{number}")
        with subprocess.Popen(
            [sys.executable, "-c", MEND, "doctor", str(root), "--fix"],
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[4],
        ) as process:
            while process.poll() is None and find_writer(root) is None:
                time.sleep(0.001)
            time.sleep(delay_s)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert picture_contents(root) == before
        repair_dataset(root)
        assert rows_of(root) == rows_of(reference)
        assert examine(root).is_clean
        assert picture_contents(root) == before
    assert killed > 3, killed


SYSTEM_STEPS = {"link", "mkdir", "chmod", "unlink", "rmdir", "replace", "fsync"}
OWN_STEPS = {"rename_new", "mark_removed", "rename_row", "measure"}
"""Functions that change the tree or a row, or make a change last."""


def mend_up_to(step: int, root: Path) -> None:
    """Mend, and die without another word where the given step would begin."""
    steps = itertools.count()

    def watch(frame: FrameType, event: str, called: object) -> None:
        is_step = event == "call" and frame.f_code.co_name in OWN_STEPS
        if event == "c_call" and getattr(called, "__module__", "") == os.mkdir.__module__:
            is_step = getattr(called, "__name__", "") in SYSTEM_STEPS
        if is_step and next(steps) == step:
            os._exit(9)

    sys.setprofile(watch)
    repair_dataset(root)


def in_child(work: Callable[[], object]) -> int:
    """Do it in a process of its own; its exit code."""
    if (child := os.fork()) == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001  the child must not return to pytest
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at_every_step(pristine: Path) -> None:
    """Run in a process that has started no threads, because it forks."""
    before = picture_contents(pristine)
    reference = copy(pristine, pristine.with_name("unhurried"))
    assert in_child(lambda: repair_dataset(reference)) == 0
    expected = rows_of(reference)

    def finish(root: Path) -> None:
        assert picture_contents(root) == before
        repair_dataset(root)
        assert rows_of(root) == expected
        assert found(examine(root)) == {}
        assert picture_contents(root) == before

    for step in itertools.count():
        root = copy(pristine, pristine.with_name("killed"))
        code = in_child(lambda step=step, root=root: mend_up_to(step, root))  # type: ignore[misc]
        assert code in (0, 9), f"step {step}"
        assert in_child(lambda root=root: finish(root)) == 0, f"step {step}"  # type: ignore[misc]
        shutil.rmtree(root)
        if code == 0:
            print(step)
            return


@pytest.mark.slow
@pytest.mark.parametrize("damage", [None, garble_the_header])
def test_a_death_before_any_one_step_is_made_good_by_the_next_run(
    tmp_path: Path, damage: Callable[[bytes], bytes] | None
) -> None:
    pristine = tmp_path / "pristine"
    make_mess(pristine)
    if damage is not None:
        damage_manifest(pristine, damage)
    script = (
        "import sys; from pathlib import Path; "
        "from tests.maskage.dataset.doctor.test_doctor_kills import die_at_every_step; "
        "die_at_every_step(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(pristine)],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30
