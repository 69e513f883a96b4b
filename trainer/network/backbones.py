"""The backbones, one table row each, and the classifier around one: pixels in, classes out.

images (uint8 RGB) -> scale and offset -> backbone -> average over positions   "features"
  -> dropout -> dense [-> factors merged]                                      "logits"
  -> divide by temperature -> softmax                                          "probabilities"
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.errors import UsageError
from maskage.inference.imagenet_weights import KERAS_HOST
from trainer.network.backend import keras
from trainer.network.classes import merge_matrix
from trainer.network.folding import fold_norms, is_folding_faster
from trainer.recipe import FACTORS, Recipe

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

SCRATCH_BN_MOMENTUM = 0.9
"""Momentum of batch norm; with Keras' 0.99 the running figures need hundreds of steps."""

PREDICT_BATCH = 32
"""Number of images that are predicted at once."""

# Scale to 0-1, then ImageNet's mean and deviation of each channel.
_IMAGENET_SCALE = tuple(1 / (255 * std) for std in IMAGENET_STD)
_IMAGENET_OFFSET = tuple(-m / std for m, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """One network of `keras.applications`.

    Attributes:
        name: Name in recipes.
        builder: Name of its function in `keras.applications`.
        min_size: Smallest side of the input, px.
        scale, offset: Preprocessing of RGB 0-255, one number or one for each channel.
        open_from: Name of the first layer that fine-tuning trains.
        side_heads: Layers that get a side head in training from random weights.
        branch_norms: Last batch norm of each residual branch; from random weights it starts at 0.
        weights_file: Name of the ImageNet weights without top in Keras' cache; `{alpha}` and
            `{size}` are filled in.
        weights_url: Folder on Keras' host that holds the file.
        weights_hash: MD5 or SHA-256 of the file, where Keras publishes it.
        weights_sizes: Input sides that have separate weights; any of them fits any size.
        has_alpha: True if it comes in several widths.
        has_own_preprocessing: True if its builder can put a preprocessing into the network, which
            is switched off: the preprocessing here is outside, the same for all.
    """

    name: str
    builder: str
    min_size: int
    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...]
    open_from: str
    side_heads: tuple[str, ...]
    branch_norms: tuple[str, ...]
    weights_file: str
    weights_url: str
    weights_hash: str | None = None
    weights_sizes: tuple[int, ...] = ()
    has_alpha: bool = False
    has_own_preprocessing: bool = False


def _efficientnet(size: str, side_blocks: tuple[str, ...], weights_hash: str) -> Backbone:
    """Return the row of an EfficientNetV2, "B0", "B1" or "S"."""
    return Backbone(
        name=f"efficientnetv2{size.lower()}",
        builder=f"EfficientNetV2{size}",
        min_size=32,
        scale=_IMAGENET_SCALE,
        offset=_IMAGENET_OFFSET,
        open_from="block4a_expand_conv",
        side_heads=tuple(f"block{name}_add" for name in side_blocks),
        branch_norms=(),
        weights_file=f"efficientnetv2-{size.lower()}_notop.h5",
        weights_url=f"{KERAS_HOST}/efficientnet_v2",
        weights_hash=weights_hash,
        has_own_preprocessing=True,
    )


BACKBONES = {
    row.name: row
    for row in (
        Backbone(
            name="mobilenetv2",
            builder="MobileNetV2",
            min_size=32,
            scale=1 / 127.5,
            offset=-1.0,
            # All but the first 27 layers: 92.0-92.5% where a frozen backbone gave 84.6%
            # (DESIGN.md, Training).
            open_from="block_3_expand",
            side_heads=tuple(f"block_{number}_add" for number in (2, 5, 9, 12, 15)),
            branch_norms=tuple(
                f"block_{number}_project_BN" for number in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)
            ),
            weights_file=(
                "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
            ),
            weights_url=f"{KERAS_HOST}/mobilenet_v2",
            weights_sizes=(96, 128, 160, 192, 224),
            has_alpha=True,
        ),
        Backbone(
            name="xception",
            builder="Xception",
            min_size=71,
            scale=1 / 127.5,
            offset=-1.0,
            open_from="block4_sepconv1_act",
            side_heads=tuple(f"block{number}_sepconv2_bn" for number in (3, 6, 9, 12)),
            branch_norms=tuple(f"block{number}_sepconv3_bn" for number in range(5, 13)),
            weights_file="xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
            weights_url=f"{KERAS_HOST}/xception",
            weights_hash="b0042744bf5b25fce3cb969f33bebb97",
        ),
        Backbone(
            name="densenet169",
            builder="DenseNet169",
            min_size=32,
            # DenseNet's own preprocessing; ResNet's (BGR, means of 0-255) differs.
            scale=_IMAGENET_SCALE,
            offset=_IMAGENET_OFFSET,
            open_from="conv4_block1_0_bn",
            side_heads=("conv2_block6_concat", "conv3_block12_concat", "conv4_block32_concat"),
            branch_norms=(),
            weights_file="densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5",
            weights_url=f"{KERAS_HOST}/densenet",
            weights_hash="b8c4d4c20dd625c148057b9ff1c1176b",
        ),
        Backbone(
            name="mobilenetv3large",
            builder="MobileNetV3Large",
            min_size=32,
            scale=1 / 127.5,
            offset=-1.0,
            open_from="expanded_conv_3_expand",
            side_heads=tuple(f"expanded_conv_{number}_add" for number in (2, 5, 9, 11, 14)),
            branch_norms=tuple(
                f"expanded_conv_{number}_project_bn" for number in (2, 4, 5, 7, 8, 9, 11, 13, 14)
            ),
            weights_file="weights_mobilenet_v3_large_{size}_{alpha}_float_no_top_v2.h5",
            weights_url=f"{KERAS_HOST}/mobilenet_v3",
            weights_sizes=(224,),
            has_alpha=True,
            has_own_preprocessing=True,
        ),
        _efficientnet("B0", ("2b", "3b", "4c", "5e", "6h"), "893217f2bb855e2983157299931e43ff"),
        _efficientnet("B1", ("2c", "3c", "4d", "5f", "6i"), "0e80663031ca32d657f9caa404b6ec37"),
        # Unlike the smaller two it takes -1 to 1; Keras divides by 128.
        replace(
            _efficientnet("S", ("2d", "3d", "4f", "5i", "6o"), "af0682fb74e8c54910f2d4393339c070"),
            scale=1 / 128,
            offset=-1.0,
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier in training; its three models share their layers and weights.

    Attributes:
        row: Table row of the backbone.
        size: Side of the input, px.
        backbone: Keras model from preprocessed pixels to maps.
        features: Keras model from uint8 (N, size, size, 3) to features (N, depth).
        logits: Keras model from uint8 (N, size, size, 3) to logits (N, C).
        scheme: The C classes.
    """

    row: Backbone
    size: int
    backbone: Any
    features: Any
    logits: Any
    scheme: Scheme

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        """Copies of all weights, in Keras' order."""
        return list(self.logits.get_weights())

    def predict(self, images: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the features (N, depth) and the logits (N, C) of 1 to `PREDICT_BATCH` images.

        Fewer images are filled up, because the graph is traced again for every other number.
        """
        missing = PREDICT_BATCH - len(images)
        whole = np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else images
        features, logits = self._predictor.predict_on_batch(whole)
        return np.asarray(features)[: len(images)], np.asarray(logits)[: len(images)]

    @cached_property
    def _predictor(self) -> Any:
        """Keras model from images to features and logits, as this machine computes them fastest."""
        images = self.logits.input
        is_folded = is_folding_faster()
        backbone = fold_norms(self.backbone, is_trained=False) if is_folded else self.backbone
        maps = backbone(self.logits.get_layer("preprocessing")(images))
        features = answers = self.logits.get_layer("features")(maps)
        for layer in self.answer_layers:
            answers = layer(answers)
        return keras.Model(images, [features, answers])

    @property
    def head(self) -> Any:
        """The dense layer on the features: logits of the classes or of the factors' values."""
        return self.answer_layers[0]

    @property
    def answer_layers(self) -> list[Any]:
        """The layers from the dropout, excluded, to the logits, in order."""
        layers = list(self.logits.layers)
        return layers[[layer.name for layer in layers].index("dropout") + 1 :]


def find_backbone(recipe: Recipe) -> Backbone:
    """Return the table row of a recipe's backbone.

    Raises:
        UsageError: No backbone has that name, or it does not support the recipe's size or alpha.
    """
    row = BACKBONES.get(recipe.backbone)
    if row is None:
        raise UsageError(
            f"There is no backbone '{recipe.backbone}'. Choose one of {', '.join(BACKBONES)}."
        )
    if not row.min_size <= recipe.image_size <= 1024:
        raise UsageError(
            f"{row.name} takes images of {row.min_size} to 1024 px; found {recipe.image_size}. "
            f"Choose another --image-size."
        )
    if recipe.alpha != 1.0 and not row.has_alpha:
        raise UsageError(
            f"{row.name} comes in one width only; found --alpha {recipe.alpha:g}. Leave it out, or "
            f"choose {' or '.join(each.name for each in BACKBONES.values() if each.has_alpha)}."
        )
    return row


def build_network(recipe: Recipe, scheme: Scheme) -> Network:
    """Build a classifier of the scheme's classes with random weights.

    Raises:
        UsageError: See `find_backbone`.
    """
    row = find_backbone(recipe)
    shape = (recipe.image_size, recipe.image_size, 3)
    options: dict[str, Any] = {"alpha": recipe.alpha} if row.has_alpha else {}
    if row.has_own_preprocessing:
        options["include_preprocessing"] = False
    build = getattr(keras.applications, row.builder)
    backbone = build(include_top=False, weights=None, input_shape=shape, **options)
    return build_around(backbone, row, recipe, scheme)


def build_around(backbone: Any, row: Backbone, recipe: Recipe, scheme: Scheme) -> Network:
    """Build a classifier around a backbone that takes preprocessed pixels at the recipe's size."""
    shape = (recipe.image_size, recipe.image_size, 3)
    images = keras.Input(shape, dtype="uint8", name="images")
    pixels = keras.layers.Rescaling(row.scale, row.offset, name="preprocessing")(images)
    # Under a mixed policy only the backbone computes in 16 bits.
    pool = keras.layers.GlobalAveragePooling2D(name="features", dtype="float32")
    features = pool(backbone(pixels))
    kept = keras.layers.Dropout(recipe.head.dropout, name="dropout", dtype="float32")(features)
    logits = _answer(kept, recipe.heads, scheme)
    return Network(
        row=row,
        size=recipe.image_size,
        backbone=backbone,
        features=keras.Model(images, features),
        logits=keras.Model(images, logits),
        scheme=scheme,
    )


def _answer(features: Any, heads: str, scheme: Scheme) -> Any:
    if heads != FACTORS:
        return keras.layers.Dense(len(scheme), name="logits", dtype="float32")(features)
    merge = merge_matrix(heads, scheme)
    factors = keras.layers.Dense(len(merge), name=FACTORS, dtype="float32")(features)
    # A plain layer with constant weights, so that Keras alone can load the model.
    merged = keras.layers.Dense(
        len(scheme), use_bias=False, trainable=False, name="logits", dtype="float32"
    )
    logits = merged(factors)
    merged.set_weights([merge])
    return logits


def build_deliverable(network: Network, temperature: float) -> Any:
    """Build the model that users run: uint8 images in, calibrated probabilities (N, C) out."""
    scaled = keras.layers.Rescaling(1 / temperature, name="temperature")(network.logits.output)
    probabilities = keras.layers.Softmax(name="probabilities")(scaled)
    return keras.Model(network.logits.input, probabilities, name=network.row.name)


def open_upper_blocks(network: Network) -> None:
    """Make the layers from `open_from` on trainable, except batch norm.

    The photos of one task are too few to estimate the statistics of batch norm again.
    """
    is_open = False
    for layer in network.backbone.layers:
        is_open = is_open or layer.name == network.row.open_from
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = is_open and not is_norm


def prepare_scratch(network: Network) -> None:
    """Make the whole network trainable, and set it up so that random weights learn fast.

    Batch norm adapts within a few steps, and each residual block starts as its shortcut alone.

    Source:
        Goyal et al., Accurate, large minibatch SGD, 2017, section 5.1.
    """
    for layer in network.backbone.layers:
        layer.trainable = True
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = SCRATCH_BN_MOMENTUM
    for name in network.row.branch_norms:
        gamma = network.backbone.get_layer(name).gamma
        gamma.assign(keras.ops.zeros(gamma.shape))
