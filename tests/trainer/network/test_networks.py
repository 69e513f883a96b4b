import importlib
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import MissingDownloadError, ModelRefusedError, UsageError
from tests.trainer.network.legacy_weights import write_legacy_weights
from trainer.network.backbones import (
    BACKBONES,
    Backbone,
    build_deliverable,
    build_network,
    find_backbone,
    open_upper_blocks,
    prepare_scratch,
)
from trainer.network.backend import keras
from trainer.network.to_onnx import check_export, export_onnx
from trainer.network.weights import imagenet_names, load_backbone_weights, obtain_weights
from trainer.recipe import load_recipe, with_overrides

LARGER_ONES = ("efficientnetv2b1", "efficientnetv2s")
SMALL = with_overrides(load_recipe("mobilenetv2"), image_size=32, alpha=0.35)


def preprocess(name: str, image_size: int, pixels: np.ndarray) -> np.ndarray:
    recipe = with_overrides(load_recipe(name), image_size=image_size)
    network = build_network(recipe, MASK_AGE)
    layer = network.logits.get_layer("preprocessing")
    return np.asarray(layer(pixels))


@pytest.mark.parametrize(
    ("name", "size", "module"),
    [
        ("mobilenetv2", 32, "mobilenet_v2"),
        ("xception", 71, "xception"),
        ("densenet169", 32, "densenet"),
    ],
)
def test_each_backbone_gets_its_own_preprocessing_of_rgb(name: str, size: int, module: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    own = getattr(keras.applications, module).preprocess_input(pixels.astype(np.float32))
    assert np.abs(preprocess(name, size, pixels) - np.asarray(own)).max() < 1e-5


@pytest.mark.parametrize(
    "row",
    [
        # Alike but for their size, and slow.
        pytest.param(row, marks=pytest.mark.thorough) if row.name in LARGER_ONES else row
        for row in BACKBONES.values()
        if row.has_own_preprocessing
    ],
    ids=lambda row: row.name,
)
def test_a_backbone_that_could_preprocess_by_itself_gets_the_same_from_us(row: Backbone) -> None:
    network = build_network(
        with_overrides(load_recipe(row.name), image_size=row.min_size), MASK_AGE
    )
    build = getattr(keras.applications, row.builder)
    side = row.min_size
    own = build(include_top=False, weights=None, input_shape=(side, side, 3))
    own.set_weights(network.backbone.get_weights())
    pixels = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    layer = network.logits.get_layer("preprocessing")
    ours = np.asarray(network.backbone(layer(pixels)))
    theirs = np.asarray(own(pixels.astype(np.float32)))
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()
    assert np.abs(theirs).max() > 0


def test_a_network_takes_bytes_and_gives_probabilities() -> None:
    network = build_network(SMALL, MASK_AGE)
    images = np.random.default_rng(2).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    chances = np.asarray(build_deliverable(network, 2.0)(images))
    logits = np.asarray(network.logits(images))
    assert chances.shape == (3, 4)
    assert chances.sum(axis=1) == pytest.approx([1, 1, 1])
    expected = np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True)
    assert np.abs(chances - expected).max() < 1e-5


def test_fine_tuning_opens_upper_blocks_and_no_batch_norm() -> None:
    network = build_network(SMALL, MASK_AGE)
    open_upper_blocks(network)
    layers = {layer.name: layer for layer in network.backbone.layers}
    assert not layers["Conv1"].trainable
    assert not layers["block_2_project"].trainable
    assert layers["block_3_expand"].trainable
    assert layers["Conv_1"].trainable
    norms = [each for each in layers.values() if isinstance(each, keras.layers.BatchNormalization)]
    assert len(norms) == 52
    assert not any(norm.trainable for norm in norms)
    prepare_scratch(network)
    assert all(norm.trainable and norm.momentum == 0.9 for norm in norms)


@pytest.mark.parametrize("row", BACKBONES.values(), ids=list(BACKBONES))
def test_from_random_weights_every_residual_block_begins_as_its_shortcut(row: Backbone) -> None:
    network = build_network(
        with_overrides(load_recipe(row.name), image_size=row.min_size), MASK_AGE
    )
    prepare_scratch(network)
    for name in row.branch_norms:
        gamma = network.backbone.get_layer(name).gamma
        assert not np.asarray(gamma).any()
        (add,) = (
            layer
            for layer in network.backbone.layers
            if isinstance(layer, keras.layers.Add)
            and name in [tensor._keras_history.operation.name for tensor in layer.input]
        )
        (shortcut,) = [
            tensor for tensor in add.input if tensor._keras_history.operation.name != name
        ]
        both = keras.Model(network.backbone.input, [shortcut, add.output])
        noise = np.random.default_rng(0).random((1, row.min_size, row.min_size, 3), np.float32)
        before, after = both(noise)
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_every_backbone_has_the_layer_that_opens_first() -> None:
    for row in BACKBONES.values():
        recipe = with_overrides(load_recipe(row.name), image_size=row.min_size)
        network = build_network(recipe, MASK_AGE)
        open_upper_blocks(network)
        assert network.backbone.trainable_variables
        assert not network.backbone.layers[1].trainable


def test_sizes_and_widths_that_a_backbone_has_not_are_told() -> None:
    with pytest.raises(UsageError, match="71 to 1024"):
        find_backbone(with_overrides(load_recipe("xception"), image_size=64))
    with pytest.raises(UsageError, match="one width"):
        find_backbone(with_overrides(load_recipe("densenet169"), alpha=0.5))
    with pytest.raises(UsageError, match="There is no backbone"):
        find_backbone(replace(load_recipe("xception"), backbone="alexnet"))


def test_imagenet_names_are_those_of_keras_own_cache() -> None:
    def names(model: str, **changes: float) -> list[str]:
        recipe = with_overrides(load_recipe(model), **changes)  # type: ignore[arg-type]
        return imagenet_names(find_backbone(recipe), recipe)

    stem = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
    assert names("mobilenetv2", image_size=160) == [
        f"{stem}_1.0_160_no_top.h5",
        f"{stem}_1.0_224_no_top.h5",
    ]
    assert names("mobilenetv2", image_size=100, alpha=0.35) == [f"{stem}_0.35_224_no_top.h5"]
    assert names("densenet169") == ["densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5"]
    assert names("xception") == ["xception_weights_tf_dim_ordering_tf_kernels_notop.h5"]
    wide, narrow = names("mobilenetv3large"), names("mobilenetv3large", alpha=0.75)
    assert wide == ["weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5"]
    assert narrow == ["weights_mobilenet_v3_large_224_0.75_float_no_top_v2.h5"]
    for model, stem in [("b0", "efficientnetv2-b0"), ("b1", "efficientnetv2-b1")]:
        assert names(f"efficientnetv2{model}") == [f"{stem}_notop.h5"]
    assert names("efficientnetv2s") == ["efficientnetv2-s_notop.h5"]


def test_hashes_of_weights_are_those_that_keras_knows() -> None:
    def of(module: str, key: str) -> str:
        source = importlib.import_module(f"keras.src.applications.{module}")
        return str(source.WEIGHTS_HASHES[key][1])

    assert BACKBONES["efficientnetv2b0"].weights_hash == of("efficientnet_v2", "b0")
    assert BACKBONES["efficientnetv2b1"].weights_hash == of("efficientnet_v2", "b1")
    assert BACKBONES["efficientnetv2s"].weights_hash == of("efficientnet_v2", "-s")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mobilenetv3large", pytest.param("efficientnetv2b0", marks=pytest.mark.thorough)]
)
def test_a_newer_backbone_exports_as_it_is(name: str, tmp_path: Path) -> None:
    row = BACKBONES[name]
    network = build_network(with_overrides(load_recipe(name), image_size=row.min_size), MASK_AGE)
    model = build_deliverable(network, 1.3)
    export_onnx(model, tmp_path / "model.onnx", output="probabilities")
    side = row.min_size
    images = np.random.default_rng(4).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    assert check_export(model, tmp_path / "model.onnx", images) < 1e-3


@pytest.mark.slow
# Those left out are laid out as efficientnetv2b0 is, and as slow as they are large.
@pytest.mark.parametrize(
    "name", ["mobilenetv2", "xception", "densenet169", "mobilenetv3large", "efficientnetv2b0"]
)
def test_a_cache_laid_out_as_keras_does_is_used_without_the_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = BACKBONES[name]
    recipe = with_overrides(load_recipe(name), image_size=row.min_size)
    first = build_network(recipe, MASK_AGE)
    cached = tmp_path / "models" / imagenet_names(row, recipe)[-1]
    cached.parent.mkdir()
    write_legacy_weights(first.backbone, cached)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    second = build_network(recipe, MASK_AGE)
    path = obtain_weights(row, recipe, "imagenet")
    assert path == cached
    load_backbone_weights(second, cached)
    pairs = zip(first.backbone.get_weights(), second.backbone.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_missing_imagenet_weights_tell_the_file_the_place_and_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    # A port that nobody listens on: what a machine without a network answers, at once.
    row = replace(BACKBONES["xception"], weights_url="http://127.0.0.1:9/xception")
    with pytest.raises(MissingDownloadError) as told:
        obtain_weights(row, load_recipe("xception"), "imagenet")
    text = str(told.value)
    file = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert str(tmp_path / "keras" / "models" / file) in text
    assert "KERAS_HOME" in text
    assert "--weights none" in text
    assert told.value.exit_code == 5


def test_files_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    network = build_network(SMALL, MASK_AGE)
    text = tmp_path / "text.h5"
    text.write_text("not a weights file")
    with pytest.raises(ModelRefusedError, match="not a weights file"):
        load_backbone_weights(network, text)
    other = tmp_path / "model.pth"
    other.write_text("")
    with pytest.raises(ModelRefusedError, match=r"found '\.pth'"):
        load_backbone_weights(network, other)
    with pytest.raises(UsageError, match="no such file"):
        obtain_weights(network.row, SMALL, str(tmp_path / "gone.h5"))


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    wider = build_network(with_overrides(SMALL, alpha=0.5), MASK_AGE)
    path = tmp_path / "wider.weights.h5"
    wider.backbone.save_weights(str(path))
    with pytest.raises(ModelRefusedError, match="not weights of MobileNetV2"):
        load_backbone_weights(build_network(SMALL, MASK_AGE), path)


def test_a_small_file_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(50_000, 50_000), dtype="f4", chunks=(100, 100))
    assert path.stat().st_size < 100_000
    with pytest.raises(ModelRefusedError, match="10,000,000,000 bytes of memory"):
        load_backbone_weights(build_network(SMALL, MASK_AGE), path)
