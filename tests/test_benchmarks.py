"""Every benchmark has goals that it can miss, and then ends with 3."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import goals
from benchmarks.common.criteria import EVERY, MISSED, REACHED, Goal, find_missed, finish, nothing

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
SCRIPTS = sorted(
    path for path in BENCHMARKS.glob("*/*.py") if '__name__ == "__main__"' in path.read_text()
)
"""The other modules are parts that benchmarks share."""
REFERENCE = "usual_script"
"""A script that a benchmark compares the detector with: it measures nothing against a goal."""
SETS: dict[str, tuple[Goal, ...]] = {
    name: value
    for name, value in vars(goals).items()
    if isinstance(value, tuple) and all(isinstance(goal, Goal) for goal in value)
}


def put(figures: dict[str, Any], names: Sequence[str], value: object) -> None:
    *outer, last = (name if name != EVERY else "any" for name in names)
    for name in outer:
        figures = figures.setdefault(name, {})
    figures[last] = value


def reach(chosen: Sequence[Goal]) -> dict[str, Any]:
    """Figures that just reach every goal."""
    figures: dict[str, Any] = {}
    for goal in chosen:
        put(figures, goal.figure, goal.at_most if goal.at_most is not None else goal.at_least)
    return figures


@pytest.mark.parametrize("name", SETS)
def test_each_goal_of_a_benchmark_can_be_missed_and_ends_with_3(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = SETS[name]
    assert finish(reach(chosen), chosen) == REACHED
    for goal in chosen:
        figures = reach(chosen)
        bound = goal.at_most if goal.at_most is not None else goal.at_least
        assert bound is not None
        put(figures, goal.figure, bound + 1 if goal.at_most is not None else bound - 1)
        capsys.readouterr()
        assert finish(figures, chosen) == MISSED == 3
        said = capsys.readouterr()
        assert goal.source in said.err
        assert json.loads(said.out)["missed"]


@pytest.mark.parametrize("name", SETS)
def test_what_was_not_measured_is_missed(name: str) -> None:
    needed = [goal for goal in SETS[name] if not goal.is_optional]
    assert len(find_missed({}, SETS[name])) == len(needed)


@pytest.mark.parametrize("value", [None, "fast", float("nan"), float("inf")])
def test_what_is_no_number_within_the_bounds_is_missed(value: object) -> None:
    assert find_missed({"age_ms": value}, [Goal(("age_ms",), "a test", at_most=5)])


def test_every_part_is_looked_at() -> None:
    figures = {"a": {"wrong": 0}, "b": {"wrong": 2}, "seconds": 3}
    (missed,) = find_missed(figures, [nothing(EVERY, "wrong", source="a test")])
    assert missed == "b.wrong: 2; wanted 0 (a test)"


def test_a_goal_without_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="no bound"):
        Goal(("x",), "a test")


def test_every_benchmark_has_goals_or_says_why_it_has_none() -> None:
    for path in SCRIPTS:
        if path.stem == REFERENCE:
            continue
        text = path.read_text()
        used = re.findall(r"^from benchmarks.common.goals import (.+)$", text, re.MULTILINE)
        if path.stem in goals.COMPARISONS:
            assert not used, path
            continue
        assert used, f"{path.name} names no goals"
        assert "sys.exit(main())" in text, f"{path.name} ends with no exit code"
        # That what is imported is used, the linter sees to.
        assert "finish(" in text or "find_missed(" in text, path


def test_contributing_names_every_benchmark() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text()
    for path in SCRIPTS:
        assert path.stem == REFERENCE or f"`{path.relative_to(ROOT)}" in table, path.name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_starts_from_the_root_without_an_installation(path: Path) -> None:
    # -S leaves out the folders that an installation of this project adds to the path.
    libraries = os.pathsep.join(entry for entry in sys.path if "site-packages" in entry)
    done = subprocess.run(
        [sys.executable, "-S", str(path.relative_to(ROOT)), "--help"],
        env={**os.environ, "PYTHONPATH": libraries},
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert path.name in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [("same_weights", False), ("exit_code", 1), ("epochs_lost", 2), ("is_killed", False)],
)
def test_a_resumed_training_that_ends_otherwise_is_missed(name: str, value: object) -> None:
    resume = importlib.import_module("benchmarks.trainer.resume")
    trial = {"is_killed": True, "stage": "head", "epochs_lost": 0, "exit_code": 0} | dict.fromkeys(
        ("same_predictions", "same_epochs", "same_weights"), True
    )
    assert find_missed(resume.summarise([trial], 1.0), goals.RESUME) == []
    assert find_missed(resume.summarise([trial | {name: value}], 1.0), goals.RESUME)


def run_benchmark(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / words[0]), *words[1:]], capture_output=True, text=True
    )


def test_a_benchmark_ends_with_0_where_its_goals_are_reached() -> None:
    done = run_benchmark("maskage/saving.py", "--lock")
    assert done.returncode == REACHED, done.stderr
    assert json.loads(done.stdout)["lock"]["wrong"] == 0


@pytest.mark.parametrize("name", ["maskage/fuzz_images.py", "maskage/fuzz_models.py"])
def test_no_saboteur_of_reading_is_overlooked(name: str) -> None:
    done = run_benchmark(name, "--self-test")
    assert done.returncode == REACHED, done.stderr
    assert json.loads(done.stdout)["self-test"]


@pytest.mark.slow
def test_no_saboteur_of_saving_is_overlooked() -> None:
    done = run_benchmark("maskage/saving.py", "--self-test")
    if "strace" in done.stdout:
        pytest.skip("cannot trace here")
    assert done.returncode == REACHED, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["collector/reconnect.py", "detector/live_reconnect.py"])
def test_no_saboteur_of_reconnecting_is_overlooked(name: str) -> None:
    done = run_benchmark(name, "--self-test")
    assert done.returncode == REACHED, done.stderr
    assert len(json.loads(done.stdout)["self-test"]) >= 2
