"""A disk that is full of what is in the trash: what makes room there must not need any."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise
from tests.maskage.dataset.saving_checks import run_collector, small_disk
from tests.read_only import read_only

PHOTOS = 12


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Yield a dataset of one person, all in the trash but two, on a disk without a free byte."""
    try:
        with small_disk(tmp_path / "disk", 4) as disk:
            root = disk / "data"
            fill(root)
            with (disk / "film.mp4").open("wb", buffering=0) as film, suppress(OSError):
                while film.write(bytes(4096)):
                    pass
            yield root
    except PermissionError as fault:
        pytest.skip(f"may not mount a disk here: {fault}")


def fill(root: Path) -> None:
    with PhotoStore(root) as store:
        photos = [
            store.add_encoded(
                encode_jpeg(draw_noise(number)),
                Photo(f"mask_old/{number:02}.jpg", "mask_old", subject="bob"),
                f"{number:064x}",
            )
            for number in range(PHOTOS)
        ]
        store.apply([trashing(photo) for photo in photos[2:]])


def test_the_trash_is_listed_and_emptied(full: Path) -> None:
    listed = run_collector("trash", str(full), "--json")
    assert len(json.loads(listed.stdout)["trash"]) == PHOTOS - 2, listed.stderr
    emptied = run_collector("trash", str(full), "--empty", "--yes")
    assert (emptied.returncode, emptied.stderr) == (0, "")
    assert emptied.stdout.startswith(f"{PHOTOS - 2} photos deleted for good")
    assert not list((full / ".trash" / "mask_old").iterdir())
    # What `forget` needs of a person stays, and nothing else.
    assert all(photo.box is None for photo in read_rows(full).removed.values())
    assert len(read_rows(full).present) == 2
    assert run_collector("trash", str(full)).stdout.splitlines()[0].endswith("0 photos in trash")


def test_a_person_is_forgotten(full: Path) -> None:
    forgotten = run_collector("forget", "bob", str(full), "--yes")
    assert forgotten.returncode == 0, forgotten.stderr
    assert "bob is forgotten" in forgotten.stdout
    assert not list((full / ".trash" / "mask_old").iterdir())
    assert not list((full / "mask_old").iterdir())
    rows = read_rows(full)
    assert not rows.present
    assert not rows.removed


def test_the_trash_is_listed_where_nothing_can_be_written(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    with read_only(tmp_path / "data") as view:
        listed = run_collector("trash", str(view))
    assert listed.returncode == 0, listed.stderr
    assert f"{PHOTOS - 2} photos in trash: {PHOTOS - 2} mask_old" in listed.stdout
