"""The devices that train a network: one, several of this machine, or those of several processes.

TensorFlow    the devices of one process, `tf.distribute.MirroredStrategy`
JAX           the devices of one or more processes, `keras.distribution.DataParallel`

Each device gets a part of every batch, and all step with the mean of the gradients, so that many
devices train like one.

Frozen features and export use the plain network, on one device and in float32. A phase trains a
copy of it on the devices, and the weights are copied back.
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
from trainer.network.precision import FLOAT32, choose_policy, choose_products, dtype_policy

ALL, CPU = "all", "cpu"


@dataclass(frozen=True)
class BatchShare:
    """The part of every batch that a process draws.

    Attributes:
        process: This process, with the number of processes.
        devices: Number of devices of all processes together.
    """

    process: Process
    devices: int

    def batch_size(self, asked: int, photos: int) -> int:
        """Return the photos in a step over all devices, a multiple of their number.

        Raises:
            UsageError: There are fewer photos than devices, or fewer are asked for.
        """
        size = min(asked, photos) // self.devices * self.devices
        if size == 0:
            raise UsageError(
                f"{self.devices} devices cannot share a step of {min(asked, photos)} photos. "
                f"Raise --batch-size, use more photos, or train with fewer --devices."
            )
        return size

    def part_of(self, batch: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return this process's members of a whole batch."""
        size = len(batch) // self.process.count
        return batch[self.process.index * size : (self.process.index + 1) * size]


def current_batch_share() -> BatchShare:
    """Return the part of this process in the current training, see `Hardware.place`."""
    if backend_name() == "jax":
        distribution = keras.distribution.distribution()
        if distribution is None:
            return BatchShare(Process(0, 1), 1)
        return BatchShare(joined_process(), int(distribution.device_mesh.devices.size))
    import tensorflow

    return BatchShare(Process(0, 1), int(tensorflow.distribute.get_strategy().num_replicas_in_sync))


@dataclass(frozen=True)
class Hardware:
    """The devices and the precision that networks are trained with.

    Attributes:
        devices: Devices of all processes: TensorFlow's names, or JAX's objects.
        process: This process, with the number of processes.
        policy: Keras dtype policy.
        products: Type that convolutions multiply in under the policy float32; None for float32.
    """

    devices: tuple[Any, ...]
    process: Process
    policy: str
    products: str | None = None

    def __str__(self) -> str:
        """Return a text like "jax, 2 devices in 2 processes, float32".

        With another type of products it ends like "float32, bfloat16 products".
        """
        parts = [backend_name()]
        if len(self.devices) > 1:
            parts.append(f"{len(self.devices)} devices")
        if self.process.count > 1:
            parts[-1] += f" in {self.process.count} processes"
        parts.append(self.policy)
        if self.products is not None:
            parts.append(f"{self.products} products")
        return ", ".join(parts)

    @property
    def is_plain(self) -> bool:
        """True for one device in float32."""
        return len(self.devices) == 1 and self.policy == FLOAT32

    @contextmanager
    def place(self, network: Network, build: Callable[[], Network]) -> Iterator[Network]:
        """Yield the network to train; its weights are in `network` afterwards.

        Args:
            network: Plain network, on one device and in float32.
            build: Builds another network of its kind.

        Yields:
            `network` itself where it is trained as it is; else a copy, spread over the devices,
            that computes under the policy. All processes get the weights of the first.
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
        """Yield the folder for this process's run; only that of the first process is kept."""
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
    """Choose the devices and the precision; call it before anything is computed.

    Args:
        devices: "all" for every accelerator, or every device that the CPU is divided into; "cpu"
            for no accelerator; a number of devices of each process.
        precision: See `precision.choose_policy`.

    Raises:
        UsageError: There are fewer devices, or a setting is invalid.
        EnvironmentProblemError: The other processes do not answer.
    """
    if devices not in (ALL, CPU) and not (devices.isdecimal() and int(devices) > 0):
        raise UsageError(f"--devices takes all, cpu or a number from 1; found '{devices}'.")
    process = join_processes()
    if devices == CPU:
        _hide_accelerators()
    found = _jax_devices() if backend_name() == "jax" else [_tensorflow_devices()]
    if devices.isdecimal():
        fewest = min(found, key=len)
        if int(devices) > len(fewest):
            names = ", ".join(str(each) for each in fewest)
            raise UsageError(
                f"--devices {devices}: there are only {len(fewest)} ({names}). Ask for fewer."
            )
        found = [each[: int(devices)] for each in found]
    chosen = tuple(device for each in found for device in each)
    return Hardware(chosen, process, choose_policy(precision), choose_products(precision))


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
    """Return the devices of each process."""
    import jax

    processes: dict[int, list[Any]] = {}
    for device in jax.devices():
        processes.setdefault(device.process_index, []).append(device)
    return [processes[index] for index in sorted(processes)]


@cache
def _mirror(devices: tuple[str, ...]) -> Any:
    """Return the one strategy of this process.

    A second one would number its collective operations like the first, which then fail with "Shape
    mismatch in the collective instance 100" (TensorFlow 2.21).
    """
    import tensorflow

    return tensorflow.distribute.MirroredStrategy(list(devices))


def _synchronise_norms(network: Network) -> None:
    """Let batch norm see the whole batch, not each device's part; on JAX it always does."""
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
