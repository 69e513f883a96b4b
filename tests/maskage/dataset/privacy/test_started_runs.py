"""A run that was started from one that a person was in is found when the person is forgotten."""

import hashlib
import json
from pathlib import Path

import pytest

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.privacy.forgetting import plan_forgetting
from maskage.dataset.store import PhotoStore
from maskage.formats.run.photos_file import RunPhoto, write_run_photos
from tests.conftest import draw_noise


def test_it_is_found_by_what_the_earlier_run_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, run = tmp_path / "data", tmp_path / "runs" / "on"
    with PhotoStore(data) as store:
        for person in range(5):
            for number, label in enumerate(MASK_AGE.labels):
                pixels = draw_noise(10 * number + person)
                store.add(pixels, label, subject=f"p{person}", session=f"s{person}", source="0")
    # The set of the run has nothing of the person, who came later, or left before.
    assert main([]) == 0
    with PhotoStore(data) as store:
        added = store.add(draw_noise(99), "mask_old", subject="late", session="two", source="0")
    digest = hashlib.sha256((data / added.path).read_bytes()).hexdigest()
    of_set = json.loads((tmp_path / "curated" / "curation.json").read_text(encoding="utf-8"))
    run.mkdir(parents=True)
    (run / "args.yaml").write_text(
        f"curated: {tmp_path / 'curated'}\ndataset_digest: '{of_set['dataset_digest']}'\n"
    )
    assert plan_forgetting(data, "late", [tmp_path]).derived.runs == ()
    write_run_photos(run, [RunPhoto(digest, "mask_old", "earlier")])
    (found,) = plan_forgetting(data, "late", [tmp_path]).derived.runs
    assert (found.folder, found.is_certain) == (run, True)
    assert found.reason == "its photos.csv lists a file of theirs"
