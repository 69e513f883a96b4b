"""The terminal shows the picture and the words, and is given back as it was found."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.cells import cell_len

from detector.drawing.overlay import Readout
from detector.screens.base import LiveView
from detector.screens.terminal import compose_view, confidence_bar
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.formats.bundle import ModelBundle
from maskage.records import FaceBox, Frame
from tests.detector.schemes import MASK_STATE, ODD
from tests.maskage.system.test_polite_kills import session

ROOT = Path(__file__).parents[3]


def make_view(box: FaceBox, *, is_mirrored: bool = False) -> LiveView:
    pixels = np.full((480, 640, 3), 128, dtype=np.uint8)
    face = TrackedFace(
        3,
        box,
        "mask_young",
        (0.02, 0.93, 0.03, 0.02),
        (0.02, 0.93, 0.03, 0.02),
        True,
        scheme=MASK_AGE,
    )
    result = FrameResult(Frame(pixels, 0), (face,), Timings(1, 1, 1, 1), MASK_AGE)
    return LiveView(result, Readout(fps=24, age_ms=31), is_mirrored)


def cells(view: LiveView, columns: int, rows: int) -> list[str]:
    """What a terminal of that size would hold, colours left out."""
    screen = [[" "] * columns for _ in range(rows)]
    row = column = 0
    for escape, to_row, to_column, letter in re.findall(
        r"(\x1b\[(?:(\d+);(\d+)H|[?0-9;]*[a-zA-Z]))|(.)", compose_view(view, columns, rows)
    ):
        if to_row:
            row, column = int(to_row) - 1, int(to_column) - 1
        elif not escape:
            screen[row][column] = letter
            # A wide character takes two columns, a joiner none.
            for taken in range(column + 1, column + cell_len(letter)):
                screen[row][taken] = ""
            column += cell_len(letter)
    return ["".join(line) for line in screen]


def test_the_words_stand_above_the_face() -> None:
    lines = cells(make_view(FaceBox(200, 160, 160, 160)), 100, 40)
    row = next(n for n, line in enumerate(lines) if "#3 mask, young 93%" in line)
    assert "█████████░" in lines[row]
    # 100 / 640 half-blocks a pixel: the box begins at half-block 25, which is in row 12.
    assert row == 11


def test_rate_age_and_the_notice_are_shown() -> None:
    lines = cells(make_view(FaceBox(200, 160, 160, 160)), 120, 40)
    assert "24 frames/s   frame age 31 ms" in lines[-2]
    assert "q quit" in lines[-1]
    assert "Age is estimated" in lines[-1]


def test_mirroring_moves_the_words_to_the_other_side() -> None:
    box = FaceBox(20, 160, 100, 160)
    plain, mirrored = (cells(make_view(box, is_mirrored=m), 100, 40) for m in (False, True))

    def column(lines: list[str]) -> int:
        return next(line.index("#3") for line in lines if "#3" in line)

    assert column(plain) < 30
    assert column(mirrored) > 50


def test_any_size_of_terminal_is_survived() -> None:
    for columns, rows in ((1, 1), (2, 3), (10, 4), (300, 5), (5, 100)):
        lines = cells(make_view(FaceBox(0, 0, 640, 480)), columns, rows)
        assert len(lines) == rows


def view_of(scheme: Scheme, label: str, *, is_sure: bool = True) -> LiveView:
    pixels = np.full((480, 640, 3), 128, dtype=np.uint8)
    rest = 0.07 / (len(scheme) - 1)
    row = tuple(0.93 if each == label else rest for each in scheme.labels)
    box = FaceBox(200, 160, 160, 160)
    face = TrackedFace(3, box, label, row, row, is_sure, scheme=scheme)
    return LiveView(FrameResult(Frame(pixels, 0), (face,), Timings(1, 1, 1, 1), scheme), Readout())


@pytest.mark.parametrize("label", ODD.labels)
@pytest.mark.parametrize("columns", [1, 2, 12, 40, 100])
def test_a_name_of_any_width_stays_within_its_line(label: str, columns: int) -> None:
    # A character beyond the last column is an error there.
    assert len(cells(view_of(ODD, label), columns, 30)) == 30
    assert f"#3 {ODD.title(label)} 93%" in "".join(cells(view_of(ODD, label), 150, 40))


def test_three_mask_values_have_three_boxes() -> None:
    alike = [replace(each, title="the same", color="#7cc7f0") for each in MASK_STATE]
    scheme = replace(MASK_STATE, classes=tuple(alike))
    assert len({compose_view(view_of(scheme, label), 100, 40) for label in scheme.labels}) == 3
    plain = plain_scheme(["a", "b"])
    alike = [replace(each, title="the same", color="#7cc7f0") for each in plain]
    plain = replace(plain, classes=tuple(alike))
    assert len({compose_view(view_of(plain, label), 100, 40) for label in plain.labels}) == 1


def test_age_is_not_spoken_of_where_classes_have_none() -> None:
    assert "Age" not in "".join(cells(view_of(MASK_STATE, "worn"), 120, 40))


def test_a_confidence_is_a_bar() -> None:
    assert confidence_bar(0.0) == "░" * 10
    assert confidence_bar(0.72) == "███████░░░"
    assert confidence_bar(1.0) == "█" * 10


def read_until(terminal: int, wanted: str, timeout_s: float = 15.0) -> str:
    """Everything the program writes until `wanted` has come."""
    text, end = "", time.monotonic() + timeout_s
    while wanted not in text and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                text += os.read(terminal, 1 << 16).decode(errors="replace")
            except OSError:
                break
    assert wanted in text, text[-300:]
    return text


@pytest.fixture(autouse=True)
def _guide(no_face_model: None) -> None:
    """No face model: the guide is classified."""


def start_live(
    tmp_path: Path, bundle: ModelBundle, film: Callable[..., Path], *words: str
) -> tuple[int, int, "subprocess.Popen[bytes]"]:
    """`detector live` on a video, in a real terminal of its own."""
    clip = film(["mask_young"] * 300)
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (30, 100))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "detector.cli", "live", "--terminal"),
            *("--source", str(clip), "--model", str(bundle.folder)),
            *("--snapshots", str(tmp_path / "shots")),
            *words,
        ],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=ROOT,
        env=os.environ,
    )
    return outer, inner, process


def test_keys_work_and_the_terminal_is_given_back(
    tmp_path: Path, bundle: ModelBundle, film: Callable[..., Path]
) -> None:
    outer, inner, process = start_live(tmp_path, bundle, film)
    before = termios.tcgetattr(inner)
    try:
        read_until(outer, "frames/s")
        assert termios.tcgetattr(inner)[3] != before[3]
        os.write(outer, b"s")
        read_until(outer, "saved ")
        os.write(outer, b"p")
        read_until(outer, "PAUSED")
        os.write(outer, b"\x1b[A")  # an arrow key is not ours
        os.write(outer, b"q")
        text = read_until(outer, "frames labelled")
        assert process.wait(10) == 0
        assert "\x1b[?1049l" in text
        assert termios.tcgetattr(inner) == before
        assert len(list((tmp_path / "shots").glob("*.jpg"))) == 1
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def test_a_polite_kill_gives_the_terminal_back(
    tmp_path: Path, bundle: ModelBundle, film: Callable[..., Path]
) -> None:
    outer, inner, process = start_live(tmp_path, bundle, film)
    before = termios.tcgetattr(inner)
    try:
        read_until(outer, "frames/s")
        process.send_signal(signal.SIGTERM)
        read_until(outer, "\x1b[?1049l")
        assert process.wait(10) == 128 + signal.SIGTERM
        assert termios.tcgetattr(inner) == before
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def test_what_became_of_alarms_is_said_on_the_terminal_that_stays(
    tmp_path: Path, bundle: ModelBundle, film: Callable[..., Path]
) -> None:
    begun, done = tmp_path / "begun", tmp_path / "done"
    command = f"sh -c 'touch {begun}; sleep 1; touch {done}; exit 7'"
    outer, inner, process = start_live(
        tmp_path, bundle, film, "--on", "mask_*", "--on-for", "0", "--exec", command
    )
    try:
        until_s = time.monotonic() + 15
        while not begun.exists() and time.monotonic() < until_s:
            with suppress(AssertionError):
                read_until(outer, "frames/s", 0.2)
        os.write(outer, b"q")
        text = read_until(outer, "frames labelled")
        assert process.wait(10) == 0
        after = text.rpartition("\x1b[?1049l")[2]
        assert "1 alarms raised; 0 commands and webhooks done, 1 failed, 0 dropped" in after
        # The failure came when no screen could show it any more.
        assert "--exec sh: ended with code 7" in after
        assert done.exists()
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def test_a_terminal_that_goes_ends_the_view_in_order(tmp_path: Path, bundle: ModelBundle) -> None:
    words = ["live", "--terminal", "--source", "demo", "--model", str(bundle.folder), "--record"]
    with session(tmp_path, *words, module="detector.cli") as screen:
        screen.read_until("frames/s")
        screen.hang_up()
        assert screen.process.wait(30) == 128 + signal.SIGHUP
    (recording,) = (tmp_path / "recordings").iterdir()
    reader = cv2.VideoCapture(str(recording))
    assert reader.read()[0]
    reader.release()
