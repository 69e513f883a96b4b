"""The state of a training after an epoch, on disk, from which a killed training continues.

checkpoints/state.npz    replaced after each epoch; removed when the run is finished
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError
from maskage.system.files import open_replacement

Arrays = Mapping[str, list[NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class PhaseState:
    """The state of one phase.

    Attributes:
        epoch: Number of epochs done.
        best_epoch: Number of the best epoch, from 1; 0 where none was better than the start.
        best_loss: Validation loss of the best epoch, nats.
        arrays: Arrays that change in training, by kind, and the best weights.
        random: State of the numpy generator, where the phase uses one.
    """

    epoch: int
    best_epoch: int
    best_loss: float
    arrays: Arrays
    random: dict[str, Any] | None = None

    def is_done(self, epochs: int, patience: int) -> bool:
        """Return whether the epochs are used up, or the patience is."""
        return self.epoch >= epochs or self.epoch - self.best_epoch >= patience


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingState:
    """The state of a whole training.

    Attributes:
        name: Name of the current phase.
        phase: State of the current phase.
        epochs: Number of epochs of each earlier phase.
        seconds: Duration of each stage so far.
        start_logits: Logits of the validation photos when the phase began, shape (N, C); None where
            the network was random.
        rates: Learning rates that a search found, by phase.
    """

    name: str
    phase: PhaseState
    epochs: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    start_logits: NDArray[np.float32] | None = None
    rates: dict[str, float] = field(default_factory=dict)

    @property
    def epochs_done(self) -> dict[str, int]:
        """Number of epochs of each phase so far."""
        return {**self.epochs, self.name: self.phase.epoch}


def save_state(path: Path, state: TrainingState, is_flushed: bool = True) -> None:
    """Write a state and replace the last one.

    Args:
        path: Path of the file.
        state: State to write.
        is_flushed: True if the file must survive a loss of power, not only the end of the process.

    Raises:
        OSError: The file cannot be written; the last state is unchanged.
    """
    phase = state.phase
    facts = {
        "name": state.name,
        "epoch": phase.epoch,
        "best_epoch": phase.best_epoch,
        "best_loss": phase.best_loss,
        "random": phase.random,
        "epochs": state.epochs,
        "seconds": state.seconds,
        "rates": state.rates,
        "kinds": {kind: len(values) for kind, values in phase.arrays.items()},
    }
    stored: dict[str, Any] = {
        f"{kind}/{at}": value
        for kind, values in phase.arrays.items()
        for at, value in enumerate(values)
    }
    if state.start_logits is not None:
        stored["start_logits"] = state.start_logits
    stored["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with open_replacement(path, is_flushed=is_flushed) as file:
        np.savez(file, **stored)


def load_state(path: Path) -> TrainingState | None:
    """Read a state.

    Returns:
        The state, or None where there is no file yet.

    Raises:
        EnvironmentProblemError: The file is damaged.
    """
    if not path.is_file():
        return None
    try:
        # Opened here, because numpy does not close a file that is not an archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            facts = json.loads(stored["facts"].tobytes())
            arrays = {
                kind: [stored[f"{kind}/{at}"] for at in range(count)]
                for kind, count in facts.pop("kinds").items()
            }
            start = stored.get("start_logits")
        keys = ("epoch", "best_epoch", "best_loss", "random")
        phase = PhaseState(arrays=arrays, **{key: facts.pop(key) for key in keys})
        return TrainingState(phase=phase, start_logits=start, **facts)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as fault:
        raise EnvironmentProblemError(
            f"{path}: the last state of this run is unreadable ({str(fault)[:200]}), so it cannot "
            f"continue. Remove that file to train the run from its start, or train a new one."
        ) from fault
