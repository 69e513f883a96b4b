"""The precision of training: float32, or a mixed policy where that is faster.

Under a mixed policy layers compute in 16 bits while their weights stay float32. Logits and loss are
always float32, and so is the delivered model: see `devices.Hardware.place`.

A CPU gains from 16 bits in the products of some convolutions only, see `choose_products`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskage.errors import UsageError
from trainer.network.backend import backend_name, has_accelerator, keras
from trainer.network.folding import is_folding_faster
from trainer.settings import PRECISIONS

FLOAT32, BFLOAT16, FLOAT16 = "float32", "mixed_bfloat16", "mixed_float16"

_BFLOAT16_SINCE = 8.0
"""Compute capability of the first NVIDIA GPUs that multiply bfloat16 in hardware (A100)."""

_FLOAT16_SINCE = 7.0
"""The same for float16 (V100)."""


_CPU_FACTS = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


def choose_policy(precision: str) -> str:
    """Return the Keras dtype policy that `--precision` means on this machine.

    Args:
        precision: "float32"; "mixed"; "products", see `choose_products`; or "auto": mixed where the
            accelerator has 16-bit units, and float32 on a CPU, where mixed was slower
            (`benchmarks/trainer/devices.py`).

    Raises:
        UsageError: The precision is none of these.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"--precision takes {', '.join(PRECISIONS)}; found '{precision}'.")
    if precision in (FLOAT32, "products"):
        return FLOAT32
    if not has_accelerator():
        return BFLOAT16 if precision == "mixed" else FLOAT32
    return policy_of(_compute_capability(), is_asked=precision == "mixed")


def policy_of(capability: float | None, is_asked: bool) -> str:
    """Return the policy for an accelerator.

    Args:
        capability: NVIDIA's compute capability; None for other makes.
        is_asked: True if the user asks for mixed precision, fast or not.
    """
    if capability is None:
        return BFLOAT16 if is_asked else FLOAT32
    if capability >= _BFLOAT16_SINCE:
        return BFLOAT16
    return FLOAT16 if is_asked or capability >= _FLOAT16_SINCE else FLOAT32


def choose_products(precision: str) -> str | None:
    """Return the type that convolutions multiply in where the policy is float32; None for float32.

    Args:
        precision: "float32", "mixed", "auto" or "products". With the last it is bfloat16: a step of
            fine-tuning MobileNetV2 took 0.78 of the time. It is not the default, because four
            trainings at 96 px were 0.0 to 0.8 points less accurate, which does not prove a loss,
            and does not exclude one.

    Raises:
        UsageError: Products are asked for, and this machine gains nothing from them.
    """
    if precision != "products":
        return None
    # Without oneDNN, TensorFlow computes 16 bits without the CPU's units, and slowly.
    has_engine = is_folding_faster() and os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    if not has_engine or not has_bfloat16(_CPU_FACTS):
        flags = " or ".join(sorted(_BFLOAT16_FLAGS))
        raise UsageError(
            f"--precision products computes the products of convolutions in 16 bits, on a CPU that "
            f"is made for it, with TensorFlow and oneDNN; found none ({flags} in {_CPU_FACTS}). "
            f"Leave it out."
        )
    return "bfloat16"


def has_bfloat16(cpu_facts: Path) -> bool:
    """Return whether a file like Linux' /proc/cpuinfo names units that multiply bfloat16.

    Where there is no such file, the answer is no.
    """
    with suppress(OSError):
        for line in cpu_facts.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return not _BFLOAT16_FLAGS.isdisjoint(value.split())
    return False


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build what is inside under this Keras policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _compute_capability() -> float | None:
    """Return the lowest compute capability of the accelerators."""
    if backend_name() == "jax":
        import jax

        found = [getattr(device, "compute_capability", None) for device in jax.local_devices()]
    else:
        import tensorflow

        details = tensorflow.config.experimental.get_device_details
        pairs = [
            details(gpu).get("compute_capability")
            for gpu in tensorflow.config.get_visible_devices("GPU")
        ]
        found = [None if pair is None else f"{pair[0]}.{pair[1]}" for pair in pairs]
    return min(float(value or 0) for value in found) or None
