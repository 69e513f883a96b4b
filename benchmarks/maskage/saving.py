"""Whether saved means saved: `python benchmarks/maskage/saving.py`, or with the parts to be run.

    --power-cuts      drop what was not synced, after every system call of each of these (strace)
    --kills 200       kill -9 at random moments of a process that saves, relabels, trashes, restores
    --every-syscall   kill -9 at every system call of one save, relabel, trash and restore (strace)
    --faults          ENOSPC and EIO at each write, sync, link, rename of these, once and for ever
    --full-disk       save, and import, until a small tmpfs is full; then make room and go on
    --latency 1000    milliseconds from the order to save a 300 px crop to its acknowledgement
    --lock            a second program may not write at the same time
    --self-test       take out one safeguard after the other: the parts above must notice each

Without any of them: a little of each. After every blow the dataset is opened and compared with
what was acknowledged: each such photo whole, in one folder, with its row, its sha256 and its
subject. A kill cannot show that a sync is missing, since the page cache outlives the process: that
is what `--power-cuts` is for. Figures go to stdout as JSON; ends with 3 where anything was lost,
and with 5 where a part cannot run here.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import CANNOT_RUN, finish
from benchmarks.common.goals import SAVING, SELF_TEST
from benchmarks.maskage.saving_self_test import Figures, Template, sabotage
from maskage.capture.writer import Edited, PhotoWriter, Report, Shot
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import Edit
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, Quality, RgbImage
from tests.conftest import draw_noise
from tests.maskage.dataset import saving_checks as checks
from tests.maskage.dataset.power_checks import cut_power
from tests.maskage.dataset.saving_checks import Ledger

PARTS = (
    *("power_cuts", "kills", "every_syscall", "faults", "full_disk", "latency", "lock"),
    "self_test",
)
MODES = ("save", "relabel", "trash", "restore")
FAULTY_CALLS = {
    *("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "openat", "close"),
    *("link", "linkat", "unlink", "renameat2"),
}
KILLS_A_DATASET = 25
SCREEN_TICK_S = 0.001

Part = Callable[[], tuple[Figures, list[str]]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--power-cuts", action="store_true")
    parser.add_argument("--kills", type=int, metavar="N")
    parser.add_argument("--every-syscall", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--full-disk", action="store_true")
    parser.add_argument("--latency", type=int, metavar="PHOTOS")
    parser.add_argument("--lock", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--sample", type=int, default=1, help="of system calls: every so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write; the disk that is measured")
    arguments = parser.parse_args()
    is_any = any(getattr(arguments, name) for name in PARTS)
    if not is_any:
        arguments.kills, arguments.latency, arguments.sample = 10, 200, 6
        for name in ("power_cuts", "every_syscall", "faults", "full_disk", "lock"):
            setattr(arguments, name, True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures, wrong = run_parts(list(_list_parts(arguments, Path(folder))), is_any=is_any)
    for line in wrong:
        print(line, file=sys.stderr)
    if any("cannot run" in part for part in figures.values()):
        finish(figures, SAVING)
        return CANNOT_RUN
    return finish(figures, SELF_TEST if arguments.self_test else SAVING)


def run_parts(
    parts: Sequence[tuple[str, Part]], *, is_any: bool
) -> tuple[dict[str, Figures], list[str]]:
    """Run parts one after the other.

    Args:
        parts: Each one's name, and what runs it.
        is_any: Whether these were asked for: one that cannot run here is then a fault.
    """
    figures: dict[str, Figures] = {}
    wrong: list[str] = []
    for name, run in parts:
        started_s = time.monotonic()
        try:
            part, faults = run()
        except (checks.CannotTraceError, PermissionError) as fault:
            part, faults = {"cannot run" if is_any else "skipped": str(fault)}, []
        part["wrong"] = len(faults)
        part["seconds"] = round(time.monotonic() - started_s)
        figures[name] = part
        wrong += faults
    return figures, wrong


def _list_parts(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Part]]:
    every, seed = arguments.sample, arguments.seed
    if arguments.power_cuts:
        yield "power cuts", lambda: cut_power_often(folder, every)
    if arguments.kills:
        yield "kills", lambda: kill_often(folder, arguments.kills, seed)
    if arguments.every_syscall:
        yield "every system call", lambda: kill_at_every_call(folder, every)
    if arguments.faults:
        yield "faults", lambda: fail_every_call(folder, every)
    if arguments.full_disk:
        yield "full disk", lambda: fill_disk(folder)
    if arguments.latency:
        yield "latency", lambda: measure_latency(folder, arguments.latency)
    if arguments.lock:
        yield "lock", lambda: ({}, checks.check_lock(folder / "lock"))
    if arguments.self_test:
        yield "self-test", lambda: (sabotage(folder), [])


def cut_power_often(folder: Path, every: int) -> tuple[Figures, list[str]]:
    """Drop what was not synced, after every call of each mode."""
    figures: Figures = {}
    wrong: list[str] = []
    for mode in MODES:
        work = folder / f"power-{mode}"
        work.mkdir()
        tried, faults = cut_power(work, mode, every=every)
        figures[mode] = {"cuts": tried}
        wrong += faults
        _show("power cuts", MODES.index(mode) + 1, len(MODES))
    return figures, wrong


def kill_often(folder: Path, kills: int, seed: int) -> tuple[Figures, list[str]]:
    """Kill -9 within 0.5 s of the first acknowledgement, again and again on the same dataset."""
    chance = random.Random(seed)
    wrong: list[str] = []
    totals: Counter[str] = Counter()
    for number in range(kills):
        data = folder / f"kills{number // KILLS_A_DATASET}"
        if number % KILLS_A_DATASET == 0:
            ledger = Ledger()
        before = ledger.acknowledged
        delay_s = chance.uniform(0, 0.5)
        found = checks.kill_at_random(data, ledger, delay_s, number + 1000 * seed)
        wrong += checks.describe(found, ["kill", number, f"after {delay_s:.3f} s"])
        totals["acknowledged"] += ledger.acknowledged - before
        if (number + 1) % KILLS_A_DATASET == 0 or number + 1 == kills:
            totals["photos"] += len(ledger.kept)
            shutil.rmtree(data)
        _show("kills", number + 1, kills)
    return {"kills": kills, **totals}, wrong


def kill_at_every_call(folder: Path, every: int) -> tuple[Figures, list[str]]:
    """Kill -9 at each system call between the order and its acknowledgement."""
    figures: Figures = {}
    wrong: list[str] = []
    for mode in MODES:
        template = Template(folder / f"calls-{mode}")
        calls = template.list_calls(mode)
        chosen = calls[::every]
        died = 0
        for number, call in enumerate(chosen):
            data, ledger = template.copy()
            found, is_dead = checks.kill_at(data, ledger, mode, 77, call)
            died += is_dead
            wrong += checks.describe(found, [mode, "killed at", call])
            _show(f"{mode}: calls", number + 1, len(chosen))
        figures[mode] = {"calls": len(calls), "runs": len(chosen), "killed": died}
    return figures, wrong


def fail_every_call(folder: Path, every: int) -> tuple[Figures, list[str]]:
    """ENOSPC and EIO at each call that writes, syncs or names; that one, or all from there on."""
    figures: Figures = {}
    wrong: list[str] = []
    for mode in MODES:
        template = Template(folder / f"faults-{mode}")
        calls = [call for call in template.list_calls(mode) if call.name in FAULTY_CALLS]
        runs = [
            (call, error, ever_after)
            for call in calls
            if not call.is_report
            for error in ("ENOSPC", "EIO")
            for ever_after in (False, True)
            # Without `write` nobody could say anything; `close` of strace closes nothing.
            if not (ever_after and call.name in ("write", "close"))
        ][::every]
        refused = 0
        for number, (call, error, ever_after) in enumerate(runs):
            data, ledger = template.copy()
            found = checks.fail_at(data, ledger, mode, 77, call, error, ever_after=ever_after)
            refused += bool(ledger.failures)
            how = "for ever" if ever_after else "once"
            wrong += checks.describe(found, [mode, error, how, "at", call])
            _show(f"{mode}: faults", number + 1, len(runs))
        figures[mode] = {"runs": len(runs), "refused": refused}
    return figures, wrong


def fill_disk(folder: Path) -> tuple[Figures, list[str]]:
    """Save until the disk is full, import until it is full, make room, import the rest."""
    source = folder / "source"
    for number in range(200):
        path = source / MASK_AGE.labels[number % 4] / f"picture{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(5000 + number)))
    ledger = Ledger()
    with checks.small_disk(folder / "disk", megabytes=20) as disk:
        data, filler = disk / "data", disk / "filler"
        filler.write_bytes(bytes(18 << 20))
        with checks.start_worker(data, "fill") as worker:
            output, _ = worker.communicate()
        ledger.read(output)
        wrong = checks.check(data, ledger)
        refusals = [fault["exit_code"] for fault in ledger.failures]
        saved = ledger.acknowledged
        full = checks.run_collector("import", str(source), str(data))
        left = len(list_photos(data))
        filler.unlink()
        roomy = checks.run_collector("import", str(source), str(data))
        wrong += checks.check(data, ledger, others=200)
        photos = len(list_photos(data))
    if refusals != [5]:
        wrong.append(f"the full disk was refused with {refusals}")
    if (full.returncode, roomy.returncode) != (5, 0):
        wrong.append(f"import: {full.returncode} {full.stderr}, then {roomy.returncode}")
    if photos != saved + 200:
        wrong.append(f"{saved} saved and 200 imported, {photos} found")
    figures: Figures = {
        "saved until full": saved,
        "import on the full disk ends with": full.returncode,
        "photos then": left,
        "photos after making room": photos,
        "message": full.stderr.strip().splitlines()[-1:],
    }
    return figures, wrong


def measure_latency(folder: Path, photos: int) -> tuple[Figures, list[str]]:
    """Save through the writer of the screens, ten a second at most, while a thread ticks."""
    crops = [_draw_crop(number) for number in range(20)]
    answered = threading.Event()
    reports: list[Report] = []

    def take(report: Report) -> None:
        reports.append(report)
        answered.set()

    times_ms = []
    with PhotoStore(folder / "latency") as store, _Screen() as screen:
        writer = PhotoWriter(store)
        writer.add_listener(take)
        for number in range(photos):
            answered.clear()
            started_s = time.monotonic()
            assert writer.save(_shoot(crops[number % 20], number))
            answered.wait(10)
            times_ms.append((time.monotonic() - started_s) * 1000)
            time.sleep(0.01)
        writer.close()
    edits = [edit for report in reports if isinstance(report, Edited) for edit in report.edits]
    figures: Figures = {
        "photos": _count_saved(edits),
        "jpeg kB": round(len(encode_jpeg(crops[0])) / 1000, 1),
        **_percentiles("save", times_ms),
        **_percentiles("plain 10 kB write and fsync", _time_plain_syncs(folder)),
        "screen blocked at most ms": round(screen.worst_ms, 1),
        "load average": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count(),
    }
    saved = _count_saved(edits)
    return figures, [f"{photos} ordered, {saved} saved"] if saved != photos else []


class _Screen:
    """A thread that would draw every millisecond, and the longest it had to wait for its turn."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> "_Screen":
        self._thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _tick(self) -> None:
        last_s = time.monotonic()
        while not self._is_over.is_set():
            time.sleep(SCREEN_TICK_S)
            now_s = time.monotonic()
            self.worst_ms = max(self.worst_ms, (now_s - last_s - SCREEN_TICK_S) * 1000)
            last_s = now_s


def _draw_crop(seed: int) -> RgbImage:
    """300 px of pattern with a camera's grain, so that its JPEG is as large as a face's."""
    grain = np.random.default_rng(seed).normal(0, 4, (300, 300, 3))
    return np.clip(draw_noise(seed, 300) + grain, 0, 255).astype(np.uint8)


def _shoot(crop: RgbImage, number: int) -> Shot:
    box = FaceBox(10, 10, 200, 200)
    return Shot(
        crop=crop,
        label="mask_old",
        subject="p01",
        session="s1",
        source="demo",
        box=box,
        quality=Quality(100, 100, 0, 200),
        step=number,
    )


def _count_saved(edits: Sequence[Edit]) -> int:
    return sum(edit.before is None and edit.after is not None for edit in edits)


def _time_plain_syncs(folder: Path) -> list[float]:
    """What this disk needs at least, to read the other figures by."""
    times_ms = []
    for number in range(100):
        started_s = time.monotonic()
        handle = os.open(folder / f"plain{number}", os.O_WRONLY | os.O_CREAT)
        os.write(handle, bytes(10_000))
        os.fsync(handle)
        os.close(handle)
        times_ms.append((time.monotonic() - started_s) * 1000)
    return times_ms


def _percentiles(name: str, times_ms: list[float]) -> Figures:
    return {
        f"{name} ms": {
            "p50": round(float(np.percentile(times_ms, 50)), 2),
            "p99": round(float(np.percentile(times_ms, 99)), 2),
            "max": round(max(times_ms), 2),
        }
    }


def _show(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what} {done}/{total}  ", end="\n" if done == total else "", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
