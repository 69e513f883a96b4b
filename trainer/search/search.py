"""Run a search: its stages in their order, from where it was begun or stopped."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maskage.errors import EnvironmentProblemError, InUseError, UsageError
from maskage.formats.curated.curated_set import CuratedDataset, read_curated
from maskage.formats.run.search_file import SearchRecord, read_search
from maskage.system.files import is_disk_full
from maskage.system.lock import FolderLock
from trainer.data.dataset import read_training_photos
from trainer.network.multiprocess import process_of
from trainer.progress import OnProgress
from trainer.search.budget import BudgetClock
from trainer.search.candidates import Network, find_networks
from trainer.search.final_stage import predict_final_s, run_final_stage
from trainer.search.frozen_stage import SHARE, measure_speed, run_frozen_stage
from trainer.search.page import write_page
from trainer.search.session import SearchSession
from trainer.search.summary import SearchSummary, summarise
from trainer.search.trial_stage import run_trial_stage

LOCK_NAME = ".lock"


def run_search(
    folder: Path,
    budget_s: float,
    on_progress: OnProgress,
    *,
    may_download: bool = False,
) -> SearchSummary:
    """Search until the chosen network is trained or the budget is spent.

    What was measured in an earlier sitting is not measured again. After each step the record is
    written, and at the end, also after Ctrl-C, the page.

    Args:
        folder: The search folder.
        budget_s: Seconds for this sitting.
        on_progress: Called with the progress of each stage.
        may_download: True to fetch weights that are missing.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; what was measured is kept.
        UsageError: The photos have changed since the search was begun, or a recipe is gone.
        DatasetError: The set is not usable any more.
        MissingDownloadError: No network has its weights at hand.
        InUseError: Another program runs this search.
        EnvironmentProblemError: The record is damaged, or the disk is full.
    """
    if (processes := process_of(os.environ).count) > 1:
        raise UsageError(
            f"A search works in one process only; found {processes}. Unset KERAS_DISTRIBUTION_*."
        )
    clock = BudgetClock(budget_s)
    record = read_search(folder)
    with _locked(folder), _explained_full_disk(folder):
        session = SearchSession(folder, record, _reread(folder, record), clock, on_progress)
        session.remove_trial()
        found = find_networks(record.models, record.image_sizes, may_download=may_download)
        for what, why in found.left_out.items():
            session.leave_out(what, why)
        run = None
        try:
            run_frozen_stage(session, found.networks, SHARE * budget_s)
            if session.rank() is not None:
                run_trial_stage(session)
                _use_rest(session, found.networks)
                measure_speed(session, found.networks)
            if (ranking := session.rank()) is not None:
                run = run_final_stage(session, ranking)
        finally:
            session.save()
            summary = summarise(session, run)
            if summary is not None:
                write_page(summary)
    if summary is None:
        raise EnvironmentProblemError(
            f"{folder}: nothing was measured within the budget. Give more with `trainer search "
            f"--resume {folder} --budget 15m`; features computed so far are kept."
        )
    return summary


def _use_rest(session: SearchSession, networks: Sequence[Network]) -> None:
    """Go on with frozen features where no trial fitted, until only the last training fits."""
    ranking = session.rank()
    if ranking is None or ranking.best.is_tuned:
        return
    last_s = predict_final_s(session, ranking.recommended.candidate, 0)
    run_frozen_stage(session, networks, session.clock.budget_s - last_s)


def _reread(folder: Path, record: SearchRecord) -> CuratedDataset:
    dataset = read_curated(record.curated, may_lack_test=True)
    if read_training_photos(dataset.folder).digest != record.dataset_digest:
        raise UsageError(
            f"{record.curated} has other photos now than when {folder} was begun, so the search "
            f"cannot go on. Begin a new one: features of the same photos are kept."
        )
    return dataset


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        lock = FolderLock(folder / LOCK_NAME)
    except InUseError as fault:
        raise InUseError(
            f"{folder}: another program runs this search ({fault}). Wait for it, or stop it."
        ) from fault
    try:
        yield
    finally:
        lock.close()


@contextmanager
def _explained_full_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if not is_disk_full(fault):
            raise
        raise EnvironmentProblemError(
            f"{folder}: the disk is full ({fault.filename or fault}). What was measured so far is "
            f"kept: make room, then go on with `trainer search --resume {folder}`."
        ) from fault
