"""What a run keeps of the earlier run that it starts from, until it is finished.

<run>/start/best.weights.h5    the earlier network
<run>/start/classes.toml       its classes
<run>/start/photos.csv         the photos that it knows
<run>/start/predictions.csv    its answers to the photos that this run is measured on

So a training that was stopped goes on when the earlier run is gone.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.errors import EnvironmentProblemError, ModelRefusedError
from maskage.formats.bundle import ONNX_FILE, load_bundle, read_file
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.run.photos_file import RunPhoto, read_run_photos, write_run_photos
from maskage.formats.run.predictions_file import (
    Prediction,
    read_predictions,
    write_predictions,
)
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.onnx_engine import OnnxEngine
from maskage.security.files import UnsafeFileError
from maskage.security.keras_weights import load_checked_weights, read_weights_file
from maskage.system.files import replace_file
from trainer.data.dataset import TrainingPhotos, relative_names
from trainer.data.pixels import PixelReader, plain_batches
from trainer.fit.earlier_run import FULL_RECIPE, EarlierRun
from trainer.network.backbones import Network, build_network
from trainer.network.carried_answers import carry_answers, name_answers
from trainer.recipe import Recipe


@dataclass(frozen=True, eq=False)
class WarmStart:
    """The start of a training, as its run keeps it.

    Attributes:
        name: Name of the earlier run.
        weights: File of its network's weights.
        scheme: Its classes.
        heads: Its kind of head.
        photos: Photos that it knows.
        answers: Its answers to the photos that the new run is measured on.
    """

    name: str
    weights: Path
    scheme: Scheme
    heads: str
    photos: tuple[RunPhoto, ...]
    answers: tuple[Prediction, ...]


def keep_start(run: RunFolder, earlier: EarlierRun, photos: TrainingPhotos) -> None:
    """Copy into a run what it needs of the earlier one, whole or not at all.

    Raises:
        ModelRefusedError: The earlier run's bundle is damaged.
        OSError: The disk refused, or the earlier run has gone.
    """
    folder, building = _folder_of(run), run.path / ".start"
    building.mkdir(mode=0o700)
    replace_file(building / earlier.run.checkpoint.name, earlier.run.checkpoint.read_bytes())
    replace_file(building / CLASSES_FILE, format_scheme(earlier.scheme).encode())
    write_run_photos(building, earlier.photos)
    answers = _answer(earlier, photos)
    write_predictions(building, answers, earlier.scheme.labels)
    building.rename(folder)


def load_start(run: RunFolder) -> WarmStart | None:
    """Return what a run keeps of the earlier one; None for a run that starts from none.

    Raises:
        EnvironmentProblemError: It is damaged.
        DatasetError: One of its tables is damaged.
    """
    args = run.read_args()
    if args.get("from_run") is None:
        return None
    folder = _folder_of(run)
    photos = read_run_photos(folder) if folder.is_dir() else None
    if photos is None:
        raise EnvironmentProblemError(
            f"{folder}: what this run keeps of the run that it starts from is gone, so it cannot "
            f"continue. Train a new run."
        )
    return WarmStart(
        name=Path(str(args["from_run"])).name,
        weights=folder / run.checkpoint.name,
        scheme=read_scheme(folder),
        heads=str(args[FULL_RECIPE]["heads"]),
        photos=tuple(photos),
        answers=tuple(read_predictions(folder)),
    )


def drop_start(run: RunFolder) -> None:
    """Remove what a run kept of the earlier one; it is finished."""
    shutil.rmtree(_folder_of(run), ignore_errors=True)


def install_start(network: Network, start: WarmStart, recipe: Recipe) -> bool:
    """Load the earlier network into one that may have other classes.

    Args:
        network: Network of the new run, with random weights.
        start: The start.
        recipe: Recipe of the new run.

    Returns:
        True if the earlier head has an answer for everything that the new one answers, and was
        taken over; False if the head is still to be trained.

    Raises:
        ModelRefusedError: The weights are damaged, or belong to another network.
    """
    former = build_network(replace(recipe, heads=start.heads), start.scheme)
    try:
        data = read_weights_file(start.weights, former.logits)
        load_checked_weights(former.logits, data, start.weights.name)
    except UnsafeFileError as fault:
        raise ModelRefusedError(
            f"{start.weights}: these are not the weights of the run {start.name} ({fault}). Name "
            f"another run with --from, or train without it."
        ) from fault
    network.backbone.set_weights(former.backbone.get_weights())
    kernel, bias = former.head.get_weights()
    columns = carry_answers(
        name_answers(start.heads, start.scheme), name_answers(recipe.heads, network.scheme)
    )
    if columns is None:
        return False
    network.head.set_weights([kernel[:, columns], bias[columns]])
    return True


def _answer(earlier: EarlierRun, photos: TrainingPhotos) -> list[Prediction]:
    """Run the earlier model on the photos that the new one is measured on."""
    bundle = load_bundle(earlier.run.bundle)
    engine = OnnxEngine(read_file(bundle, ONNX_FILE))
    measured = photos.measured.photos
    chances = engine.run_batches(plain_batches(measured, PixelReader(bundle.input_size, 0)))
    answers = chances.argmax(axis=1)
    return [
        Prediction(name, photo.label, bundle.labels[answer], tuple(map(float, row)))
        for name, photo, answer, row in zip(
            relative_names(photos.folder, measured), measured, answers, chances, strict=True
        )
    ]


def _folder_of(run: RunFolder) -> Path:
    return run.path / "start"
