"""Several processes, on one machine or many, that train one network together (JAX).

Each is started with the same command and Keras' own environment variables:

    KERAS_BACKEND=jax
    KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:1234     of the first process, reachable by all
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
    """One of several processes: its number, from 0, and how many there are."""

    index: int
    count: int

    @property
    def is_first(self) -> bool:
        return self.index == 0


def join_processes() -> Process:
    """Meet the other processes that the environment speaks of; waits until all are there.

    Raises:
        UsageError: The environment is not whole, or Keras does not compute with JAX.
        EnvironmentProblemError: They do not meet.
    """
    asked = process_of(os.environ)
    if asked.count == 1 or _is_joined():
        return asked
    if backend_name() != "jax":
        raise UsageError(
            f"{_NAMES[1]}={asked.count} asks for several processes, which train together on JAX "
            f"only. Set KERAS_BACKEND=jax, or unset {_PREFIX}*; several GPUs of one machine need "
            f"no more than one process."
        )
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError, OSError) as fault:
        reason = (str(fault).splitlines() or ["no reason given"])[0][:200]
        raise EnvironmentProblemError(
            f"Process {asked.index} did not meet the others at {os.environ[_NAMES[0]]} "
            f"({reason}). Start all {asked.count} within five minutes, each with its own "
            f"{_NAMES[2]}, and see that the address is the first one's and its port is free."
        ) from fault
    return asked


def process_of(environment: "os._Environ[str] | dict[str, str]") -> Process:
    """What an environment says of processes; one alone where it says nothing.

    Raises:
        UsageError: Something is missing or no number.
    """
    given = [environment.get(name, "") for name in _NAMES]
    if not any(given):
        return Process(0, 1)
    address, count, index = given
    is_whole = address and count.isdecimal() and index.isdecimal() and int(index) < int(count)
    if not is_whole:
        found = ", ".join(f"{name}={value}" for name, value in zip(_NAMES, given, strict=True))
        raise UsageError(
            f"Several processes need all of {', '.join(_NAMES)}: an address with its port, how "
            f"many, and this one's number from 0. Found {found}."
        )
    return Process(int(index), int(count))


def leave_processes() -> None:
    """Part from the others, once all have trained: what is left to do is the first one's."""
    if _is_joined():
        import jax

        jax.distributed.shutdown()


def joined_process() -> Process:
    """This one among those that train together now."""
    if not _is_joined():
        return Process(0, 1)
    import jax

    return Process(int(jax.process_index()), int(jax.process_count()))


def broadcast_from_first(arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The first process' arrays, in every one; each gives arrays of the same shapes."""
    if not _is_joined():
        return arrays
    from jax.experimental import multihost_utils

    return [np.asarray(each) for each in multihost_utils.broadcast_one_to_all(arrays)]


def is_true_in_any(flag: bool) -> bool:
    """Whether it is so in any process; all of them must ask."""
    if not _is_joined():
        return flag
    from jax.experimental import multihost_utils

    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def _is_joined() -> bool:
    if backend_name() != "jax":
        return False
    import jax

    return bool(jax.distributed.is_initialized())
