"""The user's cache folder, where the toolchain keeps what it can make again."""

import hashlib
import os
from collections.abc import Container, Iterable, Mapping
from contextlib import closing
from pathlib import Path

CACHE_VARIABLE = "MASKAGE_CACHE"
"""Environment variable that names another folder for caches."""


def named_cache(environment: Mapping[str, str]) -> Path | None:
    """Return the cache that the environment names, or None."""
    named = environment.get(CACHE_VARIABLE)
    return Path(named) if named else None


def user_cache() -> Path:
    """Return the user's cache folder of the toolchain; it may not exist yet."""
    from platformdirs import user_cache_path

    return user_cache_path("maskage")


def keep_library_caches() -> None:
    """Have libraries keep their caches in ours; to be called before they are imported.

    matplotlib writes the list of the machine's fonts to two folders of the home, and reads settings
    there, unless this variable names another.
    """
    cache = named_cache(os.environ) or user_cache()
    os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))


def scan_cache_path(root: Path) -> Path:
    """Return the file of the scan cache of the dataset at `root`."""
    return _scan_cache_in(named_cache(os.environ) or user_cache(), root)


def find_scan_caches(
    root: Path, digests: Container[str], caches: Iterable[Path] = ()
) -> list[Path]:
    """Find the scan caches of the dataset at `root`, or of photos with these contents.

    Args:
        root: The dataset. Its former places have caches of their own.
        digests: sha256 of photos.
        caches: Other folders that caches may have been kept in, beside the user's and the one
            that the environment names.

    Returns:
        The files, with SQLite's journals, sorted.
    """
    folders = {cache / "scans" for cache in (user_cache(), *caches)} | {
        scan_cache_path(root).parent
    }
    found = [
        file
        for folder in folders
        for file in folder.glob("*.db")
        if file.name == scan_cache_path(root).name or _has_scanned(file, digests)
    ]
    journals = [file.with_name(f"{file.name}-journal") for file in found]
    return sorted([*found, *(journal for journal in journals if journal.exists())])


def _scan_cache_in(cache: Path, root: Path) -> Path:
    return cache / "scans" / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}.db"


def _has_scanned(file: Path, digests: Container[str]) -> bool:
    """Return whether a scan cache has a photo of these contents; False if it is damaged."""
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return any(digest in digests for (digest,) in db.execute("SELECT sha256 FROM sights"))
    except sqlite3.Error:
        return False
