"""The bench measures every stage and adds up."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.bench import STAGES
from detector.cli import main
from maskage.formats.bundle import ModelBundle

pytestmark = pytest.mark.usefixtures("no_face_model")


@pytest.fixture
def clip(film: Callable[..., Path]) -> Path:
    return film(["mask_old"] * 30)


def test_every_stage_is_measured_and_the_whole_is_their_sum(
    clip: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", str(clip), "--model", str(bundle.folder), "--frames", "20", "--threads", "1"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["stages"]) == list(STAGES)
    assert report["frames"] == 20
    assert report["faces"] == 1
    assert report["threads"] == 1
    spent = sum(
        stage["mean_ms"] for name, stage in report["stages"].items() if name not in ("read", "show")
    )
    assert report["fps"] == pytest.approx(1000 / spent, rel=0.05)
    assert 0 < report["other_share"] < 1


def test_the_memory_told_is_that_of_the_process(clip: Path, bundle: ModelBundle) -> None:
    # In a process of its own: that of the tests has had other work to do.
    command = [sys.executable, "-m", "detector.cli", "bench", str(clip)]
    options = ["--model", str(bundle.folder), "--frames", "10", "--json"]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True, check=True)
    assert 20 < json.loads(done.stdout)["memory_mb"] < 2000


def test_a_table_is_printed_for_people(
    clip: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(clip), "--model", str(bundle.folder), "--frames", "5"]) == 0
    table = capsys.readouterr().out
    assert "classify" in table
    assert "frames a second" in table


def test_a_source_that_is_too_short_is_refused(
    film: Callable[..., Path], bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    short = film(["mask_old"] * 3)
    assert main(["bench", str(short), "--model", str(bundle.folder)]) == 5
    assert "too short" in capsys.readouterr().err
