"""A run remembers where it kept features, and the dataset where the run is."""

from pathlib import Path

import pytest

from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.formats.output_log import Kind, read_outputs
from maskage.formats.run.run_arguments import read_run
from maskage.formats.run.run_folder import RunFolder, create_run
from tests.conftest import draw_noise


@pytest.fixture
def curated(tmp_path: Path) -> Path:
    """A set of twelve photos of three people."""
    with PhotoStore(tmp_path / "project" / "data") as store:
        for number, label in enumerate(MASK_AGE.labels * 3):
            store.add(draw_noise(number), label, subject=f"p{number // 4}")
    out = tmp_path / "project" / "curated"
    ratio = ["--ratio", ".34", ".33", ".33"]
    assert curate([str(tmp_path / "project" / "data"), "--out", str(out), *ratio]) == 0
    return out


def test_a_run_elsewhere_is_known_to_the_dataset_and_so_are_its_caches(
    curated: Path, tmp_path: Path
) -> None:
    runs, cache = tmp_path / "far" / "runs", tmp_path / "a" / "cache"
    for folder in (runs, cache):
        folder.mkdir(parents=True)
    run = create_run(runs, "one", "mobilenetv2", {"curated": str(curated), "seed": 5})
    for _ in range(2):
        run.note_cache(cache)
    run.note_cache(runs / ".features")
    args = run.read_args()
    assert (args["seed"], args["name"]) == (5, "one")
    assert args["feature_caches"] == [str(cache), str(runs / ".features")]
    read = read_run(run.path)
    assert read is not None
    assert read.feature_caches == (cache, runs / ".features")
    assert [(each.path, each.kind) for each in read_outputs(curated.parent / "data")] == [
        (cache, Kind.CACHE),
        (run.path, Kind.RUN),
    ]


def test_a_run_in_the_project_needs_no_line(curated: Path) -> None:
    run = create_run(curated.parent / "runs", "one", "mobilenetv2", {"curated": str(curated)})
    run.note_cache(curated.parent / "runs" / ".features")
    assert read_outputs(curated.parent / "data") == []


def test_a_run_without_args_has_none_made_for_it(tmp_path: Path) -> None:
    RunFolder(tmp_path).note_cache(tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []
