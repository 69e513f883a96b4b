import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from collector.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import list_photos
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
    assert "3 of 4 paths are not in" in capsys.readouterr().err
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
        ("\x00\xff", "no column 'path'"),
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
    assert main(["import", str(source / "mask_old"), str(data), "--label", "nomask_young"]) == 0
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
