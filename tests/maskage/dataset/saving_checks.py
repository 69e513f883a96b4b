"""Kill or hinder a process that saves photos, and find out whether it kept its word.

`tests.maskage.dataset.save_many` is the process. What it acknowledged goes into a `Ledger`, and
`check` compares that with what lies on the disk. `run_traced` lets strace kill it at one system
call, or make that call fail.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetInUseError, ToolchainError
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import read_image
from maskage.system.files import TEMPORARY_PREFIX
from tests.conftest import draw_noise

REPOSITORY = Path(__file__).parents[3]
OPENS_WITHIN_S = 2.0

Facts = dict[str, Any]
Worker = Sequence[str]
"""A module that saves, and what stands before its own arguments."""
SAVE_MANY: Worker = ("tests.maskage.dataset.save_many",)


class CannotTraceError(Exception):
    """There is no strace here, or it may not attach."""


@dataclass
class Kept:
    """A photo that was acknowledged.

    Attributes:
        subject: As it was saved.
        places: Where its file may lie: one place, or two while an edit was cut short.
        is_settled: Whether its last edit was acknowledged, so that its row must say so.
    """

    subject: str | None
    places: set[str]
    is_settled: bool = True


@dataclass
class Ledger:
    """What a process acknowledged, and what it was at when it ended.

    Attributes:
        kept: Every acknowledged photo, by the sha256 of its file.
        begun: The call that did not return, where there is one.
        failures: What it was told that failed.
        acknowledged: Saves and edits that returned.
        is_disk_dead: Whether what failed could not be taken back either.
    """

    kept: dict[str, Kept] = field(default_factory=dict)
    begun: Facts | None = None
    failures: list[Facts] = field(default_factory=list)
    acknowledged: int = 0
    is_disk_dead: bool = False

    def read(self, output: bytes) -> None:
        """Take in what a process wrote. A last line without its end is no acknowledgement."""
        for line in output[: output.rfind(b"\n") + 1].splitlines():
            ((what, facts),) = json.loads(line).items()
            if what == "begin":
                self.begun = facts
            elif what == "done":
                self.acknowledged += 1
                self._do(facts)
                self.begun = None
            elif what == "failed":
                self.failures.append(facts)
                if self.is_disk_dead:
                    self._leave_open()
                self.begun = None
        self._leave_open()

    def _leave_open(self) -> None:
        """The photos of the edit that was begun lie before it or after it."""
        for move in self._moves_begun():
            self.kept[move["sha256"]].places = {move["from"], move["to"]}
            self.kept[move["sha256"]].is_settled = False

    def _do(self, facts: Facts) -> None:
        for photo in facts.get("photos", []):
            self.kept[photo["sha256"]] = Kept(photo["subject"], {photo["path"]})
        for move in self._moves_begun():
            self.kept[move["sha256"]].places = {move["to"]}
            self.kept[move["sha256"]].is_settled = True

    def _moves_begun(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.begun.get("moves", []) if self.begun else []
        return found


def make_dataset(root: Path) -> Ledger:
    """Six photos of two people, one of them in the trash: enough to try every edit on."""
    ledger = Ledger()
    with PhotoStore(root) as store:
        photos = [
            store.add(
                draw_noise(number),
                MASK_AGE.labels[number % 4],
                subject=("anna", "bert")[number % 2],
            )
            for number in range(6)
        ]
        store.apply([trashing(photos[-1])])
    for photo in photos:
        place = f"{TRASH}/{photo.path}" if photo is photos[-1] else photo.path
        assert photo.sha256 is not None
        ledger.kept[photo.sha256] = Kept(photo.subject, {place})
    return ledger


def check(root: Path, ledger: Ledger, others: int = 0) -> list[str]:
    """Compare a dataset with what was acknowledged; returns what is wrong, one line each.

    Besides what was acknowledged there may be the photo whose save was cut short, and as many
    `others`, which came by other ways.

    Also opens it for writing, as the next collector would, and then takes the places where photos
    were found as those where they belong.
    """
    wrong = _check_opening(root)
    found = _find_files(root, wrong)
    wrong += _check_files(found, ledger, others)
    try:
        wrong += _check_rows(root, found, ledger)
    except ToolchainError as fault:
        wrong.append(f"cannot be read: {fault}")
    with closing(sqlite3.connect(manifest_path(root))) as database:
        (answer,) = database.execute("PRAGMA integrity_check").fetchone()
    if answer != "ok":
        wrong.append(f"manifest: {answer}")
    listed = {photo.path: photo.subject for photo in list_photos(root)}
    for digest, places in found.items():
        # A photo whose save was cut short is from now on one like the others.
        unknown = Kept(listed.get(places[0]), set(), is_settled=False)
        ledger.kept.setdefault(digest, unknown).places = set(places)
    ledger.begun = None
    return wrong


def _check_opening(root: Path) -> list[str]:
    """A killed process must not keep the dataset to itself."""
    started_s = time.monotonic()
    try:
        PhotoStore(root).close()
    except ToolchainError as fault:
        return [f"does not open again: {fault}"]
    took_s = time.monotonic() - started_s
    return [f"took {took_s:.1f} s to open again"] if took_s > OPENS_WITHIN_S else []


def _find_files(root: Path, wrong: list[str]) -> dict[str, list[str]]:
    """Every place of each file by its sha256, in the class folders and the trash."""
    found: dict[str, list[str]] = {}
    for folder in (*MASK_AGE.labels, *(f"{TRASH}/{label}" for label in MASK_AGE.labels)):
        for file in sorted((root / folder).iterdir()):
            if file.name.startswith(TEMPORARY_PREFIX):
                continue
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            found.setdefault(digest, []).append(f"{folder}/{file.name}")
            try:
                read_image(file)
            except ToolchainError as fault:
                wrong.append(f"torn: {fault}")
    return found


def _check_files(found: dict[str, list[str]], ledger: Ledger, others: int) -> Iterator[str]:
    for digest, kept in ledger.kept.items():
        places = found.get(digest, [])
        if len(places) != 1:
            yield f"{sorted(kept.places)}: found {len(places)} times {places}"
        elif places[0] not in kept.places:
            yield f"{sorted(kept.places)}: found at {places[0]}"
    more = [places for digest, places in found.items() if digest not in ledger.kept]
    others += ledger.begun is not None and ledger.begun["action"] == "save"
    if len(more) > others or any(len(places) > 1 for places in more):
        yield f"not acknowledged, and there: {more}"


def _check_rows(root: Path, found: dict[str, list[str]], ledger: Ledger) -> Iterator[str]:
    rows = read_rows(root)
    listed = {photo.path: photo for photo in list_photos(root)}
    for digest, kept in ledger.kept.items():
        for place in found.get(digest, []):
            path = place.removeprefix(f"{TRASH}/")
            if path == place:
                photo, row = listed.get(path), rows.present.get(path)
            else:
                # Where an edit was cut short, the row of a file in the trash is as it was before.
                row = rows.removed.get(path)
                photo = row or rows.present.get(path)
            digests = {digest} if kept.is_settled else {digest, None}
            if photo is None or photo.subject != kept.subject or photo.sha256 not in digests:
                yield f"{place}: known as {photo}, not of {kept.subject}"
            elif photo.label != path.partition("/")[0]:
                yield f"{place}: labelled {photo.label}"
            if kept.is_settled and row is None:
                yield f"{place}: has no row that says so"


def start_worker(
    data: Path, mode: str, seed: int = 0, worker: Worker = SAVE_MANY
) -> "subprocess.Popen[bytes]":
    """Start `tests.maskage.dataset.save_many`, or another worker."""
    return subprocess.Popen(
        [sys.executable, "-m", *worker, str(data), mode, str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )


def kill_at_random(data: Path, ledger: Ledger, delay_s: float, seed: int) -> list[str]:
    """Let a process write, kill it `delay_s` after its first acknowledgement, and check."""
    with start_worker(data, "many", seed) as process:
        assert process.stdout is not None
        output = b""
        while b'"done"' not in output and (line := process.stdout.readline()):
            output += line
        # The pipe holds thousands of lines, and must be read all the same: it is not endless.
        os.set_blocking(process.stdout.fileno(), False)
        end_s = time.monotonic() + delay_s
        while (left_s := end_s - time.monotonic()) > 0:
            output += process.stdout.read() or b""
            time.sleep(min(left_s, 0.005))
        process.send_signal(signal.SIGKILL)
        os.set_blocking(process.stdout.fileno(), True)
        output += process.stdout.read()
    ledger.read(output)
    return check(data, ledger)


@dataclass(frozen=True)
class Call:
    """One system call of a process.

    Attributes:
        name: As strace has it.
        occurrence: Which one of this name it is, from 1.
        line: How it reads in the log of strace.
    """

    name: str
    occurrence: int
    line: str

    @property
    def is_report(self) -> bool:
        """Whether it is the worker that writes on its stdout."""
        return self.line.startswith("write(1,")

    def __str__(self) -> str:
        return f"{self.name} {self.occurrence} ({self.line[:120]})"


def run_traced(
    data: Path, mode: str, seed: int, *options: str, worker: Worker = SAVE_MANY
) -> tuple[bytes, int]:
    """Run a worker's one thing under strace; returns what it wrote, and its exit code.

    Raises:
        CannotTraceError: strace is not installed, or may not attach.
    """
    if shutil.which("strace") is None:
        raise CannotTraceError("strace is not installed")
    with start_worker(data, mode, seed, worker) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = process.stdout.readline()
        with subprocess.Popen(
            ["strace", "-p", str(process.pid), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as tracer:
            assert tracer.stderr is not None
            answer = tracer.stderr.readline()
            if "attached" not in answer:
                process.kill()
                raise CannotTraceError(answer.strip())
            process.stdin.close()
            output += process.stdout.read()
            tracer.stderr.read()
    return output, process.returncode


def list_calls(
    data: Path, mode: str, seed: int, log: Path, worker: Worker = SAVE_MANY
) -> list[Call]:
    """Every system call from where a worker begins its one thing to its acknowledgement of it.

    Raises:
        CannotTraceError: See `run_traced`.
    """
    run_traced(data, mode, seed, "-o", str(log), worker=worker)
    counts: Counter[str] = Counter()
    calls: list[Call] = []
    has_begun = False
    for line in log.read_text().splitlines():
        match = re.match(r"(\w+)\(", line)
        if match is None:
            continue
        counts[match[1]] += 1
        if has_begun:
            calls.append(Call(match[1], counts[match[1]], line))
        has_begun = has_begun or line.startswith('write(1, "{\\"begin')
        if line.startswith('write(1, "{\\"done'):
            break
    return calls


def kill_at(
    data: Path, ledger: Ledger, mode: str, seed: int, call: Call, worker: Worker = SAVE_MANY
) -> tuple[list[str], bool]:
    """Kill a worker as it makes one system call; returns what is wrong, and whether it died."""
    output, code = run_traced(
        data,
        mode,
        seed,
        *("-o", os.devnull, "-e", f"trace={call.name}"),
        *("-e", f"inject={call.name}:signal=SIGKILL:when={call.occurrence}"),
        worker=worker,
    )
    ledger.read(output)
    return check(data, ledger), code == -signal.SIGKILL


def fail_at(
    data: Path,
    ledger: Ledger,
    mode: str,
    seed: int,
    call: Call,
    error: str,
    *,
    ever_after: bool,
    worker: Worker = SAVE_MANY,
) -> list[str]:
    """Let one system call of a worker fail, or all of its kind from there on, and check.

    Whatever the call is, the worker must say with exit code 5 what it could not do, and must not
    acknowledge what is not there. Where one call failed, the photo after it must be saved.
    """
    output, code = run_traced(
        data,
        mode,
        seed,
        *("-o", os.devnull, "-e", f"trace={call.name}"),
        *("-e", f"inject={call.name}:error={error}:when={call.occurrence}{'+' * ever_after}"),
        worker=worker,
    )
    ledger.is_disk_dead = ever_after
    ledger.read(output)
    # What a dead disk did not take, it may not have given up either: two photos at most.
    wrong = check(data, ledger, others=2 * ever_after)
    if code not in (0, 5):
        wrong.append(f"ended with {code}, {ledger.failures}")
    wrong += [f"unclear: {fault}" for fault in ledger.failures if fault["exit_code"] != 5]
    # Not `fdatasync`: SQLite syncs the folder of its log so, which we have synced before.
    if call.name == "fsync" and not ledger.failures:
        wrong.append("was called done, though a sync failed")
    if not ever_after and b'"done"' not in output:
        wrong.append(f"nothing could be saved after one fault: {ledger.failures}")
    return wrong


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size, mounted at `folder`.

    Raises:
        PermissionError: This process may not mount one.
    """
    folder.mkdir()
    answer = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if answer.returncode != 0:
        raise PermissionError(answer.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run_collector(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the `collector` command in a process of its own."""
    script = "import sys; from collector.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=REPOSITORY
    )


def check_lock(data: Path, worker: Worker = SAVE_MANY) -> list[str]:
    """Open a dataset in two processes: the second must end with 75, and name the first."""
    with start_worker(data, "hold", worker=worker) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with start_worker(data, "hold", worker=worker) as other:
            output, _ = other.communicate()
        holder.kill()
    wrong = []
    if other.returncode != DatasetInUseError.exit_code:
        wrong.append(f"a second writer ended with {other.returncode}: {output.decode()}")
    elif f"process {holder.pid}" not in output.decode():
        wrong.append(f"the first writer, {holder.pid}, is not named: {output.decode()}")
    return wrong


def describe(wrong: Iterable[str], what: Sequence[object]) -> list[str]:
    """Say of each line where it happened."""
    return [f"{' '.join(map(str, what))}: {line}" for line in wrong]
