import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.curated.curated_set import (
    SPLITS,
    digest_set,
    list_left_out,
    read_class_folders,
    read_contents,
    read_curated,
    require_all_read,
)
from maskage.formats.curated.curation_file import find_origin
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise


def make_splits(root: Path) -> Path:
    for split in SPLITS:
        for label in MASK_AGE.labels:
            (root / split / label).mkdir(parents=True)
            for name in ("b.jpg", "a.png", "notes.txt", ".hidden.jpg"):
                (root / split / label / name).write_bytes(encode_jpeg(draw_noise(1, 16)))
    return root


def test_folders_without_a_plan_are_read_with_their_paths_as_groups(tmp_path: Path) -> None:
    curated = read_curated(make_splits(tmp_path / "c"))
    photos = curated.photos("val")
    assert [photo.path.name for photo in photos] == ["a.png", "b.jpg"] * 4
    assert [photo.label for photo in photos] == [
        label for label in MASK_AGE.labels for _ in range(2)
    ]
    assert all(photo.path.is_absolute() for photo in photos)
    assert photos[0].group == str(photos[0].path)
    assert photos[0].parent is None


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_a_plan_names_every_file_and_its_page_the_dataset(
    four_folders: Callable[..., Path], tmp_path: Path
) -> None:
    source = four_folders(12, os.fsdecode(b"d\xe4ta"))
    out = tmp_path / os.fsdecode(b"c\xfcrated")
    assert main([str(source), "--out", str(out)]) == 0
    assert find_origin(out).dataset == source.resolve()
    # As another program may have put it there: the plan's own escape of a name.
    name = os.fsdecode(b"f\xfcr.jpg")
    photo = next((out / "train" / "mask_old").iterdir())
    plan = (out / "plan.csv").read_text(encoding="utf-8")
    (out / "plan.csv").write_text(plan.replace(f"/{photo.name}", "/f\\xfcr.jpg"), encoding="utf-8")
    photo.rename(photo.with_name(name))
    groups = {each.path.name: each.group for each in read_curated(out).photos("train")}
    assert groups[name] != str(photo.with_name(name))
    assert f"train/mask_old/{name}" in {row.place for row in read_contents(out).rows}
    assert main([str(source), "--out", str(out)]) == 0


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
    with pytest.raises(DatasetError, match="Curate again"):
        read_curated(root)


def test_four_folders_are_one_set(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    photos = read_class_folders(root / "train", MASK_AGE.labels)
    assert len(photos) == 8
    assert photos[0].label == "mask_old"
    with pytest.raises(DatasetError, match="mask_old"):
        read_class_folders(root, MASK_AGE.labels)


def test_what_no_training_reads_is_listed_with_its_reason(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    assert {each.path.rpartition("/")[2] for each in list_left_out(root, MASK_AGE.labels)} == {
        "notes.txt",
        ".hidden.jpg",
    }
    for path in (*root.glob("*/*/notes.txt"), *root.glob("*/*/.hidden.jpg")):
        path.unlink()
    assert list_left_out(root, MASK_AGE.labels) == ()
    jpeg = (root / "train" / "mask_old" / "b.jpg").read_bytes()
    for name in ("train/mask_old/c.CR2", "train/mask_olf/d.jpg", "val/mask_old/s/e.jpg", "f.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(jpeg)
    assert [(each.path, each.pictures) for each in list_left_out(root, MASK_AGE.labels)] == [
        ("f.jpg", 0),
        ("train/mask_olf/", 1),
        ("train/mask_old/c.CR2", 0),
        ("val/mask_old/s/", 1),
    ]
    assert [each.path for each in list_left_out(root, MASK_AGE.labels, "val")] == [
        "val/mask_old/s/"
    ]
    assert [each.path for each in list_left_out(root / "train", MASK_AGE.labels)] == [
        "mask_olf/",
        "mask_old/c.CR2",
    ]


def test_folders_of_pictures_that_are_no_class_are_not_passed_over(tmp_path: Path) -> None:
    root = make_splits(tmp_path / "c")
    shutil.copytree(root / "train" / "mask_old", root / "older" / "mask_old")
    require_all_read(root, list_left_out(root, MASK_AGE.labels), "trained on", MASK_AGE.labels)
    shutil.copytree(root / "train" / "mask_old", root / "train" / "mask_olf")
    with pytest.raises(DatasetError, match=r"2 pictures are not trained on.*train/mask_olf/"):
        require_all_read(root, list_left_out(root, MASK_AGE.labels), "trained on", MASK_AGE.labels)
    with pytest.raises(DatasetError, match=r"2 pictures are not measured.*: mask_olf/"):
        require_all_read(
            root / "train",
            list_left_out(root / "train", MASK_AGE.labels),
            "measured",
            MASK_AGE.labels,
        )


def test_a_set_with_pictures_of_any_name_has_one_digest_for_training_and_for_a_search(
    tmp_path: Path,
) -> None:
    for split in SPLITS:
        for number, label in enumerate(MASK_AGE.labels):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            Image.fromarray(draw_noise(number)).save(folder / "noext", "PNG")
            Image.fromarray(draw_noise(number + 9)).save(folder / "b.gif")
            (folder / "letter").write_text("Dear")
            (folder / "@eaDir" / "b.gif").mkdir(parents=True)
            Image.fromarray(draw_noise(9)).save(folder / "@eaDir" / "b.gif" / "M.jpg")
    curated = read_curated(tmp_path)
    names = [photo.path.name for photo in curated.photos("train")]
    assert names == ["b.gif", "noext"] * 4
    files = {
        photo.path.relative_to(tmp_path).as_posix(): hashlib.sha256(photo.path.read_bytes())
        for split in SPLITS
        for photo in curated.photos(split)
    }
    digests = {place: found.hexdigest() for place, found in files.items()}
    assert read_contents(tmp_path).digest == digest_set(digests, MASK_AGE.labels)
    (tmp_path / "train" / "mask_old" / "noext").write_bytes(b"\xff\xd8\xff")
    assert read_contents(tmp_path).digest != digest_set(digests, MASK_AGE.labels)
    left_out = {each.path for each in list_left_out(tmp_path, MASK_AGE.labels)}
    assert left_out == {f"{split}/{label}/letter" for split in SPLITS for label in MASK_AGE.labels}


@pytest.mark.usefixtures("heeded_permissions")
def test_a_folder_that_cannot_be_listed_is_an_error_and_no_absence(tmp_path: Path) -> None:
    root = make_splits(tmp_path)
    locked = root / "train" / "mask_old" / "locked"
    locked.mkdir(mode=0)
    left_out = list_left_out(root, MASK_AGE.labels)
    assert [each.path for each in left_out if each.is_loss] == ["train/mask_old/locked/"]
    with pytest.raises(DatasetError, match="cannot be listed: train/mask_old/locked/"):
        require_all_read(root, left_out, "trained on", MASK_AGE.labels)
    locked.rmdir()
    (root / "val" / "mask_old").chmod(0)
    try:
        with pytest.raises(EnvironmentProblemError, match="Check who may read the folder"):
            read_curated(root)
    finally:
        (root / "val" / "mask_old").chmod(0o700)
