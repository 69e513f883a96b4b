"""Where a training stands after a whole epoch, on disk, so that a killed one can go on from there.

checkpoints/state.npz    replaced whole after each epoch; removed when the run is finished
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
    """Where one phase stands.

    Attributes:
        epoch: Whole epochs done.
        best_epoch: From 1; 0 where none beat the start.
        best_loss: Validation loss of the best, nats.
        arrays: Everything that changes in training, by kind, and the best weights.
        random: State of a numpy generator, where the phase draws from one.
    """

    epoch: int
    best_epoch: int
    best_loss: float
    arrays: Arrays
    random: dict[str, Any] | None = None

    def is_done(self, epochs: int, patience: int) -> bool:
        """Whether no epoch is left, or too many went by without a better one."""
        return self.epoch >= epochs or self.epoch - self.best_epoch >= patience


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingState:
    """Where a whole training stands.

    Attributes:
        name: Of the phase that is under way.
        phase: Where it stands.
        epochs: Of the phases before it.
        seconds: Of each stage until then.
        start_logits: Of the validation photos when the phase began, shape (N, 4); None where the
            network knew nothing yet.
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
        """Whole epochs of each phase so far."""
        return {**self.epochs, self.name: self.phase.epoch}


def save_state(path: Path, state: TrainingState, is_flushed: bool = True) -> None:
    """Write a state in the place of the last one.

    Args:
        path: The file.
        state: To write.
        is_flushed: Whether it outlives the loss of power once this returns, and not only that of
            the process.

    Raises:
        OSError: The disk refused; the last state is as it was.
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
    """Read a state; None where there is none yet.

    Raises:
        EnvironmentProblemError: The file is damaged.
    """
    if not path.is_file():
        return None
    try:
        # Opened here: numpy leaves a file open that is no archive.
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
            f"{path}: this run's last state cannot be read ({str(fault)[:200]}), so it cannot go "
            f"on. Remove that file to train the run from its start, or train a new one."
        ) from fault
