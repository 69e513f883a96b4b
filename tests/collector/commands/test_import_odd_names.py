"""Imports of names that a disk or an old zip file brings along."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.pictures.images import encode_jpeg
from maskage.system.files import LONGEST_NAME
from tests.conftest import draw_noise


@pytest.mark.parametrize(
    "name",
    [b"b" * 246 + b".jpg", b"b" * 251 + b".jpg", "ä".encode() * 125 + b".jpg", b"caf\xe9.jpg",
     b"new\nline.jpg", b"-dash.jpg", b" blank .jpg"],
    ids=ascii,
)  # fmt: skip
def test_a_photo_of_an_odd_name_is_imported_once(
    tmp_path: Path, four_folders: Callable[..., Path], name: bytes
) -> None:
    source = four_folders()
    (source / "mask_old" / os.fsdecode(name)).write_bytes(encode_jpeg(draw_noise(77)))
    count = len(list(source.rglob("*.jpg")))
    data = tmp_path / "imported"
    assert main(["import", str(source), str(data)]) == 0
    photos = list_photos(data)
    assert len(photos) == count
    assert all(len(os.fsencode(Path(photo.path).name)) <= LONGEST_NAME for photo in photos)
    main(["import", str(source), str(data)])
    assert len(list_photos(data)) == count
    assert not list(data.rglob(".saving-*"))


def test_two_names_that_differ_in_capitals_only_are_two_photos(
    tmp_path: Path, four_folders: Callable[..., Path]
) -> None:
    source = four_folders()
    for number, name in enumerate(("A.jpg", "a.jpg")):
        (source / "mask_old" / name).write_bytes(encode_jpeg(draw_noise(90 + number)))
    count = len(list(source.rglob("*.jpg")))
    assert main(["import", str(source), str(tmp_path / "imported")]) == 0
    assert len(list_photos(tmp_path / "imported")) == count
