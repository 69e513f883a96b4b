"""Features of photos through a frozen backbone: computed once, kept on disk.

<cache>/<network>/network.onnx      the frozen backbone, exported once
<cache>/<network>/<random>.npz      keys "<sha256 of the photo>:<view>" and their features

A network's folder is named by backbone, size, width and the digest of its weights. Pieces are
written whole under new names, so several fits may share a cache; a damaged piece is computed anew.
"""

import hashlib
import os
import secrets
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError
from maskage.formats.curated_set import CuratedPhoto
from maskage.inference.onnx_engine import OnnxEngine
from maskage.records import RgbImage
from maskage.system.files import is_disk_full, make_private, open_replacement
from maskage.system.paths import CACHE_VARIABLE
from trainer.data.augment import Augmenter, seed_of_view, vary_framing
from trainer.data.pixels import PixelReader, worker_count
from trainer.network.backbones import Network
from trainer.network.backend import has_accelerator
from trainer.recipe import Recipe

FeatureArray = NDArray[np.float32]

AUGMENTATION_VERSION = 1
"""Raise it when `augment` draws other variants: cached features of views are then not used."""

BATCH_SIZE = 32

PIECE_S = 5.0
"""Of computing, until what was computed is written: so much a killed training loses at most."""


class FeatureCache:
    """Features of one frozen network, by photo content and view.

    Args:
        folder: Of this network; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            make_private(folder)
        self._known: dict[str, FeatureArray] = {}
        for piece in sorted(folder.glob("*.npz")):
            self._known.update(_read_piece(piece))

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> FeatureArray:
        return self._known[key]

    def add(self, features: dict[str, FeatureArray]) -> None:
        """Keep features, in memory and as one new piece on disk."""
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


def cache_folder(root: Path, recipe: Recipe, weights: Path) -> Path:
    """The folder of one frozen network's features under `root`."""
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{recipe.backbone}-{recipe.alpha:g}-{recipe.image_size}-v{AUGMENTATION_VERSION}"
    return root / f"{name}-{digest[:16]}"


class FeatureExtractor:
    """Fills a cache with the features of photos, at the speed of the fastest engine at hand.

    On a CPU that is ONNX Runtime (179 photos a second where TensorFlow gave 25-62, DESIGN.md); on
    an accelerator it is Keras itself.

    Args:
        network: With its pretrained weights loaded.
        cache: Of exactly this network.
        reader: Reads photos at the network's size.
    """

    def __init__(self, network: Network, cache: FeatureCache, reader: PixelReader) -> None:
        self._network, self._cache, self._reader = network, cache, reader
        self._augment = Augmenter(vary_framing)

    def compute(
        self,
        photos: Sequence[CuratedPhoto],
        digests: Sequence[str],
        views: int,
        on_batch: Callable[[int, int], None],
    ) -> FeatureArray:
        """Features of photos and their augmented views.

        Args:
            photos: To look at.
            digests: sha256 of each one's file.
            views: How many of each; view 0 is the photo as it is.
            on_batch: Told views done and in total after each batch. What it raises ends the work;
                what was computed until then is kept.

        Returns:
            float32, shape (N, views, depth).

        Raises:
            UnreadableImageError: A file is not a whole picture.
        """
        wanted = {
            _key(digest, view): (photo, view)
            for photo, digest in zip(photos, digests, strict=True)
            for view in range(views)
        }
        missing = {key: item for key, item in wanted.items() if key not in self._cache}
        if missing:
            self._fill(missing, len(wanted), on_batch)
        rows = [[self._cache[_key(digest, view)] for view in range(views)] for digest in digests]
        return np.array(rows, dtype=np.float32)

    def _fill(
        self,
        missing: dict[str, tuple[CuratedPhoto, int]],
        total: int,
        on_batch: Callable[[int, int], None],
    ) -> None:
        run = self._engine()
        computed: dict[str, FeatureArray] = {}
        done, written_s = total - len(missing), time.monotonic()
        try:
            for keys, images in self._batches(missing):
                computed.update(zip(keys, run(images), strict=True))
                if time.monotonic() - written_s > PIECE_S:
                    self._cache.add(computed)
                    computed, written_s = {}, time.monotonic()
                done += len(keys)
                on_batch(done, total)
        finally:
            self._cache.add(computed)

    def _engine(self) -> Callable[[NDArray[np.uint8]], FeatureArray]:
        if has_accelerator():
            model = self._network.features
            return lambda images: np.asarray(model.predict_on_batch(images), dtype=np.float32)
        from trainer.network.to_onnx import export_onnx

        path = self._cache.folder / "network.onnx"
        if not path.is_file():
            export_onnx(self._network.features, path, output="features")
        return OnnxEngine(path).run

    def _batches(
        self, missing: dict[str, tuple[CuratedPhoto, int]]
    ) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
        """Keys and their pixels, drawn by threads while the engine works on the batch before."""
        keys = list(missing)
        parts = [keys[start : start + BATCH_SIZE] for start in range(0, len(keys), BATCH_SIZE)]
        pool = ThreadPoolExecutor(worker_count())
        pending: list[list[Future[RgbImage]]] = []
        try:
            for ahead in range(len(parts) + 2):
                if ahead < len(parts):
                    jobs = [pool.submit(self._view, key, *missing[key]) for key in parts[ahead]]
                    pending.append(jobs)
                if ahead >= 2:
                    images = np.stack([job.result() for job in pending.pop(0)])
                    yield parts[ahead - 2], images
        finally:
            pool.shutdown(cancel_futures=True)

    def _view(self, key: str, photo: CuratedPhoto, view: int) -> RgbImage:
        pixels = self._reader.read(photo)
        return pixels if view == 0 else self._augment(pixels, seed_of_view(key, view))


def default_cache(runs: Path) -> Path:
    """Where features are kept: `MASKAGE_CACHE`, or beside the runs."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else runs / ".features"


def _key(digest: str, view: int) -> str:
    return f"{digest}:{view}"


def _read_piece(path: Path) -> dict[str, FeatureArray]:
    try:
        # Opened here: numpy leaves a file open that is no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as piece:
            return dict(zip(piece["keys"].tolist(), piece["values"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
