"""A disk that takes "Mask" and "mask" for one name: exFAT, as USB sticks and cards have it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskage.classes.ready_made import plain_scheme
from maskage.classes.scheme import PhotoClass
from maskage.dataset.class_changes import add_class, rename_class
from maskage.dataset.store import PhotoStore, list_photos
from maskage.errors import DatasetError
from maskage.formats.classes_file import format_scheme
from tests.conftest import draw_noise

PROGRAMS = ("mkfs.exfat", "mount.exfat-fuse", "losetup", "umount")


@pytest.fixture
def exfat(tmp_path: Path) -> Iterator[Path]:
    """A small disk in exFAT; skips where none can be made."""
    if os.geteuid() or not all(map(shutil.which, PROGRAMS)):
        pytest.skip(f"needs root and {', '.join(PROGRAMS)}")
    image, place = tmp_path / "disk", tmp_path / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)

    def run(*words: object) -> str:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{words[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    run("mkfs.exfat", image)
    device = run("losetup", "-f", "--show", image)
    try:
        run("mount.exfat-fuse", device, place)
        try:
            yield place
        finally:
            run("umount", place)
    finally:
        run("losetup", "-d", device)


def make(root: Path, *folders: str) -> Path:
    root.mkdir()
    (root / "classes.toml").write_text(format_scheme(plain_scheme(folders)))
    return root


def test_twins_are_refused_and_one_of_them_can_be_renamed(exfat: Path) -> None:
    root = make(exfat / "data", "Mask", "mask", "other")
    for use in (PhotoStore, list_photos):
        with pytest.raises(DatasetError, match="'Mask' and 'mask' have one folder here"):
            use(root)
    rename_class(root, "mask", "nomask")
    with PhotoStore(root) as store:
        store.add(draw_noise(1), "nomask")
        assert store.counts() == {"Mask": 0, "nomask": 1, "other": 0}


def test_the_case_of_a_name_changes_and_no_class_becomes_a_twin(exfat: Path) -> None:
    root = make(exfat / "data", "cat", "dog")
    with PhotoStore(root) as store:
        store.add(draw_noise(1), "cat", subject="p1")
    rename_class(root, "cat", "Cat")
    assert {"Cat", "dog"} < {path.name for path in root.iterdir()}
    assert [(photo.label, photo.subject) for photo in list_photos(root)] == [("Cat", "p1")]
    with pytest.raises(DatasetError, match="takes the folders 'dog' and 'DOG' for the same"):
        add_class(root, PhotoClass("DOG", "DOG", "#123456"))
    with pytest.raises(DatasetError, match="takes the folders 'dog' and 'DOG' for the same"):
        rename_class(root, "Cat", "DOG")
    assert [photo.label for photo in list_photos(root)] == ["Cat"]
