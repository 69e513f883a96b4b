import csv
import io
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from collector.cli import main
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.dataset.importing.importer import import_pictures
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.images import encode_jpeg, read_image
from tests.conftest import draw_noise
from tests.maskage.cameras.video.video_clips import cut_off, make_clip, spoil_middle

MakeFolders = Callable[..., Path]


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_four_folders_come_in_with_their_names_and_pixels(
    four_folders: MakeFolders, tmp_path: Path
) -> None:
    source = four_folders(3)
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    photos = list_photos(tmp_path / "data")
    assert [p.path for p in photos] == sorted(
        f"{label}/{label}_{number:03d}.jpg" for label in MASK_AGE.labels for number in range(3)
    )
    for photo in photos:
        assert np.array_equal(
            read_image(tmp_path / "data" / photo.path), read_image(source / photo.path)
        )
        assert photo.quality is not None
    assert not (tmp_path / "data" / "classes.toml").exists()


def test_metadata_names_subject_session_group_and_label(
    four_folders: MakeFolders, tmp_path: Path
) -> None:
    source = four_folders(1)
    (source / "extra").mkdir()
    Image.fromarray(draw_noise(77)).save(source / "extra" / "a b.png")
    table = write_csv(
        tmp_path / "labels.csv",
        [
            {"path": "mask_old/mask_old_000.jpg", "subject": "anna", "group": "g1", "label": ""},
            {"path": "extra/a b.png", "subject": "", "group": "g2", "label": "nomask_old"},
        ],
    )
    assert main(["import", str(source), str(tmp_path / "data"), "--metadata", str(table)]) == 0
    photos = {photo.path: photo for photo in list_photos(tmp_path / "data")}
    assert photos["mask_old/mask_old_000.jpg"].subject == "anna"
    assert photos["mask_old/mask_old_000.jpg"].group == "g1"
    assert photos["nomask_old/a b.jpg"].group == "g2"
    assert photos["mask_young/mask_young_000.jpg"].subject is None


def test_a_second_import_brings_nothing_in_twice(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = four_folders(2)
    twin = source / "mask_old" / "copy of one.jpg"
    twin.write_bytes((source / "mask_old" / "mask_old_000.jpg").read_bytes())
    main(["import", str(source), str(tmp_path / "data")])
    assert "     1 skipped: content already imported" in capsys.readouterr().out
    main(["import", str(source), str(tmp_path / "data")])
    assert "     9 skipped: content already imported" in capsys.readouterr().out
    assert len(list_photos(tmp_path / "data")) == 8


def test_broken_pictures_are_named_and_the_good_ones_come_in(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = four_folders(2)
    good = (source / "mask_old" / "mask_old_000.jpg").read_bytes()
    (source / "mask_old" / "cut.jpg").write_bytes(good[: len(good) // 2])
    (source / "mask_old" / "text.jpg").write_text("hello")
    (source / "mask_old" / "empty.jpg").touch()
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    told = capsys.readouterr()
    assert "     3 skipped: unreadable" in told.out
    assert "cut.jpg" in told.err
    assert "text.jpg" in told.err
    assert len(list_photos(tmp_path / "data")) == 8


def test_a_name_is_kept_in_each_class_and_marked_where_a_class_has_it_already(
    tmp_path: Path,
) -> None:
    folders = ["a/mask_old", "a/mask_young", "b/mask_old"]
    for number, folder in enumerate(folders):
        (tmp_path / "source" / folder).mkdir(parents=True)
        Image.fromarray(draw_noise(number)).save(tmp_path / "source" / folder / "face.png")
    assert main(["import", str(tmp_path / "source"), str(tmp_path / "data")]) == 0
    marked, *kept = [photo.path for photo in list_photos(tmp_path / "data")]
    assert kept == ["mask_old/face.jpg", "mask_young/face.jpg"]
    assert marked.startswith("mask_old/face-")


def test_metadata_of_a_picture_outside_the_source_is_called_missing(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, outside = four_folders(1), tmp_path / "outside.jpg"
    outside.write_bytes(encode_jpeg(draw_noise(78)))
    inside = source / "mask_old" / "mask_old_000.jpg"
    table = write_csv(
        tmp_path / "labels.csv",
        [
            {"path": path, "subject": "anna"}
            for path in ("../outside.jpg", str(outside), str(inside), "mask_old/mask_old_000.jpg")
        ],
    )
    assert main(["import", str(source), str(tmp_path / "data"), "--metadata", str(table)]) == 0
    assert "2 of 4 paths are not in" in capsys.readouterr().err
    subjects = [photo.subject for photo in list_photos(tmp_path / "data")]
    assert subjects == ["anna", None, None, None]


def test_saved_photos_carry_no_metadata_and_stand_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    (tmp_path / "source" / "mask_old").mkdir(parents=True)
    Image.fromarray(draw_noise(5)[:60]).save(tmp_path / "source" / "mask_old" / "a.jpg", exif=exif)
    main(["import", str(tmp_path / "source"), str(tmp_path / "data")])
    data = (tmp_path / "data" / "mask_old" / "a.jpg").read_bytes()
    assert b"taken at home" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (60, 96)


def test_pictures_without_a_label_are_a_usage_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "holiday").mkdir()
    Image.fromarray(draw_noise(5)).save(tmp_path / "holiday" / "a.png")
    assert main(["import", str(tmp_path / "holiday"), str(tmp_path / "data")]) == 2
    assert "--label" in capsys.readouterr().err
    assert (
        main(["import", str(tmp_path / "holiday"), str(tmp_path / "data"), "--label", "mask_old"])
        == 0
    )
    assert [photo.path for photo in list_photos(tmp_path / "data")] == ["mask_old/a.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,subject\na,b\n", "no column 'path'"),
        ("path,label\nmask_old/mask_old_000.jpg,masked\n", "unknown label 'masked'"),
        ("\x00\xff", "line 1 holds a NUL byte"),
    ],
)
def test_a_bad_metadata_file_is_refused_before_anything_is_saved(
    four_folders: MakeFolders,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    message: str,
) -> None:
    (tmp_path / "m.csv").write_text(text)
    arguments = ["import", str(four_folders(1)), str(tmp_path / "data")]
    assert main([*arguments, "--metadata", str(tmp_path / "m.csv")]) == 4
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def make_video(path: Path, frames: int = 50) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (160, 120))
    for number in range(frames):
        writer.write(draw_noise(number, 160)[:120])
    writer.release()
    return path


def test_a_video_gives_a_face_every_half_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("maskage.faces.finder.FACE_MODEL_URL", "http://127.0.0.1:9/none.onnx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FACE_MODEL", raising=False)
    video = make_video(tmp_path / "clip.mp4")
    arguments = ["import", str(video), str(tmp_path / "data"), "--label", "nomask_young"]
    assert main(arguments) == 0
    assert "guide" in capsys.readouterr().err
    photos = list_photos(tmp_path / "data")
    assert [photo.path for photo in photos] == [
        f"nomask_young/clip_{frame:06d}.jpg" for frame in (0, 13, 25, 38)
    ]
    assert len({photo.session for photo in photos}) == 1
    assert photos[0].session is not None
    main(arguments)
    assert "     4 skipped: content already imported" in capsys.readouterr().out


def test_a_video_needs_a_label_and_a_text_file_is_no_video(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskage.faces.finder.FACE_MODEL_URL", "http://127.0.0.1:9/none.onnx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    video = make_video(tmp_path / "clip.mp4", 2)
    assert main(["import", str(video), str(tmp_path / "data")]) == 2
    assert "--label" in capsys.readouterr().err
    (tmp_path / "notes.mp4").write_text("no video")
    arguments = ["import", str(tmp_path / "notes.mp4"), str(tmp_path / "data")]
    assert main([*arguments, "--label", "mask_old"]) == 5
    assert "not a video" in capsys.readouterr().err


def test_status_counts_classes_and_subjects(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["import", str(four_folders(2)), str(tmp_path / "data"), "--subject", "anna"])
    capsys.readouterr()
    assert main(["status", str(tmp_path / "data"), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["counts"] == {str(label): 2 for label in MASK_AGE.labels}
    assert status["subjects"]["anna"]["mask_old"] == 2
    assert main(["status", str(tmp_path / "data"), "--target", "2"]) == 0
    assert "at least 3 people" in capsys.readouterr().out


def test_a_stopped_import_says_how_many_photos_it_saved(tmp_path: Path) -> None:
    put_pictures(tmp_path / "source", "mask_old/a.jpg", "mask_old/b.jpg", "mask_old/c.jpg")
    listed = [
        SourcePicture(path, path.name, "mask_old", PhotoMetadata())
        for path in sorted((tmp_path / "source" / "mask_old").iterdir())
    ]
    with PhotoStore(tmp_path / "data") as store:
        reports = import_pictures(store, listed)
        next(reports)
        next(reports)
        (tmp_path / "data" / ".dataset" / "manifest.db").unlink()
        with pytest.raises(PhotoNotSavedError, match=r"2 photos were saved before that; the same"):
            next(reports)


def test_what_is_left_out_and_what_is_labelled_otherwise_is_told(
    tmp_path: Path, four_folders: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = four_folders(1)
    stray = source / "stray.jpg"
    stray.write_bytes(encode_jpeg(draw_noise(777)))
    data = tmp_path / "my data"
    assert main(["import", str(source), str(data)]) == 0
    answer = capsys.readouterr()
    assert (
        "pictures left out because their label is not known: 1 (the first is stray.jpg)"
        in answer.err
    )
    assert f"Next: curate '{data}'" in answer.out
    assert main(["import", str(source / "mask_old"), str(data), "--label", "nomask_young"]) == 4
    answer = capsys.readouterr()
    assert "1 of them under another label than before" in answer.out
    assert "mask_old_000.jpg: here nomask_young, there mask_old" in answer.err
    assert main(["import", str(source), str(data), "--label", "hat"]) == 2
    assert "'hat' is not one of mask_old, mask_young" in capsys.readouterr().err


def test_a_folder_that_is_left_out_whole_is_no_success(
    tmp_path: Path, four_folders: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = four_folders(1)
    (source / "more").mkdir()
    (source / "more" / "stray.jpg").write_bytes(encode_jpeg(draw_noise(777)))
    assert main(["import", str(source), str(tmp_path / "data")]) == 4
    answer = capsys.readouterr()
    assert "4 photos saved" in answer.out
    assert "whole folders were not imported: more. The rest was." in answer.err


def put_pictures(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number)))
    return root


def labels_in(root: Path) -> list[tuple[str | None, str]]:
    return sorted((photo.source, photo.label) for photo in list_photos(root))


def test_folders_that_are_no_classes_are_named_with_what_they_may_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("Mask Old/1.jpg", "Mask Old/2.jpg", "with_mask/3.jpg", "maskyoung/4.jpg", "hat/5.jpg")
    source, data = put_pictures(tmp_path / "it's", *names), tmp_path / "data"
    assert main(["import", str(source), str(data), "--subject", "p 1"]) == 4
    assert capsys.readouterr() == (
        "",
        f"error: {source}: whole folders were not imported: Mask Old, hat, maskyoung, with_mask. "
        "Nothing was imported.\n"
        "They are no classes; a new dataset has mask_old, mask_young, nomask_old, nomask_young:\n"
        "  Mask Old (2 pictures): this is probably mask_old\n"
        "  hat (1 picture)\n"
        "  maskyoung (1 picture): this is probably mask_young\n"
        "  with_mask (1 picture): mask_old or mask_young?\n"
        "Name their classes:\n"
        f"  collector import {shlex.quote(str(source))} {data} "
        "--map 'Mask Old=mask_old,maskyoung=mask_young' --subject 'p 1'\n"
        "and FOLDER=CLASS for hat, with_mask too (FOLDER= leaves a folder out).\n"
        "Or make a dataset with these folders as its classes:\n"
        f"  collector init {data} --from {shlex.quote(str(source))}\n",
    )
    assert not data.exists()


def test_folders_of_a_ready_made_scheme_are_answered_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = put_pictures(tmp_path / "photos", "with_mask/1.jpg", "without_mask/2.jpg")
    data = tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 4
    shown = [line for line in capsys.readouterr().err.splitlines() if "--classes" in line]
    assert shown == [f"  collector init {data} --classes mask"]
    assert main(shlex.split(shown[0])[1:]) == 0
    assert main(["import", str(source), str(data)]) == 4
    shown = [line for line in capsys.readouterr().err.splitlines() if "--map" in line]
    assert main(shlex.split(shown[0])[1:]) == 0
    assert labels_in(data) == [("with_mask/1.jpg", "mask"), ("without_mask/2.jpg", "nomask")]


def test_the_commands_that_a_refusal_shows_do_what_they_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = put_pictures(tmp_path / "a b", "train/Mask, Old/1.jpg", "train/x=y/2.jpg")
    data = tmp_path / "data"
    assert main(["import", str(source), str(data), "--map", "x=y="]) == 2
    assert main(["import", str(source), str(data), "--map", r"x\=y="]) == 4
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("  coll")]
    assert main(shlex.split(shown[0])[1:]) == 0
    assert labels_in(data) == [("train/Mask, Old/1.jpg", "mask_old")]
    assert "     1 left out by --map: x=y\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder_map", "labels"),
    [
        (
            "with_mask=mask_young,without_mask=nomask_young",
            ["mask_young", "nomask_young", "mask_young"],
        ),
        # A path goes before a name, and "\\" separates folders too.
        (
            "train\\with_mask=mask_old,with_mask=mask_young,without_mask=nomask_old",
            ["mask_old", "nomask_old", "mask_young"],
        ),
    ],
)
def test_a_map_names_the_classes_of_folders(
    tmp_path: Path, folder_map: str, labels: list[str]
) -> None:
    names = ("train/with_mask/1.jpg", "train/without_mask/2.jpg", "val/with_mask/3.jpg")
    source = put_pictures(tmp_path / "source", *names)
    assert main(["import", str(source), str(tmp_path / "data"), "--map", folder_map]) == 0
    assert labels_in(tmp_path / "data") == list(zip(names, labels, strict=True))


def test_a_map_goes_before_the_name_of_a_class_and_applies_to_labels_of_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = put_pictures(tmp_path / "source", "mask_old/1.jpg", "x/2.jpg", "x/3.jpg")
    rows = [
        {"path": "x/2.jpg", "label": "Masked"},
        {"path": "x/3.jpg", "label": "junk"},
    ]
    table = write_csv(tmp_path / "labels.csv", rows)
    words = ["import", str(source), str(tmp_path / "data"), "--metadata", str(table)]
    assert main([*words, "--map", "mask_old=nomask_old,Masked=mask_young"]) == 4
    assert "unknown label 'junk' for x/3.jpg" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    assert main([*words, "--map", "mask_old=nomask_old,Masked=mask_young,junk=,y="]) == 0
    answer = capsys.readouterr()
    assert "no folder with pictures and no label is named 'y'" in answer.err
    assert "     1 left out by --map: junk" in answer.out
    assert labels_in(tmp_path / "data") == [
        ("mask_old/1.jpg", "nomask_old"),
        ("x/2.jpg", "mask_young"),
    ]


def test_a_nearer_folder_that_is_spelled_like_another_class_is_not_swallowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("mask_old/1.jpg", "mask_old/blurred/2.jpg", "mask_old/No Mask Old/3.jpg")
    source = put_pictures(tmp_path / "source", *names)
    assert main(["import", str(source), str(tmp_path / "data")]) == 4
    assert "No Mask Old (1 picture): this is probably nomask_old" in capsys.readouterr().err
    assert labels_in(tmp_path / "data") == [(names[0], "mask_old"), (names[1], "mask_old")]


def test_a_dataset_imports_into_its_own_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], four_folders: MakeFolders
) -> None:
    data = tmp_path / "data"
    assert main(["init", str(data), "--classes", "Helmet,no helmet"]) == 0
    source = put_pictures(tmp_path / "source", "Helmet/1.jpg", "no helmet/2.jpg")
    assert main(["import", str(source), str(data)]) == 0
    assert labels_in(data) == [("Helmet/1.jpg", "Helmet"), ("no helmet/2.jpg", "no helmet")]
    assert main(["import", str(source), str(data), "--label", "helmets"]) == 2
    assert "'helmets' is not one of Helmet, no helmet. Did you mean Helmet?" in (
        capsys.readouterr().err
    )
    # The default four are unknown folders here.
    assert main(["import", str(four_folders(1)), str(data)]) == 4
    assert "whole folders were not imported: mask_old, mask_young" in capsys.readouterr().err


def test_unknown_folders_become_plain_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(["init", str(data), "--classes", "helmet,bare"]) == 0
    source = put_pictures(tmp_path / "source", "helmet/1.jpg", "train/2.jpg", "=1+1/3.jpg")
    assert main(["import", str(source), str(data)]) == 4
    assert f"  collector import {source} {data} --add-classes\n" in capsys.readouterr().err
    assert main(["import", str(source), str(data), "--add-classes"]) == 0
    assert read_scheme(data) == plain_scheme(["helmet", "bare", "=1+1", "train"])
    assert labels_in(data) == [
        ("=1+1/3.jpg", "=1+1"),
        ("helmet/1.jpg", "helmet"),
        ("train/2.jpg", "train"),
    ]


@pytest.mark.parametrize(
    ("classes", "folder", "reason", "way"),
    [
        (None, "hat", "no dataset to add them to", "collector init"),
        ("mask-state", "hat", "a value of each factor", "--add hat --factor mask=VALUE"),
        ("helmet,bare", "Helmet", "spelled like classes", "--map Helmet=helmet"),
    ],
)
def test_folders_that_cannot_become_classes_add_none(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    classes: str | None,
    folder: str,
    reason: str,
    way: str,
) -> None:
    data = tmp_path / "data"
    if classes:
        assert main(["init", str(data), "--classes", classes]) == 0
    before = read_scheme(data)
    source = put_pictures(tmp_path / "source", f"{folder}/1.jpg")
    assert main(["import", str(source), str(data), "--add-classes"]) == 4
    told = capsys.readouterr().err
    assert reason in told
    assert way in told
    assert read_scheme(data) == before
    assert data.exists() == bool(classes)


def test_too_many_new_classes_add_none_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(["init", str(data), "--classes", "a0,b0"]) == 0
    source = put_pictures(tmp_path / "source", *(f"{n:03d}/1.jpg" for n in range(63)))
    assert main(["import", str(source), str(data), "--add-classes"]) == 2
    assert "65 classes, not 2 to 64" in capsys.readouterr().err
    assert read_scheme(data).labels == ("a0", "b0")


def test_a_label_for_all_goes_with_no_map(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--map", "a=mask_old"], ["--add-classes"]):
        assert main(["import", str(tmp_path), "--label", "mask_old", *more]) == 2
        assert "--label names the class of all pictures" in capsys.readouterr().err


def test_pictures_that_are_all_left_out_make_no_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = put_pictures(tmp_path / "source", "a/1.jpg")
    assert main(["import", str(source), str(tmp_path / "data"), "--map", "a="]) == 4
    assert "all pictures are left out by --map" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [(spoil_middle, "frames could not be decoded"), (cut_off, "but says that it lasts 2.0 s")],
)
def test_an_import_tells_what_of_a_video_is_missing(
    damage: Callable[[Path], Path],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("maskage.faces.finder.FACE_MODEL_URL", "http://127.0.0.1:9/none.onnx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FACE_MODEL", raising=False)
    clip = damage(make_clip(tmp_path / "a.mkv"))
    assert main(["import", str(clip), str(tmp_path / "data"), "--label", "mask_old"]) == 0
    assert message in capsys.readouterr().out


def test_a_pipe_is_not_imported_since_it_can_be_read_but_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("maskage.faces.finder.FACE_MODEL_URL", "http://127.0.0.1:9/none.onnx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FACE_MODEL", raising=False)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["import", str(pipe), str(tmp_path / "data"), "--label", "mask_old"]) == 2
    assert "not a file" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
@pytest.mark.parametrize("is_escaped", [False, True])
def test_any_name_is_imported_and_found_in_a_table(tmp_path: Path, is_escaped: bool) -> None:
    source = tmp_path / "source" / "mask_old"
    source.mkdir(parents=True)
    names = [os.fsdecode(b"f\xfcr.jpg"), "\x1b[31mred\n.jpg", f"{'x' * 251}.jpg", "e\u0301.jpg"]
    for number, name in enumerate(names):
        (source / name).write_bytes(encode_jpeg(draw_noise(number)))
    table = tmp_path / "labels.csv"
    cell = b"mask_old/f\\xfcr.jpg" if is_escaped else b"mask_old/f\xfcr.jpg"
    table.write_bytes(b"path,subject\n" + cell + b",anna\n")
    data = tmp_path / "data"
    assert main(["import", str(source.parent), str(data), "--metadata", str(table)]) == 0
    photos = {photo.source: photo for photo in list_photos(data)}
    assert set(photos) == {f"mask_old/{name}" for name in names}
    assert photos[f"mask_old/{names[0]}"].subject == "anna"
    assert photos[f"mask_old/{names[0]}"].path == "mask_old/f_r.jpg"
    assert photos[f"mask_old/{names[1]}"].path == "mask_old/_[31mred_.jpg"
    # A second run finds every one of them by its content.
    assert main(["import", str(source.parent), str(data)]) == 0
    assert len(list_photos(data)) == len(names)
