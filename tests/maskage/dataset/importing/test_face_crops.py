from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskage.dataset.importing.face_crops import FaceCutter, scale_box
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.importing.importer import import_pictures
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import crop_face
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.images import read_image
from maskage.records import FaceBox
from tests.maskage.dataset.importing.bright_faces import BrightFinder, draw_faces

LARGE, MIDDLE, SMALL = (
    FaceBox(20, 20, 100, 100),
    FaceBox(200, 40, 60, 60),
    FaceBox(320, 200, 20, 20),
)


def import_faces(
    root: Path,
    pictures: Sequence[Path],
    *,
    takes_all: bool = False,
    label: str = "mask_old",
    subject: str | None = None,
) -> ImportReport:
    listed = [SourcePicture(path, path.name, label, PhotoMetadata()) for path in pictures]
    faces = FaceCutter(BrightFinder(), takes_all=takes_all)
    with PhotoStore(root) as store:
        *_, report = import_pictures(store, listed, subject=subject, faces=faces)
    return report


def draw_file(path: Path, *boxes: FaceBox, seed: int = 0) -> Path:
    Image.fromarray(draw_faces(*boxes, seed=seed)).save(path)
    return path


def test_the_faces_that_were_not_taken_are_counted_with_their_picture(tmp_path: Path) -> None:
    team = draw_file(tmp_path / "team.png", LARGE, MIDDLE, SMALL)
    alone = draw_file(tmp_path / "alone.png", LARGE, seed=1)
    empty = draw_file(tmp_path / "empty.png")
    report = import_faces(tmp_path / "data", [team, alone, empty])
    assert report.several_faces == {"team.png": 3}
    assert (report.faceless, report.faceless_names) == (1, ["empty.png"])
    assert report.saved["mask_old"] == 2
    photos = {photo.source: photo for photo in list_photos(tmp_path / "data")}
    assert photos["team.png"].box == LARGE
    assert photos["team.png"].group is not None
    assert photos["alone.png"].group is None


def test_all_faces_are_taken_as_one_group_and_the_too_small_are_counted(tmp_path: Path) -> None:
    team = draw_file(tmp_path / "team.png", LARGE, MIDDLE, SMALL)
    report = import_faces(tmp_path / "data", [team], takes_all=True, subject="p01")
    assert report.several_faces == {}
    assert report.small_faces == {"team.png": 1}
    photos = list_photos(tmp_path / "data")
    assert [photo.path for photo in photos] == ["mask_old/team.jpg", "mask_old/team_face2.jpg"]
    assert [photo.box for photo in photos] == [LARGE, MIDDLE]
    assert len({photo.group for photo in photos}) == 1
    # The other face is another person.
    assert [photo.subject for photo in photos] == ["p01", None]


def test_the_other_choice_adds_only_the_faces_that_are_new(tmp_path: Path) -> None:
    team, data = draw_file(tmp_path / "team.png", LARGE, MIDDLE), tmp_path / "data"
    assert import_faces(data, [team]).saved["mask_old"] == 1
    second = import_faces(data, [team], takes_all=True)
    assert (second.saved["mask_old"], second.duplicates) == (1, 1)
    third = import_faces(data, [team], takes_all=True)
    assert (third.saved["mask_old"], third.duplicates) == (0, 2)
    last = import_faces(data, [team])
    assert (last.saved["mask_old"], last.duplicates, last.several_faces) == (0, 1, {})
    assert len({photo.group for photo in list_photos(data)}) == 1


def test_a_face_that_is_known_under_another_label_is_a_conflict(tmp_path: Path) -> None:
    team, data = draw_file(tmp_path / "team.png", LARGE, MIDDLE), tmp_path / "data"
    import_faces(data, [team], takes_all=True)
    report = import_faces(data, [team], takes_all=True, label="nomask_old")
    assert report.conflicts == ["team.png: here nomask_old, there mask_old"] * 2
    assert report.saved["nomask_old"] == 0


def test_a_single_face_is_taken_however_small_it_is(tmp_path: Path) -> None:
    far = draw_file(tmp_path / "far.png", SMALL)
    assert import_faces(tmp_path / "data", [far], takes_all=True).saved["mask_old"] == 1


def test_crops_show_the_faces_that_they_are_named_after(tmp_path: Path) -> None:
    team, data = draw_file(tmp_path / "team.png", LARGE, MIDDLE), tmp_path / "data"
    import_faces(data, [team], takes_all=True)
    whole = read_image(team)
    for photo in list_photos(data):
        assert photo.box is not None
        saved = read_image(data / photo.path).astype(int)
        assert np.abs(saved - crop_face(whole, photo.box)).mean() < 3


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), FaceBox(20, 20, 100, 100)), ((200, 150), FaceBox(10, 10, 50, 50))],
)
def test_a_box_follows_a_picture_that_was_decoded_smaller(
    size: tuple[int, int], expected: FaceBox
) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    assert scale_box(LARGE, (400, 300), pixels) == expected
