"""A model file of a stranger does no harm: it is refused with exit 6, at once, in little memory."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskage.errors import ModelRefusedError
from maskage.formats.bundle import BundledFile, describe_file, load_bundle, read_file
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import OnnxEngine
from maskage.security.files import UnsafeFileError
from maskage.security.hdf5 import check_hdf5
from maskage.security.keras_archive import read_archived_weights
from maskage.security.onnx import check_onnx
from tests.maskage.security.hostile_models import (
    HOSTILE_NETWORKS,
    HOSTILE_WEIGHTS,
    hostile_network,
    hostile_weights,
    make_network,
    make_weights,
    pack_archive,
    relist,
    rewrite,
    seal,
)

ROOT = Path(__file__).parents[3]
NETWORK = make_network().SerializeToString()
WEIGHTS = make_weights()

BOMBS = """
import resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from maskage.errors import ModelRefusedError
from maskage.system.peak_memory import peak_memory_mb
from maskage.inference.classifier import Classifier
from maskage.formats.bundle import load_bundle
from maskage.security.files import UnsafeFileError
from maskage.security.hdf5 import check_hdf5
import h5py
before = peak_memory_mb()
for path in sorted(Path(sys.argv[1]).iterdir()):
    started = time.monotonic()
    try:
        if path.is_dir():
            Classifier(load_bundle(path))
        else:
            check_hdf5(path.read_bytes())
    except (ModelRefusedError, UnsafeFileError):
        pass
    else:
        sys.exit(f"{path} was taken")
    if time.monotonic() - started > 10:
        sys.exit(f"{path} took long")
print(round(peak_memory_mb() - before))
"""


def test_an_honest_network_is_taken(tmp_path: Path) -> None:
    assert check_onnx(NETWORK) == 32
    classifier = Classifier(load_bundle(seal(tmp_path / "bundle", NETWORK)))
    assert classifier.classify([np.zeros((20, 20, 3), np.uint8)]).shape == (1, 4)


@pytest.mark.parametrize("name", HOSTILE_NETWORKS)
def test_a_hostile_network_in_a_sealed_bundle_is_refused(tmp_path: Path, name: str) -> None:
    folder = seal(tmp_path / "bundle", hostile_network(name))
    with pytest.raises(ModelRefusedError, match=HOSTILE_NETWORKS[name][1]) as told:
        Classifier(load_bundle(folder))
    assert told.value.exit_code == 6
    with pytest.raises(ModelRefusedError, match=HOSTILE_NETWORKS[name][1]):
        OnnxEngine(folder / "model.onnx")


def test_a_hard_linked_external_tensor_is_refused_unread(tmp_path: Path) -> None:
    folder = seal(tmp_path / "bundle", hostile_network("weights in another file"))
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.zeros((8, 3, 3, 3), np.float32).tobytes())
    (folder / "weights.bin").hardlink_to(secret)
    with pytest.raises(ModelRefusedError, match="lie in another file"):
        Classifier(load_bundle(folder))


@pytest.mark.parametrize("name", HOSTILE_WEIGHTS)
def test_hostile_weights_are_refused_by_themselves_and_in_an_archive(name: str) -> None:
    data, told = hostile_weights(name), HOSTILE_WEIGHTS[name][1]
    assert len(data) < 1_000_000
    with pytest.raises(UnsafeFileError, match=told):
        check_hdf5(data)
    with pytest.raises(UnsafeFileError, match=told):
        read_archived_weights(pack_archive(data), 1 << 20)


def test_honest_weights_are_taken_out_of_their_archive() -> None:
    check_hdf5(WEIGHTS)
    assert read_archived_weights(pack_archive(WEIGHTS), 1 << 20) == WEIGHTS


def test_bombs_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    for name in HOSTILE_NETWORKS:
        seal(tmp_path / re.sub(r"\W", "_", name), hostile_network(name))
    for name in HOSTILE_WEIGHTS:
        (tmp_path / f"{re.sub(r'[^a-z0-9]', '_', name)}.h5").write_bytes(hostile_weights(name))
    done = subprocess.run(
        [sys.executable, "-c", BOMBS, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # The largest of the files has 16 MB, and is held a few times.
    assert int(done.stdout) < 200


def _pack(names: list[str]) -> bytes:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
        return pack_archive(WEIGHTS, dict.fromkeys(names, b"x"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_pack(["../../outside"]), r"'\.\./\.\./outside'"),
        (_pack(["/etc/cron.d/x"]), "/etc/cron.d/x"),
        (_pack(["model.weights.h5"]), "it holds"),
        (_pack(["assets/tokenizer.pkl"]), "tokenizer.pkl"),
        (pack_archive(b"\0" * 50_000_000, compression=zipfile.ZIP_DEFLATED), "50,000,000 bytes"),
        (pack_archive(b"not weights"), "not an HDF5 file"),
        (pack_archive(WEIGHTS)[:-30], "not a .keras file"),
        (b"", "not a .keras file"),
    ],
)
def test_an_archive_that_holds_anything_else_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnsafeFileError, match=told):
        read_archived_weights(data, 1 << 20)


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    data = pack_archive(b"\0" * 5_000_000, compression=zipfile.ZIP_DEFLATED)
    size = (5_000_000).to_bytes(4, "little")
    with pytest.raises(UnsafeFileError):
        read_archived_weights(data.replace(size, (1000).to_bytes(4, "little")), 1 << 20)


@pytest.mark.parametrize("name", ["model.onnx", "bundle.json"])
def test_a_pipe_a_device_or_a_link_in_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    for kind in ("pipe", "device", "folder", "link"):
        folder = seal(tmp_path / kind, NETWORK)
        path = folder / name
        moved = tmp_path / f"{kind}-{name}"
        path.rename(moved)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero" if kind == "device" else moved)
        started = time.monotonic()
        with pytest.raises(ModelRefusedError, match="not a regular file"):
            load_bundle(folder)
        assert time.monotonic() - started < 2


def test_what_was_checked_is_what_is_run(tmp_path: Path) -> None:
    folder = seal(tmp_path / "bundle", NETWORK)
    bundle = load_bundle(folder)
    other = make_network()
    other.graph.initializer[3].raw_data = np.array([9, 0, 0, 0], np.float32).tobytes()
    (folder / "model.onnx").write_bytes(other.SerializeToString())
    with pytest.raises(ModelRefusedError, match="sha256 differs"):
        Classifier(bundle)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\\b", "model.pkl", ".hidden"])
def test_a_bundle_lists_only_its_own_two_files(tmp_path: Path, name: str) -> None:
    folder = seal(tmp_path / "bundle", NETWORK)
    relist(folder, name, BundledFile("0" * 64, 1))
    with pytest.raises(ModelRefusedError, match=r"outside itself|unknown file"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"temperature": 1.0', '"temperature": NaN', "NaN"),
        ('"temperature": 1.0', '"temperature": 1e999', "too large for a float"),
        ('"temperature": 1.0', '"temperature": 1.0, "temperature": 2.0', "key twice"),
        ('"temperature": 1.0', f'"temperature": {"9" * 5000}', "not JSON"),
        ('"metrics": {}', f'"metrics": {"[" * 200_000}', "not JSON"),
        ('"metrics": {}', '"metrics": {"accuracy": Infinity}', "Infinity"),
        ('"crop_margin": 0.3', '"crop_margin": "0.3"', "not a number"),
        ('"size":', '"size": 99999999999, "was":', "99999999999 bytes"),
        ('"sha256": "', '"sha256": "x', "no sha256"),
    ],
)
def test_a_bundle_json_of_two_meanings_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    folder = seal(tmp_path / "bundle", NETWORK)
    path = folder / "bundle.json"
    text = path.read_text()
    assert old in text
    rewrite(folder, text.replace(old, new).encode())
    with pytest.raises(ModelRefusedError, match=told):
        load_bundle(folder)


def test_golden_rows_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    folder = seal(tmp_path / "bundle", NETWORK)
    path = folder / "bundle.json"
    values = json.loads(path.read_text())
    values["golden"][1] = [9.0, -8.0, 3.0, 5.0]
    rewrite(folder, json.dumps(values).encode())
    with pytest.raises(ModelRefusedError, match="no probabilities"):
        load_bundle(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, len(NETWORK) * 8 - 1))
def test_every_flipped_bit_of_a_network_is_noticed(
    at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = seal(tmp_path_factory.mktemp("flip") / "bundle", NETWORK)
    data = bytearray(NETWORK)
    data[at // 8] ^= 1 << (at % 8)
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ModelRefusedError, match="sha256 differs"):
        load_bundle(folder)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(NETWORK) * 8 - 1), length=st.integers(0, len(NETWORK)))
def test_a_damaged_network_that_was_sealed_again_is_refused_or_runs(at: int, length: int) -> None:
    data = bytearray(NETWORK)
    data[at // 8] ^= 1 << (at % 8)
    for broken in (bytes(data), NETWORK[:length]):
        try:
            OnnxEngine(broken).run(np.zeros((1, 32, 32, 3), np.uint8))
        except ModelRefusedError:
            continue


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(WEIGHTS) * 8 - 1), length=st.integers(0, len(WEIGHTS) - 1))
def test_damaged_weights_are_refused_or_whole(at: int, length: int) -> None:
    data = bytearray(WEIGHTS)
    data[at // 8] ^= 1 << (at % 8)
    with contextlib.suppress(UnsafeFileError):
        check_hdf5(bytes(data))
    with pytest.raises(UnsafeFileError):
        check_hdf5(WEIGHTS[:length])


def test_the_bytes_that_are_read_are_those_that_were_listed(tmp_path: Path) -> None:
    folder = seal(tmp_path / "bundle", NETWORK)
    bundle = load_bundle(folder)
    assert read_file(bundle, "model.onnx") == NETWORK
    assert describe_file(folder / "model.onnx") == bundle.files["model.onnx"]
    with pytest.raises(ModelRefusedError, match=r"lists no model\.keras"):
        read_file(bundle, "model.keras")
