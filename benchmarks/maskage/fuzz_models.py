"""Whether any model file can harm us: `python benchmarks/maskage/fuzz_models.py --files 10000`.

Breaks honest and hostile files (`tests.maskage.security.hostile_models`): networks, then sealed
again with right digests, `bundle.json`, weights and .keras archives. Each is loaded in a process of
its own: what is not refused in our words, ends that process or hangs it is counted and named, and
the slowest. `--run RUN` breaks that run's own files too. `--only 4711` repeats one of them with its
traceback. `--self-test` takes the check of digests out, and that must be noticed. Figures go to
stdout as JSON; ends with 3 where anything was not refused as it should be.
"""

import argparse
import contextlib
import io
import json
import os
import queue
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import FUZZ, SELF_TEST
from benchmarks.common.sabotage import Saboteur, try_saboteurs
from benchmarks.maskage.fuzz_images import read_lines
from maskage.errors import ModelRefusedError
from maskage.formats import bundle as trained_bundle
from maskage.formats.bundle import load_bundle
from maskage.inference.classifier import Classifier
from maskage.security.files import UnsafeFileError
from maskage.security.hdf5 import check_hdf5
from maskage.security.keras_archive import read_archived_weights
from maskage.system.peak_memory import peak_memory_mb
from tests.maskage.security.hostile_models import (
    HOSTILE_NETWORKS,
    HOSTILE_WEIGHTS,
    hostile_network,
    hostile_weights,
    make_network,
    make_weights,
    pack_archive,
    rewrite,
    seal,
)

HANGS_AFTER_S = 120.0
MEMORY_BYTES = 6 << 30
MOST_NAMED = 20
LARGEST_WEIGHTS = 64 << 20

Facts = dict[str, Any]
SABOTEURS = {
    "digests are not checked": Saboteur(
        ((trained_bundle, "read_known_file", lambda path, digest, size: path.read_bytes()),), 20
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, help="a run folder, whose files are broken as well")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one of them, and its traceback")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--work-from", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only is not None:
        print(json.dumps(Fuzzer(arguments.seed, arguments.run).try_file(arguments.only)))
        return 0
    if arguments.self_test:
        tried = try_saboteurs(SABOTEURS, count_believed, FUZZ)
        return finish({"self-test": tried}, SELF_TEST)
    if arguments.work_from is not None:
        work(Fuzzer(arguments.seed, arguments.run), arguments.work_from)
        return 0
    started_s = time.monotonic()
    facts = list(try_all(arguments.seed, arguments.run, arguments.files))
    figures = sum_up(facts, time.monotonic() - started_s)
    return finish(figures, FUZZ)


def count_believed(files: int) -> dict[str, int]:
    """Count the networks, changed and not sealed again, that are believed."""
    believed = 0
    for number in range(files):
        try:
            load_unsealed(break_bytes(random.Random(number), make_network().SerializeToString())[1])
        except ModelRefusedError:
            continue
        except AssertionError:
            believed += 1
    return {"uncaught": believed}


class Fuzzer:
    """Makes broken files, the same for the same seed and number, and loads them."""

    def __init__(self, seed: int, run: Path | None) -> None:
        self._seed = seed
        networks = [make_network().SerializeToString()] * 20 + list(
            map(hostile_network, HOSTILE_NETWORKS)
        )
        weights = [make_weights()] * 14 + list(map(hostile_weights, HOSTILE_WEIGHTS))
        archives = [pack_archive(data) for data in weights]
        with tempfile.TemporaryDirectory() as folder:
            texts = [(seal(Path(folder), networks[0]) / "bundle.json").read_bytes()]
        if run is not None:
            networks += [(run / "bundle" / "model.onnx").read_bytes()] * 5
            archives += [(run / "bundle" / "model.keras").read_bytes()] * 5
            weights += [(run / "checkpoints" / "best.weights.h5").read_bytes()] * 5
        self._kinds: dict[str, tuple[list[bytes], Callable[[bytes], None]]] = {
            "network": (networks, load_network),
            "network, not sealed again": (networks[:1], load_unsealed),
            "bundle.json": (texts, load_text),
            "weights": (weights, load_weights),
            "archive": (archives, load_archive),
        }

    def try_file(self, number: int) -> Facts:
        """Break one file and load it; says what came of it."""
        chance = random.Random(f"{self._seed}:{number}")
        kind = chance.choice(list(self._kinds))
        originals, load = self._kinds[kind]
        made, data = break_bytes(chance, chance.choice(originals))
        facts: Facts = {"number": number, "kind": kind, "made": made, "outcome": "taken"}
        started_s = time.monotonic()
        try:
            load(data)
        except (ModelRefusedError, UnsafeFileError):
            facts["outcome"] = "refused"
        except BaseException as fault:  # noqa: BLE001  what is looked for here
            facts["outcome"], facts["fault"] = "uncaught", repr(fault)[:300]
            facts["traceback"] = traceback.format_exc()
        facts["seconds"] = round(time.monotonic() - started_s, 3)
        return facts


def break_bytes(chance: random.Random, data: bytes) -> tuple[str, bytes]:
    """Damage a file by one bit, which much survives, or in one to four ways; says which."""
    broken, made = bytearray(data), []
    if data and chance.random() < 0.5:
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        return "one bit", bytes(broken)
    for _ in range(chance.randint(1, 4)):
        name = chance.choice(list(WAYS))
        WAYS[name](chance, broken)
        made.append(name)
    return " + ".join(made), bytes(broken)


def _somewhere(chance: random.Random, data: bytearray) -> int:
    """The begin and the end, where headers and directories lie, more often than the rest."""
    reach = min(len(data), 2_000)
    place = chance.random()
    if place < 0.4:
        return chance.randrange(reach + 1)
    if place < 0.6:
        return len(data) - chance.randrange(reach + 1)
    return chance.randrange(len(data) + 1)


def _flip_bits(chance: random.Random, data: bytearray) -> None:
    for _ in range(chance.randint(1, 16)):
        at = min(_somewhere(chance, data), len(data) - 1)
        if at >= 0:
            data[at] ^= 1 << chance.randrange(8)


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[_somewhere(chance, data) :]


def _extreme_number(chance: random.Random, data: bytearray) -> None:
    at, width = _somewhere(chance, data), chance.choice((1, 2, 4, 8))
    number = chance.choice((0, 1, (1 << 8 * width) - 1, (1 << 8 * width - 1) - 1, 10_000_000_000))
    data[at : at + width] = (number % (1 << 8 * width)).to_bytes(width, "little")


def _noise(chance: random.Random, data: bytearray) -> None:
    at, length = _somewhere(chance, data), chance.randint(1, 64)
    data[at : at + length] = chance.randbytes(length)


def _repeat(chance: random.Random, data: bytearray) -> None:
    at, length = _somewhere(chance, data), chance.randint(1, 400)
    data[at:at] = data[at : at + length]


def _move(chance: random.Random, data: bytearray) -> None:
    at, to, length = (*(_somewhere(chance, data) for _ in range(2)), chance.randint(1, 200))
    data[to : to + length] = data[at : at + length]


def _remove(chance: random.Random, data: bytearray) -> None:
    at = _somewhere(chance, data)
    del data[at : at + chance.randint(1, 200)]


WAYS: dict[str, Callable[[random.Random, bytearray], None]] = {
    "bits flipped": _flip_bits,
    "cut short": _cut,
    "an extreme number": _extreme_number,
    "noise": _noise,
    "a piece twice": _repeat,
    "a piece over another": _move,
    "a piece missing": _remove,
}


def load_network(data: bytes) -> None:
    """As the detector does; a network that runs must also answer as its bundle says."""
    with tempfile.TemporaryDirectory() as folder:
        classifier = Classifier(load_bundle(seal(Path(folder), data or b"\0")))
        classifier.classify([np.zeros((40, 40, 3), np.uint8)])


def load_unsealed(data: bytes) -> None:
    """A network that was changed after its bundle was sealed must be refused, whatever it is."""
    honest = make_network().SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        bundle = seal(Path(folder), honest)
        (bundle / "model.onnx").write_bytes(data)
        load_bundle(bundle)
    assert data == honest, "a changed network was believed"


def load_text(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seal(Path(folder), make_network().SerializeToString())
        rewrite(Path(folder), data)
        Classifier(load_bundle(Path(folder)))


def load_weights(data: bytes) -> None:
    """What passes is read, every array of it, as Keras would; what that raises, we refuse."""
    check_hdf5(data)
    with h5py.File(io.BytesIO(data), "r") as file, contextlib.suppress(Exception):
        file.visititems(
            lambda _, item: item[()] is None if isinstance(item, h5py.Dataset) else None
        )


def load_archive(data: bytes) -> None:
    load_weights(read_archived_weights(data, LARGEST_WEIGHTS))
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 3


def work(fuzzer: Fuzzer, number: int) -> None:
    """Try files, one line of facts each, until nobody reads them any more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # What a native library writes on stdout is not to be among the facts.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        facts = fuzzer.try_file(number)
        facts["peak_mb"] = round(peak_memory_mb())
        print(json.dumps(facts), file=told, flush=True)
        number += 1


def try_all(seed: int, run: Path | None, count: int) -> Iterator[Facts]:
    """Try so many files; a process that dies is started anew."""
    number = 0
    while number < count:
        command = [sys.executable, __file__, "--seed", str(seed), "--work-from", str(number)]
        command += ["--run", str(run)] if run is not None else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as worker:
            lines = read_lines(worker)
            try:
                while (line := lines.get(timeout=HANGS_AFTER_S)) is not None and number < count:
                    yield json.loads(line)
                    number += 1
                fault = f"the process ended with {worker.wait()}" if number < count else ""
            except queue.Empty:
                fault = f"hangs for over {HANGS_AFTER_S:g} s"
            finally:
                worker.kill()
        if fault:
            yield {"number": number, "kind": "?", "outcome": "uncaught", "fault": fault,
                   "seconds": 0.0, "peak_mb": 0}  # fmt: skip
            number += 1


def sum_up(facts: list[Facts], seconds: float) -> Facts:
    outcomes = Counter((each["kind"], each["outcome"]) for each in facts)
    uncaught = [each for each in facts if each["outcome"] == "uncaught"]
    slowest = max(facts, key=lambda each: float(each["seconds"]))
    return {
        "files": len(facts),
        "uncaught": len(uncaught),
        "outcomes": {" ".join(key): number for key, number in sorted(outcomes.items())},
        "slowest": {key: slowest.get(key) for key in ("number", "kind", "made", "seconds")},
        "peak_mb": max(each["peak_mb"] for each in facts),
        "a_second": round(len(facts) / seconds, 1),
        "uncaught_first": uncaught[:MOST_NAMED],
    }


if __name__ == "__main__":
    sys.exit(main())
