"""What the Tab key completes, in the real shells; one that is not installed is skipped."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.cli import PROGRAM as COLLECTOR
from curation.cli import PROGRAM as CURATE
from detector.cli import PROGRAM as DETECTOR
from maskage.commands.program import SHELLS
from trainer.cli import PROGRAM as TRAINER

LONGEST_S = 60.0
PROGRAMS = (COLLECTOR, CURATE, TRAINER, DETECTOR)

COMPLETED = {
    "collector sta": "collector status",
    "collector capt": "collector capture",
    "collector pho": "collector photos",
    "collector --sourc": "collector --source",
    "collector --gate stri": "collector --gate strict",
    "collector --source dem": "collector --source demo",
    "collector --source demo pho": "collector --source demo photos",
    "collector photos --targ": "collector photos --target",
    "collector capture --data pho": "collector capture --data photos",
    "collector import cli": "collector import clip.mp4",
    "collector import --label mask_o": "collector import --label mask_old",
    "collector init --classes mask-a": "collector init --classes mask-age",
    "collector init --from pho": "collector init --from photos",
    "collector classes pho": "collector classes photos",
    "collector classes photos --ren": "collector classes photos --rename",
    "collector import photos --add": "collector import photos --add-classes",
    "collector import photos --metadata tab": "collector import photos --metadata table.csv",
    "collector forget p07 pho": "collector forget p07 photos",
    "collector --print-completion z": "collector --print-completion zsh",
    "curate --balance dr": "curate --balance drop",
    "curate pho": "curate photos",
    "curate --print-completion z": "curate --print-completion zsh",
    "trainer ev": "trainer evaluate",
    "trainer fit --model xc": "trainer fit --model xception",
    "trainer fit --heads fac": "trainer fit --heads factors",
    "trainer fit --weights image": "trainer fit --weights imagenet",
    "trainer export --to tflite-": "trainer export --to tflite-int8",
    "detector su": "detector suggest",
    "detector live --model pho": "detector live --model photos",
    "detector run dem": "detector run demo",
    "detector run cli": "detector run clip.mp4",
    "detector --print-completion f": "detector --print-completion fish",
}
BEGIN = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
}
READY = {
    "bash": "bind 'set enable-bracketed-paste off'",
    "zsh": "bindkey -e; autoload -U compinit; compinit -D -u; setopt no_list_beep",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to complete names in, with the scripts of all shells beside it."""
    work = tmp_path / "work"
    (work / "photos").mkdir(parents=True)
    (work / "table.csv").touch()
    (work / "clip.mp4").touch()
    for shell in SHELLS:
        for program in PROGRAMS:
            (tmp_path / f"{program.name}.{shell}").write_text(program.make_completion(shell))
    return work


def require(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


class ShellSession:
    """A shell in a terminal of its own."""

    def __init__(self, shell: str, folder: Path) -> None:
        self.outer, inner = pty.openpty()
        self.process = subprocess.Popen(
            BEGIN[shell],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "PS1": "> "},
            start_new_session=True,
        )
        os.close(inner)
        self.answer(READY[shell] + "\n", "")
        for program in PROGRAMS:
            self.answer(f'eval "$(cat ../{program.name}.{shell})"\n', "")

    def answer(self, typed: str, line: str) -> str:
        """Type, then let the shell print the line that it has completed to."""
        os.write(self.outer, typed.encode())
        # The beginning is inserted at the start of the line; as typed it is not yet the marker.
        os.write(self.outer, f"{line}\x01printf 'com''pleted[%s]\\n' \"\x05\"\n".encode())
        shown, end = b"", time.monotonic() + LONGEST_S
        while (found := re.search(rb"completed\[(.*?)\]", shown)) is None:
            assert select.select([self.outer], [], [], max(0.0, end - time.monotonic()))[0], shown
            shown += os.read(self.outer, 1 << 16)
        return found[1].decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.outer)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_completes_commands_options_choices_and_names(shell: str, folder: Path) -> None:
    require(shell)
    session = ShellSession(shell, folder)
    try:
        found = {line: session.answer("", f"{line}\t").rstrip(" /") for line in COMPLETED}
    finally:
        session.close()
    assert found == COMPLETED


def test_fish_completes_commands_options_choices_and_names(folder: Path) -> None:
    require("fish")
    found = {}
    for line in COMPLETED:
        script = f"source ../{line.split()[0]}.fish; complete -C '{line}'"
        words = ["fish", "--no-config", "-c", script]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
        offered = [row.split("\t")[0].rstrip("/") for row in done.stdout.splitlines()]
        typed = line.rpartition(" ")
        found[line] = f"{typed[0]} {offered[0] if len(offered) == 1 else typed[2]}"
    assert found == COMPLETED


def test_the_first_word_is_a_command_or_a_dataset(folder: Path) -> None:
    require("fish")
    script = "source ../collector.fish; complete -C 'collector '"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    offered = {row.split("\t")[0] for row in done.stdout.splitlines()}
    assert offered == {"photos/", *(command.name for command in COLLECTOR.commands)}


@pytest.mark.parametrize("program", ["collector", "curation", "trainer", "detector"])
@pytest.mark.parametrize("shell", SHELLS)
def test_each_program_prints_the_script_of_each_shell(program: str, shell: str) -> None:
    words = [sys.executable, "-m", f"{program}.cli", "--print-completion", shell]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "AUTOMATICALLY GENERATED" in done.stdout
    assert done.stderr == ""
