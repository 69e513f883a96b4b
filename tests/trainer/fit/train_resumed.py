"""A tiny training, and the same one gone on with after its first epoch; a program for tests to run.

    python train_resumed.py CURATED FOLDER POLICY ...

A POLICY is a Keras dtype policy; under mixed_float16 Keras scales the loss. Prints a JSON object
with one for each: the optimizers' classes, each epoch's last rate, the steps taken whenever the
state of training was brought back into the model (both on JAX only), the training photos in the
order they were read, the shapes of what a state keeps of the optimizer, how far the weights moved,
and how far the ends of the two trainings are apart.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.trainer.network.train_placed import RecordingReader, build_tiny
from trainer.data.dataset import read_training_photos
from trainer.fit.callbacks import PhaseHooks
from trainer.fit.phases import NetworkPhase
from trainer.network.backbones import open_upper_blocks
from trainer.network.backend import backend_name, keras
from trainer.network.head import EpochFigures
from trainer.network.precision import dtype_policy
from trainer.network.training_state import PhaseState, TrainingState, load_state, save_state
from trainer.recipe import load_recipe

EPOCHS, BATCH, PEAK = 3, 4, 0.01


class SyncCounter:
    """Notes each time Keras' JAX trainer brings the state back into a model that is trained."""

    def __init__(self) -> None:
        self.steps_taken: list[int] = []
        self.optimizers: set[str] = set()
        original = keras.Model.jax_state_sync

        def noting(model: Any) -> None:
            is_due = getattr(model, "_jax_state", None) and not model._jax_state_synced
            original(model)
            optimizer = getattr(model, "optimizer", None)
            if optimizer is not None:
                self.optimizers.add(type(optimizer).__name__)
                if is_due:
                    self.steps_taken.append(int(optimizer.iterations))

        keras.Model.jax_state_sync = noting


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes:
        before: The plain network's weights at the start.
        weights: Those of the best epoch.
        states: After each epoch.
        told: Each epoch's figures.
        drawn: The training photos in the order they were read.
    """

    before: list[NDArray[np.float32]]
    weights: list[NDArray[np.float32]]
    states: list[PhaseState]
    told: list[EpochFigures]
    drawn: list[str]


def train(curated: Path, checkpoint: Path, start: PhaseState | None) -> Trained:
    """Fine-tune the tiny network, from the begin or from a state."""
    photos, reader = read_training_photos(curated), RecordingReader()
    # Another seed where it goes on: nothing of the end may depend on it.
    keras.utils.set_random_seed(1 if start is None else 99)
    network = build_tiny()
    open_upper_blocks(network)
    before = network.weights
    states: list[PhaseState] = []
    told: list[EpochFigures] = []
    recipe = load_recipe("mobilenetv2").fine_tune
    phase = NetworkPhase(
        network,
        replace(recipe, epochs=EPOCHS, batch_size=BATCH, learning_rate=PEAK, dropout=0.5),
        label_smoothing=0.05,
        is_scratch=False,
        seed=4,
        checkpoint=checkpoint,
        class_weights=photos.class_weights,
    )
    hooks = PhaseHooks(on_epoch=told.append, on_state=states.append)
    phase.run(photos.train.photos, photos.val.photos, reader, hooks, start_logits=None, start=start)
    return Trained(before, network.weights, states, told, reader.drawn)


def farthest(one: list[NDArray[np.float32]], other: list[NDArray[np.float32]]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def train_and_resume(curated: Path, folder: Path, policy: str) -> dict[str, Any]:
    counter = SyncCounter() if backend_name() == "jax" else None
    with dtype_policy(policy):
        unbroken = train(curated, folder / "unbroken.weights.h5", None)
        synced_after = list(counter.steps_taken) if counter is not None else []
        save_state(folder / "state.npz", TrainingState(name="fine_tune", phase=unbroken.states[0]))
        kept = load_state(folder / "state.npz")
        assert kept is not None
        resumed = train(curated, folder / "resumed.weights.h5", kept.phase)
    return {
        "optimizers": sorted(counter.optimizers) if counter is not None else [],
        "rates": [figures.learning_rate for figures in unbroken.told],
        "synced_after": synced_after,
        "drawn": unbroken.drawn,
        "state": [list(each.shape) for each in kept.phase.arrays["optimizer"]],
        "moved": farthest(unbroken.before, unbroken.weights),
        "apart": farthest(unbroken.weights, resumed.weights),
        "is_told_the_same": unbroken.told[1:] == resumed.told,
    }


def main() -> None:
    curated, folder = Path(sys.argv[1]), Path(sys.argv[2])
    print(json.dumps({name: train_and_resume(curated, folder, name) for name in sys.argv[3:]}))


if __name__ == "__main__":
    main()
