import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from collector.cli import main
from collector.commands.face_lines import show_faces
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.photo_listing import list_photos
from tests.conftest import ROOT, draw_noise
from tests.maskage.cameras.video.video_clips import make_clip


def put_noise(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_noise(seed, 300)).save(path)
    return path


def import_with_finder(
    shared: Path, folder: Path, *words: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run an import with the face model for measuring."""
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    return subprocess.run(
        [sys.executable, "-m", "collector.cli", "import", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FACE_MODEL": str(model)},
        check=False,
    )


@pytest.mark.parametrize(
    ("several", "line"),
    [
        (
            {"team.jpg": 21},
            "1 picture shows 21 faces, the largest was taken: team.jpg; `--faces all` takes each "
            "of 30 px or more",
        ),
        (
            {"a.mp4#0": 2, "a.mp4#15": 3},
            "2 frames show 5 faces, the largest of each was taken: a.mp4#0 (2), a.mp4#15 (3); "
            "`--faces all` takes each of 30 px or more",
        ),
        (
            dict.fromkeys("abcd", 2),
            "4 pictures show 8 faces, the largest of each was taken: a (2), b (2), c (2), ...; "
            "`--faces all` takes each of 30 px or more",
        ),
    ],
)
def test_faces_that_were_not_taken_are_named(
    several: dict[str, int], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_faces(ImportReport({}, several_faces=several))
    assert capsys.readouterr().out.strip() == line


def test_what_shows_no_face_is_named_and_so_is_what_is_too_small(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [f"{number}.jpg" for number in range(25)]
    report = ImportReport({}, faceless=25, faceless_names=names, small_faces={"far.jpg": 3})
    show_faces(report)
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "    25 skipped: no face found",
        "     3 faces skipped: under 30 px wide: far.jpg (3)",
    ]
    assert told.err.splitlines()[0] == "  0.jpg: no face found"
    assert told.err.splitlines()[-1] == "  and 5 more without a face"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--faces", "all"], "Add --find-faces"),
        (["--find-faces", "--faces", "all", "--subject", "p01"], "several people"),
    ],
)
def test_a_choice_of_faces_that_cannot_be_meant_is_refused(
    tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = put_noise(tmp_path / "a.jpg")
    arguments = ["import", str(picture), str(tmp_path / "data"), "--label", "mask_old"]
    assert main([*arguments, *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("every", ["nan", "inf", "0", "-1"])
def test_the_time_between_frames_is_a_time(
    tmp_path: Path, every: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "a.mp4", [0, 0.1])
    words = ["import", str(clip), str(tmp_path / "data"), "--label", "mask_old", "--every", every]
    assert main(words) == 2
    assert "--every is a time in seconds above 0" in capsys.readouterr().err


def test_pictures_without_a_face_are_named_and_are_no_success(shared: Path, tmp_path: Path) -> None:
    for number in range(3):
        put_noise(tmp_path / "src" / "mask_old" / f"landscape{number}.jpg", number)
    done = import_with_finder(shared, tmp_path, "src", "data", "--find-faces")
    assert done.returncode == 4
    assert "3 skipped: no face found" in done.stdout
    assert "Next:" not in done.stdout
    for number in range(3):
        assert f"mask_old/landscape{number}.jpg: no face found" in done.stderr


def test_every_face_of_a_group_photo_is_taken_on_request(shared: Path, tmp_path: Path) -> None:
    team = shared / "groups_photos" / "multi_06.jpg"
    words = (team, "data", "--label", "mask_old", "--find-faces")
    first = import_with_finder(shared, tmp_path, *words)
    assert "1 picture shows 3 faces, the largest was taken: multi_06.jpg" in first.stdout
    second = import_with_finder(shared, tmp_path, *words, "--faces", "all")
    assert second.returncode == 0
    assert "     2 photos saved" in second.stdout
    photos = list_photos(tmp_path / "data")
    assert len(photos) == 3
    assert len({photo.group for photo in photos}) == 1
