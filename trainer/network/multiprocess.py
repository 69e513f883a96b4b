"""Training of one network by several processes, on one machine or many (JAX).

Each is started with the same command and Keras' own environment variables:

    KERAS_BACKEND=jax
    KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:1234     address of the first process, for all
    KERAS_DISTRIBUTION_NUM_PROCESSES=2
    KERAS_DISTRIBUTION_PROCESS_ID=0                    0 is the first, and writes the run
"""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError, UsageError
from trainer.network.backend import backend_name, keras

_PREFIX = "KERAS_DISTRIBUTION_"
_NAMES = tuple(_PREFIX + name for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))


@dataclass(frozen=True)
class Process:
    """One of several processes: its number, from 0, and the number of processes."""

    index: int
    count: int

    @property
    def is_first(self) -> bool:
        """True for the process that writes the run."""
        return self.index == 0


def join_processes() -> Process:
    """Join the other processes that the environment names, and wait until all have joined.

    Raises:
        UsageError: The environment is incomplete, or the backend of Keras is not JAX.
        EnvironmentProblemError: The processes do not find each other.
    """
    asked = process_of(os.environ)
    if asked.count == 1 or _is_joined():
        return asked
    if backend_name() != "jax":
        raise UsageError(
            f"{_NAMES[1]}={asked.count} asks for several processes, which can train together on "
            f"JAX only. Set KERAS_BACKEND=jax, or unset {_PREFIX}*. Several GPUs of one machine "
            f"need only one process."
        )
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError, OSError) as fault:
        reason = (str(fault).splitlines() or ["no reason given"])[0][:200]
        raise EnvironmentProblemError(
            f"Process {asked.index} did not find the others at {os.environ[_NAMES[0]]} "
            f"({reason}). Start all {asked.count} within five minutes, each with its own "
            f"{_NAMES[2]}, and check that the address is that of the first one and its port is "
            f"free."
        ) from fault
    return asked


def process_of(environment: "os._Environ[str] | dict[str, str]") -> Process:
    """Read the process from an environment; a single process where nothing is set.

    Raises:
        UsageError: A variable is missing or not a number.
    """
    given = [environment.get(name, "") for name in _NAMES]
    if not any(given):
        return Process(0, 1)
    address, count, index = given
    is_whole = address and count.isdecimal() and index.isdecimal() and int(index) < int(count)
    if not is_whole:
        found = ", ".join(f"{name}={value}" for name, value in zip(_NAMES, given, strict=True))
        raise UsageError(
            f"Several processes need all of {', '.join(_NAMES)}: an address with its port, the "
            f"number of processes, and the number of this one from 0. Found {found}."
        )
    return Process(int(index), int(count))


def leave_processes() -> None:
    """Leave the other processes once all have trained; the first one does the rest."""
    if _is_joined():
        import jax

        jax.distributed.shutdown()


def joined_process() -> Process:
    """Return this process among those that train together now."""
    if not _is_joined():
        return Process(0, 1)
    import jax

    return Process(int(jax.process_index()), int(jax.process_count()))


def broadcast_from_first(arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the arrays of the first process in all of them; shapes must be the same."""
    if not _is_joined():
        return arrays
    from jax.experimental import multihost_utils

    return [np.asarray(each) for each in multihost_utils.broadcast_one_to_all(arrays)]


def is_true_in_any(flag: bool) -> bool:
    """Return whether a flag is set in any process; all of them must call this."""
    if not _is_joined():
        return flag
    from jax.experimental import multihost_utils

    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def _is_joined() -> bool:
    if backend_name() != "jax":
        return False
    import jax

    return bool(jax.distributed.is_initialized())
