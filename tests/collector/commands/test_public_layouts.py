"""Ten layouts in which people publish faces, each imported as it is downloaded."""

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise
from tests.maskage.dataset.importing.annotations.annotated import (
    put_json,
    put_picture,
    put_text,
    voc_xml,
)

Capture = pytest.CaptureFixture[str]
TO_MASK = "with_mask=mask,without_mask=nomask"


def put(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number)))
    return root


def bring_in(capsys: Capture, source: Path, data: Path, *more: str) -> tuple[list[Photo], Any]:
    """Make a dataset of mask and nomask, import into it, and return its photos and the report."""
    assert main(["init", str(data), "--classes", "mask"]) == 0
    capsys.readouterr()
    assert main(["import", str(source), str(data), "--json", *more]) == 0
    return list_photos(data), json.loads(capsys.readouterr().out)


def labels(photos: list[Photo]) -> Counter[str]:
    return Counter(photo.label for photo in photos)


def test_masked_face_net_in_shards(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "MaskedFace-Net", *(
        f"{top}/{shard:05d}/{shard + n:05d}_{mark}.jpg"
        for top, mark in (("CMFD", "Mask"), ("IMFD", "Mask_Chin"))
        for shard in (0, 1000, 2000) for n in range(2)
    ))  # fmt: skip
    photos, _ = bring_in(capsys, source, tmp_path / "data", "--map", "CMFD=mask,IMFD=nomask")
    assert labels(photos) == {"mask": 6, "nomask": 6}
    # A shard is no person.
    assert {photo.subject for photo in photos} == {None}


def test_rmfd_with_a_folder_for_each_person(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "RMFD", *(
        f"{top}/{who}/{n}_0_000{n}.jpg"
        for top in ("AFDB_masked_face_dataset", "AFDB_face_dataset")
        for who in ("aidai", "baibaihe", "chenglong", "dengchao") for n in range(2)
    ))  # fmt: skip
    classes = "AFDB_masked_face_dataset=mask,AFDB_face_dataset=nomask"
    photos, found = bring_in(capsys, source, tmp_path / "data", "--map", classes)
    assert labels(photos) == {"mask": 8, "nomask": 8}
    assert found["subjects"] == ["aidai", "baibaihe", "chenglong", "dengchao"]


def test_kaggles_face_masks_in_pascal_voc(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "archive"
    for number in range(3):
        name = f"maksssksksss{number}"
        put_picture(source / "images" / f"{name}.png", seed=number, size=(120, 90))
        boxes = [("with_mask", (5, 5, 45, 45)), ("without_mask", (60, 30, 100, 75)),
                 ("mask_weared_incorrect", (50, 5, 80, 30))]  # fmt: skip
        text = voc_xml(f"{name}.png", *boxes, size=(120, 90))
        put_text(source / "annotations" / f"{name}.xml", text)
    folder_map = f"{TO_MASK},mask_weared_incorrect="
    photos, found = bring_in(capsys, source, tmp_path / "data", "--map", folder_map)
    assert labels(photos) == {"mask": 3, "nomask": 3}
    assert all(photo.box is not None for photo in photos)
    # The faces of one picture are one group.
    assert len({photo.group for photo in photos}) == 3
    assert len(found["left_out"]) == 3
    code = main(["import", str(source), str(tmp_path / "data"), "--map", folder_map, "--json"])
    again = json.loads(capsys.readouterr().out)
    assert (code, again["photos"], again["duplicates"]) == (0, 0, 6)


def test_roboflows_yolo_in_three_splits(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "Mask Wearing.v4-raw.yolov8"
    put_text(source / "data.yaml", "train: ../train/images\nnc: 2\nnames: ['mask', 'no-mask']\n")
    put_text(source / "README.roboflow.txt", "exported\n")
    for number, split in enumerate(("train", "valid", "test")):
        stem = f"{number}_jpg.rf.0a1b{number}"
        put_picture(source / split / "images" / f"{stem}.jpg", seed=number, size=(120, 90))
        put_text(
            source / split / "labels" / f"{stem}.txt", "0 0.3 0.4 0.3 0.4\n1 0.7 0.5 0.3 0.4\n"
        )
    photos, found = bring_in(capsys, source, tmp_path / "data", "--map", "no-mask=nomask")
    assert labels(photos) == {"mask": 3, "nomask": 3}
    assert found["origins"] == {"test": 2, "train": 2, "val": 2}
    assert [each["path"] for each in found["left_out"]] == ["README.roboflow.txt"]


def test_ffhq_in_shards_with_one_label(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "images1024x1024", *(
        f"{shard:05d}/{shard + n:05d}.png" for shard in (0, 1000) for n in range(3)
    ))  # fmt: skip
    put_text(source / "LICENSE.txt", "text")
    photos, found = bring_in(capsys, source, tmp_path / "data", "--label", "nomask")
    assert labels(photos) == {"nomask": 6}
    assert {photo.subject for photo in photos} == {None}
    assert [each["path"] for each in found["left_out"]] == ["LICENSE.txt"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_hugging_faces_folder_with_its_table(tmp_path: Path, capsys: Capture, form: str) -> None:
    source = put(tmp_path / "repo", "train/0001.png", "train/0002.png", "test/0003.png")
    put_text(source / ".gitattributes", "text")
    for split, rows in (
        ("train", [("0001.png", "mask", "p1"), ("0002.png", "nomask", "p2")]),
        ("test", [("0003.png", "mask", "p3")]),
    ):
        text = io.StringIO()
        if form == "csv":
            csv.writer(text).writerows([("file_name", "label", "subject"), *rows])
        else:
            for name, label, subject in rows:
                row = {"file_name": name, "label": label, "subject": subject}
                text.write(json.dumps(row) + "\n")
        put_text(source / split / f"metadata.{form}", text.getvalue())
    photos, found = bring_in(capsys, source, tmp_path / "data")
    facts = {photo.source: (photo.label, photo.subject, photo.origin) for photo in photos}
    assert facts == {
        "train/0001.png": ("mask", "p1", "train"),
        "train/0002.png": ("nomask", "p2", "train"),
        "test/0003.png": ("mask", "p3", "test"),
    }
    assert [each["path"] for each in found["left_out"]] == [".gitattributes"]


def test_coco_as_it_is_exported(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "coco"
    put_picture(source / "val2017" / "1.jpg", size=(120, 90))
    put_json(
        source / "annotations" / "instances_val2017.json",
        {
            "images": [{"id": 7, "file_name": "1.jpg", "width": 120, "height": 90}],
            "categories": [{"id": 1, "name": "with_mask"}, {"id": 2, "name": "without_mask"}],
            "annotations": [
                {"id": 1, "image_id": 7, "category_id": 1, "bbox": [5, 5, 40, 40], "iscrowd": 0},
                {"id": 2, "image_id": 7, "category_id": 2, "bbox": [60.5, 20, 40, 40]},
            ],
        },
    )
    photos, _ = bring_in(capsys, source, tmp_path / "data", "--map", TO_MASK)
    assert labels(photos) == {"mask": 1, "nomask": 1}


def test_label_studios_export_of_choices(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "project", "images/1a2b3c4d-anna.jpg", "images/5e6f7a8b-ben.jpg")
    tasks = [
        {
            "id": number,
            "data": {"image": f"/data/upload/1/{name}"},
            "annotations": [
                {
                    "result": [
                        {"type": "choices", "from_name": "c", "to_name": "image",
                         "value": {"choices": [label]}}
                    ]
                }
            ],
        }
        for number, (name, label) in enumerate(
            (("1a2b3c4d-anna.jpg", "mask"), ("5e6f7a8b-ben.jpg", "nomask"))
        )
    ]  # fmt: skip
    put_json(source / "project-1-at-2026-01-02.json", tasks)
    photos, found = bring_in(capsys, source, tmp_path / "data")
    assert {photo.source: photo.label for photo in photos} == {
        "images/1a2b3c4d-anna.jpg": "mask",
        "images/5e6f7a8b-ben.jpg": "nomask",
    }
    assert found["left_out"] == []


def test_cvats_archive(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "cvat"
    put_picture(folder / "images" / "1.jpg", size=(120, 90))
    put_text(
        folder / "annotations.xml",
        '<annotations><version>1.1</version><image id="0" name="1.jpg" width="120" height="90">'
        '<box label="with_mask" xtl="5" ytl="5" xbr="45" ybr="45" occluded="0"></box>'
        "</image></annotations>",
    )
    archive = tmp_path / "task_1.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*.*"):
            packed.write(path, path.relative_to(folder))
    photos, _ = bring_in(capsys, archive, tmp_path / "data", "--map", TO_MASK)
    assert [(photo.label, photo.source) for photo in photos] == [("mask", "images/1.jpg")]


def test_a_share_of_a_synology_nas(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "photo", *(
        f"{label}/{name}"
        for label in ("mask", "nomask")
        for name in ("IMG_0001.JPG", "IMG_0002.jpg", "@eaDir/IMG_0001.JPG/SYNOPHOTO_THUMB_XL.jpg",
                     "@eaDir/IMG_0001.JPG/SYNOPHOTO_THUMB_SM.jpg", "._IMG_0001.JPG", "Thumbs.db")
    ), "#recycle/mask/IMG_0009.jpg")  # fmt: skip
    photos, found = bring_in(capsys, source, tmp_path / "data")
    assert labels(photos) == {"mask": 2, "nomask": 2}
    assert found["system_files"] == 7
    assert len(found["left_out"]) == 7


def test_label_folders_with_a_person_above(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "set", *(
        f"subject_{who:02d}/{label}/{n}.jpg"
        for who in range(4) for label in ("with_mask", "without_mask") for n in range(2)
    ))  # fmt: skip
    photos, found = bring_in(capsys, source, tmp_path / "data", "--map", TO_MASK)
    assert labels(photos) == {"mask": 8, "nomask": 8}
    assert found["subjects"] == [f"subject_{who:02d}" for who in range(4)]
