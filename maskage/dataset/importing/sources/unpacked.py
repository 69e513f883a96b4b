"""A ZIP archive as a source: unpacked into a private folder that is gone afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskage.dataset.importing.sources.source_walk import SYSTEM_REASON
from maskage.outside_text import portable_name
from maskage.pictures.picture_files import LeftOut
from maskage.pictures.picture_kinds import is_system_name
from maskage.system.archives import unpack_zip
from maskage.system.paths import named_cache, user_cache
from maskage.system.swap_folder import building_folder


@contextmanager
def unpacked(archive: Path) -> Iterator[tuple[Path, tuple[LeftOut, ...]]]:
    """Unpack an archive; the folder is gone afterwards, and those of killed runs go with it.

    The folder is named as the archive is, without its suffix, as its name may be a class.

    Yields:
        The folder, and the entries of the archive that could not be unpacked.

    Raises:
        DatasetError, EnvironmentProblemError: See `maskage.system.archives.unpack_zip`.
    """
    cache = named_cache(os.environ) or user_cache()
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with building_folder(cache / "unpacked") as building:
        folder = building / "archive" / (portable_name(archive.stem) or "archive")
        folder.mkdir(parents=True, mode=0o700)
        skipped = unpack_zip(archive, folder)
        yield folder, tuple(LeftOut(each.name, _reason(each.name, each.reason)) for each in skipped)


def _reason(name: str, reason: str) -> str:
    return SYSTEM_REASON if any(map(is_system_name, name.split("/"))) else reason
