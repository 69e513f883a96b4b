"""Roboflow's CSV exports, and folders of splits, which are no classes."""

import json
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from tests.maskage.dataset.importing.annotations.annotated import (
    put_json,
    put_picture,
    put_text,
    voc_xml,
)

Capture = pytest.CaptureFixture[str]


def make_pictures(root: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        put_picture(root / name, seed=seed)
    return root


def test_a_column_for_each_class_names_whole_pictures(tmp_path: Path, capsys: Capture) -> None:
    source = make_pictures(tmp_path / "in", "train/a.jpg", "train/b.jpg", "valid/c.jpg")
    put_text(
        source / "train/_classes.csv", "filename, mask_old, nomask_old\na.jpg,1,0\nb.jpg,0,1\n"
    )
    put_text(source / "valid/_classes.csv", "filename, mask_old, nomask_old\nc.jpg,0,1\n")
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    found = {(each.path, each.origin) for each in list_photos(tmp_path / "data")}
    assert found == {
        ("mask_old/a.jpg", "train"),
        ("nomask_old/b.jpg", "train"),
        ("nomask_old/c.jpg", "val"),
    }
    error = capsys.readouterr().err
    assert "3 pictures with a class of the whole, taken whole; from 2 files." in error
    assert "box" not in error


def test_rows_of_boxes_are_photos(tmp_path: Path, capsys: Capture) -> None:
    source = make_pictures(tmp_path / "in", "train/a.jpg", "train/b.jpg")
    put_text(
        source / "train/_annotations.csv",
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "a.jpg,80,60,mask_old,2,2,30,30\na.jpg,80,60,nomask_old,40,10,78,50\n"
        "gone.jpg,80,60,mask_old,2,2,30,30\n",
    )
    assert main(["import", str(source), str(tmp_path / "data"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["photos"] == 2
    assert {each["path"]: each["reason"] for each in found["left_out"]} == {
        "gone.jpg": "boxes of a picture that is not here, or is here several times",
        "train/b.jpg": "a picture in which no box is drawn",
    }
    table = source / "train/_annotations.csv"
    words = ["import", str(source), str(tmp_path / "data"), "--metadata", str(table)]
    assert main(words) == 2
    assert "import it without --metadata" in capsys.readouterr().err


def test_two_classes_of_one_picture_are_a_conflict(tmp_path: Path, capsys: Capture) -> None:
    source = make_pictures(tmp_path / "in", "train/a.jpg", "train/b.jpg")
    put_text(source / "train/_classes.csv", "filename,mask_old,nomask_old\na.jpg,1,1\nb.jpg,0,0\n")
    assert main(["import", str(source), str(tmp_path / "data"), "--list"]) == 4
    answer = capsys.readouterr()
    assert "train/a.jpg (mask_old), train/a.jpg (nomask_old)" in answer.err
    assert "a row of the table that has 1 for no class" in answer.out


@pytest.mark.parametrize("has_classes", [True, False])
def test_a_split_is_never_proposed_as_a_class(
    has_classes: bool, tmp_path: Path, capsys: Capture
) -> None:
    names = ["train/mask_old/a.jpg", "test/1.jpg"] if has_classes else ["train/a.jpg", "test/1.jpg"]
    source = make_pictures(tmp_path / "in", *names)
    assert main(["import", str(source), str(tmp_path / "data")]) == 4
    error = capsys.readouterr().err
    assert "no class: what its pictures show must be said by class folders" in error
    assert "=CLASS" not in error
    assert "collector init" not in error
    assert "classes --add" not in error
    assert ("--map test=" in error) == has_classes


def test_a_broken_annotation_file_is_listed_once_with_its_reason(
    tmp_path: Path, capsys: Capture
) -> None:
    source = make_pictures(tmp_path / "in", "a.jpg", "broken.jpg")
    put_text(source / "a.xml", voc_xml("a.jpg", ("mask_old", (1, 1, 40, 40))))
    put_text(source / "broken.xml", "<annotation><object>")
    assert main(["import", str(source), str(tmp_path / "data"), "--json"]) == 0
    answer = capsys.readouterr()
    assert [(each["path"], each["reason"]) for each in json.loads(answer.out)["left_out"]] == [
        ("broken.jpg", "a picture whose annotation file cannot be used"),
        ("broken.xml", "XML that cannot be read; export it again"),
    ]
    assert "1 box in 1 picture; from 1 file." in answer.err
    assert answer.err.count("broken.xml") == 1


def test_a_text_without_boxes_and_its_picture_are_listed_once(
    tmp_path: Path, capsys: Capture
) -> None:
    source = make_pictures(tmp_path / "in", "images/y1.jpg", "images/y3.jpg")
    put_text(source / "classes.txt", "mask_old\n")
    put_text(source / "labels/y1.txt", "0 0.5 0.5 0.5 0.5\n")
    put_text(source / "labels/y3.txt", "what is this\n")
    assert main(["import", str(source), str(tmp_path / "data"), "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert [(each["path"], each["reason"]) for each in left_out] == [
        ("images/y3.jpg", "a picture whose annotation file cannot be used"),
        ("labels/y3.txt", "a text that holds no boxes in the form of YOLO"),
    ]


def test_choices_are_no_boxes(tmp_path: Path, capsys: Capture) -> None:
    source = make_pictures(tmp_path / "in", "x/a.jpg")
    choice = {"type": "choices", "value": {"choices": ["mask_old"]}}
    task = {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": [choice]}]}
    put_json(source / "project-1.json", [task])
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    error = capsys.readouterr().err
    assert "Label Studio: 1 picture with a class of the whole, taken whole; from 1 file." in error
