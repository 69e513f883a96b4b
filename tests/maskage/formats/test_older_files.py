"""Every version of every file that was ever written is read: `fixtures` holds one of each."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.formats.bundle import load_bundle
from maskage.formats.curated.class_weights import read_class_weights
from maskage.formats.curated.curated_set import read_contents
from maskage.formats.curated.curation_file import find_origin, read_curation
from maskage.formats.curated.plan_file import PlanRow, has_plan, read_plan, write_plan
from maskage.formats.output_log import Kind, log_paths, read_outputs
from maskage.formats.run.run_arguments import read_run
from maskage.formats.run.run_folder import RunFolder
from trainer.evaluation.compare import summarise_runs

FIXTURES = Path(__file__).parent / "fixtures"
DIGEST = "5f2b6a1c" * 8


def test_a_plan_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    rows = list(read_plan(FIXTURES / "set_before_record"))
    assert rows[0] == PlanRow("mask_old/a.jpg", "mask_old", True, "train", "g1")
    assert rows[1].parent == "mask_old/a.jpg"
    assert (rows[2].path, rows[2].is_kept, rows[2].reason) == ("-b.jpg", False, "blurred: 3 of 15")
    assert os.fsencode(rows[3].place) == b"test/nomask_young/f\xfcr.jpg"
    assert rows[4].path == "nomask_young/c, d.jpg"
    write_plan(tmp_path, rows)
    before = (FIXTURES / "set_before_record" / "plan.csv").read_bytes()
    assert (tmp_path / "plan.csv").read_bytes() == before


def test_a_set_from_before_there_was_a_record_is_known_by_its_page(tmp_path: Path) -> None:
    old, data = tmp_path / "old set", tmp_path / "my data"
    shutil.copytree(FIXTURES / "set_before_record", old)
    page = (old / "report.html").read_text()
    (old / "report.html").write_text(page.replace("DATASET", str(data)))
    assert read_curation(old) is None
    assert find_origin(old).dataset is None
    data.mkdir()
    assert find_origin(old).dataset == data
    words = f"curate '{data}' --out '{old}' --dedupe --ratio 0.8 0.1 0.1 --seed 7 --split group"
    assert read_contents(old).command(tmp_path) == f"{words} --radius 4"
    assert read_class_weights(old, MASK_AGE.labels) == dict(
        zip(MASK_AGE.labels, (1.5, 0.75, 1.0, 1.0), strict=True)
    )


def test_the_first_record_of_a_set_is_read() -> None:
    record = read_curation(FIXTURES / "set_1")
    assert record is not None
    assert os.fsencode(record.dataset) == b"/home/someone/d\xe4ta"
    assert (record.seed, record.version, record.dataset_digest) == (7, "0.1.0", DIGEST)
    assert record.classes == MASK_AGE.labels
    assert record.options[:2] == ("--dedupe", "--ratio")
    assert record.settings["limits"]["min_side"] == 48


def test_the_first_runs_are_read() -> None:
    run = RunFolder(FIXTURES / "run_first")
    assert [(row.phase, row.epoch) for row in run.read_results()] == [("head", 1), ("head", 2)]
    assert [each.is_right for each in run.read_predictions()] == [True, False]
    assert run.read_predictions()[1].probabilities == (0.01, 0.02, 0.3, 0.67)
    (summary,) = summarise_runs([run.path])
    assert (summary.name, summary.accuracy, summary.parameters) == ("run_first", 0.5, None)
    read = read_run(run.path)
    assert read is not None
    assert (read.trained_on, read.dataset_digest) == (Path("/home/someone/curated"), DIGEST)
    assert read.feature_caches == ()


def test_a_run_that_names_its_caches_is_read() -> None:
    read = read_run(FIXTURES / "run_with_caches")
    assert read is not None
    assert read.feature_caches == (Path("/home/someone/runs/.features"),)
    assert "--heads factors --seed 5 --learning-curve --name later" in read.command


@pytest.mark.parametrize("version", [1, 2, 3])
def test_bundles_of_all_earlier_versions_are_read(tmp_path: Path, version: int) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(FIXTURES / f"bundle_{version}", folder)
    (folder / "model.onnx").write_bytes(b"model\n")
    bundle = load_bundle(folder)
    assert (bundle.input_size, bundle.temperature, bundle.dataset_digest) == (160, 1.25, DIGEST)


def test_a_log_of_outputs_is_read(tmp_path: Path) -> None:
    with PhotoStore(tmp_path / "data"):
        shutil.copy(FIXTURES / "outputs.jsonl", log_paths(tmp_path / "data")[0])
    assert [each.kind for each in read_outputs(tmp_path / "data")] == [Kind.CURATED]


def test_a_plan_says_which_files_were_changed_only_where_some_were(tmp_path: Path) -> None:
    plain = PlanRow("mask_old/a.jpg", "mask_old", True, "train", "g1")
    changed = replace(
        plain, path="mask_old/b.webp", written="mask_old/b.jpg", change="WebP to JPEG"
    )
    write_plan(tmp_path, [plain])
    assert (tmp_path / "plan.csv").read_text().splitlines()[0].endswith(",split,parent")
    write_plan(tmp_path, [plain, changed])
    assert (tmp_path / "plan.csv").read_text().splitlines() == [
        "path,label,kept,reason,group,split,parent,written,change",
        "mask_old/a.jpg,mask_old,1,,g1,train,,,",
        "mask_old/b.webp,mask_old,1,,g1,train,,mask_old/b.jpg,WebP to JPEG",
    ]
    assert list(read_plan(tmp_path)) == [plain, changed]
    assert [row.place for row in read_plan(tmp_path)] == [
        "train/mask_old/a.jpg", "train/mask_old/b.jpg",
    ]  # fmt: skip
    assert has_plan(tmp_path)
