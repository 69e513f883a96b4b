from pathlib import Path, PurePosixPath

import pytest

from maskage.dataset.importing.sources.source_folders import (
    ClassFolders,
    find_class_folders,
    list_picture_names,
)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], ClassFolders((), 0)),
        (["a.jpg"], ClassFolders((), 0)),
        (["b/1.jpg", "a/1.jpg", "a/2.jpg"], ClassFolders(("a", "b"), 0)),
        (
            ["train/a/1.jpg", "val/a/2.jpg", "Test/b/3.jpg"],
            ClassFolders(("a", "b"), 1, "Test, train and val"),
        ),
        (["all/a/1.jpg", "all/b/2.jpg"], ClassFolders(("a", "b"), 1, "all")),
        (
            ["set/train/a/1.jpg", "set/train/b/2.jpg"],
            ClassFolders(("a", "b"), 2, "set/train"),
        ),
        # People within the classes are no classes, and neither is a folder of the only class.
        (["a/anna/1.jpg", "b/ben/2.jpg"], ClassFolders(("a", "b"), 0)),
        (["a/1.jpg", "a/blurred/2.jpg"], ClassFolders(("a",), 0)),
        # Split folders that hold pictures themselves are all that there is.
        (["train/1.jpg", "test/2.jpg"], ClassFolders(("test", "train"), 0)),
        # A class that is named like a split, beside another.
        (["train/x/1.jpg", "bus/x/2.jpg"], ClassFolders(("bus", "train"), 0)),
    ],
)
def test_the_class_folders_of_a_tree(names: list[str], found: ClassFolders) -> None:
    assert find_class_folders([PurePosixPath(name) for name in names]) == found


def test_only_visible_pictures_count(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.txt", ".trash/a/3.jpg", "b/.4.jpg", "b/5.PNG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "c.jpg").mkdir()
    assert [name.as_posix() for name in list_picture_names(tmp_path)] == ["a/1.jpg", "b/5.PNG"]
