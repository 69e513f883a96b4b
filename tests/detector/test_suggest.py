"""A model looks at a dataset: what it says waits for a person."""

from collections.abc import Callable
from pathlib import Path

import pytest

from detector.cli import main
from detector.suggest import suggest_labels
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import confirming
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, RgbImage, Suggestion


def fill(root: Path, paint: Callable[..., RgbImage]) -> None:
    """One photo of each class in the colour the model knows it by, and one under a wrong label."""
    with PhotoStore(root) as store:
        for label in MASK_AGE.labels:
            store.add(paint(label, 40, 40), label)
        photo = Photo("nomask_young/wrong.jpg", "nomask_young")
        store.add_encoded(encode_jpeg(paint("mask_old", 40, 40)), photo)


def test_every_photo_gets_a_suggestion_and_keeps_its_label(
    tmp_path: Path,
    bundle: ModelBundle,
    paint: Callable[..., RgbImage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tmp_path / "data"
    fill(data, paint)
    (data / "mask_old" / "broken.jpg").write_bytes(b"no picture")
    assert main(["suggest", str(data), "--model", str(bundle.folder)]) == 0
    out = capsys.readouterr().out
    assert "5 photos looked at" in out
    assert "1 in nomask_young, taken for mask_old" in out
    assert "1 unreadable" in out
    photos = {photo.path: photo for photo in list_photos(data)}
    wrong = photos["nomask_young/wrong.jpg"]
    assert wrong.label == "nomask_young"
    assert wrong.suggestion is not None
    assert wrong.suggestion.label == "mask_old"
    assert 0.5 < wrong.suggestion.confidence <= 1
    assert [photo.path for photo in photos.values() if photo.is_disputed] == [wrong.path]
    assert photos["mask_old/broken.jpg"].suggestion is None
    assert {photo.label for photo in photos.values() if photo.suggestion} == set(MASK_AGE.labels)


def test_a_label_that_a_person_confirmed_is_counted_by_itself(
    tmp_path: Path,
    bundle: ModelBundle,
    paint: Callable[..., RgbImage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tmp_path / "data"
    fill(data, paint)
    with PhotoStore(data) as store:
        wrong = next(photo for photo in store.photos() if photo.path.endswith("wrong.jpg"))
        store.apply([confirming(wrong)])
        store.check({wrong.path: Suggestion("mask_young", 0.9)})
    assert main(["suggest", str(data), "--model", str(bundle.folder)]) == 0
    out = capsys.readouterr().out
    assert "     0 are taken for another class" in out
    assert "     1 more are, with a label that is confirmed by you" in out
    assert "5 photos looked at" in out
    (found,) = [photo for photo in list_photos(data) if photo.path == wrong.path]
    assert found.suggestion is not None
    assert found.suggestion.label == "mask_old"
    assert found.check == Suggestion("mask_young", 0.9)
    assert not found.is_disputed


def test_without_photos_the_way_out_is_named(tmp_path: Path, bundle: ModelBundle) -> None:
    with pytest.raises(DatasetError, match="No dataset"):
        suggest_labels(tmp_path / "none", bundle.folder)
    PhotoStore(tmp_path / "empty").close()
    with pytest.raises(DatasetError, match="no photo in it yet"):
        suggest_labels(tmp_path / "empty", bundle.folder)


def test_what_is_not_looked_at_is_named(
    tmp_path: Path,
    bundle: ModelBundle,
    paint: Callable[..., RgbImage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tmp_path / "data"
    fill(data, paint)
    jpeg = encode_jpeg(paint("mask_old", 40, 40))
    for name in (
        "mask_old/anna/a.jpg",
        "later/b.jpg",
        "mask_old/c.CR2",
        "mask_old/d.mov",
        "notes/e",
    ):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(jpeg if name.endswith("jpg") else b"x")
    (data / "mask_old" / "noext").write_bytes(jpeg)
    assert main(["suggest", str(data), "--model", str(bundle.folder)]) == 0
    printed = capsys.readouterr()
    assert "6 photos looked at" in printed.out
    assert "Left out 1: mask_old/anna/ (1 picture): a folder within" in printed.err
    assert "Left out 1: later/ (1 picture): none of mask_old" in printed.err
    assert "mask_old/c.CR2: CR2 is not read" in printed.err
    assert "mask_old/d.mov: a video" in printed.err
    assert "notes" not in printed.err
