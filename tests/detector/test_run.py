"""`detector run` writes what the design says, for videos and for folders."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from detector.cli import main
from maskage.cameras.video.video_file import VideoFile
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import RgbImage
from tests.maskage.cameras.video.video_clips import (
    cut_off,
    make_clip,
    put_index_first,
    spoil_middle,
)

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("no_face_model")


@pytest.fixture
def clip(film: Callable[..., Path]) -> Path:
    """Two seconds without a mask, two with, at 10 frames a second."""
    return film(["nomask_young"] * 20 + ["mask_old"] * 20)


@pytest.fixture
def pictures(tmp_path: Path, paint: Callable[..., RgbImage]) -> Path:
    """Four pictures, one of each class, and a broken one between them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, label in zip("abde", MASK_AGE.labels, strict=True):
        (folder / f"{name}.jpg").write_bytes(encode_jpeg(paint(label, 100, 80)))
    (folder / "c.jpg").write_bytes(encode_jpeg(paint("mask_old", 100, 80))[:200])
    return folder


def run(*words: object) -> int:
    return main(["run", *map(str, words)])


@pytest.mark.parametrize("option", ["--video", "--json", "--csv"])
def test_no_output_replaces_the_video_that_is_labelled(
    clip: Path, bundle: ModelBundle, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = clip.read_bytes()
    other_name = clip.with_name("other" + clip.suffix)
    other_name.symlink_to(clip)
    for out in (clip, other_name):
        assert run(clip, "--model", bundle.folder, option, out) == 2
        assert "would be lost" in capsys.readouterr().err
    if option != "--video":
        words = ["live", "--headless", "--source", str(clip), "--model", str(bundle.folder)]
        assert main([*words, option, str(clip)]) == 2
    assert clip.read_bytes() == before


def test_no_output_replaces_a_picture_of_the_folder_that_is_labelled(
    pictures: Path, bundle: ModelBundle
) -> None:
    before = (pictures / "a.jpg").read_bytes()
    assert run(pictures, "--model", bundle.folder, "--json", pictures / "a.jpg") == 2
    assert (pictures / "a.jpg").read_bytes() == before
    # A table of an earlier run is no source.
    for _ in range(2):
        assert run(pictures, "--model", bundle.folder, "--json", pictures / "faces.jsonl") == 0


def test_each_frame_is_one_json_line_as_the_design_says(
    clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / "events" / "clip.jsonl"
    assert run(clip, "--model", bundle.folder, "--json", out) == 0
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["frame"] for event in events] == list(range(40))
    assert events[15]["time_s"] == 1.5
    assert "file" not in events[0]
    (face,) = events[39]["faces"]
    assert face["track"] == 1
    assert face["box"] == [100, 60, 120, 120]
    assert face["label"] == "mask_old"
    assert list(face["probabilities"]) == list(MASK_AGE.labels)
    assert face["confidence"] == face["probabilities"]["mask_old"]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_a_label_changes_once_where_the_mask_goes_on(
    clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / "clip.jsonl"
    run(clip, "--model", bundle.folder, "--json", out)
    labels = [json.loads(line)["faces"][0]["label"] for line in out.read_text().splitlines()]
    changes = [n for n in range(1, 40) if labels[n] != labels[n - 1]]
    assert len(changes) == 1
    assert 20 < changes[0] < 30


def test_the_annotated_video_plays_as_long_as_its_source(
    clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / "annotated.mp4"
    assert run(clip, "--model", bundle.folder, "--video", out) == 0
    capture = cv2.VideoCapture(str(out))
    frames = 0
    while capture.read()[0]:
        frames += 1
    assert frames == 40
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    # 240 px are enlarged to be readable.
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == 480
    capture.release()


def test_a_folder_is_numbered_by_sorted_name_and_a_broken_picture_is_passed_over(
    pictures: Path,
    bundle: ModelBundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "annotated"
    assert run(pictures, "--model", bundle.folder, "--json", "-", "--pictures", out) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [(e["frame"], e["file"]) for e in lines] == list(
        enumerate(["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"])
    )
    broken = lines[2]
    assert broken["faces"] == []
    assert "c.jpg" in broken["error"]
    events = [line for line in lines if "error" not in line]
    # Nothing is smoothed from one picture to the next.
    assert [e["faces"][0]["label"] for e in events] == list(MASK_AGE.labels)
    assert [e["faces"][0]["track"] for e in events] == [1, 2, 3, 4]
    assert "c.jpg" in printed.err
    assert "1 of 5 pictures could not be read" in printed.err
    assert "guide" in printed.err
    assert [path.name for path in sorted(out.iterdir())] == [
        "000000_a.jpg",
        "000001_b.jpg",
        "000003_d.jpg",
        "000004_e.jpg",
    ]
    assert read_image(out / "000000_a.jpg").shape == (400, 500, 3)


def test_what_is_left_out_of_a_folder_is_counted_and_named(
    pictures: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "a.jpg").rename(pictures / "a.jfif")
    (pictures / "b.jpg").rename(pictures / "b.jpe")
    (pictures / "IMG_1.CR2").write_bytes(b"ftypheic")
    (pictures / "IMG_2.CR2").write_bytes(b"ftypheic")
    (pictures / "notes.txt").write_text("x")
    words = (pictures, "--model", bundle.folder, "--json", "-")
    assert run(*words) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["file"] for line in lines if "error" not in line] == [
        "a.jfif",
        "b.jpe",
        "d.jpg",
        "e.jpg",
    ]
    assert [(line["file"], line["frame"], line["faces"]) for line in lines[5:]] == [
        ("IMG_1.CR2", None, []),
        ("IMG_2.CR2", None, []),
        ("notes.txt", None, []),
    ]
    assert lines[5]["error"] == "CR2 is not read; save it as JPEG"
    assert "Left out 2: IMG_1.CR2, IMG_2.CR2: CR2 is not read" in printed.err
    assert "3 files and folders left out, 2 of them of a kind that is not read" in printed.err
    (pictures / "c.jpg").unlink()
    assert run(*words, "--strict") == 3
    assert "IMG_1.CR2: CR2 is not read; save it as JPEG and 1 more" in capsys.readouterr().err
    for name in ("IMG_1.CR2", "IMG_2.CR2"):
        (pictures / name).unlink()
    # Nobody expects notes to be labelled.
    assert run(*words, "--strict") == 0


def test_folders_within_are_read_too_and_what_the_run_writes_is_not(
    pictures: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "c.jpg").unlink()
    deep = pictures / "b" / "deep"
    deep.mkdir(parents=True)
    (pictures / "e.jpg").rename(deep / "a.jpg")
    (pictures / ".hidden").mkdir()
    (deep / "again").symlink_to(pictures)
    out = pictures / "annotated"
    words = [pictures, "--model", bundle.folder, "--json", "-", "--pictures", out]
    for _ in range(2):
        assert run(*words) == 0
        printed = capsys.readouterr()
        lines = [json.loads(line) for line in printed.out.splitlines()]
        found = [(line["frame"], line["file"]) for line in lines if "error" not in line]
        assert found == [(0, "a.jpg"), (1, "b/deep/a.jpg"), (2, "b.jpg"), (3, "d.jpg")]
        assert {line["file"]: line["error"] for line in lines if "error" in line} == {
            ".hidden/": "hidden",
            "b/deep/again/": "a link to a folder; name that folder itself",
        }
        assert len(list(out.iterdir())) == 4
    assert "Left out 1: annotated/: the folder that this command writes into" in printed.err
    # A link may hide pictures that nobody saw.
    assert run(*words, "--strict") == 3


def test_pictures_that_lie_only_in_folders_within_are_found(
    tmp_path: Path, pictures: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--model", bundle.folder, "--json", "-") == 0
    files = [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()]
    assert files[:2] == ["pictures/a.jpg", "pictures/b.jpg"]


def test_a_table_has_one_row_a_face(pictures: Path, bundle: ModelBundle, tmp_path: Path) -> None:
    out = tmp_path / "faces.csv"
    assert run(pictures, "--model", bundle.folder, "--csv", out) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a.jpg", "b.jpg", "d.jpg", "e.jpg"]
    assert [row["label"] for row in rows] == list(MASK_AGE.labels)
    assert float(rows[0]["mask_old"]) == float(rows[0]["confidence"])


def test_every_and_max_frames_thin_and_limit(
    clip: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    run(clip, "--model", bundle.folder, "--every", 3, "--max-frames", 5, "--json", "-")
    frames = [json.loads(line)["frame"] for line in capsys.readouterr().out.splitlines()]
    assert frames == [0, 3, 6, 9, 12]


def test_the_gate_fails_with_3_and_still_writes_everything(
    pictures: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "events.jsonl"
    words = [pictures, "--model", bundle.folder, "--json", out]
    assert run(*words, "--fail-under", 0.5) == 0
    assert run(*words, "--fail-under", 0.6) == 3
    assert "50.0% of the faces wear a mask" in capsys.readouterr().err
    assert len(out.read_text().splitlines()) == 5


def test_one_picture_is_a_source_too(
    pictures: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pictures / "b.jpg", "--model", bundle.folder, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["faces"][0]["label"] == "mask_young"


def test_only_broken_pictures_are_an_unusable_dataset(
    tmp_path: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "x.jpg").write_bytes(b"not a picture")
    assert run(folder, "--model", bundle.folder) == 4
    assert "none of its 1 pictures" in capsys.readouterr().err


def test_bad_requests_get_one_message_and_their_code(
    clip: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", bundle.folder]
    (tmp_path / "file").write_text("")
    (tmp_path / "none").mkdir()
    cases: list[tuple[list[object], int, str]] = [
        ([tmp_path / "nowhere.mp4", *model], 5, "No such source"),
        ([tmp_path / "none", *model], 5, "no pictures"),
        ([clip, "--model", tmp_path / "nothing"], 5, "No model at"),
        ([clip, "--model", tmp_path / "none"], 6, "not a run or bundle folder"),
        ([clip, *model, "--json", tmp_path / "file" / "x"], 5, "folder cannot be made"),
        ([clip, *model, "--json", tmp_path], 5, "cannot be written"),
        ([clip, *model, "--video", tmp_path / "x.txt"], 5, ".mp4"),
        ([clip, *model, "--face-model", tmp_path / "no.onnx"], 5, "No face model at"),
        ([clip, *model, "--face-model", clip], 5, "not a face model"),
        ([clip, *model, "--fail-under", "2"], 2, "from 0 to 1"),
        ([clip, *model, "--every", "0"], 2, "above 0"),
        ([clip, *model, "--json", "-", "--csv", "-"], 2, "both write to stdout"),
    ]
    for words, code, message in cases:
        assert run(*words) == code, words
        told = capsys.readouterr().err
        assert message in told, words
        assert "Traceback" not in told


def test_no_heavy_library_is_loaded(pictures: Path, bundle: ModelBundle, tmp_path: Path) -> None:
    program = (
        "import sys; from detector.cli import main; "
        f"code = main(['run', {str(pictures)!r}, '--model', {str(bundle.folder)!r}, '--video', "
        f"{str(tmp_path / 'o.mp4')!r}]); "
        "heavy = {'tensorflow', 'keras', 'sklearn', 'textual'} & set(sys.modules); "
        "print(code, sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.fixture
def masked_clip(tmp_path: Path) -> Path:
    """Two seconds in which everything is taken for a masked face, in noise that fills the file."""
    chance = np.random.default_rng(1)
    red = np.array([180, 0, 0])
    noise = chance.integers(0, 60, (60, 120, 160, 1))
    pictures = [(red + each).clip(0, 255).astype(np.uint8) for each in noise]
    path = make_clip(tmp_path / "masked.mp4", pictures=pictures)
    return put_index_first(path)


def test_a_whole_video_passes_strictly(masked_clip: Path, bundle: ModelBundle) -> None:
    words = (masked_clip, "--model", bundle.folder)
    assert run(*words, "--strict", "--fail-under", 1) == 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [(spoil_middle, "frames could not be decoded"), (cut_off, "but says that it lasts 2.0 s")],
)
def test_a_part_of_a_video_that_is_missing_is_told_and_passes_no_gate(
    damage: Callable[[Path], Path],
    message: str,
    masked_clip: Path,
    bundle: ModelBundle,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = (damage(masked_clip), "--model", bundle.folder)
    assert run(*words) == 0
    printed = capsys.readouterr()
    assert message in printed.out
    assert masked_clip.name in printed.err
    assert run(*words, "--strict") == 3
    assert message in capsys.readouterr().err
    assert run(*words, "--fail-under", 0.5) == 3
    assert "a part of the video is missing" in capsys.readouterr().err


def test_events_keep_their_numbers_and_times_behind_a_damaged_spot(
    masked_clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / "events.jsonl"
    assert run(spoil_middle(masked_clip), "--model", bundle.folder, "--json", out) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    errors = [line for line in lines if "error" in line]
    assert "could not be decoded" in errors[0]["error"]
    assert 0.5 < errors[0]["time_s"] < 1.5
    assert errors[0]["faces"] == []
    events = [line for line in lines if "error" not in line]
    assert events[-1]["frame"] == 59
    assert 30 < len(events) < 58
    for event in events:
        assert event["time_s"] == pytest.approx(event["frame"] / 30, abs=0.001)


def test_the_events_say_where_a_video_was_cut_off(
    masked_clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / "events.jsonl"
    assert run(cut_off(masked_clip), "--model", bundle.folder, "--json", out) == 0
    *frames, last = [json.loads(line) for line in out.read_text().splitlines()]
    assert "says that it lasts 2.0 s" in last["error"]
    assert last["time_s"] == frames[-1]["time_s"]
    assert last["time_s"] == pytest.approx(0.8, abs=0.2)


def test_a_broken_picture_fails_strictly(
    pictures: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pictures, "--model", bundle.folder, "--strict") == 3
    assert "c.jpg" in capsys.readouterr().err


def test_the_annotated_video_shows_each_frame_at_its_own_time(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    # A phone at dusk: 30 frames a second, then 5.
    times = [number / 30 for number in range(30)] + [1 + number / 5 for number in range(10)]
    bars = [np.full((480, 640, 3), 90, np.uint8) for _ in times]
    for number, pixels in enumerate(bars):
        pixels[:, number * 16 : number * 16 + 16] = 250
    clip = make_clip(tmp_path / "uneven.mp4", times, pictures=bars)
    out, events = tmp_path / "annotated.mp4", tmp_path / "events.jsonl"
    assert run(clip, "--model", bundle.folder, "--video", out, "--json", events) == 0
    told = [json.loads(line)["time_s"] for line in events.read_text().splitlines()]
    assert told == pytest.approx(times, abs=0.002)
    with closing(VideoFile(out, pace=False)) as video:
        shown = list(iter(video.read, None))
    seen = [
        int(each.pixels[440:470].astype(int).mean(axis=(0, 2)).argmax() // 16) for each in shown
    ]
    assert seen == list(range(40))
    assert [each.position_s for each in shown] == pytest.approx(times, abs=0.002)


ALARM_WORDS = ("--on", "*", "--on-for", "0", "--cool-down", "0.3")


def test_alarms_are_done_before_it_exits(
    clip: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = tmp_path / "done"
    slow = f"sh -c 'sleep 0.2; echo $MASKAGE_TIME_S >> {done}'"
    assert run(clip, "--model", bundle.folder, *ALARM_WORDS, "--exec", slow) == 0
    times = [float(line) for line in done.read_text().split()]
    # Four seconds, an alarm each 0.3.
    assert len(times) >= 11
    assert times == sorted(times)
    told = capsys.readouterr().err
    assert f"{len(times)} alarms raised; {len(times)} commands and webhooks done, 0 failed" in told


def test_an_alarm_that_fails_is_told_and_ends_with_5_and_all_else_is_written(
    clip: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "clip.jsonl"
    words = [*ALARM_WORDS, "--exec", "sh -c 'exit 7'", "--json", out]
    assert run(clip, "--model", bundle.folder, *words) == 5
    assert len(out.read_text().splitlines()) == 40
    summary, told = capsys.readouterr()
    assert "--exec sh: ended with code 7" in told
    assert "commands and webhooks were not carried out" in told
    assert "40 frames" in summary


def test_pictures_of_phones_browsers_and_old_cameras_are_all_labelled(
    pictures: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = Image.open(pictures / "a.jpg")
    for name, kind in (("f.avif", "AVIF"), ("g.gif", "GIF"), ("h.mpo", "MPO"), ("noext", "PNG")):
        photo.save(pictures / name, kind)
    thumbnail = pictures / "@eaDir" / "a.jpg" / "SYNOPHOTO_THUMB_M.jpg"
    thumbnail.parent.mkdir(parents=True)
    photo.save(thumbnail, "JPEG")
    (pictures / ".DS_Store").write_bytes(b"x")
    (pictures / "IMG_1.HEIC").write_bytes(b"no picture at all")
    (pictures / "clip.mp4").write_bytes(b"x")
    assert run(pictures, "--model", bundle.folder, "--json", "-") == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    files = [line["file"] for line in lines if "error" not in line]
    assert files == ["a.jpg", "b.jpg", "d.jpg", "e.jpg", "f.avif", "g.gif", "h.mpo", "noext"]
    assert "IMG_1.HEIC: not a picture in JPEG, PNG, WebP, AVIF, HEIC" in printed.err
    assert "Left out 1: clip.mp4: a video, not a picture" in printed.err
    assert "eaDir" not in printed.err
    assert run(pictures / "noext", "--model", bundle.folder, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["file"] == "noext"


@pytest.mark.usefixtures("heeded_permissions")
def test_a_folder_within_that_cannot_be_listed_is_an_error(
    pictures: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "locked").mkdir(mode=0)
    assert run(pictures, "--model", bundle.folder, "--json", "-") == 4
    assert "the folder cannot be listed" in capsys.readouterr().err
