"""Many devices train as one does; several processes end with the same weights."""

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskage.errors import UsageError
from trainer.network import precision
from trainer.network.devices import BatchShare, choose_hardware
from trainer.network.multiprocess import Process, process_of
from trainer.network.precision import has_bfloat16, policy_of

PROGRAM = Path(__file__).with_name("train_placed.py")

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")


def start_training(
    curated: Path, folder: Path, *arguments: str, **environment: str
) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(curated), str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[3]), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*trainings: "subprocess.Popen[str]") -> None:
    for training in trainings:
        said, _ = training.communicate(timeout=900)
        assert training.returncode == 0, said[-3000:]


def read(path: Path) -> dict[str, Any]:
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def weights_of(result: dict[str, Any]) -> list[Any]:
    return [value for name, value in result.items() if name.startswith("arr_")]


def farthest(one: dict[str, Any], other: dict[str, Any]) -> float:
    pairs = zip(weights_of(one), weights_of(other), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def assert_trained_alike(folder: Path) -> None:
    for phase in ("fine_tune", "scratch"):
        one, two = (read(folder / f"{phase}-{count}-float32.npz") for count in (1, 2))
        assert "2 devices" in str(two["hardware"])
        assert one["losses"] == pytest.approx(two["losses"], rel=1e-5)
        # AdamW makes a whole step of a gradient that is nothing but rounding.
        assert farthest(one, two) < 0.02 * one["moved"]


def assert_mixed_learns_the_same(folder: Path) -> None:
    for phase in ("fine_tune", "scratch"):
        whole, mixed = (read(folder / f"{phase}-1-{name}.npz") for name in ("float32", "mixed"))
        assert "mixed_bfloat16" in str(mixed["hardware"])
        assert {value.dtype.name for value in weights_of(mixed)} == {"float32"}
        assert whole["losses"] == pytest.approx(mixed["losses"], abs=0.02)
        # Were it the same to the last bit, nothing would have been computed in 16.
        assert farthest(whole, mixed) > 0


@pytest.mark.slow
def test_on_tensorflow_two_devices_and_mixed_precision_train_as_one_device_does(
    curated: Path, tmp_path: Path
) -> None:
    wanted = ["1:float32", "2:float32", "1:mixed"]
    finish(start_training(curated, tmp_path, *wanted, "--logical-cpus", "2"))
    assert_trained_alike(tmp_path)
    assert_mixed_learns_the_same(tmp_path)


@needs_jax
@pytest.mark.slow
def test_on_jax_two_devices_and_two_processes_train_as_one_device_does(
    curated: Path, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    alone = start_training(
        curated, tmp_path, "1:float32", "2:float32", "1:mixed",
        KERAS_BACKEND="jax", XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )  # fmt: skip
    finish(alone)
    both = [
        start_training(
            curated, tmp_path / str(index), "all:float32",
            KERAS_BACKEND="jax",
            KERAS_DISTRIBUTION_JOB_ADDRESSES=address,
            KERAS_DISTRIBUTION_NUM_PROCESSES="2",
            KERAS_DISTRIBUTION_PROCESS_ID=str(index),
        )
        for index in (0, 1)
    ]  # fmt: skip
    finish(*both)
    assert_trained_alike(tmp_path)
    assert_mixed_learns_the_same(tmp_path)
    for phase in ("fine_tune", "scratch"):
        one = read(tmp_path / f"{phase}-1-float32.npz")
        first, second = (read(tmp_path / name / f"{phase}-all-float32.npz") for name in ("0", "1"))
        assert farthest(first, second) == 0
        assert one["losses"] == pytest.approx(first["losses"], rel=1e-5)
        assert farthest(one, first) < 0.02 * one["moved"]
        # What is drawn ahead at the start is the process' whole part of the first epoch.
        parts = [set(each["drawn"][:24].tolist()) for each in (first, second)]
        assert [len(part) for part in parts] == [24, 24]
        assert len(parts[0] | parts[1]) == 48


def test_the_parts_of_all_processes_are_the_batch() -> None:
    batch = np.arange(12)[::-1]
    parts = [BatchShare(Process(index, 3), 6).part_of(batch).tolist() for index in range(3)]
    assert [*parts[0], *parts[1], *parts[2]] == batch.tolist()
    assert [len(part) for part in parts] == [4, 4, 4]


def test_every_device_gets_as_many_photos() -> None:
    assert BatchShare(Process(0, 1), 1).batch_size(32, 100) == 32
    assert BatchShare(Process(0, 1), 3).batch_size(32, 100) == 30
    assert BatchShare(Process(0, 1), 4).batch_size(32, 9) == 8
    with pytest.raises(UsageError, match="4 devices cannot share a step of 3 photos"):
        BatchShare(Process(0, 1), 4).batch_size(32, 3)


def test_processes_are_described_by_all_three_variables_or_none() -> None:
    names = [f"KERAS_DISTRIBUTION_{x}" for x in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")]
    whole = dict(zip(names, ("127.0.0.1:1234", "2", "1"), strict=True))
    assert process_of({}) == Process(0, 1)
    assert process_of(whole) == Process(1, 2)
    for name in names:
        with pytest.raises(UsageError, match="need all of"):
            process_of({**whole, name: ""})
    with pytest.raises(UsageError, match="PROCESS_ID=2"):
        process_of({**whole, names[2]: "2"})


def test_several_processes_on_tensorflow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_DISTRIBUTION_JOB_ADDRESSES", "127.0.0.1:1234")
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", "0")
    with pytest.raises(UsageError, match="on JAX only"):
        choose_hardware()


@pytest.mark.parametrize("devices", ["", "0", "-1", "gpu", "1.5"])
def test_devices_are_all_cpu_or_a_number(devices: str) -> None:
    with pytest.raises(UsageError, match="all, cpu or a number"):
        choose_hardware(devices)


def test_more_devices_than_there_are_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--devices 4096: there are only"):
        choose_hardware("4096")


def test_an_unknown_precision_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="auto, float32, mixed"):
        choose_hardware(precision="float64")


@pytest.mark.parametrize(
    ("capability", "by_itself", "asked"),
    [
        (None, "float32", "mixed_bfloat16"),
        (6.1, "float32", "mixed_float16"),
        (7.5, "mixed_float16", "mixed_float16"),
        (8.0, "mixed_bfloat16", "mixed_bfloat16"),
        (10.0, "mixed_bfloat16", "mixed_bfloat16"),
    ],
)
def test_the_policy_is_what_the_gpu_is_made_for(
    capability: float | None, by_itself: str, asked: str
) -> None:
    assert policy_of(capability, is_asked=False) == by_itself
    assert policy_of(capability, is_asked=True) == asked


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags : sse2 amx_bf16 amx_tile\n", True),
        ("flags : fpu avx512f avx512_bf16x\nbugs : avx512_bf16\n", False),
        ("Features : fp asimd bf16\n", False),
        ("", False),
    ],
)
def test_a_cpu_that_multiplies_bfloat16_says_so_in_its_flags(
    facts: str, expected: bool, tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(facts, encoding="utf-8")
    assert has_bfloat16(path) == expected
    assert not has_bfloat16(tmp_path / "missing")


def test_products_have_16_bits_only_where_the_user_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda path: True)
    monkeypatch.setattr(precision, "is_folding_faster", lambda: True)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    for name in ("auto", "float32", "mixed"):
        assert precision.choose_products(name) is None
    assert precision.choose_products("products") == "bfloat16"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    with pytest.raises(UsageError, match="Leave it out"):
        precision.choose_products("products")
