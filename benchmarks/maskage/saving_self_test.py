"""Take out one safeguard of saving after the other: the parts of `saving.py` must notice each."""

import copy
import shutil
from pathlib import Path

from tests.maskage.dataset import saboteurs
from tests.maskage.dataset import saving_checks as checks
from tests.maskage.dataset.power_checks import cut_power
from tests.maskage.dataset.saving_checks import SAVE_MANY, Ledger, Worker

Figures = dict[str, object]


class Template:
    """A small dataset to be copied for each run: what was acknowledged of it is known."""

    def __init__(self, folder: Path, worker: Worker = SAVE_MANY) -> None:
        self._folder, self._worker = folder, worker
        self._ledger = checks.make_dataset(folder / "template")

    def copy(self) -> tuple[Path, Ledger]:
        data = self._folder / "data"
        if data.exists():
            shutil.rmtree(data)
        shutil.copytree(self._folder / "template", data)
        return data, copy.deepcopy(self._ledger)

    def list_calls(self, mode: str) -> list[checks.Call]:
        log = self._folder / "calls.txt"
        return checks.list_calls(self.copy()[0], mode, 77, log, self._worker)


def sabotage(folder: Path) -> Figures:
    """Take out each safeguard, and count the parts that do not notice."""
    figures: Figures = {}
    for number, (name, part, mode) in enumerate(NOTICED_BY):
        work = folder / f"sabotage{number}"
        work.mkdir()
        wrong = part(work, mode, (saboteurs.WORKER, name))
        figures[f"{name}, {mode}"] = {"unnoticed": int(not wrong), "noticed": wrong[:1]}
    return figures


def _cut_sabotaged(folder: Path, mode: str, worker: Worker) -> list[str]:
    return cut_power(folder, mode, worker, limit=1)[1]


def _kill_sabotaged(folder: Path, mode: str, worker: Worker) -> list[str]:
    template = Template(folder, worker)
    for call in template.list_calls(mode):
        data, ledger = template.copy()
        found, _is_dead = checks.kill_at(data, ledger, mode, 77, call, worker)
        if found:
            return checks.describe(found, [mode, "killed at", call])
    return []


def _fail_sabotaged(folder: Path, mode: str, worker: Worker) -> list[str]:
    template = Template(folder, worker)
    for call in template.list_calls(mode):
        if call.name != "fsync":
            continue
        data, ledger = template.copy()
        if found := checks.fail_at(
            data, ledger, mode, 77, call, "EIO", ever_after=False, worker=worker
        ):
            return checks.describe(found, [mode, "EIO at", call])
    return []


def _lock_sabotaged(folder: Path, _mode: str, worker: Worker) -> list[str]:
    return checks.check_lock(folder / "data", worker)


NOTICED_BY = (
    ("leave_out_file_sync", _cut_sabotaged, "save"),
    ("leave_out_folder_sync", _cut_sabotaged, "save"),
    ("leave_out_folder_sync", _cut_sabotaged, "relabel"),
    ("leave_out_manifest_sync", _cut_sabotaged, "save"),
    ("sync_manifest_later", _cut_sabotaged, "trash"),
    ("move_in_two_steps", _kill_sabotaged, "relabel"),
    ("commit_later", _cut_sabotaged, "save"),
    ("write_in_place", _kill_sabotaged, "save"),
    ("ignore_faults_of_syncs", _fail_sabotaged, "save"),
    ("leave_out_lock", _lock_sabotaged, "hold"),
)
"""Each saboteur, the part that must notice it, and what is being done meanwhile."""
