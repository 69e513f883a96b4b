"""A network learns what is strange to it from the photos of its training, where they are enough."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import encode_jpeg
from tests.maskage.security.hostile_models import SIZE, make_network
from trainer.data.dataset import PhotoSet, TrainingPhotos
from trainer.data.pixels import PixelReader, plain_batches
from trainer.fit import rejecting
from trainer.fit.rejecting import add_reject
from trainer.network.strangeness import LEAST_PHOTOS

MakePhotos = Callable[[int, int], TrainingPhotos]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The file of a small network, with probabilities alone."""
    path = tmp_path / "model.onnx"
    path.write_bytes(make_network().SerializeToString())
    return path


@pytest.fixture
def make_photos(tmp_path: Path) -> MakePhotos:
    """Make a set of so many photos to train and to validate; each third to train is a variant."""
    chance = np.random.default_rng(4)

    def save(split: str, count: int) -> PhotoSet:
        photos = []
        for at in range(count):
            shade = chance.integers(40, 200, (1, 1, 3))
            noise = chance.integers(-30, 30, (SIZE, SIZE, 3))
            path = tmp_path / f"{split}_{at}.jpg"
            path.write_bytes(encode_jpeg((shade + noise).astype(np.uint8)))
            parent = "mask_old/other.jpg" if split == "train" and at % 3 == 0 else None
            label = MASK_AGE.labels[at % 4]
            photos.append(CuratedPhoto(path, label, f"{split}{at}", parent=parent))
        return PhotoSet(tuple(photos), ("0" * 64,) * count)

    def make(train: int, val: int) -> TrainingPhotos:
        return TrainingPhotos(
            folder=tmp_path,
            train=save("train", train),
            val=save("val", val),
            test=PhotoSet((), ()),
            digest="0" * 64,
            scheme=MASK_AGE,
            class_weights=np.ones(4, np.float32),
        )

    return make


def test_a_network_gets_the_measure_and_one_validation_photo_is_strange(
    network: Path, make_photos: MakePhotos
) -> None:
    photos, reader = make_photos(90, 60), PixelReader(SIZE)
    assert add_reject(network, photos, reader) == 1.0
    answers = OnnxEngine(network).answer_batches(plain_batches(photos.val.photos, reader))
    assert answers.strangeness is not None
    assert answers.strangeness.shape == (60,)
    assert (answers.strangeness > 1).sum() == 1


@pytest.mark.parametrize(("train", "val"), [(60, 60), (90, LEAST_PHOTOS - 1)])
def test_too_few_photos_leave_the_network_as_it_is(
    network: Path, make_photos: MakePhotos, train: int, val: int
) -> None:
    # Of 60 photos to train a third are variants, which leaves 40.
    before = network.read_bytes()
    assert add_reject(network, make_photos(train, val), PixelReader(SIZE)) is None
    assert network.read_bytes() == before


def test_a_large_set_costs_no_more_than_a_part_of_it(
    network: Path, make_photos: MakePhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejecting, "FITTED_PHOTOS", 50)
    photos, read = make_photos(120, 50), []

    class CountingReader(PixelReader):
        def read(self, photo: CuratedPhoto) -> np.ndarray:
            read.append(photo)
            return super().read(photo)

    assert add_reject(network, photos, CountingReader(SIZE)) == 1.0
    assert len(read) == 50 + 50
    assert not [photo for photo in read if photo.parent is not None]
    assert [end.name for end in onnx.load(network).graph.output] == ["probabilities", "strangeness"]
