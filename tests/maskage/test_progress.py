"""The display of long work, at real terminals and without one."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maskage.console import ProgressDisplay, no_progress, show_progress

ROOT = Path(__file__).parents[2]
HOSTILE = "scan \x1b]0;owned\x07\u202egpj [bold]"
SHOWN = "scan \\x1b]0;owned\\x07\\u202egpj [bold]"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"

WORK = f"""
import sys, time
from maskage.console import run_command, say, show, show_progress

def work():
    for number in show_progress(range({{count}}), {HOSTILE!r}, {{count}}):
        time.sleep(0.05)
        if number == 3:
            say("a notice \\x1b[31m")
            show("a result")
            print("from a library \\x1b[31m\\x07", file=sys.stderr)
    return 0

sys.exit(run_command(work))
"""


def run_with_terminal(
    count: int, stdout: Path, stop: signal.Signals | None = None, **environment: str
) -> tuple[int, bytes]:
    """Run the work with stderr at a terminal; gives the exit code and what the terminal got."""
    outer, inner = pty.openpty()
    with stdout.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", WORK.format(count=count)],
            stdout=file,
            stderr=inner,
            stdin=subprocess.DEVNULL,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": ""}
            | environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    os.close(inner)
    sent, end_s = b"", time.monotonic() + 60
    while select.select([outer], [], [], max(0.0, end_s - time.monotonic()))[0]:
        try:
            sent += os.read(outer, 1 << 16)
        except OSError:  # the last one on the other side is gone
            break
        if stop is not None and b"a notice" in sent:
            process.send_signal(stop)
            stop = None
    else:
        process.kill()
    os.close(outer)
    return process.wait(), sent


def test_a_bar_at_a_terminal_shows_count_rate_and_time_left(tmp_path: Path) -> None:
    code, sent = run_with_terminal(20, tmp_path / "out")
    assert code == 0
    text = sent.decode()
    assert re.search(r"\d+/20, \d+/s, 00:0\d left", text)
    assert "20/20" in text
    assert sent.count(HIDE_CURSOR) == sent.count(SHOW_CURSOR) == 1


def test_results_go_to_the_file_and_not_above_the_bar(tmp_path: Path) -> None:
    _, sent = run_with_terminal(8, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a result\n"
    assert b"a result" not in sent


def test_nothing_from_outside_acts_on_the_terminal_while_a_bar_is_shown(tmp_path: Path) -> None:
    _, sent = run_with_terminal(8, tmp_path / "out")
    text = sent.decode()
    assert SHOWN in text
    assert "a notice \\x1b[31m" in text
    assert "from a library \\x1b[31m\\x07" in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_without_colours_the_bar_has_none(tmp_path: Path) -> None:
    colour = re.compile(rb"\x1b\[(?:3|9)\d(?:;\d+)*m|\x1b\[38")
    assert colour.search(run_with_terminal(8, tmp_path / "out")[1])
    _, sent = run_with_terminal(8, tmp_path / "out", NO_COLOR="1")
    assert b"8/8" in sent
    assert not colour.search(sent)


def test_a_dumb_terminal_gets_lines_only(tmp_path: Path) -> None:
    code, sent = run_with_terminal(8, tmp_path / "out", TERM="dumb")
    assert code == 0
    assert b"a notice" in sent
    assert b"\x1b" not in sent


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_end_leaves_the_terminal_whole(tmp_path: Path, stop: signal.Signals, code: int) -> None:
    ended, sent = run_with_terminal(600, tmp_path / "out", stop)
    assert ended == code
    assert sent.rindex(SHOW_CURSOR) > sent.rindex(HIDE_CURSOR)
    # The bar is gone: what follows it erased its line.
    assert b"\x1b[2K" in sent[sent.rindex(SHOW_CURSOR) :]


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressDisplay(every_s=0.0) as display:
        display.update("fine-tune", 1, 8, unit="epochs", rate=0.1, note="loss 0.41")
        display.update("fine-tune", 1, 9, unit="epochs", rate=0.001)
        display.update("pack \x1b[31m", 2, None, rate=12.0)
    assert capsys.readouterr().err.splitlines() == [
        "fine-tune 1/8 epochs, 10.0 s each, 01:10 left, loss 0.41",
        "fine-tune 1/9 epochs, 1000.0 s each, 2:13:20 left",
        "pack \\x1b[31m 2, 12/s",
    ]


def test_the_last_line_of_a_stage_is_said_however_soon(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay() as display:
        for done in range(1, 5):
            display.update("head", done, 4, unit="epochs", rate=2.0)
    assert capsys.readouterr().err.splitlines() == [
        "head 1/4 epochs, 2/s, 00:02 left",
        "head 4/4 epochs, 2/s",
    ]


def test_short_work_without_a_terminal_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(show_progress(iter([1, 2, 3]), "counting", 3)) == [1, 2, 3]
    assert list(show_progress(iter([1, 2, 3]), "counting")) == [1, 2, 3]
    assert list(show_progress([], "counting", 0)) == []
    assert list(no_progress([1], "counting")) == [1]
    assert capsys.readouterr().err == ""
