"""One training from curated photos to a run folder with its bundle."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collector.errors import UsageError
from trainer.backend import keras
from trainer.calibration import fit_temperature
from trainer.classes import class_numbers
from trainer.dataset import TrainingPhotos, read_training_photos
from trainer.features import FeatureCache, FeatureExtractor, cache_folder, default_cache
from trainer.head import EpochFigures, HeadData, TrainedHead, train_head
from trainer.learning_curve import measure_curve, require_enough_groups
from trainer.networks import (
    Network,
    build_network,
    find_backbone,
    open_upper_blocks,
    prepare_scratch,
)
from trainer.packing import TrainingOutcome, pack_run
from trainer.phases import EpochClock, NetworkPhase, predict_logits
from trainer.pixels import PixelReader
from trainer.progress import OnProgress, Progress, StopSwitch, Stopwatch, TrainingStoppedError
from trainer.recipe import Phase, Recipe, load_recipe, with_overrides
from trainer.report import write_learning_curve
from trainer.runs import EpochRow, RunFolder, create_run
from trainer.weights import NONE, load_backbone_weights, obtain_weights


@dataclass(frozen=True)
class FitSettings:
    """What the user asks for; None leaves a value to the recipe.

    Attributes:
        curated: Folder of train, val and test.
        runs: Where the run folder goes.
        name: Of the run; None for model and time.
        model: A recipe's name, or the path of one's own .toml.
        weights: "imagenet", "none" or the path of an .h5 file without top.
        epochs: Of the head; of the whole network where weights are "none".
        fine_tune_epochs: With the upper blocks open; 0 for the frozen phase only.
        image_size: Side of the network's input, px.
        alpha: Width of the network.
        batch_size: Photos a step, in every phase.
        seed: Of everything drawn at random.
        learning_curve: Also train heads on parts of the photos, see `learning_curve`.
    """

    curated: Path = Path("curated")
    runs: Path = Path("runs")
    name: str | None = None
    model: str = "mobilenetv2"
    weights: str = "imagenet"
    epochs: int | None = None
    fine_tune_epochs: int | None = None
    image_size: int | None = None
    alpha: float | None = None
    batch_size: int | None = None
    seed: int = 1337
    learning_curve: bool = False

    def recipe(self) -> Recipe:
        """The recipe with what is asked for.

        Raises:
            UsageError: There is no such recipe, or a value is out of range.
        """
        if self.weights == NONE and self.fine_tune_epochs:
            raise UsageError(
                "--weights none trains the whole network from the start, so there is nothing to "
                "fine-tune. Leave --fine-tune-epochs out and set --epochs."
            )
        if self.weights == NONE and self.learning_curve:
            raise UsageError(
                "--learning-curve trains heads on the features of a frozen backbone, and --weights "
                "none has none: the whole network would be trained anew for each point. Leave one "
                "of the two out."
            )
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs is at least 1; found {self.epochs}.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed is 0 to {2**32 - 1}; found {self.seed}.")
        return with_overrides(
            load_recipe(self.model),
            epochs=self.epochs,
            fine_tune_epochs=self.fine_tune_epochs,
            image_size=self.image_size,
            alpha=self.alpha,
            batch_size=self.batch_size,
        )


def fit(settings: FitSettings, on_progress: OnProgress = lambda _: None) -> Path:
    """Train, evaluate and pack one model.

    With pretrained weights: features through the frozen backbone once, a head on them, then the
    upper blocks with the head. With random weights features mean nothing, so the whole network is
    trained from the start.

    Args:
        settings: What is asked for.
        on_progress: Told how far it is, after each batch of features and each epoch.

    Returns:
        The run folder.

    Raises:
        DatasetError: The curated folder is not usable, or has too few groups for a learning curve.
        UsageError: A setting is out of range, or the run's name is taken.
        MissingDownloadError: There are no ImageNet weights.
        ModelRefusedError: The weights file is not one, or of another network.
        TrainingStoppedError: Ctrl-C; the best so far is packed, where there is any.
    """
    recipe = settings.recipe()
    photos = read_training_photos(settings.curated)
    if settings.learning_curve:
        require_enough_groups(photos.train.photos)
    row = find_backbone(recipe)
    weights = obtain_weights(row, recipe, settings.weights)
    keras.utils.set_random_seed(settings.seed)
    network = build_network(recipe)
    if weights is not None:
        load_backbone_weights(network, weights)
    run = create_run(settings.runs, settings.name, recipe.name)
    run.write_args(_args(settings, recipe, photos))
    run.write_environment()
    with StopSwitch() as switch:
        training = _Training(settings, recipe, photos, network, run, switch, on_progress)
        try:
            outcome = training.run_phases(weights)
        except BaseException:
            if not run.checkpoint.is_file():
                shutil.rmtree(run.path)
            raise
        pack_run(outcome)
        if switch.is_requested:
            raise TrainingStoppedError(
                f"Stopped early. The best so far is evaluated and packed in {run.path}.", run.path
            )
    return run.path


class _Training:
    """One training under way: the phases, and what they tell the run folder and the user."""

    def __init__(
        self,
        settings: FitSettings,
        recipe: Recipe,
        photos: TrainingPhotos,
        network: Network,
        run: RunFolder,
        switch: StopSwitch,
        on_progress: OnProgress,
    ) -> None:
        self._settings, self._recipe, self._photos = settings, recipe, photos
        self._network, self._run = network, run
        self._switch, self._tell = switch, on_progress
        self._reader = PixelReader(recipe.image_size)
        self._watch = Stopwatch()
        self._epochs: dict[str, int] = {}
        self._val_labels = class_numbers(photos.val.photos)

    def run_phases(self, weights: Path | None) -> TrainingOutcome:
        """Every phase that the settings ask for; returns what is to be packed."""
        if weights is None:
            logits = self._train_scratch()
        else:
            logits = self._train_head(weights)
            if self._recipe.fine_tune.epochs and not self._switch.is_requested:
                logits = self._fine_tune(logits)
        return TrainingOutcome(
            run=self._run,
            recipe=self._recipe,
            weights=self._settings.weights,
            network=self._network,
            photos=self._photos,
            reader=self._reader,
            temperature=fit_temperature(logits, self._val_labels),
            val_logits=logits,
            epochs=self._epochs,
            watch=self._watch,
            is_stopped=self._switch.is_requested,
        )

    def _train_head(self, weights: Path) -> NDArray[np.float32]:
        """Phase one. Returns the logits of the validation photos."""
        with self._watch.measure("features"):
            data = self._compute_features(weights)
        with self._watch.measure("head"):
            head = train_head(
                data,
                self._recipe.head,
                label_smoothing=self._recipe.label_smoothing,
                seed=self._settings.seed,
                on_epoch=self._epoch_teller("head", self._recipe.head),
            )
        self._install(head)
        if self._settings.learning_curve and not self._switch.is_requested:
            with self._watch.measure("learning_curve"):
                self._measure_curve(data)
        return data.val @ head.kernel + head.bias

    def _compute_features(self, weights: Path) -> HeadData:
        folder = cache_folder(default_cache(self._settings.runs), self._recipe, weights)
        extractor = FeatureExtractor(self._network, FeatureCache(folder), self._reader)
        train, val = self._photos.train, self._photos.val
        views = self._recipe.views
        teller = self._view_teller(len(train) * views + len(val))
        seen = extractor.compute(train.photos, train.digests, views, teller(0))
        unseen = extractor.compute(val.photos, val.digests, 1, teller(len(train) * views))
        labels = class_numbers(train.photos)
        return HeadData(seen, labels, unseen[:, 0], self._val_labels, self._photos.class_weights)

    def _measure_curve(self, data: HeadData) -> None:
        """Write the learning curve into the run folder; after Ctrl-C there is none."""
        clock = EpochClock()

        def tell(done: int, total: int) -> bool:
            self._tell(Progress("learning curve", done, total, "heads", clock.rate(done)))
            return not self._switch.is_requested

        curve = measure_curve(
            data,
            self._photos.train.photos,
            self._photos.val.photos,
            self._recipe.head,
            label_smoothing=self._recipe.label_smoothing,
            seed=self._settings.seed,
            on_head=tell,
        )
        if curve is not None:
            write_learning_curve(self._run, curve)

    def _install(self, head: TrainedHead) -> None:
        self._network.head.set_weights([head.kernel, head.bias])
        self._network.logits.save_weights(str(self._run.checkpoint))

    def _fine_tune(self, before: NDArray[np.float32]) -> NDArray[np.float32]:
        """Phase two. Returns the logits of the validation photos; no worse than `before`."""
        open_upper_blocks(self._network)
        phase = self._phase(self._recipe.fine_tune, is_scratch=False)
        with self._watch.measure("fine_tune"):
            best = self._run_phase("fine_tune", phase, self._recipe.fine_tune, before)
        if best == 0:
            return before
        return predict_logits(self._network, self._photos.val.photos, self._reader)

    def _train_scratch(self) -> NDArray[np.float32]:
        """The whole network, batch norm included. Returns the logits of the validation photos."""
        prepare_scratch(self._network)
        phase = self._phase(self._recipe.scratch, is_scratch=True)
        with self._watch.measure("scratch"):
            self._run_phase("scratch", phase, self._recipe.scratch, None)
        return predict_logits(self._network, self._photos.val.photos, self._reader)

    def _phase(self, phase: Phase, is_scratch: bool) -> NetworkPhase:
        return NetworkPhase(
            self._network,
            phase,
            label_smoothing=self._recipe.label_smoothing,
            is_scratch=is_scratch,
            seed=self._settings.seed,
            checkpoint=self._run.checkpoint,
            class_weights=self._photos.class_weights,
        )

    def _run_phase(
        self, name: str, phase: NetworkPhase, recipe: Phase, before: NDArray[np.float32] | None
    ) -> int:
        tell = self._epoch_teller(name, recipe)
        return phase.run(
            self._photos.train.photos,
            self._photos.val.photos,
            self._reader,
            on_epoch=tell,
            should_stop=lambda: self._switch.is_requested,
            start_logits=before,
        )

    def _epoch_teller(self, name: str, phase: Phase) -> Callable[[EpochFigures], bool]:
        """Writes each epoch's line, tells the user, and says whether to go on."""
        clock = EpochClock()

        def tell(figures: EpochFigures) -> bool:
            self._epochs[name] = figures.epoch
            row = EpochRow(name, **asdict(figures), seconds=clock.lap_s())
            self._run.append_result(row)
            note = f"loss {figures.loss:.3f}, validation {figures.val_accuracy:.1%}"
            rate = clock.rate(figures.epoch)
            stage = name.replace("_", "-")
            self._tell(Progress(stage, figures.epoch, phase.epochs, "epochs", rate, note))
            return not self._switch.is_requested

        return tell

    def _view_teller(self, total: int) -> Callable[[int], Callable[[int, int], None]]:
        """Tells the user how many views are done, counted from an offset; stops on Ctrl-C."""
        clock = EpochClock()
        started: list[int] = []

        def from_offset(offset: int) -> Callable[[int, int], None]:
            def tell(done: int, _: int) -> None:
                started.append(done + offset)
                rate = clock.rate(done + offset - started[0])
                self._tell(Progress("features", done + offset, total, "photos", rate))
                if self._switch.is_requested:
                    raise TrainingStoppedError(
                        f"Stopped at {done + offset} of {total} photos. Their features are kept: "
                        f"the same command goes on from there."
                    )

            return tell

        return from_offset


def _args(settings: FitSettings, recipe: Recipe, photos: TrainingPhotos) -> dict[str, object]:
    asked = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(settings).items()
    }
    return {
        **asked,
        "curated": str(photos.folder),
        "dataset_digest": photos.digest,
        "recipe": asdict(recipe),
    }
