"""Cut the power of a process that saves, at every moment, and find out whether it kept its word."""

import copy
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.maskage.dataset import saving_checks as checks
from tests.maskage.dataset.power_cut import Loss, record, replay
from tests.maskage.dataset.saving_checks import SAVE_MANY, Ledger, Worker

POWER_CUTS = (Loss.ALL, Loss.CONTENTS, Loss.NAMES)
REPORT = "write"
"""The call by which a worker acknowledges."""


def list_cuts(
    root: Path, words: Sequence[str], losses: Sequence[Loss], *, every: int = 1
) -> Iterator[tuple[Path, bytes, str]]:
    """Run Python in a folder that is then put back, and lay out what each cut would leave of it.

    Args:
        root: The folder that the process changes; its neighbours "before", "left" and "calls.txt"
            must be free.
        words: What Python is to run.
        losses: What each cut takes.
        every: Try every so many calls; those that may be acknowledgements are always tried.

    Yields:
        Where it is laid out, until the next step; what had been said by then; and which cut it is.

    Raises:
        CannotTraceError: See `record`.
    """
    before, left, log = (root.with_name(name) for name in ("before", "left", "calls.txt"))
    shutil.copytree(root, before, copy_function=shutil.copy2)
    record(words, log)
    # The model starts from the folder as it was, under the name that stands in the log.
    shutil.rmtree(root)
    before.rename(root)
    for number, (disk, name) in enumerate(replay(root, log)):
        if number % every and name != REPORT:
            continue
        for loss in losses:
            disk.lay_out(left, loss)
            yield left, disk.output, f"cut after {name} {number}, {loss.value}"
            shutil.rmtree(left)


def cut_power(
    folder: Path, mode: str, worker: Worker = SAVE_MANY, *, every: int = 1, limit: int = 1000
) -> tuple[int, list[str]]:
    """Check what a cut leaves after each call of a worker that does one thing.

    Args:
        folder: A new folder to work in.
        mode: What `tests.maskage.dataset.save_many` is to do.
        worker: The module to run instead of it.
        every: See `list_cuts`.
        limit: End after so many faults.

    Returns:
        How many cuts were tried, and what was wrong.

    Raises:
        CannotTraceError: See `list_cuts`.
    """
    data = folder / "data"
    ledger = checks.make_dataset(data)
    words = ["-m", *worker, str(data), mode, "77"]
    tried, wrong = 0, []
    for left, output, name in list_cuts(data, words, POWER_CUTS, every=every):
        wrong += checks.describe(_check(left, ledger, output), [mode, name])
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
