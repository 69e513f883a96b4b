"""A disk that takes "Mask" and "mask" for one name: exFAT, as USB sticks and cards have it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maskage.classes.ready_made import plain_scheme
from maskage.classes.scheme import PhotoClass
from maskage.dataset.class_changes import add_class, rename_class
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.classes.classes_file import format_scheme
from tests.conftest import draw_noise
from tests.curation.build.test_swap_kills import exfat


def make(root: Path, *folders: str) -> Path:
    root.mkdir()
    (root / "classes.toml").write_text(format_scheme(plain_scheme(folders)))
    return root


@pytest.mark.slow
def test_twins_are_refused_and_one_of_them_can_be_renamed(tmp_path: Path) -> None:
    with exfat(tmp_path / "stick") as stick:
        root = make(stick / "data", "Mask", "mask", "other")
        for use in (PhotoStore, list_photos):
            with pytest.raises(DatasetError, match="'Mask' and 'mask' have one folder here"):
                use(root)
        rename_class(root, "mask", "nomask")
        with PhotoStore(root) as store:
            store.add(draw_noise(1), "nomask")
            assert store.counts() == {"Mask": 0, "nomask": 1, "other": 0}


@pytest.mark.slow
def test_the_case_of_a_name_changes_and_no_class_becomes_a_twin(tmp_path: Path) -> None:
    with exfat(tmp_path / "stick") as stick:
        root = make(stick / "data", "cat", "dog")
        with PhotoStore(root) as store:
            store.add(draw_noise(1), "cat", subject="p1")
        rename_class(root, "cat", "Cat")
        assert {"Cat", "dog"} < {path.name for path in root.iterdir()}
        assert [(photo.label, photo.subject) for photo in list_photos(root)] == [("Cat", "p1")]
        changes: list[Callable[[], object]] = [
            lambda: add_class(root, PhotoClass("DOG", "DOG", "#123456")),
            lambda: rename_class(root, "Cat", "DOG"),
        ]
        for change in changes:
            with pytest.raises(DatasetError, match="takes the folders 'dog' and 'DOG' for the"):
                change()
        assert [photo.label for photo in list_photos(root)] == ["Cat"]
