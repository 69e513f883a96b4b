"""The datasets that a run, a curated set, a model or a photo comes from; only reads."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from maskage.formats.curated.curated_set import SPLITS
from maskage.formats.curated.curation_file import CURATION_FILE, find_origin
from maskage.formats.curated.plan_file import PLAN_FILE
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.run.run_arguments import ARGS_FILE, read_run

_HEIGHT = 3
"""Folders above a place that are searched: three in <set>/<split>/<label>/<photo>."""


def datasets_behind(places: Iterable[Path | str | None]) -> set[Path]:
    """Find the datasets that something was made of.

    Args:
        places: Datasets, curated sets, runs, bundles, or files and folders in them. Anything else
            (an address, the number of a webcam, None) comes from no dataset.

    Returns:
        Absolute paths of the datasets that have a manifest.
    """
    named = (Path(place) for place in places if place is not None and os.path.lexists(place))
    return {root for place in named for root in _behind(place.resolve()) if _has_manifest(root)}


def _behind(place: Path) -> Iterator[Path]:
    for folder in (place, *place.parents[:_HEIGHT]):
        if _has_manifest(folder):
            yield folder
            return
        if (folder / ARGS_FILE).is_file() and (run := read_run(folder)) is not None:
            folder = run.trained_on
        is_set = any((folder / name).is_file() for name in (CURATION_FILE, PLAN_FILE))
        if is_set or (folder / SPLITS[0]).is_dir():
            if (root := find_origin(folder).dataset) is not None:
                yield root
            return


def _has_manifest(root: Path) -> bool:
    return manifest_path(root).is_file()
