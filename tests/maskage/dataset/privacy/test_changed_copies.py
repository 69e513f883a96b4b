"""A photo that a set holds under another name, encoded anew, is found in it and in its runs."""

from pathlib import Path

import pytest

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import describing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.privacy.forgetting import plan_forgetting
from maskage.dataset.store import PhotoStore
from maskage.formats.curated.plan_file import read_plan
from tests.conftest import draw_noise
from tests.curation.odd_pictures import saved


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five people with a WebP in each class, whom a manifest knows, and the curated set."""
    root = tmp_path / "data"
    for number, label in enumerate(MASK_AGE.labels):
        (root / label).mkdir(parents=True)
        for person in range(5):
            data = saved(draw_noise(10 * number + person), "WEBP", quality=90)
            (root / label / f"p{person}.webp").write_bytes(data)
    with PhotoStore(root) as store:
        store.apply([describing(each, subject=Path(each.path).stem) for each in list_photos(root)])
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    return tmp_path


def test_it_is_found_in_the_set_by_the_plan(project: Path) -> None:
    (found,) = plan_forgetting(project / "data", "p1", [project]).derived.curated
    assert (found.folder, found.photos) == (project / "curated", 4)


def test_it_is_found_in_the_answers_of_a_run_on_a_set_that_changed_since(project: Path) -> None:
    place = next(row.place for row in read_plan(project / "curated") if "p1" in row.path)
    assert place.endswith(".jpg")
    run = project / "runs" / "base"
    run.mkdir(parents=True)
    (run / "args.yaml").write_text(f"curated: curated\ndataset_digest: '{'0' * 64}'\n")
    head = ",".join(("path", "actual", "predicted", *MASK_AGE.labels))
    label = place.split("/")[1]
    (run / "predictions.csv").write_text(f"{head}\n{place},{label},{label},1,0,0,0\n")
    (found,) = plan_forgetting(project / "data", "p1", [project]).derived.runs
    assert (found.is_certain, found.reason) == (True, "its predictions.csv names a file of theirs")
