"""Where the toolchain keeps what it can make again: the user's cache folder."""

import hashlib
import os
from pathlib import Path

from collector.cached_features import named_cache


def user_cache() -> Path:
    """The user's cache folder of the toolchain; perhaps not made yet."""
    from platformdirs import user_cache_path

    return user_cache_path("maskage")


def scan_cache_path(root: Path) -> Path:
    """The file with what looks at the photos of the dataset at `root` showed."""
    folder = (named_cache(os.environ) or user_cache()) / "scans"
    return folder / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}.db"
