"""The screens in a real terminal: tmux runs the command, sends the keys and reads the screen."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskage.classes.ready_made import plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.dataset.photo_listing import list_photos
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from tests.maskage.dataset.saving_checks import small_disk

TMUX = shutil.which("tmux")
WAIT_S = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(TMUX is None, reason="needs tmux, a terminal that can be driven"),
]


class Terminal:
    """One terminal with one command in it."""

    def __init__(self, folder: Path, command: str, columns: int = 120, rows: int = 40) -> None:
        self._socket = f"maskage-{uuid.uuid4().hex[:8]}"
        # Nothing outside the folder is touched; no face model is fetched: the guide stands in.
        environment = (
            f"HOME={folder} XDG_CACHE_HOME={folder}/cache XDG_CONFIG_HOME={folder}/config "
            f"https_proxy=http://127.0.0.1:9 COLORTERM=truecolor"
        )
        # Python's readline puts COLUMNS and LINES into the environment, and they would be believed.
        bare = "env -u FACE_MODEL -u COLUMNS -u LINES"
        # The shell waits at the end, so that its last lines can be read.
        line = f"cd {folder}; {bare} {environment} {command}; echo code $?; sleep 600"
        self._run("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", str(columns), "-y",
                  str(rows), "sh", "-c", line)  # fmt: skip

    def _run(self, *words: str) -> str:
        assert TMUX is not None
        answer = subprocess.run(
            [TMUX, "-L", self._socket, *words], capture_output=True, text=True, check=True
        )
        return answer.stdout

    def press(self, *keys: str) -> None:
        """Send keys, by tmux's names."""
        self._run("send-keys", "-t", "t", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))

    def text(self) -> str:
        """What the terminal shows."""
        return self._run("capture-pane", "-p", "-t", "t")

    def wait(self, text: str) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while text not in self.text():
            assert time.monotonic() < deadline_s, f"no {text!r} in:\n{self.text()}"
            time.sleep(0.05)

    def close(self) -> None:
        self._run("kill-server")


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    started: list[Terminal] = []
    yield started
    for terminal in started:
        terminal.close()


def collector(words: str) -> str:
    return f"{sys.executable} -m collector.cli {words}"


def test_a_sitting_from_start_to_quit(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminal = Terminal(tmp_path, collector("data --source demo --subject p07 --gate off"))
    terminals.append(terminal)
    terminal.wait("▀▀▀▀▀▀")
    terminal.press("1")
    terminal.wait("saved mask, old, number 1")
    terminal.press("4")
    terminal.wait("saved no mask, young, number 1")
    terminal.press("u")
    terminal.wait("undone: 1 photo to the trash")
    terminal.press("2")
    terminal.wait("saved mask, young, number 1")
    terminal.press("f")
    terminal.wait("flagged")
    terminal.press("?")
    terminal.wait("mirror the preview")
    terminal.press("q")
    terminal.wait("flagged")
    terminal.press("g")
    terminal.wait("1 of 2 · newest")
    terminal.press("3")
    terminal.wait("relabelled no mask, old")
    terminal.press("q")
    terminal.wait("back at the camera")
    terminal.resize(59, 19)
    terminal.wait("The terminal is 59x19.")
    terminal.resize(80, 24)
    terminal.wait("1 2 3 4 shoot")
    terminal.press("q")
    terminal.wait("code 0")
    assert "Saved in data: 2." in terminal.text()
    photos = list_photos(tmp_path / "data")
    assert [photo.label for photo in photos] == ["mask_old", "nomask_old"]
    assert {photo.subject for photo in photos} == {"p07"}
    assert [photo.is_flagged for photo in photos] == [False, True]


def test_ctrl_c_saves_what_was_taken_and_gives_the_terminal_back(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    terminal = Terminal(tmp_path, collector("data --source demo --gate off"))
    terminals.append(terminal)
    terminal.wait("▀▀▀▀▀▀")
    terminal.press("1")
    terminal.wait("number 1")
    terminal.press("C-c")
    terminal.wait("code 130")
    assert "Saved in data: 1." in terminal.text()
    assert len(list_photos(tmp_path / "data")) == 1


def test_a_second_collector_is_told_who_holds_the_dataset(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    first = Terminal(tmp_path, collector("data --source demo"))
    terminals.append(first)
    first.wait("▀▀▀▀▀▀")
    second = Terminal(tmp_path, collector("review data"))
    terminals.append(second)
    second.wait("code")
    # With no photo there is nothing to review; with one, the dataset is in use.
    assert "code 4" in second.text()
    first.press("1")
    first.wait("number 1")
    third = Terminal(tmp_path, collector("review data"))
    terminals.append(third)
    third.wait("code 75")
    assert "another program is writing to this dataset (cli.py, process" in third.text()


def test_twelve_classes_by_key_and_by_name(tmp_path: Path, terminals: list[Terminal]) -> None:
    scheme = plain_scheme([*(f"class {number}" for number in range(10)), "glasses", "=1+1"])
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CLASSES_FILE).write_text(format_scheme(scheme))
    terminal = Terminal(tmp_path, collector("data --source demo --subject p07 --gate off"), 80, 24)
    terminals.append(terminal)
    terminal.wait("▀▀▀▀▀▀")
    terminal.press("9")
    terminal.wait("saved class 8, number 1")
    # Typed at once, as a script does.
    terminal.press("/glas", "Enter")
    terminal.wait("saved glasses, number 1")
    terminal.press("Space")
    terminal.wait("saved glasses, number 2")
    terminal.press("/")
    terminal.wait("shoot into which class?")
    terminal.press("=", "1")
    terminal.wait("1 of 1")
    terminal.press("Escape")
    terminal.wait("subject  p07")
    terminal.press("g")
    terminal.wait("1 of 3 · newest")
    terminal.press("/=1", "Enter")
    terminal.wait("relabelled =1+1")
    terminal.press("q")
    terminal.wait("back at the camera")
    terminal.press("q")
    terminal.wait("code 0")
    assert [photo.label for photo in list_photos(tmp_path / "data")] == [
        "=1+1",
        "class 8",
        "glasses",
    ]


def test_a_class_on_the_key_of_a_command_is_refused_before_anything_opens(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    scheme = Scheme((PhotoClass("queen", "queen", "#7cc7f0", "q"), PhotoClass("b", "b", "#1fa884")))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CLASSES_FILE).write_text(format_scheme(scheme))
    for number, words in enumerate(("data --source demo", "review data")):
        terminals.append(Terminal(tmp_path, collector(words)))
        terminals[number].wait("code 2")
        assert "The class 'queen' has the key 'q'" in terminals[number].text()
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == [CLASSES_FILE]


def test_a_full_disk_is_told_at_the_camera_and_ends_with_5(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    try:
        with small_disk(tmp_path / "disk", 1) as disk:
            terminal = Terminal(tmp_path, collector("disk/data --source demo --gate off"))
            terminals.append(terminal)
            terminal.wait("▀▀▀▀▀▀")
            terminal.press("1")
            terminal.wait("saved mask, old, number 1")
            (disk / "ballast").write_bytes(b"x" * (_free_bytes(disk) - 4096))
            terminal.press("2")
            terminal.wait("not saved! mask_young/")
            terminal.wait("failed 1")
            terminal.press("q")
            terminal.wait("code 5")
            assert "Saved in disk/data: 1." in terminal.text()
            assert "could not be saved" in terminal.text()
            assert [photo.label for photo in list_photos(disk / "data")] == ["mask_old"]
    except PermissionError as fault:
        pytest.skip(f"no small disk can be mounted here: {fault}")


def _free_bytes(disk: Path) -> int:
    answer = os.statvfs(disk)
    return answer.f_bavail * answer.f_frsize
