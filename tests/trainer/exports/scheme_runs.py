"""A run of any scheme without its training: random weights, all the files of a finished one."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from maskage.classes.scheme import Scheme
from maskage.environment import library_versions
from maskage.formats.bundle import (
    KERAS_FILE,
    ONNX_FILE,
    ModelBundle,
    describe_file,
    golden_images,
    write_bundle,
)
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.formats.run.run_arguments import write_arguments
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import encode_jpeg
from maskage.security.keras_archive import archive_model
from tests.conftest import draw_noise
from tests.trainer.exports.odd_schemes import SCHEMES
from trainer.exports.exporter import Exporter
from trainer.exports.formats import FORMATS
from trainer.recipe import load_recipe, with_overrides

SIZE = 32


@dataclass(frozen=True)
class SchemeRun:
    """A run, and the set with whose photos its exports are compared."""

    folder: Path
    curated: Path
    scheme: Scheme

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


def make_scheme_run(root: Path, scheme: Scheme) -> SchemeRun:
    """Write a run with the bundle of a network that tells drawn patterns apart."""
    from trainer.network.backbones import build_deliverable, build_network
    from trainer.network.backend import keras
    from trainer.network.onnx_metadata import describe_network, write_metadata
    from trainer.network.to_onnx import export_onnx

    keras.utils.set_random_seed(7)
    recipe = with_overrides(load_recipe("mobilenetv2"), image_size=SIZE, alpha=0.35)
    network = build_network(recipe, scheme)
    # Without running figures that fit, fifty layers leave nothing of a picture.
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    images = np.stack([draw_noise(seed, SIZE) for seed in range(24)]).astype(np.float32)
    network.backbone(images / 127.5 - 1, training=True)
    head = network.logits.get_layer("logits")
    head.set_weights([30 * weights for weights in head.get_weights()])
    model = build_deliverable(network, temperature=1.0)
    run = SchemeRun(root / "run", make_set(root / "curated", scheme), scheme)
    run.bundle.mkdir(parents=True)
    export_onnx(model, run.bundle / ONNX_FILE, output="probabilities")
    text = describe_network(scheme, input_size=SIZE, crop_margin=0.3, version="0.1.0")
    described = write_metadata((run.bundle / ONNX_FILE).read_bytes(), text)
    (run.bundle / ONNX_FILE).write_bytes(described)
    (run.bundle / KERAS_FILE).write_bytes(archive_model(model))
    golden = OnnxEngine(described).run(golden_images(SIZE))
    write_bundle(
        ModelBundle(
            folder=run.bundle,
            scheme=scheme,
            input_size=SIZE,
            crop_margin=0.3,
            temperature=1.0,
            unsure_below=0.5,
            dataset_digest="0" * 64,
            metrics={},
            versions=library_versions(),
            files={name: describe_file(run.bundle / name) for name in (ONNX_FILE, KERAS_FILE)},
            golden=tuple(tuple(map(float, row)) for row in golden),
        )
    )
    write_arguments(run.folder, {"curated": str(run.curated), "recipe": asdict(recipe)})
    return run


def make_set(root: Path, scheme: Scheme, photos: int = 2) -> Path:
    """Write a curated set of drawn patterns, so many of each class in each split."""
    for number, label in enumerate(f"{split}/{label}" for split in ("train", "val", "test")
                                   for label in scheme.labels):  # fmt: skip
        (root / label).mkdir(parents=True)
        for photo in range(photos):
            pixels = draw_noise(1000 * photo + number, SIZE)
            (root / label / f"{photo}.jpg").write_bytes(encode_jpeg(pixels))
    (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    return root


class Exports:
    """The runs of all schemes and their exports, each made when it is first asked for.

    Args:
        root: Empty folder for them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = cache(lambda classes: make_scheme_run(root / str(classes), SCHEMES[classes]))
        self.exporter = cache(lambda classes: Exporter(self.run(classes).bundle, None, None))
        self.folder = cache(self._folder)

    def _folder(self, classes: int, name: str) -> Path:
        exporter = self.exporter(classes)
        figures = exporter.export(FORMATS[name])
        assert figures.refused is None
        assert figures.accuracy == figures.keras_accuracy
        return Path(exporter.out / name)
