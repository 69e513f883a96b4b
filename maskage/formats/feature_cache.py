"""Cached features of photos: computed once, kept on disk, found again by the photo's content.

<cache>/<network>/network.onnx     the frozen backbone, exported once (JAX)
<cache>/<network>/<random>.npz     `keys`: "<sha256 of a photo>:<view>", and their `values`
<cache>/<network>/.<random>        the same, left by an interrupted write

Pieces are written whole under new names, so that several trainings may share a cache; a damaged
piece is computed again.
"""

import re
import secrets
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.errors import EnvironmentProblemError
from maskage.system.files import is_disk_full, make_private, open_replacement
from maskage.system.paths import CACHE_VARIABLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CACHE_NAME = ".features"
"""Name of the cache's folder beside the runs."""

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


class FeatureCache:
    """The features of one frozen network, by photo content and view.

    Args:
        folder: Folder of this network; made if it is missing.

    Raises:
        EnvironmentProblemError: The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            make_private(folder)
        self._known: dict[str, NDArray[np.float32]] = {}
        for piece in sorted(folder.glob("*.npz")):
            self._known.update(_read_piece(piece))

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> "NDArray[np.float32]":
        return self._known[key]

    def add(self, features: "Mapping[str, NDArray[np.float32]]") -> None:
        """Keep features in memory and as one new piece on disk.

        Args:
            features: By `feature_key`, all of one shape.

        Raises:
            EnvironmentProblemError: The folder cannot be written to.
            OSError: The disk is full.
        """
        import numpy as np

        if not features:
            return
        self._known.update(features)
        piece = self.folder / f"{secrets.token_hex(8)}.npz"
        values = np.stack(list(features.values()))
        with self._writing(), open_replacement(piece, is_flushed=False) as file:
            np.savez(file, keys=np.array(list(features)), values=values)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            if is_disk_full(fault):
                raise
            raise EnvironmentProblemError(
                f"{self.folder}: features cannot be kept here ({fault.strerror or fault}). Name "
                f"a folder that you may write to, on a disk with room: set {CACHE_VARIABLE}=FOLDER."
            ) from fault


def feature_key(digest: str, view: int) -> str:
    """Return the key of a photo's view.

    Args:
        digest: sha256 of the photo's file.
        view: Number of the augmented view; 0 is the photo as it is.
    """
    return f"{digest}:{view}"


def list_pieces(cache: Path) -> Iterator[Path]:
    """Yield every piece of a cache, sorted, interrupted ones too."""
    for network in _names(cache):
        for name in _names(cache / network):
            piece = cache / network / name
            is_unfinished = name.startswith(".") and not piece.suffix
            if (piece.suffix == ".npz" or is_unfinished) and piece.is_file():
                yield piece


def read_digests(piece: Path) -> Iterable[str]:
    """Return the digests of a piece's photos; those still legible if the piece is damaged."""
    import numpy as np

    try:
        # numpy would leave a damaged file open that it opened itself.
        with piece.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [str(key).partition(":")[0] for key in arrays["keys"].tolist()]
    except _NOT_A_PIECE:
        pass
    try:
        data = piece.read_bytes()
    except OSError:
        return []
    return [found.decode("utf-32-le") for found in _RAW_DIGEST.findall(data)]


def _read_piece(path: Path) -> "dict[str, NDArray[np.float32]]":
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as piece:
            return dict(zip(piece["keys"].tolist(), piece["values"], strict=True))
    except _NOT_A_PIECE:
        return {}


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if it cannot be listed."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
