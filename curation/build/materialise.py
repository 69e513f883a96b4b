"""Carrying a plan out: the result is built beside its place, verified, and renamed into it.

split-folders lays the folders out. It lists each class, lets a `group=` callable arrange the files
and cuts the list at the ratio; given three ordered slots and a third for each, it lays out any
assignment. That leans on its sorting of what the callable returns, so the release is pinned and the
result is read again and compared with the plan.

It moves empty files, one for each photo, which are filled in after it: no photo is copied with what
its file tells of places and names, and no link is needed, which many a USB stick does not know.
Plan and page come first: with them `forget` understands what a killed run left.
"""

import csv
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import total_ordering
from pathlib import Path

import splitfolders
import splitfolders.split

from curation.build.augment import make_pipeline, make_variant
from curation.build.verify import files_in, verify_result
from curation.plan.plan import CurationPlan, PlannedPhoto, plan_as_csv
from curation.settings import RANDOM
from maskage.console import Progress, no_progress
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.formats.curated_set import (
    PLAN_COLUMNS,
    PLAN_FILE,
    SPLITS,
    WEIGHTS_FILE,
    write_class_weights,
)
from maskage.outside_text import cell_to_path
from maskage.pictures.bare_pictures import strip_picture
from maskage.pictures.images import encode_jpeg
from maskage.pictures.picture_files import SYSTEM_FILES
from maskage.records import LABELS
from maskage.system.files import sync_folder, write_private
from maskage.system.swap_folder import RESULT, building_folder, swap_in

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
        with building_folder(out) as building:
            result = building / RESULT
            _lay_out(plan, building / "source", result)
            write_private(result / PLAN_FILE, plan_as_csv(plan))
            # The dataset's own path, or that of the result, may be no UTF-8.
            page = report.encode("utf-8", "backslashreplace")
            write_private(result / REPORT_FILE, page)
            if plan.class_weights is not None:
                write_class_weights(result, plan.class_weights)
            copies = _copy_photos(plan, result, progress)
            _write_variants(plan, result, progress)
            verify_result(plan, result, copies, progress)
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
        if path not in known and Path(path).name.lower() not in SYSTEM_FILES
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
    """Let split-folders move an empty file for every kept photo from `source` to its split."""
    for label in LABELS:
        (source / label).mkdir(parents=True)
    for photo in plan.kept:
        try:
            (source / photo.path).touch(exist_ok=False)
        except FileExistsError as fault:
            raise EnvironmentProblemError(
                f"{photo.path}: on this disk another photo has the same name, for capital letters "
                f"do not count there. Rename one of them, or choose an --out on another disk; "
                f"nothing was replaced."
            ) from fault
    if plan.settings.split == RANDOM:
        splitfolders.ratio(
            source, result, seed=plan.settings.seed, ratio=plan.settings.ratio, move=True
        )
        return
    third = 1 / len(SPLITS)
    splitfolders.ratio(
        source,
        result,
        ratio=(third,) * len(SPLITS),
        group=_arrange(plan.kept),
        shuffle=False,
        move=True,
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


def _copy_photos(plan: CurationPlan, result: Path, progress: Progress) -> dict[str, str]:
    """Fill in every kept photo, without its metadata; returns the sha256 of each copy by path."""

    def copy(photo: PlannedPhoto) -> str:
        data = strip_picture(_read_as_planned(plan, photo), photo.path)
        write_private(result / photo.split / photo.path, data)
        return hashlib.sha256(data).hexdigest()

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="copy") as pool:
        try:
            copied = zip(plan.kept, pool.map(copy, plan.kept), strict=True)
            return {
                photo.path: digest
                for photo, digest in progress(copied, "copying photos", len(plan.kept))
            }
        finally:
            pool.shutdown(cancel_futures=True)


def _read_as_planned(plan: CurationPlan, photo: PlannedPhoto) -> bytes:
    try:
        data = (plan.root / photo.path).read_bytes()
    except OSError as fault:
        raise DatasetError(
            f"{photo.path}: gone since the dataset was read ({fault.strerror or fault}). Nothing "
            f"was replaced. Curate again."
        ) from fault
    if photo.sight is None or hashlib.sha256(data).hexdigest() != photo.sight.sha256:
        raise DatasetError(
            f"{photo.path}: changed while it was curated. Nothing was replaced. Curate again."
        )
    return data


def _write_variants(plan: CurationPlan, result: Path, progress: Progress) -> None:
    if not plan.variants:
        return
    pipeline = make_pipeline()
    for variant in progress(plan.variants, "making variants", len(plan.variants)):
        varied = make_variant(pipeline, plan, variant)
        write_private(result / variant.split / variant.path, encode_jpeg(varied))


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
