"""Find photos labelled as masks that leave the nose free, hang on the chin, or are not there.

Every photo of such a class may be labelled wrongly, and they are wrong in one way: where one person
took a mask below the nose for a mask, so were the others. Learning from these labels, a classifier
learns their error. So it learns from bare faces and from masks painted on them, whose state is
known, and then looks at the photos.

Number of flags, the surest first, among which 42 were of the 55 photos, of 745 of masks, that show
the nose or have the mask on the chin, by eye:

| features | flags |
|---|---|
| the four layers of `LAYERS`, each judged by itself | 62 |
| one of them: block 10, 12, 13, 15 | 78, 66, 67, 95 |
| the last layer of the network, whole | 105 |
| the last layer, its upper and its middle rows, and block 13 | 103 |

Layers nearer to the pixels were worse (block 8: 106), as the last one is: there, painted cloth
differs from photographed cloth more than a nose that is out from one that is covered. With simpler
painted masks, found among the first 63: 42 with faces found anew by the finder after painting, 37
on the landmarks of the bare faces, 0 by features of whole photos and their labels.

Masked photos as further examples of worn masks found fewer, with every weight, and so they did
when only those were taken that a first pass was sure of.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.labels.embedding import FeatureArray, Maps, batches, open_layers
from curation.labels.face_views import (
    VIEW_SIDE_PX,
    Face,
    MaskState,
    can_lend,
    find_face,
    paint_masks,
)
from maskage.console import Progress, no_progress
from maskage.faces.finder import YuNetFinder
from maskage.records import RgbImage

STATES = tuple(MaskState)
MOST_PAINTED = 600
"""Largest number of bare faces that masks are painted on.

With other features, 41 of the 55 were among the first 70 flags with 1,010 faces, and among the
first 74 with 400.
"""
MOST_LENDERS = 200
MIN_FACES = 30
"""Least number of complete bare faces to learn from."""
FOLDS = 5
COMPONENTS = 256
"""Number of principal components of each layer; 128 and 400 found as many."""
INVERSE_REGULARISATION = 2.0
"""The `C` of logistic regression; 0.3 and 0.7 found fewer among as many flags, 6 no more."""

LAYERS: Mapping[str, int] = {
    "block_10_expand_relu": 384,
    "block_12_add": 96,
    "block_13_expand_relu": 576,
    "block_15_add": 160,
}
"""Layers of MobileNetV2 that views are described by, and the number of channels of each."""
MAP_SIDE = 4
"""Rows and columns that the maps of all layers are shrunk to. With 8, no more were found."""

_Numbers = NDArray[np.int64]
_Reals = NDArray[np.float64]
_LEAST = 1e-4
"""Least probability, so that one part that is certain does not overrule the others."""


@dataclass(frozen=True, eq=False)
class WearingFigures:
    """How masks seem to be worn.

    Attributes:
        states: Probability of each of `STATES`, shape (4,), by the index of a masked photo; photos
            without a complete face have none.
        unseen: Number of masked photos without a complete face.
        is_learned: False where fewer than `MIN_FACES` bare faces were complete.
    """

    states: Mapping[int, _Reals]
    unseen: int = 0
    is_learned: bool = True


@dataclass(frozen=True)
class MaskPhotos:
    """The photos that masks are looked at in.

    Attributes:
        masked: Indices of the photos that are labelled as worn masks.
        bare: Indices of the photos of bare faces.
        groups: Group of each photo, masked or not, by its index.
        read: Function that reads a photo by its index, RGB uint8, shape (H, W, 3).
    """

    masked: Sequence[int]
    bare: Sequence[int]
    groups: Sequence[int]
    read: Callable[[int], RgbImage]

    def faces(self, indices: Iterable[int], finder: YuNetFinder) -> Iterator[Face]:
        """Yield the complete faces of some photos, in their order."""
        for index in indices:
            face = find_face(index, self.read(index), finder)
            if face is not None:
                yield face


def look_at_masks(
    photos: MaskPhotos, finder: YuNetFinder, seed: int, progress: Progress = no_progress
) -> WearingFigures:
    """Estimate how the mask of each masked photo is worn, from photos of other groups.

    Args:
        photos: The photos.
        finder: Finder of eyes, nose and mouth.
        seed: Seed of the choice of faces, of the masks and of the folds.
        progress: Shows the photos done.

    Raises:
        MissingDownloadError: The ImageNet weights are missing.
    """
    describe = _open_views()
    chance = np.random.default_rng(seed)
    examples = _gather_examples(photos, finder, describe, chance, seed, progress)
    if len(set(examples.indices.tolist())) < MIN_FACES:
        return WearingFigures({}, is_learned=False)
    judge = _Judge(examples, chance, seed)
    shown = progress(photos.masked, "looking at masks", len(photos.masked))
    faces = photos.faces(iter(shown), finder)
    states: dict[int, _Reals] = {}
    for batch in batches(faces):
        found = judge.judge(
            describe([face.view for face in batch]),
            np.array([face.clearness for face in batch], np.float32),
            [photos.groups[face.index] for face in batch],
        )
        states |= {face.index: row for face, row in zip(batch, found, strict=True)}
    return WearingFigures(states, len(photos.masked) - len(states))


@dataclass(frozen=True, eq=False)
class _Examples:
    """Faces whose state is known: maps, clearness, states, groups, and indices of their photos."""

    maps: Maps
    clearness: FeatureArray
    states: _Numbers
    groups: _Numbers
    indices: _Numbers


def _open_views() -> Callable[[Sequence[RgbImage]], Maps]:
    """Return the function from views to maps, float32, shape (N, 4, 2, channels of `LAYERS`).

    The left and the right half of a face are alike: the mean of a map and of its mirror image
    halves the columns.
    """
    look = open_layers(VIEW_SIDE_PX, tuple(LAYERS))

    def describe(views: Sequence[RgbImage]) -> Maps:
        maps = np.concatenate([_shrink(layer) for layer in look(views)], axis=3)
        halves: Maps = ((maps + maps[:, :, ::-1]) / 2)[:, :, : MAP_SIDE // 2]
        return halves

    return describe


def _gather_examples(
    photos: MaskPhotos,
    finder: YuNetFinder,
    describe: Callable[[Sequence[RgbImage]], Maps],
    chance: np.random.Generator,
    seed: int,
    progress: Progress,
) -> _Examples:
    """Paint masks on bare faces and compute the maps of all their views."""
    ready = photos.faces(chance.permutation(photos.masked).tolist(), finder)
    lenders = list(islice(filter(can_lend, ready), MOST_LENDERS))
    chosen = _spread(photos.bare, photos.groups, MOST_PAINTED, chance)
    shown = progress(chosen, "painting masks", len(chosen))
    rows: list[tuple[int, int, int]] = []
    clearness: list[float] = []

    def views() -> Iterator[RgbImage]:
        for turn, bare in enumerate(photos.faces(iter(shown), finder)):
            known = [(MaskState.BARE, bare.pixels), *paint_masks(bare, turn, lenders, seed)]
            for state, pixels in known:
                # Found anew: a mask moves the landmarks, in photos as in what is painted.
                face = find_face(bare.index, pixels, finder)
                if face is not None:
                    rows.append((STATES.index(state), photos.groups[face.index], face.index))
                    clearness.append(face.clearness)
                    yield face.view

    parts = [describe(batch) for batch in batches(views())]
    states, groups, indices = np.array(rows, np.int64).reshape(-1, 3).T
    maps = np.concatenate(parts) if parts else np.empty((0, 4, 2, 0), np.float32)
    return _Examples(maps, np.array(clearness, np.float32), states, groups, indices)


class _Judge:
    """Classifiers of views: one for each layer and each fold of groups.

    Args:
        examples: Views to learn from.
        chance: Source of chance for the folds.
        seed: Seed of the principal components.
    """

    def __init__(self, examples: _Examples, chance: np.random.Generator, seed: int) -> None:
        # A dependency of scikit-learn, without type information.
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        names = np.unique(examples.groups)
        numbers = chance.permutation(len(names)) % FOLDS
        self._fold_of = dict(zip(names.tolist(), numbers.tolist(), strict=True))
        folds = np.array([self._fold_of[group] for group in examples.groups.tolist()])
        self._parts = []
        with threadpool_limits(1):
            for part in _parts_of(examples.maps):
                reduce = _fit_reduction(part, seed)
                rows = np.column_stack([reduce(part), examples.clearness])
                models = [
                    _fit_model(rows[folds != fold], examples.states[folds != fold])
                    for fold in range(FOLDS)
                ]
                self._parts.append((reduce, models))

    def judge(self, maps: Maps, clearness: FeatureArray, groups: Sequence[int]) -> _Reals:
        """Return the probabilities of the states of views, shape (N, 4).

        A view is judged by the models that have seen no photo of its group.
        """
        folds = [self._fold_of.get(group) for group in groups]
        logs = np.zeros((len(maps), len(STATES)))
        for (reduce, models), part in zip(self._parts, _parts_of(maps), strict=True):
            rows = np.column_stack([reduce(part), clearness])
            found = np.log(np.maximum(_LEAST, [model(rows) for model in models]))
            for at, fold in enumerate(folds):
                logs[at] += found[:, at].mean(axis=0) if fold is None else found[fold, at]
        shares = np.exp(logs / len(self._parts))
        probabilities: _Reals = shares / shares.sum(axis=1, keepdims=True)
        return probabilities


def _shrink(maps: Maps) -> Maps:
    """Return the means of the tiles of a layer's maps, shape (N, `MAP_SIDE`, `MAP_SIDE`, C)."""
    count, side, _, channels = maps.shape
    step = side // MAP_SIDE
    tiles = maps.reshape(count, MAP_SIDE, step, MAP_SIDE, step, channels)
    shrunk: Maps = tiles.mean(axis=(2, 4))
    return shrunk


def _parts_of(maps: Maps) -> Iterator[FeatureArray]:
    """Yield the maps of each layer, which are judged by themselves: rows (N, D)."""
    ends = np.cumsum(list(LAYERS.values()))
    for part in np.split(maps, ends[:-1], axis=3):
        yield part.reshape(len(part), -1)


def _fit_reduction(rows: FeatureArray, seed: int) -> Callable[[FeatureArray], FeatureArray]:
    """Return the function from rows to standardised principal components."""
    from sklearn.decomposition import PCA

    mean, spread = rows.mean(axis=0), rows.std(axis=0) + np.float32(1e-6)
    scale = spread * np.float32(rows.shape[1] ** 0.5)
    count = min(COMPONENTS, *rows.shape)
    components = PCA(count, svd_solver="randomized", iterated_power=2, random_state=seed)
    components.fit((rows - mean) / scale)

    def reduce(asked: FeatureArray) -> FeatureArray:
        reduced: FeatureArray = components.transform((asked - mean) / scale)
        return reduced

    return reduce


def _fit_model(rows: FeatureArray, states: _Numbers) -> Callable[[FeatureArray], _Reals]:
    """Return the function from rows to the probabilities of the states, shape (N, 4)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=200)
    with warnings.catch_warnings():
        # The last digits of a probability do not matter here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, states)

    def predict(asked: FeatureArray) -> _Reals:
        probabilities = np.zeros((len(asked), len(STATES)))
        probabilities[:, model.classes_] = model.predict_proba(asked)
        return probabilities

    return predict


def _spread(
    indices: Sequence[int], groups: Sequence[int], count: int, chance: np.random.Generator
) -> list[int]:
    """Choose photos, one of each group before the second of any."""
    seen: dict[int, int] = {}
    ranked = []
    for place, index in enumerate(chance.permutation(indices).tolist()):
        rank = seen[groups[index]] = seen.get(groups[index], -1) + 1
        ranked.append((rank, place, index))
    return [index for *_, index in sorted(ranked)[:count]]
