"""Carrying a plan out: the result is built beside its place, verified, and renamed into it.

split-folders lays the folders out. It lists each class, lets a `group=` callable arrange the files
and cuts the list at the ratio; given three ordered slots and a third for each, it lays out any
assignment. That leans on its sorting of what the callable returns, so the release is pinned and the
result is read again and compared with the plan.
"""

import contextlib
import csv
import glob
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import total_ordering
from pathlib import Path

import splitfolders
import splitfolders.split

from collector.console import Progress, no_progress
from collector.errors import DatasetError, EnvironmentProblemError, UsageError
from collector.files import sync_folder
from collector.images import encode_jpeg
from collector.outside_text import cell_to_path
from collector.records import LABELS
from curation.augment import make_pipeline
from curation.curated import PLAN_COLUMNS, PLAN_FILE, SPLITS, WEIGHTS_FILE, write_class_weights
from curation.dataset import SYSTEM_FILES
from curation.plan import CurationPlan, PlannedPhoto, plan_as_csv
from curation.settings import RANDOM
from curation.swap import recover_former, swap_in
from curation.variants import make_variant
from curation.verify import files_in, verify_result

REPORT_FILE = "report.html"
RESULT_NAMES = frozenset({*SPLITS, PLAN_FILE, REPORT_FILE, WEIGHTS_FILE})

# It would draw its own progress bar over ours.
splitfolders.split.use_tqdm = False


def materialise_plan(
    plan: CurationPlan, out: Path, report: str, progress: Progress = no_progress
) -> None:
    """Write what a plan says to `out`; an interruption leaves the former result or this one.

    Args:
        plan: What to write. Its dataset is only read.
        out: The folder to make, or a former result to replace whole.
        report: The page to put beside it.
        progress: Shows the variants being made.

    Raises:
        UsageError: `out` lies in the dataset or holds it, or is not a former result.
        DatasetError: A photo has changed or gone since it was planned.
        EnvironmentProblemError: The disk refused.
    """
    out = _real(out)
    require_replaceable(out, plan.root)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _building_folder(out) as building:
            result = building / "result"
            _lay_out(plan, building / "source", result)
            _write_variants(plan, result, progress)
            (result / PLAN_FILE).write_text(plan_as_csv(plan), encoding="utf-8")
            # The dataset's own path, or that of the result, may be no UTF-8.
            page = report.encode("utf-8", "backslashreplace")
            (result / REPORT_FILE).write_bytes(page)
            if plan.class_weights is not None:
                write_class_weights(result, plan.class_weights)
            verify_result(plan, result, progress)
            _put_in_place(result, out)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{out}: could not be written ({fault.strerror or fault}). Check the disk's space and "
            f"permissions; what was there before is untouched."
        ) from fault


def require_replaceable(out: Path, root: Path) -> None:
    """Check that `out` may be made or replaced.

    Raises:
        UsageError: It lies in the dataset or holds it, or is not a former result.
        EnvironmentProblemError: It cannot be looked into.
    """
    out, root = _real(out), _real(root)
    # A class folder may be a link to one elsewhere.
    for folder in (root, *(_real(root / label) for label in LABELS)):
        if out == folder or folder in out.parents or out in folder.parents:
            raise UsageError(
                f"--out {out} and the dataset {folder} lie in each other. The dataset is never "
                f"changed: choose a folder beside it."
            )
    try:
        _require_former_result(out)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"--out {out}: cannot be looked into ({fault.strerror or fault}). Check the path and "
            f"its permissions, or choose another folder."
        ) from fault


def _require_former_result(out: Path) -> None:
    if any(path.is_symlink() for path in (out, *out.parents)):
        raise UsageError(f"--out {out} leads in a circle of links. Choose another folder.")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out} is a file. Choose a folder.")
    if out.is_mount():
        raise UsageError(
            f"--out {out} is where a disk is mounted, which cannot be replaced whole. Choose a "
            f"folder in it: {out / 'curated'}."
        )
    found = sorted(path.name for path in out.iterdir() if path.name != ".DS_Store")
    strange = [name for name in found if name not in RESULT_NAMES]
    if strange or (found and not _is_plan(out / PLAN_FILE)):
        what = f"it holds {', '.join(strange[:3])}" if strange else f"it has no {PLAN_FILE} of ours"
        raise UsageError(
            f"--out {out} is not a former result of `curate`: {what}. Nothing was replaced. "
            f"Choose another folder, or move that away."
        )
    if foreign := _foreign_files(out):
        raise UsageError(
            f"--out {out} holds {len(foreign)} files that `curate` did not put there (the first is "
            f"{foreign[0]}); they would be lost. Nothing was replaced. Move them away, or choose "
            f"another folder."
        )


def _foreign_files(out: Path) -> list[str]:
    """Files in the splits of a former result that its plan does not know, sorted."""
    if not (out / PLAN_FILE).is_file():
        return []
    with (out / PLAN_FILE).open(newline="", encoding="utf-8", errors="replace") as file:
        known = {f"{row['split']}/{cell_to_path(row['path'])}" for row in csv.DictReader(file)}
    return sorted(
        path
        for path in files_in(out)
        if path not in known and Path(path).name.lower() not in (".ds_store", *SYSTEM_FILES)
    )


def _real(path: Path) -> Path:
    """A path without links, but for those that lead in a circle: `Path.resolve` raises on them."""
    return Path(os.path.realpath(path))


@total_ordering
class _Slot(tuple[Path, ...]):
    """The files of one split, which split-folders sorts and cuts as if they were one file."""

    place: int

    def __new__(cls, files: Sequence[Path], place: int) -> "_Slot":
        slot = super().__new__(cls, files)
        slot.place = place
        return slot

    def __lt__(self, other: object) -> bool:
        return isinstance(other, _Slot) and self.place < other.place


def _lay_out(plan: CurationPlan, source: Path, result: Path) -> None:
    """Let split-folders copy every kept photo; `source` becomes a view of them by links."""
    for label in LABELS:
        (source / label).mkdir(parents=True)
    for photo in plan.kept:
        if not (plan.root / photo.path).is_file():
            raise DatasetError(f"{photo.path}: gone since the dataset was read. Curate again.")
        (source / photo.path).symlink_to(plan.root / photo.path)
    if plan.settings.split == RANDOM:
        splitfolders.ratio(source, result, seed=plan.settings.seed, ratio=plan.settings.ratio)
        return
    third = 1 / len(SPLITS)
    splitfolders.ratio(
        source,
        result,
        ratio=(third,) * len(SPLITS),
        group=_arrange(plan.kept),
        shuffle=False,
    )


def _arrange(kept: Sequence[PlannedPhoto]) -> Callable[[list[Path]], list[_Slot]]:
    split_of = {photo.path: photo.split for photo in kept}

    def arrange(files: list[Path]) -> list[_Slot]:
        chosen = {file: split_of[f"{file.parent.name}/{file.name}"] for file in sorted(files)}
        return [
            _Slot([file for file, found in chosen.items() if found == split], place)
            for place, split in enumerate(SPLITS)
        ]

    return arrange


def _write_variants(plan: CurationPlan, result: Path, progress: Progress) -> None:
    if not plan.variants:
        return
    pipeline = make_pipeline()
    for variant in progress(plan.variants, "making variants", len(plan.variants)):
        varied = make_variant(pipeline, plan, variant)
        (result / variant.split / variant.path).write_bytes(encode_jpeg(varied))


@contextlib.contextmanager
def _building_folder(out: Path) -> Iterator[Path]:
    """A new folder beside `out`, gone afterwards; those of killed runs go with it."""
    prefix = f".{out.name}-building-"
    for old in out.parent.glob(f"{glob.escape(prefix)}*"):
        if not _is_running(old.name.removeprefix(prefix)):
            recover_former(old / "result", out)
            shutil.rmtree(old, ignore_errors=True)
    building = out.parent / f"{prefix}{os.getpid()}"
    try:
        building.mkdir()
        yield building
    finally:
        _remove_whole(building)


def _remove_whole(folder: Path) -> None:
    """Remove a folder to the last file, also when Ctrl-C comes meanwhile."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _is_running(process: str) -> bool:
    if not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()


def _put_in_place(result: Path, out: Path) -> None:
    """Swap the result in; whatever interrupts, there is the former one or this one, whole."""
    # What was copied is on the disk before its name is: a power cut must not leave empty files.
    os.sync()
    swap_in(result, out)
    sync_folder(out.parent)


def _is_plan(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n").split(",")[:7] == list(PLAN_COLUMNS)
    except (OSError, UnicodeDecodeError):
        return False
