"""Cached features of photos, as training leaves them: whose photos a piece holds.

<cache>/<network>/<random>.npz     `keys`: "<sha256 of a photo>:<view>", and `values`
<cache>/<network>/.<random>        the same, where its writing was interrupted
"""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

CACHE_NAME = ".features"
"""The folder of the cache beside the runs."""

# A key as numpy keeps it: four bytes a character.
_RAW_DIGEST = re.compile(rb"(?:[0-9a-f]\x00\x00\x00){64}")
_NOT_A_PIECE = (
    OSError,
    TypeError,
    IndexError,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def list_pieces(cache: Path) -> Iterator[Path]:
    """Every piece of a cache, sorted, also one whose writing was interrupted."""
    for network in _names(cache):
        for name in _names(cache / network):
            piece = cache / network / name
            is_unfinished = name.startswith(".") and not piece.suffix
            if (piece.suffix == ".npz" or is_unfinished) and piece.is_file():
                yield piece


def read_digests(piece: Path) -> Iterable[str]:
    """Digests of the photos whose features a piece holds; of a damaged one, what is legible."""
    import numpy as np

    try:
        # Given the name of a damaged file, numpy would leave it open.
        with piece.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [str(key).partition(":")[0] for key in arrays["keys"].tolist()]
    except _NOT_A_PIECE:
        pass
    try:
        data = piece.read_bytes()
    except OSError:
        return []
    return [found.decode("utf-32-le") for found in _RAW_DIGEST.findall(data)]


def _names(folder: Path) -> list[str]:
    """What lies in a folder, sorted; nothing where it may not be looked into."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
