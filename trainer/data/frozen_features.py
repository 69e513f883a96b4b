"""Features of photos through a pretrained backbone that is not trained further."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.errors import UsageError
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.formats.feature_cache import FeatureCache
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from trainer.data.dataset import digest_files
from trainer.data.features import FeatureArray, FeatureExtractor, cache_folder, default_cache
from trainer.data.pixels import PixelReader
from trainer.network.backbones import build_network, find_backbone
from trainer.network.weights import load_backbone_weights, obtain_weights
from trainer.progress import EpochClock, OnProgress, TrainingProgress
from trainer.recipe import Recipe


@dataclass(frozen=True)
class FrozenBackbone:
    """A recipe's backbone with pretrained weights.

    Attributes:
        recipe: The recipe that names the backbone, its size and width.
        weights: "imagenet" or the path of an .h5 file without top.
        runs: Folder of the runs; features are cached beside them, shared with `fit`.
        scheme: The classes of the photos.
    """

    recipe: Recipe
    weights: str
    runs: Path
    scheme: Scheme

    def compute(self, photos: Sequence[CuratedPhoto], on_progress: OnProgress) -> FeatureArray:
        """Compute the features of photos as they are, or take them from the cache.

        Returns:
            float32, shape (N, depth).

        Raises:
            UsageError: The weights are "none", or the recipe does not fit the backbone.
            MissingDownloadError: There are no ImageNet weights.
            ModelRefusedError: The weights file is not one, or of another network.
            UnreadableImageError: A file is not a whole picture.
        """
        row = find_backbone(self.recipe)
        weights = obtain_weights(row, self.recipe, self.weights)
        if weights is None:
            raise UsageError(
                "--weights none leaves the backbone at random, so its features say nothing about "
                "a photo. Give imagenet, or the path of an .h5 file."
            )
        network = build_network(self.recipe, self.scheme)
        load_backbone_weights(network, weights)
        cache = default_cache(self.runs)
        log_output(datasets_behind(each.path for each in photos[:1]), Output(cache, Kind.CACHE))
        folder = cache_folder(cache, self.recipe, weights)
        reader = PixelReader(self.recipe.image_size, kept_bytes=0)
        extractor = FeatureExtractor(network, FeatureCache(folder), reader)

        on_batch = report_rate("features", "photos", on_progress)
        return extractor.compute(photos, digest_files(photos), 1, on_batch)[:, 0]


def report_rate(stage: str, unit: str, on_progress: OnProgress) -> Callable[[int, int], None]:
    """Return a function of "done, total" that reports progress with its rate."""
    clock = EpochClock()
    first: list[int] = []

    def report(done: int, total: int) -> None:
        first.append(done)
        on_progress(TrainingProgress(stage, done, total, unit, clock.rate(done - first[0])))

    return report
