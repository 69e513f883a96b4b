"""Kills and faults on `kill_worker.py`, and whether anything that was told as done was lost."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from collector.files import TEMPORARY_PREFIX
from collector.images import read_image
from collector.records import LABELS
from collector.store import TRASH, PhotoStore, list_photos
from tests.collector.kill_worker import MARK, SUBJECT

ROOT = Path(__file__).parents[2]
STRACE = shutil.which("strace")

ACTIONS = ("save", "relabel", "trash", "restore")
REFUSABLE = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "link", "linkat", "rename", "renameat2",
    "unlink", "ftruncate", "fallocate",
)  # fmt: skip
"""System calls of the disk that can fail for want of space or by a fault of the device."""


@dataclass
class Told:
    """What the program told before it ended.

    Attributes:
        places: Where each photo that was told as saved lies now, by its digest.
        attempt: The action that was begun and not told as done: where its photo was, and would be.
        refused: What the disk refused, as told.
        done: How many actions were told as done.
    """

    places: dict[str, str] = field(default_factory=dict)
    attempt: tuple[str, str] | None = None
    refused: list[str] = field(default_factory=list)
    done: int = 0


def read_told(output: str) -> Told:
    """Make sense of the lines of `kill_worker.py`; a line that was cut short was not told."""
    told = Told()
    for line in output.splitlines(keepends=True):
        kind, *words = line.rstrip("\n").split(" ")
        if not line.endswith("\n") or not words:
            continue
        if kind == "try":
            told.attempt = (words[1], words[2])
        elif kind == "refused":
            told.refused.append(" ".join(words))
            told.attempt = None
        elif kind == "did":
            told.done += 1
            told.attempt = None
            action, before, after, *rest = words
            digest = rest[0] if action == "save" else _digest_at(told, before)
            told.places[digest] = after
    return told


def find_losses(root: Path, told: Told) -> list[str]:
    """What is not as it was told: empty where nothing was lost, torn or doubled."""
    losses = []
    with PhotoStore(root) as store:
        if store.photos() != list_photos(root):
            losses.append("the store and the folders disagree")
    photos = {photo.path: photo for photo in list_photos(root)}
    found: dict[str, list[str]] = {}
    for path in _picture_files(root):
        name = path.relative_to(root).as_posix()
        try:
            read_image(path)
        except Exception as fault:  # noqa: BLE001  whatever it is, it is no whole picture
            losses.append(f"{name} is torn: {fault}")
        found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(name)
    for digest, place in told.places.items():
        allowed = {place}
        if told.attempt is not None and told.attempt[0] == place:
            allowed.add(told.attempt[1])
        lies = found.get(digest, [])
        if len(lies) != 1 or lies[0] not in allowed:
            losses.append(f"told at {place}, found at {lies or 'no place'}")
        elif not lies[0].startswith(TRASH) and photos[lies[0]].subject != SUBJECT:
            losses.append(f"{lies[0]} has lost its subject")
    losses += [f"twice: {names}" for names in found.values() if len(names) > 1]
    return losses


def kill_at_random(root: Path, seed: int, delay_s: float) -> Told:
    """Let the program run, and kill it some time after its first action."""
    process = subprocess.Popen(
        _command(root, "many", str(seed)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=_environment(),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    process.stdout.close()
    return read_told(first + rest)


@dataclass(frozen=True)
class Call:
    """One system call of an action.

    Attributes:
        name: Of the call.
        number: The how-manieth of that name in the process.
        is_telling: Whether it is the program's own telling on stdout, not the disk.
    """

    name: str
    number: int
    is_telling: bool


def list_calls(folder: Path, action: str) -> list[Call]:
    """The system calls of one action, in order, as strace sees them."""
    # A new dataset each time: opening one that is there takes other calls.
    dry = Path(tempfile.mkdtemp(dir=folder))
    log = dry / "calls.strace"
    run_traced(dry / "data", action, ["-o", str(log)])
    counts: Counter[str] = Counter()
    calls: list[Call] = []
    marks = 0
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"(?:\d+\s+)?(\w+)\(", line)
        if match is None:
            continue
        name = match[1]
        counts[name] += 1
        if str(MARK) in line:
            marks += 1
        elif marks == 1:
            calls.append(Call(name, counts[name], "write(1," in line))
    return calls


def kill_at(root: Path, action: str, call: Call) -> Told:
    """Run one action and kill the program as it enters this system call."""
    return run_traced(
        root,
        action,
        ["-o", "/dev/null", "-e", f"inject={call.name}:signal=KILL:when={call.number}"],
    )


def refuse_at(root: Path, action: str, call: Call, error: str) -> Told:
    """Run one action and let this system call fail with ENOSPC or EIO."""
    return run_traced(
        root,
        action,
        ["-o", "/dev/null", "-e", f"inject={call.name}:error={error}:when={call.number}"],
    )


def run_traced(root: Path, action: str, options: list[str]) -> Told:
    """Run one action of the program under strace."""
    assert STRACE is not None
    answer = subprocess.run(
        [STRACE, *options, *_command(root, action)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=_environment(),
    )
    return read_told(answer.stdout)


def can_trace(folder: Path) -> bool:
    """Whether strace is here and may trace."""
    if STRACE is None:
        return False
    command = [STRACE, "-o", str(folder / "probe"), "-e", "inject=fsync:error=EIO", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """A small disk of its own at `folder`; False where this process may not mount one."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    is_mounted = bool(
        mount and umount and subprocess.run([mount, *options], capture_output=True).returncode == 0
    )
    try:
        yield is_mounted
    finally:
        if is_mounted and umount:
            subprocess.run([umount, str(folder)], check=True)


def _digest_at(told: Told, place: str) -> str:
    return next(digest for digest, at in told.places.items() if at == place)


def _picture_files(root: Path) -> Iterator[Path]:
    for label in LABELS:
        for folder in (root / label, root / TRASH / label):
            for path in folder.iterdir():
                if not path.name.startswith(TEMPORARY_PREFIX):
                    yield path


def _command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "tests.collector.kill_worker", str(root), *words]


def _environment() -> dict[str, str]:
    # The same system calls in every run, as far as Python can; a line is one write.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
