"""Carry a plan out: the set is built beside its place, verified, and renamed into it.

split-folders lays the folders out. It lists each class, lets a `group=` callable arrange the files
and cuts the list at the ratio; given three ordered slots and a third for each, it lays out any
assignment. That leans on its sorting of what the callable returns, so the release is pinned and the
set is read again and compared with the plan.

It moves empty files, one for each photo, which are filled in afterwards: no photo is copied with
the places and names in its metadata, and no links are needed, which many a USB stick lacks. Plan,
record and page come first: with them `collector forget` understands what a killed run left.
"""

import errno
import hashlib
import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from functools import total_ordering
from pathlib import Path
from typing import Any

import splitfolders
import splitfolders.split

from curation.build.augment import make_pipeline, make_variant
from curation.build.verify import verify_result
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import DROP, RANDOM
from maskage.console import Progress, no_progress
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.formats.curated.class_weights import write_class_weights
from maskage.formats.curated.curated_set import (
    READER_CACHES,
    SET_NAMES,
    SPLITS,
    digest_set,
    list_files,
)
from maskage.formats.curated.curation_file import PAGE_FILE, CurationRecord, write_curation
from maskage.formats.curated.plan_file import (
    PLAN_FILE,
    PlanRow,
    has_plan,
    read_legible_plan,
    write_plan,
)
from maskage.installation import installed_version
from maskage.outside_text import path_to_text, shown_text
from maskage.pictures.common_formats import apply_format_change
from maskage.pictures.images import encode_jpeg
from maskage.pictures.picture_kinds import is_system_name
from maskage.system.faults import explain_fault
from maskage.system.files import sync_folder, write_private
from maskage.system.swap_folder import RESULT, building_folder, swap_in

_NAME_REFUSED = frozenset({errno.ENOENT, errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG})
"""What a disk answers where a name has characters that it does not take, as exFAT does."""

# It would draw its own progress bar over ours.
splitfolders.split.use_tqdm = False


def materialise_plan(
    plan: CurationPlan, out: Path, report: str, progress: Progress = no_progress
) -> None:
    """Write the set of a plan to `out`; an interruption leaves the former set or this one.

    Args:
        plan: The plan. Its dataset is only read.
        out: The folder to make, or a former set to replace as a whole.
        report: The page to put into it.
        progress: Shows photos and variants as they are written.

    Raises:
        UsageError: `out` lies in the dataset or holds it, or is not a former set.
        DatasetError: A photo was changed or removed since it was planned.
        EnvironmentProblemError: The disk refused.
    """
    out = _real(out)
    require_replaceable(out, plan.root)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with building_folder(out) as building:
            result = building / RESULT
            _lay_out(plan, building / "source", result)
            write_private(result / CLASSES_FILE, format_scheme(plan.scheme))
            write_plan(result, map(_row_of, plan.photos))
            record = _record_of(plan)
            write_curation(result, record, out)
            # The path of the dataset or of the set may not be UTF-8.
            write_private(result / PAGE_FILE, report.encode("utf-8", "backslashreplace"))
            if plan.class_weights is not None:
                write_class_weights(result, plan.class_weights)
            copies = _copy_photos(plan, result, progress)
            variants = _write_variants(plan, result, progress)
            verify_result(plan, result, copies, progress)
            record = replace(
                record, dataset_digest=digest_set({**copies, **variants}, plan.scheme.labels)
            )
            write_curation(result, record, out)
            _put_in_place(result, out)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{out}: could not be written {explain_fault(fault)} What was there before is "
            f"untouched."
        ) from fault


def require_replaceable(out: Path, root: Path) -> None:
    """Check that `out` may be made or replaced.

    Raises:
        UsageError: `out` lies in the dataset `root` or holds it, or is not a former set.
        EnvironmentProblemError: `out` cannot be read.
    """
    out, root = _real(out), _real(root)
    for folder in (root, *_folders_of(root)):
        if out == folder or folder in out.parents or out in folder.parents:
            raise UsageError(
                f"--out {out} and the dataset {folder} lie in each other. The dataset is never "
                f"changed: choose a folder beside it."
            )
    try:
        _require_former_result(out)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"--out {out}: cannot be read ({fault.strerror or fault}). Check the path and its "
            f"permissions, or choose another folder."
        ) from fault


def _folders_of(root: Path) -> list[Path]:
    """Return the folders of a dataset; a class folder may be a link to one elsewhere."""
    try:
        return [_real(path) for path in sorted(root.iterdir()) if path.is_dir()]
    except OSError:
        # Reading the dataset says what is wrong with it.
        return []


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
    found = sorted(path.name for path in out.iterdir() if not is_system_name(path.name))
    strange = [name for name in found if name not in SET_NAMES | READER_CACHES]
    if strange or (found and not has_plan(out)):
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
    """List the files in the splits of a former set that its plan does not name, sorted."""
    if not (out / PLAN_FILE).is_file():
        return []
    known = {row.place for row in read_legible_plan(out)}
    return sorted(
        path
        for path in list_files(out)
        if path not in known and not any(map(is_system_name, Path(path).parts))
    )


def _real(path: Path) -> Path:
    """Return a path without links; `Path.resolve` would raise on links that form a circle."""
    return Path(os.path.realpath(path))


def _row_of(photo: PlannedPhoto) -> PlanRow:
    return PlanRow(
        path=photo.path,
        label=photo.label,
        is_kept=photo.kept,
        split=photo.split,
        group=photo.group,
        reason=photo.reason,
        parent=photo.parent or "",
        written=photo.written,
        change=photo.change.reason if photo.change else "",
    )


def _record_of(plan: CurationPlan) -> CurationRecord:
    """Return the record of a plan's set, without the digest of photos that are not written yet."""
    settings = plan.settings
    command = shlex.split(settings.command(plan.root, Path("curated")))
    at = command.index("--out", 2)
    return CurationRecord(
        dataset=plan.root,
        version=installed_version(),
        classes=plan.scheme.labels,
        seed=settings.seed,
        settings=_as_data(settings),
        options=(*command[2:at], *command[at + 2 :]),
        held_out=plan.held_out,
        caveat=plan.caveat,
    )


def _as_data(value: Any) -> Any:
    """Return settings as JSON has them."""
    if is_dataclass(value):
        return {field.name: _as_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Path):
        return path_to_text(str(value))
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


@total_ordering
class _Slot(tuple[Path, ...]):
    """The files of a split, which split-folders sorts and cuts as if they were one file."""

    place: int

    def __new__(cls, files: Sequence[Path], place: int) -> "_Slot":
        slot = super().__new__(cls, files)
        slot.place = place
        return slot

    def __lt__(self, other: object) -> bool:
        return isinstance(other, _Slot) and self.place < other.place


def _lay_out(plan: CurationPlan, source: Path, result: Path) -> None:
    """Let split-folders move an empty file for every kept photo from `source` to its split."""
    source.mkdir()
    for label in plan.scheme.labels:
        try:
            (source / label).mkdir()
        except FileExistsError as fault:
            raise EnvironmentProblemError(
                f"{label}: another class has the same name on this disk, which treats capital and "
                f"small letters as the same. Rename one with `collector classes`, or choose an "
                f"--out on another disk. Nothing was replaced."
            ) from fault
    for photo in plan.kept:
        try:
            (source / photo.path).touch(exist_ok=False)
        except FileExistsError as fault:
            raise EnvironmentProblemError(
                f"{photo.path}: another photo has the same name on this disk, which treats capital "
                f"and small letters as the same. Rename one of them, or choose an --out on another "
                f"disk. Nothing was replaced."
            ) from fault
        except OSError as fault:
            if fault.errno not in _NAME_REFUSED:
                raise
            raise EnvironmentProblemError(
                f"{shown_text(photo.path)}: the disk of --out does not take this name "
                f'({fault.strerror or fault}). Many disks refuse : * ? " < > | and control '
                f"characters. Rename the photo, or choose an --out on another disk. Nothing was "
                f"replaced."
            ) from fault
    # A surplus is set aside after the split: then split-folders would cut another list.
    settings = plan.settings
    if settings.split == RANDOM and settings.balance != DROP and not settings.no_test:
        splitfolders.ratio(source, result, seed=settings.seed, ratio=settings.ratio, move=True)
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
    """Fill in every kept photo without its metadata; return the sha256 of each copy by place.

    A photo that not every reader shows alike is encoded anew, or renamed, as the plan says.
    """

    def copy(photo: PlannedPhoto) -> str:
        data = apply_format_change(_read_as_planned(plan, photo), photo.change, photo.path)
        write_private(result / photo.place, data)
        if photo.written not in ("", photo.path):
            (result / photo.split / photo.path).unlink()
        return hashlib.sha256(data).hexdigest()

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="copy") as pool:
        try:
            copied = zip(plan.kept, pool.map(copy, plan.kept), strict=True)
            return {
                photo.place: digest
                for photo, digest in progress(copied, "copying photos", len(plan.kept))
            }
        finally:
            pool.shutdown(cancel_futures=True)


def _read_as_planned(plan: CurationPlan, photo: PlannedPhoto) -> bytes:
    try:
        data = (plan.root / photo.path).read_bytes()
    except OSError as fault:
        raise DatasetError(
            f"{photo.path}: missing since the dataset was read ({fault.strerror or fault}). "
            f"Nothing was replaced. Curate again."
        ) from fault
    if photo.file_scan is None or hashlib.sha256(data).hexdigest() != photo.file_scan.sha256:
        raise DatasetError(
            f"{photo.path}: changed while it was curated. Nothing was replaced. Curate again."
        )
    return data


def _write_variants(plan: CurationPlan, result: Path, progress: Progress) -> dict[str, str]:
    """Make every variant; return the sha256 of each file by place."""
    if not plan.variants:
        return {}
    pipeline, digests = make_pipeline(), {}
    for variant in progress(plan.variants, "making variants", len(plan.variants)):
        data = encode_jpeg(make_variant(pipeline, plan, variant))
        write_private(result / variant.split / variant.path, data)
        digests[f"{variant.split}/{variant.path}"] = hashlib.sha256(data).hexdigest()
    return digests


def _put_in_place(result: Path, out: Path) -> None:
    """Swap the set in; after any interruption the former one or this one is there, whole."""
    # The copies reach the disk before their folder's name: a power cut must not leave empty files.
    os.sync()
    swap_in(result, out)
    sync_folder(out.parent)
