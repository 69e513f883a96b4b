"""How masks are worn, on real photographs: what painted masks teach is found on real ones."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from curation.labels.face_views import MaskState
from curation.labels.factor_check import LabelledPhotos, check_labels
from curation.labels.wearing import STATES, MaskPhotos, look_at_masks
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import FACE_MODEL_NAME, SMALLEST_IN_PICTURE_PX, YuNetFinder
from maskage.pictures.images import read_image

BARE, WORN, MISWORN = 90, 40, 20


@pytest.fixture
def real(shared: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Path], YuNetFinder]:
    """Paths of bare faces, worn masks and noses that are out, in this order, and the finder."""
    monkeypatch.setenv("KERAS_HOME", str(shared / "weights" / "keras_home"))
    monkeypatch.setenv("FACE_MODEL", str(shared / "weights" / FACE_MODEL_NAME))
    with (shared / "faces" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    def choose(worn: str, folder: str, count: int) -> list[Path]:
        found = [r["path"] for r in rows if r["mask_worn"] == worn and r["path"].startswith(folder)]
        return [shared / "faces" / path for path in found[:: len(found) // count][:count]]

    paths = choose("", "nomask", BARE) + choose("worn", "mask", WORN)
    paths += choose("nose_out", "nomask", MISWORN)
    model = shared / "weights" / FACE_MODEL_NAME
    return paths, YuNetFinder(model, SMALLEST_IN_PICTURE_PX)


def photos_of(paths: Sequence[Path], groups: Sequence[int] | None = None) -> MaskPhotos:
    indices = range(len(paths))
    return MaskPhotos(
        indices[BARE:], indices[:BARE], groups or list(indices), lambda at: read_image(paths[at])
    )


@pytest.mark.slow
def test_noses_that_are_out_are_found_among_masks_that_are_worn(
    real: tuple[list[Path], YuNetFinder],
) -> None:
    paths, finder = real
    figures = look_at_masks(photos_of(paths), finder, seed=1)
    assert figures.is_learned
    assert figures.unseen == WORN + MISWORN - len(figures.states)
    worn = {
        index: float(row[STATES.index(MaskState.WORN)]) for index, row in figures.states.items()
    }
    first = sorted(worn, key=worn.__getitem__)[:MISWORN]
    assert sum(index >= BARE + WORN for index in first) >= 0.6 * MISWORN
    again = look_at_masks(photos_of(paths), finder, seed=1)
    assert all(np.allclose(again.states[at], row) for at, row in figures.states.items())


@pytest.mark.slow
def test_a_few_bare_faces_teach_nothing_and_that_is_said(
    real: tuple[list[Path], YuNetFinder],
) -> None:
    paths = [*real[0][:12], *real[0][BARE : BARE + 12]]
    labels = ["nomask_old", "nomask_young"] * 6 + ["mask_old", "mask_young"] * 6
    photos = LabelledPhotos(labels, range(24), MASK_AGE, lambda at: read_image(paths[at]))
    (notice,) = check_labels(photos, seed=1).notices
    assert notice.startswith("Misworn masks were not looked for: too few photos of bare faces")
