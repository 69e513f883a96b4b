"""The session that runs by itself: the whole quota, in the right folders, for any number."""

from collections import Counter
from pathlib import Path

import pytest

from detector.tour.photograph import photograph_cast
from maskage.classes.ready_made import READY_MADE
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import GuideFinder
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme


@pytest.mark.parametrize("photos", [5, 9])
def test_everyone_is_photographed_with_and_without_a_mask(tmp_path: Path, photos: int) -> None:
    cast = ["demo-01", "demo-02"]
    with PhotoStore(tmp_path) as store:
        saved = [
            counts.saved for counts in photograph_cast(store, cast, photos, GuideFinder(), seed=1)
        ]
    assert saved == list(range(1, photos + 1))
    found = Counter((photo.subject, photo.label) for photo in list_photos(tmp_path))
    assert set(found) == {
        ("demo-01", "mask_young"),
        ("demo-01", "nomask_young"),
        ("demo-02", "mask_old"),
        ("demo-02", "nomask_old"),
    }
    assert max(found.values()) - min(found.values()) <= 1


def test_classes_with_misworn_masks_are_photographed_too(tmp_path: Path) -> None:
    scheme = READY_MADE["mask-state-age"]
    (tmp_path / CLASSES_FILE).write_text(format_scheme(scheme))
    with PhotoStore(tmp_path) as store:
        for _ in photograph_cast(store, ["demo-01", "demo-02"], 9, GuideFinder(), seed=1):
            pass
    found = Counter((photo.subject, photo.label) for photo in list_photos(tmp_path))
    assert found == {
        ("demo-01", "mask_young"): 2,
        ("demo-01", "misworn_young"): 2,
        ("demo-01", "nomask_young"): 2,
        ("demo-02", "mask_old"): 1,
        ("demo-02", "misworn_old"): 1,
        ("demo-02", "nomask_old"): 1,
    }
