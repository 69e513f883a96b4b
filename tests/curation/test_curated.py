import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.errors import DatasetError
from collector.images import encode_jpeg
from collector.records import LABELS, Label
from curation.cli import main
from curation.curated import SPLITS, read_curated, read_four_folders
from tests.conftest import draw_noise


def make_splits(root: Path) -> Path:
    for split in SPLITS:
        for label in LABELS:
            (root / split / label).mkdir(parents=True)
            for name in ("b.jpg", "a.png", "notes.txt", ".hidden.jpg"):
                (root / split / label / name).write_bytes(encode_jpeg(draw_noise(1, 16)))
    return root


def test_folders_without_a_plan_are_read_with_their_paths_as_groups(tmp_path: Path) -> None:
    curated = read_curated(make_splits(tmp_path / "c"))
    photos = curated.photos("val")
    assert [photo.path.name for photo in photos] == ["a.png", "b.jpg"] * 4
    assert [photo.label for photo in photos] == [label for label in LABELS for _ in range(2)]
    assert all(photo.path.is_absolute() for photo in photos)
    assert photos[0].group == str(photos[0].path)
    assert photos[0].parent is None


def test_groups_come_from_the_plan(four_folders: Callable[..., Path], tmp_path: Path) -> None:
    source = four_folders(12)
    shutil.copy(source / "mask_old" / "mask_old_001.jpg", source / "mask_old" / "twin.jpg")
    assert main([str(source), "--out", str(tmp_path / "c")]) == 0
    curated = read_curated(tmp_path / "c")
    photos = {p.path.name: p for split in SPLITS for p in curated.photos(split)}
    assert len(photos) == 49
    assert photos["twin.jpg"].group == photos["mask_old_001.jpg"].group
    assert photos["twin.jpg"].group != photos["mask_old_002.jpg"].group


def test_a_missing_split_or_class_is_named(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    shutil.rmtree(root / "test" / "mask_young")
    with pytest.raises(DatasetError, match="mask_young: no such folder"):
        read_curated(root)
    (root / "test" / "mask_young").mkdir()
    with pytest.raises(DatasetError, match="mask_young: no pictures"):
        read_curated(root)
    shutil.rmtree(root / "val")
    with pytest.raises(DatasetError, match="no val folder"):
        read_curated(root)
    with pytest.raises(DatasetError, match="curate DATA"):
        read_curated(tmp_path / "none")


def test_a_damaged_plan_is_refused(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    (root / "plan.csv").write_text("path,label\na,b\n")
    with pytest.raises(DatasetError, match="curate again"):
        read_curated(root)


def test_four_folders_are_one_set(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    photos = read_four_folders(root / "train")
    assert len(photos) == 8
    assert photos[0].label == Label.MASK_OLD
    with pytest.raises(DatasetError, match="mask_old"):
        read_four_folders(root)
