"""The straight way on real photographs: import, curate, fit, evaluate, run on a video.

A subset keeps it short; the whole set is measured by `benchmarks/trainer/real_photos.py`.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE

ROOT = Path(__file__).parents[1]
PHOTOS_A_CLASS = 60


def run(shared: Path, package: str, *words: str | Path, cwd: Path) -> str:
    """Run one command as a user would, with the weights at hand; returns its stdout."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KERAS_HOME": str(shared / "weights" / "keras_home"),
        "FACE_MODEL": str(shared / "weights" / "face_detection_yunet_2026may.onnx"),
    }
    done = subprocess.run(
        [sys.executable, "-m", f"{package}.cli", *map(str, words)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{package} {words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_subset(faces: Path, target: Path) -> dict[str, str]:
    """Link the first photos of each class, with their metadata; returns the group of each path."""
    with (faces / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = []
    for label in MASK_AGE.labels:
        (target / label).mkdir(parents=True)
        chosen += [row for row in rows if row["path"].startswith(f"{label}/")][::3][:PHOTOS_A_CLASS]
    for row in chosen:
        (target / row["path"]).symlink_to(faces / row["path"])
    with (target / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "group"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(chosen)
    return {row["path"]: row["group"] for row in chosen}


@pytest.mark.slow
def test_the_straight_way_works_on_real_photographs(shared: Path, tmp_path: Path) -> None:
    groups = make_subset(shared / "faces", tmp_path / "source")

    run(shared, "collector", "import", "source", "--metadata", "source/labels.csv", cwd=tmp_path)
    run(shared, "curation", "--dedupe", "--balance", cwd=tmp_path)
    with (tmp_path / "curated" / "plan.csv").open(newline="") as file:
        plan = list(csv.DictReader(file))
    originals = [row for row in plan if not row["parent"]]
    assert len(originals) == len(groups) == 4 * PHOTOS_A_CLASS
    splits_of_group: dict[str, set[str]] = {}
    for row in originals:
        if row["kept"] == "1":
            splits_of_group.setdefault(groups[row["path"]], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in splits_of_group.values())
    assert {row["split"] for row in originals if row["kept"] == "1"} == {"train", "val", "test"}

    arguments = ["--model", "mobilenetv2", "--weights", "imagenet", "--name", "real"]
    run(shared, "trainer", "fit", *arguments, "--fine-tune-epochs", "0", cwd=tmp_path)
    metrics = json.loads((tmp_path / "runs" / "real" / "metrics.json").read_text())
    told = json.loads(
        run(shared, "trainer", "evaluate", "runs/real", "--data", "source", "--json", cwd=tmp_path)
    )
    # Most of `source` was trained on: this says that the loop learns, not how well.
    assert told["accuracy"] > 0.85
    assert 0 <= metrics["accuracy"] <= 1
    assert metrics["seconds"]["head"] < metrics["seconds"]["features"]

    clip = shared / "video" / "v916_puts_on_mask_388x218.mp4"
    run(shared, "detector", "run", clip, "--json", "events.jsonl", cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert len(events) > 100
    faces = [face for event in events for face in event["faces"]]
    assert len(faces) > 100
    for face in faces:
        assert set(face) >= {"track", "box", "label", "confidence", "probabilities"}
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    # She puts a mask on: little of it at the start, most of it at the end.
    masked = [
        sum(p for label, p in face["probabilities"].items() if label.startswith("mask"))
        for face in faces
    ]
    tenth = len(masked) // 10
    assert sum(masked[:tenth]) / tenth + 0.3 < sum(masked[-tenth:]) / tenth
