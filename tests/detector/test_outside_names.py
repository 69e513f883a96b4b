"""Names from outside, in every command of the four tools: at a terminal, and in what is written."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.cli import main as detector
from detector.drawing.overlay import Readout
from detector.events.alarm_actions import Alarm
from detector.screens.base import LiveView
from detector.screens.terminal import compose_view
from detector.tracking.pipeline import FrameResult, Timings
from detector.video.sink import VideoSink
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import ModelBundle
from maskage.outside_text import cell_to_path, text_to_path
from maskage.pictures.images import encode_jpeg
from maskage.records import Frame, RgbImage
from tests.conftest import draw_noise
from tests.maskage.cameras.mjpeg_server import MjpegServer
from tests.terminal import run_in_terminal
from trainer.cli import main as trainer

pytestmark = [
    pytest.mark.usefixtures("no_face_model"),
    pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names"),
]

EVIL = "\x1b]0;title\x07\x1b[35;1;9mx\u202e\x9b\rforged\nforged [red]<b>"
OBEYED = [b"\x1b]", b"\x1b[35;1;9m", "\x9b".encode(), "\u202e".encode(), b"\rforged", b"\nforged"]
FUR = os.fsdecode(b"f\xfcr")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of evil names: a dataset, pictures to import and to label, a table, a video."""
    monkeypatch.chdir(tmp_path)
    for number, label in enumerate(MASK_AGE.labels):
        for top in ("data", f"source{EVIL}"):
            (tmp_path / top / label).mkdir(parents=True)
        for photo in range(12):
            picture = encode_jpeg(draw_noise(100 * number + photo))
            (tmp_path / "data" / label / f"{photo}{EVIL}.jpg").write_bytes(picture)
    shutil.copy(tmp_path / "data" / "mask_old" / f"0{EVIL}.jpg", f"source{EVIL}/mask_old/+1.jpg")
    for folder in ("data/mask_old", f"source{EVIL}/mask_old"):
        (tmp_path / folder / f"broken{EVIL}.jpg").write_text("no picture")
        (tmp_path / folder / f"stray{EVIL}.txt").write_text("no picture")
    (tmp_path / "data" / f"folder{EVIL}").mkdir()
    shutil.copy(tmp_path / "data" / "mask_old" / f"0{EVIL}.jpg", f"data/folder{EVIL}/a.jpg")
    with (tmp_path / "table.csv").open("w", newline="") as file:
        rows = [["path", "subject", "session"], ["mask_old/+1.jpg", EVIL, EVIL], [EVIL, "", ""]]
        csv.writer(file).writerows(rows)
    (tmp_path / f"clip{EVIL}.mp4").write_text("no video")
    return tmp_path


COMMANDS: list[tuple[int, list[str]]] = [
    (0, ["collector.cli", "doctor", "data"]),
    (0, ["collector.cli", "import", f"source{EVIL}", f"new{EVIL}", "--metadata", "table.csv"]),
    (0, ["collector.cli", "status", f"new{EVIL}"]),
    (0, ["collector.cli", "consent", "--data", f"new{EVIL}"]),
    (0, ["collector.cli", "forget", EVIL, "--data", f"new{EVIL}", "--yes"]),
    (5, ["collector.cli", "import", f"clip{EVIL}.mp4", "x", "--label", "mask_old"]),
    (5, ["collector.cli", "--source", EVIL]),
    (2, ["collector.cli", "status", "data", f"--bogus{EVIL}"]),
    (4, ["collector.cli", "import", EVIL, "x"]),
    (0, ["curation.cli", "data", "--dry-run", "--dedupe"]),
    (0, ["curation.cli", "data", "--out", f"curated{EVIL}"]),
    (2, ["curation.cli", "data", f"--bogus{EVIL}"]),
    (4, ["curation.cli", EVIL]),
    (4, ["trainer.cli", "fit", EVIL]),
    (2, ["trainer.cli", "fit", f"curated{EVIL}", "--model", EVIL]),
    (5, ["trainer.cli", "compare", f"runs/{EVIL}"]),
    (4, ["trainer.cli", "evaluate", f"runs/{EVIL}", "--data", "data", "--report", "page.html"]),
    (0, ["detector.cli", "run", "data/mask_old", "--model", f"runs/{EVIL}", "--pictures", "out"]),
    (0, ["detector.cli", "run", "data/mask_old", "--model", f"runs/{EVIL}", "--json", "-"]),
    (5, ["detector.cli", "run", f"clip{EVIL}.mp4", "--model", f"runs/{EVIL}"]),
    (5, ["detector.cli", "run", EVIL, "--model", EVIL]),
    (0, ["detector.cli", "suggest", "data", "--model", f"runs/{EVIL}"]),
]


@pytest.mark.slow
def test_no_name_acts_on_the_terminal_in_any_command(place: Path, bundle: ModelBundle) -> None:
    shutil.copytree(bundle.folder, place / "runs" / EVIL / "bundle")
    (place / "data" / "mask_old" / f"broken{EVIL}.jpg").rename(place / f"broken{EVIL}.jpg")
    for code, (module, *words) in COMMANDS:
        found, sent = run_in_terminal(module, *words)
        assert not [mark for mark in OBEYED if mark in sent], (module, words, sent)
        assert (found, b"this is a bug" in sent) == (code, False), (module, words, sent)


def test_no_name_acts_on_the_terminal_in_a_quick_look(place: Path) -> None:
    for words in (["collector.cli", "doctor", "data"], ["curation.cli", "data", "--dry-run"]):
        _, sent = run_in_terminal(*words)
        assert b"\\x1b]0;title" in sent
        assert not [mark for mark in OBEYED if mark in sent], (words, sent)


def test_no_name_acts_on_the_terminal_in_the_gallery(place: Path) -> None:
    code, sent = run_in_terminal(
        "collector.cli", "review", "data", press=b"q", after=b"\\x1b]0;title"
    )
    assert not [mark for mark in (b"\x1b]0;title", *OBEYED[1:4]) if mark in sent], sent
    assert code == 0


@pytest.fixture
def pictures(tmp_path: Path, paint: Callable[..., RgbImage]) -> Path:
    """Pictures with a name that is not UTF-8, with a formula for a name, and with the longest."""
    folder = tmp_path / f"pictures {FUR}"
    folder.mkdir()
    for name in (f"{FUR}.jpg", "+1.jpg", f"{'x' * 251}.jpg"):
        (folder / name).write_bytes(encode_jpeg(paint("mask_old", 100, 80)))
    return folder


def test_every_output_of_run_takes_every_name(
    pictures: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    out = tmp_path / f"out {FUR}"
    words = [*("--json", out / "a.jsonl"), *("--csv", out / "a.csv"), *("--pictures", out / "all")]
    words += ["--video", out / f"{FUR}.mp4"]
    assert detector(["run", str(pictures), "--model", str(bundle.folder), *map(str, words)]) == 0
    names = ["+1.jpg", f"{FUR}.jpg", f"{'x' * 251}.jpg"]
    events = [json.loads(line) for line in (out / "a.jsonl").read_text("utf-8").splitlines()]
    assert [text_to_path(event["file"]) for event in events] == sorted(names)
    with (out / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["file"] for row in csv.DictReader(file)]
    assert cells[:2] == ["./+1.jpg", "f\\xfcr.jpg"]
    assert [cell_to_path(cell) for cell in cells] == sorted(names)
    assert len(list((out / "all").iterdir())) == 3
    assert (out / f"{FUR}.mp4").stat().st_size > 0


def test_a_video_with_a_name_that_is_not_utf_8_is_written_and_read(
    bundle: ModelBundle, tmp_path: Path, paint: Callable[..., RgbImage]
) -> None:
    clip = tmp_path / f"{FUR}.mp4"
    with VideoSink(clip, 10.0) as sink:
        for _ in range(3):
            sink.write(paint("mask_old", 320, 240))
    out = tmp_path / "out.jsonl"
    words = ["run", str(clip), "--model", str(bundle.folder), "--json", str(out)]
    assert detector(words) == 0
    assert len(out.read_text().splitlines()) == 3


def test_an_evaluation_and_its_page_take_every_name(
    bundle: ModelBundle, tmp_path: Path, paint: Callable[..., RgbImage]
) -> None:
    data = tmp_path / f"photos {FUR} <b>"
    for number, label in enumerate(MASK_AGE.labels):
        (data / label).mkdir(parents=True)
        # One is wrong, so that the page shows it with its name.
        pixels = paint(MASK_AGE.labels[3] if number == 0 else label, 64, 64)
        (data / label / f"{FUR} <script>{EVIL.replace('/', '')}.jpg").write_bytes(
            encode_jpeg(pixels)
        )
    page = tmp_path / f"{FUR}.html"
    words = ["evaluate", str(bundle.folder), "--data", str(data), "--report", str(page)]
    assert trainer(words) == 0
    text = page.read_text(encoding="utf-8")
    assert "f\\xfcr" in text
    assert "<script>" not in text
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def test_no_password_is_shown_by_advice_on_a_command_line(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    with MjpegServer() as server:
        url = server.url.replace("//", "//anna:secret@")
        assert detector(["run", url, "--model", str(bundle.folder)]) == 2
        assert server.url in capsys.readouterr().err
        for command in (["live", url], ["run", "demo", url], ["bench", "demo", url]):
            assert detector(command) == 2
            told = capsys.readouterr().err
            assert "http://..." in told
            assert "secret" not in told


def test_a_message_does_not_act_on_the_terminal_view(paint: Callable[..., RgbImage]) -> None:
    frame = Frame(paint("mask_old"), 0)
    view = LiveView(
        FrameResult(frame, (), Timings(1, 1, 1, 1), MASK_AGE), Readout(message=EVIL, notice=EVIL)
    )
    drawn = compose_view(view, 80, 24).encode()
    assert not [mark for mark in OBEYED if mark in drawn]


def test_an_alarm_tells_every_name(paint: Callable[..., RgbImage]) -> None:
    alarm = Alarm("mask_old", 1, 0.9, 0.0, "2026-01-01", "camera", f"{FUR}.jpg")
    assert json.loads(alarm.to_json())["file"] == "f\\xfcr.jpg"
    assert os.fsencode(alarm.to_environment()["MASKAGE_FILE"]) == b"f\xfcr.jpg"
