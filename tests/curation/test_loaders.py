"""A curated set is read as it is by the usual loaders: every photo, upright, in its colours.

Keras and Hugging Face datasets are installed for the tests. torchvision weighs 800 MB, so it is
tried where MASKAGE_LOADERS_PYTHON names a Python that has all three.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.cli import main
from maskage.formats.curated.curated_set import SPLITS, list_files, read_contents, read_curated
from maskage.formats.curated.plan_file import PlanRow, read_plan
from maskage.pictures.bare_pictures import strip_picture
from maskage.pictures.images import read_image
from tests.conftest import make_once
from tests.curation.load_set import shrink
from tests.curation.loaders import load_with
from tests.curation.odd_pictures import AS_THEY_ARE, CHANGED, fill_with_odd_pictures

MOST_OFF = 4
"""Grey levels by which decoders, and a second JPEG of quality 95, differ at 8x8."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(root: Path) -> None:
        fill_with_odd_pictures(root / "data")
        assert main([str(root / "data"), "--out", str(root / "curated")]) == 0

    return make_once(tmp_path_factory, "odd", make)


def rows_by_place(project: Path) -> dict[str, PlanRow]:
    return {row.place: row for row in read_plan(project / "curated") if row.is_kept}


def expected_of(project: Path) -> dict[str, list[int]]:
    """What each file of the set has to show: its photo as this toolchain reads it, 8x8."""
    return {
        place: shrink(Image.fromarray(read_image(project / "data" / row.path)))
        for place, row in rows_by_place(project).items()
    }


def test_every_photo_is_in_the_set_and_shows_what_it_showed(project: Path) -> None:
    curated, rows = project / "curated", rows_by_place(project)
    assert sorted(list_files(curated)) == sorted(rows)
    assert {row.path for row in rows.values()} == {
        path.relative_to(project / "data").as_posix() for path in (project / "data").glob("*/*")
    }
    for place, row in rows.items():
        copy, photo = read_image(curated / place), read_image(project / "data" / row.path)
        assert np.abs(copy.astype(int) - photo).mean() < 3, place
    read = read_curated(curated)
    assert {p.path for split in SPLITS for p in read.photos(split)} == {curated / p for p in rows}
    assert read.curation is not None
    assert read.curation.dataset_digest == read_contents(curated).digest
    groups = {p.path.relative_to(curated).as_posix(): p.group for p in read.photos("train")}
    assert all(groups[place] == rows[place].group for place in groups)


def test_only_what_needs_it_is_changed_and_the_plan_says_how(project: Path) -> None:
    for place, row in rows_by_place(project).items():
        name = Path(row.path).name
        photo, copy = project / "data" / row.path, project / "curated" / place
        assert bool(row.change) == bool(row.written) == (name in CHANGED), name
        if name in AS_THEY_ARE and photo.suffix != ".bmp":
            assert copy.read_bytes() == photo.read_bytes(), name
        if row.change.startswith("named as"):
            # Of a phone's two pictures the first stays.
            assert copy.read_bytes() == strip_picture(photo.read_bytes()), name
    changes = {Path(row.path).name: (Path(row.written).name, row.change)
               for row in rows_by_place(project).values()}  # fmt: skip
    assert changes["same.webp"] == ("same__webp1.jpg", "WebP to JPEG")
    assert changes["exact.webp"] == ("exact.png", "WebP to PNG")
    assert {changes["scan.tif"], changes["scan.tiff"]} == {
        ("scan.png", "TIFF to PNG"), ("scan.jpg", "TIFF to JPEG"),
    }  # fmt: skip
    assert changes["turned6.jpg"] == ("turned6.jpg", "turned upright")
    assert changes["print.jpg"] == ("print.jpg", "CMYK to RGB")
    assert changes["named.jfif"][1] == "named as the JPEG that it is"
    # `named.jpe` comes first and takes `named.jpg`.
    assert {changes["named.jpe"][0], changes["named.jfif"][0]} == {
        "named.jpg", "named__jpe1.jpg",
    }  # fmt: skip


@pytest.mark.parametrize("words", [["--split", "random"], ["--no-test"], ["--balance", "drop"]])
def test_every_way_to_split_writes_them_alike(
    project: Path, tmp_path: Path, words: list[str]
) -> None:
    assert main([str(project / "data"), "--out", str(tmp_path / "out"), *words]) == 0
    kept = [row for row in read_plan(tmp_path / "out") if row.is_kept]
    assert sorted(list_files(tmp_path / "out")) == sorted(row.place for row in kept)
    before = {row.path: row.written for row in rows_by_place(project).values()}
    assert {row.path: row.written for row in kept}.items() <= before.items()


def test_keras_reads_every_photo_as_it_is(project: Path) -> None:
    import keras

    expected = expected_of(project)
    for split in SPLITS:
        loaded = keras.utils.image_dataset_from_directory(
            str(project / "curated" / split),
            image_size=(96, 96),
            batch_size=None,
            shuffle=False,
            verbose=False,
        )
        places = [
            Path(path).relative_to(project / "curated").as_posix() for path in loaded.file_paths
        ]
        assert sorted(places) == sorted(place for place in expected if place.startswith(split))
        for place, (pixels, label) in zip(places, loaded.as_numpy_iterator(), strict=True):
            assert loaded.class_names[label] == place.split("/")[1]
            shown = shrink(Image.fromarray(pixels.round().astype(np.uint8)))
            assert np.abs(np.subtract(shown, expected[place])).max() <= MOST_OFF, place


@pytest.mark.slow
@pytest.mark.parametrize("library", ["datasets", "torchvision"])
def test_other_loaders_read_every_photo_as_it_is(
    project: Path, tmp_path: Path, library: str
) -> None:
    script = Path(__file__).with_name("load_set.py")
    photos = load_with(library, script, project / "curated", tmp_path)
    expected = expected_of(project)
    assert sorted(photos) == sorted(expected)
    for place, (split, label, shown) in photos.items():
        assert [split, label] == place.split("/")[:2], place
        assert np.abs(np.subtract(shown, expected[place])).max() <= MOST_OFF, place
