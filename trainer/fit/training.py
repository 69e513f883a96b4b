"""A training in progress: its phases, and what they write to the run folder and show the user."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.formats.feature_cache import FeatureCache
from maskage.formats.run.results_file import EpochRow
from maskage.formats.run.run_folder import RunFolder
from maskage.security.keras_archive import save_checkpoint
from trainer.data.dataset import TrainingPhotos
from trainer.data.features import FeatureExtractor, cache_folder, default_cache
from trainer.data.pixels import PixelReader
from trainer.evaluation.calibration import fit_temperature
from trainer.fit.callbacks import PhaseHooks
from trainer.fit.packing import TrainingOutcome
from trainer.fit.phases import NetworkPhase
from trainer.fit.tensorboard import TensorBoardLog
from trainer.fit.validation import predict_logits
from trainer.fit.warm_start import WarmStart
from trainer.network.backbones import Network, build_network, open_upper_blocks, prepare_scratch
from trainer.network.classes import class_numbers
from trainer.network.devices import Hardware
from trainer.network.head import EpochFigures, HeadData, TrainedHead, train_head
from trainer.network.multiprocess import broadcast_from_first, is_true_in_any
from trainer.network.training_state import PhaseState, TrainingState, save_state
from trainer.pages.report import read_learning_curve, write_learning_curve
from trainer.progress import (
    EpochClock,
    OnProgress,
    StopSwitch,
    Stopwatch,
    TrainingProgress,
    TrainingStoppedError,
)
from trainer.recipe import Phase, Recipe
from trainer.settings import FitSettings
from trainer.studies.curve_measurement import measure_curve

Logits = NDArray[np.float32]

HEAD, FINE_TUNE, SCRATCH = "head", "fine_tune", "scratch"


class Training:
    """The phases of one training.

    Args:
        settings: Settings of the user.
        recipe: Recipe with these settings.
        photos: Photos to train on.
        network: Network, with its pretrained weights where there are any.
        run: Run folder that epochs and states are written to.
        switch: Switch that Ctrl-C sets to stop the training.
        on_progress: Called with the progress.
        hardware: Devices that the network is trained on.
        state: State of a killed training to continue from.
        start: What the run keeps of the earlier run that it starts from; None for none.
        has_head: True if the network has the earlier run's head, which is not trained by itself.
    """

    def __init__(
        self,
        *,
        settings: FitSettings,
        recipe: Recipe,
        photos: TrainingPhotos,
        network: Network,
        run: RunFolder,
        switch: StopSwitch,
        on_progress: OnProgress,
        hardware: Hardware,
        state: TrainingState | None = None,
        start: WarmStart | None = None,
        has_head: bool = False,
    ) -> None:
        self._start, self._has_head = start, has_head
        self._settings, self._recipe, self._photos = settings, recipe, photos
        self._network, self._run = network, run
        self._switch, self._report = switch, on_progress
        self._hardware, self._state = hardware, state
        self._reader = PixelReader(recipe.image_size)
        self._watch = Stopwatch(dict(state.seconds) if state is not None else {})
        self._epochs = dict(state.epochs_done) if state is not None else {}
        self._rates = dict(state.rates) if state is not None else {}
        self._tensorboard = (
            TensorBoardLog(run.path / "tensorboard") if settings.tensorboard else None
        )
        self._val_labels = class_numbers(photos.val.photos, photos.scheme)

    def run_phases(self, weights: Path | None) -> TrainingOutcome:
        """Run the phases that the settings ask for.

        Args:
            weights: File that the backbone's weights came from; None for random ones.

        Returns:
            What is to be packed into the run folder.

        Raises:
            TrainingStoppedError: Ctrl-C was pressed before anything was trained.
            UnreadableImageError: A file is not a complete picture.
        """
        try:
            logits = self._train_phases(weights)
        finally:
            if self._tensorboard is not None:
                self._tensorboard.close()
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
            start=self._start,
        )

    def _train_phases(self, weights: Path | None) -> Logits:
        """Train all phases, and return the validation photos' logits by the best network."""
        if weights is None:
            return self._train_network(SCRATCH, None)
        if self._is_past(HEAD):
            logits = self._logits_of_past_head()
        elif self._has_head and self._recipe.fine_tune.epochs:
            logits = self._keep_head()
        else:
            logits = self._train_head(weights)
        if self._recipe.fine_tune.epochs and not self._should_stop():
            logits = self._train_network(FINE_TUNE, logits)
        return logits

    def _is_past(self, phase: str) -> bool:
        return self._state is not None and self._state.name != phase

    def _begun(self, phase: str) -> PhaseState | None:
        """Return the state of a phase if the training was killed in it."""
        return None if self._state is None or self._is_past(phase) else self._state.phase

    def _logits_of_past_head(self) -> Logits:
        assert self._state is not None
        assert self._state.start_logits is not None
        return self._state.start_logits

    def _train_head(self, weights: Path) -> Logits:
        """Train the head, and return the logits of the validation photos."""
        with self._watch.measure("features"):
            data = self._compute_features(weights)
        with self._watch.measure(HEAD):
            head = train_head(
                data,
                self._recipe,
                seed=self._settings.seed,
                on_epoch=self._report_epochs(HEAD, self._recipe.head),
                on_state=self._save_states(HEAD, None),
                start=self._begun(HEAD),
            )
        self._install(head)
        if self._settings.learning_curve and not self._switch.is_requested:
            with self._watch.measure("learning_curve"):
                self._measure_curve(data)
        return head.logits(data.val)

    def _keep_head(self) -> Logits:
        """Keep the earlier run's network as the first result, and return its logits."""
        save_checkpoint(self._network.logits, self._run.checkpoint)
        return predict_logits(self._network, self._photos.val.photos, self._reader)

    def _compute_features(self, weights: Path) -> HeadData:
        cache = default_cache(self._settings.runs)
        self._run.note_cache(cache)
        folder = cache_folder(cache, self._recipe, weights)
        extractor = FeatureExtractor(self._network, FeatureCache(folder), self._reader)
        train, val = self._photos.train, self._photos.val
        views = self._recipe.views
        report_from = self._report_views(len(train) * views + len(val))
        seen = extractor.compute(train.photos, train.digests, views, report_from(0))
        unseen = extractor.compute(val.photos, val.digests, 1, report_from(len(train) * views))
        scheme = self._photos.scheme
        return HeadData(
            train=seen,
            train_labels=class_numbers(train.photos, scheme),
            val=unseen[:, 0],
            val_labels=self._val_labels,
            class_weights=self._photos.class_weights,
            scheme=scheme,
        )

    def _measure_curve(self, data: HeadData) -> None:
        """Write the learning curve into the run folder, unless Ctrl-C stops it."""
        if read_learning_curve(self._run) is not None:
            return
        clock = EpochClock()

        def report(done: int, total: int) -> bool:
            self._report(TrainingProgress("learning curve", done, total, "heads", clock.rate(done)))
            return not self._switch.is_requested

        curve = measure_curve(
            data,
            self._photos.train.photos,
            self._photos.val.photos,
            self._recipe,
            seed=self._settings.seed,
            on_head=report,
        )
        if curve is not None:
            write_learning_curve(self._run, curve)

    def _install(self, head: TrainedHead) -> None:
        self._network.head.set_weights([head.kernel, head.bias])
        save_checkpoint(self._network.logits, self._run.checkpoint)

    def _train_network(self, name: str, before: Logits | None) -> Logits:
        """Train the network, and return the logits of the validation photos.

        Args:
            name: Name of the phase.
            before: Logits that an epoch must improve on; None where the network is random.
        """
        if before is not None:
            (before,) = broadcast_from_first([before])
        build = partial(build_network, self._recipe, self._photos.scheme)
        with self._hardware.place(self._network, build) as network:
            best = self._train_placed(network, name, before)
        if best == 0 and before is not None:
            return before
        return predict_logits(self._network, self._photos.val.photos, self._reader)

    def _train_placed(self, network: Network, name: str, before: Logits | None) -> int:
        """Train, and return the best epoch, from 1, or 0 where none was better than `before`."""
        is_scratch = name == SCRATCH
        if is_scratch:
            prepare_scratch(network)
        else:
            open_upper_blocks(network)
        recipe = self._recipe.scratch if is_scratch else self._recipe.fine_tune
        if self._settings.find_rate:
            recipe = replace(recipe, learning_rate=self._find_rate(network, name, recipe))
        phase = self._network_phase(network, recipe, is_scratch)
        hooks = PhaseHooks(
            on_epoch=self._report_epochs(name, recipe),
            on_state=self._save_states(name, before),
            should_stop=self._should_stop,
            on_step=self._report_steps(name, recipe),
        )
        train, val = self._photos.train.photos, self._photos.val.photos
        with self._watch.measure(name):
            return phase.run(
                train, val, self._reader, hooks, start_logits=before, start=self._begun(name)
            )

    def _should_stop(self) -> bool:
        """Return whether to stop; Ctrl-C in one of several processes stops all."""
        if is_true_in_any(self._switch.is_requested):
            self._switch.request()
        return self._switch.is_requested

    def _network_phase(self, network: Network, recipe: Phase, is_scratch: bool) -> NetworkPhase:
        return NetworkPhase(
            network,
            recipe,
            label_smoothing=self._recipe.label_smoothing,
            is_scratch=is_scratch,
            seed=self._settings.seed,
            checkpoint=self._run.checkpoint,
            class_weights=self._photos.class_weights,
            products=self._hardware.products,
        )

    def _find_rate(self, network: Network, name: str, recipe: Phase) -> float:
        """Return the learning rate of a phase, searched once."""
        if self._begun(name) is None:
            phase = self._network_phase(network, recipe, name == SCRATCH)
            with self._watch.measure("find_rate"):
                found = phase.search_rate(self._photos.train.photos, self._reader)
            self._run.write_text("learning_rate.csv", found.as_table())
            self._rates[name] = found.rate
            note = f"{found.rate:.2g} (the recipe says {recipe.learning_rate:.2g})"
            steps = len(found.rates)
            self._report(TrainingProgress("learning rate", steps, steps, "steps", 0.0, note))
        return self._rates[name]

    def _report_epochs(self, name: str, phase: Phase) -> Callable[[EpochFigures], bool]:
        """Return a function that writes an epoch's line, shows it, and returns whether to go on."""
        clock = EpochClock()
        done_before = self._epochs.get(name, 0)

        def report(figures: EpochFigures) -> bool:
            self._epochs[name] = figures.epoch
            row = EpochRow(name, **asdict(figures), seconds=clock.lap_s())
            self._run.append_result(row)
            if self._tensorboard is not None:
                self._tensorboard.add(name, figures)
            # Short, for a bar of 80 columns to hold it.
            note = f"loss {figures.loss:.2f}, val {figures.val_accuracy:.1%}"
            rate = clock.rate(figures.epoch - done_before)
            stage = name.replace("_", "-")
            self._report(TrainingProgress(stage, figures.epoch, phase.epochs, "epochs", rate, note))
            return not self._switch.is_requested

        return report

    def _report_steps(self, name: str, phase: Phase) -> Callable[[int, int], None]:
        """Return a function that shows the steps of the first epoch, which has no figures yet."""
        done_before = self._epochs.get(name, 0)

        def report(step: int, steps: int) -> None:
            if self._epochs.get(name, 0) == done_before:
                stage, note = name.replace("_", "-"), f"step {step}/{steps}"
                self._report(
                    TrainingProgress(stage, done_before, phase.epochs, "epochs", 0.0, note)
                )

        return report

    def _save_states(self, name: str, start: Logits | None) -> Callable[[PhaseState], None]:
        """Return a function that writes the state of a phase, after its line in `results.csv`."""
        before = {phase: count for phase, count in self._epochs.items() if phase != name}

        def keep(phase: PhaseState) -> None:
            seconds = self._watch.so_far()
            state = TrainingState(
                name=name,
                phase=phase,
                epochs=before,
                seconds=seconds,
                start_logits=start,
                rates=self._rates,
            )
            # The epochs of a head are too short to wait for the disk after each.
            save_state(self._run.state, state, is_flushed=name != HEAD)

        return keep

    def _report_views(self, total: int) -> Callable[[int], Callable[[int, int], None]]:
        """Return a function that shows the number of views done, and stops on Ctrl-C."""
        clock = EpochClock()
        started: list[int] = []

        def from_offset(offset: int) -> Callable[[int, int], None]:
            def report(done: int, _: int) -> None:
                started.append(done + offset)
                rate = clock.rate(done + offset - started[0])
                self._report(TrainingProgress("features", done + offset, total, "views", rate))
                if self._switch.is_requested:
                    raise TrainingStoppedError(
                        f"Stopped at {done + offset} of {total} views. Their features are kept: "
                        f"the same command continues from there."
                    )

            return report

        return from_offset
