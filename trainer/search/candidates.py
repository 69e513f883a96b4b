"""The networks that a search can try: recipes, widths, sizes and heads with weights at hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from maskage.classes.scheme import Scheme
from maskage.errors import MissingDownloadError, UsageError
from maskage.formats.run.search_file import CandidateRecord
from maskage.inference.imagenet_weights import keras_cache
from trainer.network.backbones import Backbone, find_backbone
from trainer.network.weights import imagenet_names
from trainer.recipe import CLASSES, FACTORS, Recipe, load_recipe, recipe_names, with_overrides

SIZES = (128, 160, 224)
"""Sides that are tried beside the recipe's own, px."""

WIDTHS = {"mobilenetv2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4), "mobilenetv3large": (0.75, 1.0)}
"""Widths for which Keras has ImageNet weights."""


@dataclass(frozen=True)
class Network:
    """A recipe at one size and width, with the heads that are tried on it.

    Attributes:
        model: Name of the recipe, or path of its .toml file.
        recipe: The recipe with this size and width.
        is_own_size: True if the size is the recipe's own.
        weights_bytes: Size of its weights file; 0 where it is not at hand.
    """

    model: str
    recipe: Recipe
    is_own_size: bool
    weights_bytes: int

    @property
    def name(self) -> str:
        """Name for people: "mobilenetv2-192", or "mobilenetv2x0.35-192" where it is narrower."""
        width = "" if self.recipe.alpha == 1 else f"x{self.recipe.alpha:g}"
        return f"{self.recipe.name}{width}-{self.recipe.image_size}"

    @property
    def key(self) -> tuple[str, float, int]:
        """The same as `CandidateRecord.network` of its candidates."""
        return self.model, self.recipe.alpha, self.recipe.image_size

    def candidates(self, scheme: Scheme) -> dict[str, CandidateRecord]:
        """Return the candidates with each kind of head that suits the classes, by name."""
        heads = (CLASSES, FACTORS) if scheme.is_told_by_factors else (CLASSES,)
        recipe = self.recipe
        return {
            f"{self.name}-{kind}": CandidateRecord(
                recipe=self.model, image_size=recipe.image_size, alpha=recipe.alpha, heads=kind
            )
            for kind in heads
        }


@dataclass(frozen=True)
class FoundNetworks:
    """The networks to try, in their order, and why others are left out.

    Attributes:
        networks: Own sizes first, small weights first.
        left_out: Why others are not tried, by their names; sentences.
    """

    networks: tuple[Network, ...]
    left_out: Mapping[str, str]


def find_networks(
    models: Sequence[str] = (), sizes: Sequence[int] = (), *, may_download: bool = False
) -> FoundNetworks:
    """List the networks that can be tried.

    Args:
        models: Names of recipes, or paths of .toml files; empty for all that come along.
        sizes: Sides of the input, px; empty for the recipe's own and `SIZES`.
        may_download: True to list those whose weights must be fetched first.

    Raises:
        UsageError: There is no such recipe, or no network takes such a size.
        MissingDownloadError: No network has its weights at hand.
    """
    networks: list[Network] = []
    lacking: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    for name in models or recipe_names():
        recipe = load_recipe(name)
        row = find_backbone(recipe)
        for width in _widths(row, recipe):
            file = _weights_bytes(row, replace(recipe, alpha=width))
            if file == 0 and not may_download:
                if width == recipe.alpha:
                    lacking.setdefault(recipe.name, imagenet_names(row, recipe))
                continue
            for size in sizes or sorted({recipe.image_size, *SIZES}):
                if not row.min_size <= size <= 1024:
                    refused[f"{row.name}-{size}"] = f"{row.name} takes no images of {size} px."
                    continue
                changed = with_overrides(recipe, image_size=size, alpha=width)
                is_own = size == recipe.image_size or len(sizes) == 1
                networks.append(Network(name, changed, is_own, file))
    left_out = {**_describe_lacking(lacking), **refused}
    if not networks:
        _refuse(lacking, list(refused.values()))
    # What must be fetched first comes last.
    networks.sort(key=lambda each: (not each.is_own_size, each.weights_bytes or inf, each.name))
    return FoundNetworks(tuple(networks), left_out)


def _widths(row: Backbone, recipe: Recipe) -> Iterable[float]:
    """Return the widths to try: the recipe's own, and the others whose weights are at hand."""
    if not row.has_alpha:
        return (recipe.alpha,)
    others = [
        width
        for width in WIDTHS.get(row.name, ())
        if width != recipe.alpha and _weights_bytes(row, replace(recipe, alpha=width))
    ]
    return sorted({recipe.alpha, *others})


def _weights_bytes(row: Backbone, recipe: Recipe) -> int:
    for name in imagenet_names(row, recipe):
        path = keras_cache() / name
        if path.is_file():
            return path.stat().st_size
    return 0


def _describe_lacking(lacking: Mapping[str, list[str]]) -> dict[str, str]:
    if not lacking:
        return {}
    why = f"no ImageNet weights in {keras_cache()}. --download fetches them."
    return {", ".join(lacking): why}


def _refuse(lacking: dict[str, list[str]], refused: list[str]) -> None:
    if refused:
        raise UsageError(
            f"No network with weights at hand is left: {' '.join(refused)} Choose another "
            f"--image-size."
        )
    names = ", ".join(files[0] for files in lacking.values())
    raise MissingDownloadError(
        "No network has its ImageNet weights at hand, so there is nothing to search.",
        f"Looked in {keras_cache()} for {names}.",
        "Add --download to fetch them, put a file there, or set KERAS_HOME to a folder that has "
        "them under models/.",
    )
