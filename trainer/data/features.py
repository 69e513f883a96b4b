"""Features of photos through a frozen backbone: computed once, kept in a cache on disk.

`maskage.formats.feature_cache` describes the cache. A network's folder in it is named by backbone,
width, size and the digest of the weights.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.formats.feature_cache import CACHE_NAME, FeatureCache, feature_key
from maskage.inference.onnx_engine import OnnxEngine
from maskage.records import RgbImage
from maskage.system.paths import named_cache
from trainer.data.augment import Augmenter, seed_of_view, vary_framing
from trainer.data.pixels import PixelReader, worker_count
from trainer.network.backbones import PREDICT_BATCH, Network
from trainer.network.backend import has_accelerator
from trainer.network.folding import is_folding_faster
from trainer.recipe import Recipe

FeatureArray = NDArray[np.float32]

AUGMENTATION_VERSION = 1
"""Raise it if `augment` draws other variants: cached features of views are then not used."""

PIECE_S = 5.0
"""Seconds of computing between two writes: at most so much is lost with a killed training."""


def cache_folder(root: Path, recipe: Recipe, weights: Path) -> Path:
    """Return the folder in the cache `root` of one frozen network's features."""
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{recipe.backbone}-{recipe.alpha:g}-{recipe.image_size}-v{AUGMENTATION_VERSION}"
    return root / f"{name}-{digest[:16]}"


class FeatureExtractor:
    """A frozen network that fills a cache with the features of photos.

    Keras itself runs it on an accelerator, and on a CPU with TensorFlow, where the folded network
    is as fast as ONNX Runtime (0.28 seconds of one core for 32 photos at 192 px) and needs no
    export. With JAX on a CPU it runs in ONNX Runtime.

    Args:
        network: The network, with its pretrained weights loaded.
        cache: The cache of exactly this network.
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
        """Compute the features of photos and their augmented views, or take them from the cache.

        Args:
            photos: The photos.
            digests: sha256 of each one's file.
            views: Number of views of each photo; view 0 is the photo as it is.
            on_batch: Called after each batch with the views done and in total. What it raises ends
                the work; what was computed until then is kept.

        Returns:
            float32, shape (N, views, depth).

        Raises:
            UnreadableImageError: A file is not a whole picture.
        """
        wanted = {
            feature_key(digest, view): (photo, view)
            for photo, digest in zip(photos, digests, strict=True)
            for view in range(views)
        }
        missing = {key: item for key, item in wanted.items() if key not in self._cache}
        if missing:
            self._fill(missing, len(wanted), on_batch)
        rows = [
            [self._cache[feature_key(digest, view)] for view in range(views)] for digest in digests
        ]
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
        if has_accelerator() or is_folding_faster():
            return lambda images: np.asarray(self._network.predict(images)[0], dtype=np.float32)
        from trainer.network.to_onnx import export_onnx

        path = self._cache.folder / "network.onnx"
        if not path.is_file():
            export_onnx(self._network.features, path, output="features")
        return OnnxEngine(path).run

    def _batches(
        self, missing: dict[str, tuple[CuratedPhoto, int]]
    ) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
        """Yield keys and their pixels, drawn by threads while the engine runs the batch before."""
        keys = list(missing)
        parts = [
            keys[start : start + PREDICT_BATCH] for start in range(0, len(keys), PREDICT_BATCH)
        ]
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
    """Return the folder of the cache: `MASKAGE_CACHE`, or one beside the runs."""
    return named_cache(os.environ) or runs / CACHE_NAME
