"""The check before a set takes its place: it is read again and compared with its plan."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import GIVEN, RANDOM
from maskage.console import Progress, no_progress
from maskage.errors import DatasetError, ToolchainError
from maskage.formats.curated.curated_set import SPLITS, list_files
from maskage.formats.sums import hash_file
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import hash_array


def verify_result(
    plan: CurationPlan,
    result: Path,
    copies: Mapping[str, str],
    progress: Progress = no_progress,
) -> None:
    """Read a set again and compare it with its plan.

    Each file is in its one split and class, with the content that was copied; no class is empty in
    a split; and but for a split at random, no group and no near-duplicate lies on both sides.

    Args:
        plan: What was to be written.
        result: Folder of what was written.
        copies: sha256 of each kept photo's copy, by its place: "train/mask_old/a.jpg".
        progress: Shows the files being read.

    Raises:
        DatasetError: A copy has changed since it was written.
        ToolchainError: The set differs from the plan, or leaks.
    """
    _require_planned_files(plan, result)
    _require_same_content(plan, result, copies, progress)
    if empty := [
        f"{split}/{label}"
        for split in plan.settings.splits
        for label, count in plan.counts[split].items()
        if not count
    ]:
        raise ToolchainError(
            f"No photo in {', '.join(empty)}. This is a bug; nothing was replaced."
        )
    if plan.settings.split in (RANDOM, GIVEN):
        return
    if plan.straddling:
        raise ToolchainError(
            f"{len(plan.straddling)} groups straddle splits. This is a bug; nothing was replaced."
        )
    if leaks := find_leaks(plan.kept, plan.settings.radius):
        one, other = leaks[0]
        raise ToolchainError(
            f"{len(leaks)} pairs of photos in different splits are near-duplicates (the first is "
            f"{one.path} and {other.path}). This is a bug; nothing was replaced."
        )


def find_leaks(
    photos: Sequence[PlannedPhoto], radius: int
) -> list[tuple[PlannedPhoto, PlannedPhoto]]:
    """Return the pairs of photos, mirrored ones too, within `radius` bits in different splits."""
    place = np.array([SPLITS.index(photo.split) for photo in photos], np.int64)
    file_scans = [photo.file_scan for photo in photos if photo.file_scan is not None]
    hashes = hash_array([file_scan.phash for file_scan in file_scans])
    mirrors = hash_array([file_scan.mirror for file_scan in file_scans])
    found: set[tuple[int, int]] = set()
    # Each split against those after it: a thousand equal frames on one side give no pairs.
    for split in range(len(SPLITS) - 1):
        here, later = np.flatnonzero(place == split), np.flatnonzero(place > split)
        for ours, theirs in ((hashes, hashes), (hashes, mirrors), (mirrors, hashes)):
            pairs = find_close_pairs(ours[here], radius, theirs[later])
            ends = here[pairs.first].tolist(), later[pairs.second].tolist()
            found |= set(zip(*ends, strict=True))
    return [(photos[one], photos[other]) for one, other in sorted(found)]


def _require_planned_files(plan: CurationPlan, result: Path) -> None:
    planned = {photo.place for photo in plan.photos if photo.kept}
    written = set(list_files(result))
    if planned != written:
        odd = sorted(planned ^ written)
        raise ToolchainError(
            f"The folders laid out differ from the plan in {len(odd)} files (the first is "
            f"{odd[0]}). This is a bug, or another release of split-folders than 0.6.1; nothing "
            f"was replaced."
        )


def _require_same_content(
    plan: CurationPlan, result: Path, copies: Mapping[str, str], progress: Progress
) -> None:
    def is_same(photo: PlannedPhoto) -> bool:
        digest = hash_file(result / photo.place)
        return digest is not None and digest == copies.get(photo.place)

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="verify") as pool:
        checked = zip(plan.kept, pool.map(is_same, plan.kept), strict=True)
        for photo, same in progress(checked, "reading the result again", len(plan.kept)):
            if not same:
                raise DatasetError(
                    f"{photo.path}: changed while it was curated. Nothing was replaced. Curate "
                    f"again."
                )
