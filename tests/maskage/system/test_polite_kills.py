"""A polite kill gives the terminal back, loses nothing, and ends with 128 and the signal."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from maskage.dataset.photo_listing import list_photos
from maskage.pictures.images import encode_jpeg
from maskage.system.signals import ending_politely

WAIT_S = 60.0
# Alternate screen, cursor and the ways of reporting the mouse: off, as they were.
LEFT_AS_THEY_WERE = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?1003l", "\x1b[?1006l")
POLITE = (signal.SIGTERM, signal.SIGHUP)


class Session:
    """A command in a terminal of its own, which it is told of when that goes."""

    def __init__(self, folder: Path, *words: str, module: str = "collector.cli") -> None:
        self.outer, self.inner = pty.openpty()
        termios.tcsetwinsize(self.inner, (40, 120))
        self.settings = termios.tcgetattr(self.inner)
        self._handles: tuple[int, ...] = (self.outer, self.inner)
        self.text = ""
        environment = os.environ | {
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "https_proxy": "http://127.0.0.1:9",
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "TERM": "xterm-256color",
        }
        for name in ("FACE_MODEL", "COLUMNS", "LINES"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read_until(self, wanted: str) -> None:
        """Read what it writes until `wanted` has come."""
        until_s = time.monotonic() + WAIT_S
        while wanted not in self.text:
            assert time.monotonic() < until_s, self.text[-500:]
            self._read(0.2)

    def wait(self) -> int:
        """Read on until it has ended; returns its code."""
        until_s = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            assert time.monotonic() < until_s, self.text[-500:]
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.returncode

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self.outer], [], [], timeout_s)[0]:
            return False
        self.text += os.read(self.outer, 1 << 16).decode(errors="replace")
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """The terminal goes, as when its window is closed."""
        for handle in self._handles:
            os.close(handle)
        self._handles = ()


@contextmanager
def session(folder: Path, *words: str, module: str = "collector.cli") -> Iterator[Session]:
    opened = Session(folder, *words, module=module)
    try:
        yield opened
    finally:
        opened.close()


CAPTURE = ("data", "--source", "demo", "--subject", "p07", "--gate", "off")


def shoot(screen: Session) -> None:
    screen.read_until("▀▀▀▀▀▀")
    os.write(screen.outer, b"1")
    screen.read_until("number 1")


@pytest.mark.parametrize("number", POLITE)
def test_the_collector_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    with session(tmp_path, *CAPTURE) as screen:
        shoot(screen)
        screen.process.send_signal(number)
        assert screen.wait() == 128 + number
        after = screen.text.rpartition("\x1b[?1049l")[2]
        assert all(each in screen.text for each in LEFT_AS_THEY_WERE)
        assert "Saved in data: 1." in after
        assert termios.tcgetattr(screen.inner) == screen.settings
    assert len(list_photos(tmp_path / "data")) == 1


def test_the_collector_does_what_was_ordered_first(tmp_path: Path) -> None:
    with session(tmp_path, *CAPTURE) as screen:
        screen.read_until("▀▀▀▀▀▀")
        os.write(screen.outer, b"1")
        # In the help, which lies above the camera, a kill ends it too.
        os.write(screen.outer, b"?")
        screen.read_until("mirror the preview")
        screen.process.terminate()
        assert screen.wait() == 128 + signal.SIGTERM
    assert len(list_photos(tmp_path / "data")) == 1


def test_a_terminal_that_goes_ends_the_collector_in_order(tmp_path: Path) -> None:
    with session(tmp_path, *CAPTURE) as screen:
        shoot(screen)
        screen.hang_up()
        assert screen.process.wait(WAIT_S) == 128 + signal.SIGHUP
    assert len(list_photos(tmp_path / "data")) == 1
    # The dataset is free again, and whole.
    code = subprocess.run([sys.executable, "-m", "collector.cli", "doctor", "data"], cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
                          capture_output=True).returncode  # fmt: skip
    assert code == 0


@pytest.mark.parametrize("number", POLITE)
def test_the_gallery_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "data" / "mask_old"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(0, 255, (120, 120, 3), np.uint8)
    (folder / "a.jpg").write_bytes(encode_jpeg(pixels))
    with session(tmp_path, "review", "data") as screen:
        screen.read_until("1 of 1")
        screen.process.send_signal(number)
        assert screen.wait() == 128 + number
        assert all(each in screen.text for each in LEFT_AS_THEY_WERE)
        assert termios.tcgetattr(screen.inner) == screen.settings


# Without a screen


@pytest.mark.parametrize("number", POLITE)
def test_a_command_that_shows_its_progress_gives_the_cursor_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    source = tmp_path / "mask_old"
    source.mkdir()
    for n in range(800):
        pixels = np.random.default_rng(n).integers(0, 255, (48, 48, 3), np.uint8)
        (source / f"{n}.jpg").write_bytes(encode_jpeg(pixels))
    with session(tmp_path, "import", str(source), "--label", "mask_old") as screen:
        screen.read_until("\x1b[?25l")
        screen.read_until("importing")
        screen.process.send_signal(number)
        assert screen.wait() == 128 + number
        assert screen.text.rfind("\x1b[?25h") > screen.text.rfind("\x1b[?25l")


def test_a_polite_kill_unwinds() -> None:
    ended = []

    def work() -> None:
        with ending_politely():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(WAIT_S)
            finally:
                ended.append("in order")

    with pytest.raises(SystemExit) as told:
        work()
    assert told.value.code == 128 + signal.SIGTERM
    assert ended == ["in order"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_under_nohup_the_terminal_may_go() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_politely():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_changes() -> None:
    handlers: list[object] = []

    def enter() -> None:
        with ending_politely():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]
