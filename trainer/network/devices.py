"""What a network is trained on: one device, several of this machine, or those of several processes.

TensorFlow    the devices of one process, `tf.distribute.MirroredStrategy`
JAX           the devices of one or more processes, `keras.distribution.DataParallel`

Each device gets its part of every batch, and all step with the mean of the gradients, so that many
devices train as one does.

Frozen features and export stay with the plain network, on one device and in float32: a phase trains
a copy of it, placed as it must be, and hands the weights back.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import UsageError
from trainer.network.backbones import Network
from trainer.network.backend import backend_name, keras
from trainer.network.multiprocess import (
    Process,
    broadcast_from_first,
    join_processes,
    joined_process,
)
from trainer.network.precision import FLOAT32, choose_policy, dtype_policy

ALL, CPU = "all", "cpu"


@dataclass(frozen=True)
class BatchShare:
    """The part of every batch that a process draws, and how many devices it all goes to.

    Attributes:
        process: This one and how many there are.
        devices: Of all processes together.
    """

    process: Process
    devices: int

    def batch_size(self, asked: int, photos: int) -> int:
        """Photos a step over all devices: the same number for each, at most what is asked for.

        Raises:
            UsageError: There are fewer photos, or fewer are asked for, than devices.
        """
        size = min(asked, photos) // self.devices * self.devices
        if size == 0:
            raise UsageError(
                f"{self.devices} devices cannot share a step of {min(asked, photos)} photos. "
                f"Raise --batch-size, take more photos, or train with fewer --devices."
            )
        return size

    def part_of(self, batch: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process' members of a whole batch."""
        size = len(batch) // self.process.count
        return batch[self.process.index * size : (self.process.index + 1) * size]


def current_batch_share() -> BatchShare:
    """The part of this process in what is trained here and now, see `Hardware.place`."""
    if backend_name() == "jax":
        distribution = keras.distribution.distribution()
        if distribution is None:
            return BatchShare(Process(0, 1), 1)
        return BatchShare(joined_process(), int(distribution.device_mesh.devices.size))
    import tensorflow

    return BatchShare(Process(0, 1), int(tensorflow.distribute.get_strategy().num_replicas_in_sync))


@dataclass(frozen=True)
class Hardware:
    """Where and how exactly networks are trained.

    Attributes:
        devices: Of all processes: TensorFlow's names, or JAX's devices.
        process: This one and how many there are.
        policy: Keras dtype policy.
    """

    devices: tuple[Any, ...]
    process: Process
    policy: str

    def __str__(self) -> str:
        """For people: "jax, 2 devices in 2 processes, float32"."""
        parts = [backend_name()]
        if len(self.devices) > 1:
            parts.append(f"{len(self.devices)} devices")
        if self.process.count > 1:
            parts[-1] += f" in {self.process.count} processes"
        return ", ".join([*parts, self.policy])

    @property
    def is_plain(self) -> bool:
        """Whether it is one device, in float32."""
        return len(self.devices) == 1 and self.policy == FLOAT32

    @contextmanager
    def place(self, network: Network, build: Callable[[], Network]) -> Iterator[Network]:
        """Yields what is to be trained; its weights are in `network` afterwards.

        Args:
            network: Plain: on one device, float32.
            build: Builds another of its kind.

        Yields:
            `network` itself where it is trained as it is; else a copy of it, spread over the
            devices, that computes under the policy. All processes get the weights of the first.
        """
        if self.is_plain:
            yield network
            return
        with ExitStack() as stack:
            self._enter_scope(stack)
            stack.enter_context(dtype_policy(self.policy))
            placed = build()
            if len(self.devices) > 1 and backend_name() == "tensorflow":
                _synchronise_norms(placed)
            placed.logits.set_weights(broadcast_from_first(network.logits.get_weights()))
            yield placed
            weights = placed.logits.get_weights()
        network.logits.set_weights(weights)

    @contextmanager
    def runs_folder(self, runs: Path) -> Iterator[Path]:
        """Where this process makes its run folder: only the first one's is kept."""
        if self.process.is_first:
            yield runs
            return
        with tempfile.TemporaryDirectory(prefix="maskage-") as scratch:
            yield Path(scratch)

    def _enter_scope(self, stack: ExitStack) -> None:
        if len(self.devices) == 1:
            return
        if backend_name() == "jax":
            spread = keras.distribution.DataParallel(
                # Every process draws its own part, see `BatchShare`.
                devices=list(self.devices),
                auto_shard_dataset=False,
            )
            stack.enter_context(spread.scope())
            return
        stack.enter_context(_mirror(self.devices).scope())


def choose_hardware(devices: str = ALL, precision: str = "auto") -> Hardware:
    """What this machine, or these processes, train on. To be asked before anything is computed.

    Args:
        devices: "all": every accelerator, or every device that the CPU is divided into; "cpu": no
            accelerator; a number: so many of each process.
        precision: See `precision.choose_policy`.

    Raises:
        UsageError: There are not so many devices, or a setting is none of these.
        EnvironmentProblemError: The other processes do not answer.
    """
    if devices not in (ALL, CPU) and not (devices.isdecimal() and int(devices) > 0):
        raise UsageError(f"--devices is all, cpu or a number from 1; found '{devices}'.")
    process = join_processes()
    if devices == CPU:
        _hide_accelerators()
    found = _jax_devices() if backend_name() == "jax" else [_tensorflow_devices()]
    if devices.isdecimal():
        fewest = min(found, key=len)
        if int(devices) > len(fewest):
            names = ", ".join(str(each) for each in fewest)
            raise UsageError(f"--devices {devices}: found {len(fewest)} ({names}).")
        found = [each[: int(devices)] for each in found]
    chosen = tuple(device for each in found for device in each)
    return Hardware(chosen, process, choose_policy(precision))


def _hide_accelerators() -> None:
    if backend_name() == "jax":
        import jax

        jax.config.update("jax_platforms", "cpu")
        return
    import tensorflow

    if tensorflow.config.get_visible_devices("GPU"):
        tensorflow.config.set_visible_devices([], "GPU")


def _tensorflow_devices() -> list[Any]:
    import tensorflow

    list_devices = tensorflow.config.list_logical_devices
    return [device.name for device in list_devices("GPU") or list_devices("CPU")]


def _jax_devices() -> list[list[Any]]:
    """Of each process."""
    import jax

    processes: dict[int, list[Any]] = {}
    for device in jax.devices():
        processes.setdefault(device.process_index, []).append(device)
    return [processes[index] for index in sorted(processes)]


@cache
def _mirror(devices: tuple[str, ...]) -> Any:
    """One strategy a process: a second one numbers its collective operations as the first did.

    They then fail with "Shape mismatch in the collective instance 100" (TensorFlow 2.21).
    """
    import tensorflow

    return tensorflow.distribute.MirroredStrategy(list(devices))


def _synchronise_norms(network: Network) -> None:
    """Let batch norm see the whole batch, not each device's part; on JAX it does by itself."""
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
