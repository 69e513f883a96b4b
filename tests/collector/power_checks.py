"""Cut the power of a process that saves, at every moment, and find out whether it kept its word."""

import copy
import shutil
import sqlite3
from pathlib import Path

from tests.collector import saving_checks as checks
from tests.collector.power_cut import Loss, record, replay
from tests.collector.saving_checks import SAVE_MANY, Ledger, Worker


def cut_power(
    folder: Path, mode: str, worker: Worker = SAVE_MANY, *, every: int = 1, limit: int = 1000
) -> tuple[int, list[str]]:
    """Record a worker's one thing, and check what a cut leaves after each of its calls.

    Args:
        folder: A new folder to work in.
        mode: What `tests.collector.save_many` is to do.
        worker: The module to run instead of it.
        every: Try every so many cuts; those right after an acknowledgement are always tried.
        limit: End after so many faults.

    Returns:
        How many cuts were tried, and what was wrong.

    Raises:
        CannotTraceError: See `record`.
    """
    data, log = folder / "data", folder / "calls.txt"
    ledger = checks.make_dataset(data)
    shutil.copytree(data, folder / "before")
    record([*worker, str(data), mode, "77"], log)
    # The model starts from the folder as it was, under the name that stands in the log.
    shutil.rmtree(data)
    (folder / "before").rename(data)
    tried, wrong = 0, []
    for number, (disk, name) in enumerate(replay(data, log)):
        if number % every and name != "write":
            continue
        for loss in Loss:
            left = folder / "left"
            disk.lay_out(left, loss)
            wrong += checks.describe(
                _check(left, ledger, disk.output), [mode, "cut after", name, number, loss.value]
            )
            shutil.rmtree(left)
            tried += 1
        if len(wrong) >= limit:
            break
    return tried, wrong


def _check(data: Path, ledger: Ledger, output: bytes) -> list[str]:
    ledger = copy.deepcopy(ledger)
    ledger.read(output)
    try:
        return checks.check(data, ledger)
    except (OSError, ValueError, sqlite3.Error) as fault:
        return [f"cannot be opened: {fault!r}"]
