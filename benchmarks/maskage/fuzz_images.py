"""Whether any file can harm us: `python benchmarks/maskage/fuzz_images.py --images 10000`.

Breaks drawn pictures of every format (`tests.curation.broken_pictures`) and has curation look at
each, and the decoder decode it, in a process of its own: what is not refused in our words, ends
that process, hangs it or makes it write on stderr is counted and named. Where FACE_MODEL names
YuNet's file, faces are looked for as well. `--only 4711` repeats one of them with its traceback;
`--self-test` has the decoder let faults through, and that must be noticed.
Figures go to stdout as JSON; ends with 3 where anything was not refused as it should be.
"""

import argparse
import io
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import FUZZ, SELF_TEST
from benchmarks.common.sabotage import Saboteur, try_saboteurs
from maskage.dataset.photo_scan import scan_file
from maskage.errors import UnreadableImageError
from maskage.faces.finder import FACE_MODEL_VARIABLE
from maskage.pictures.images import MAX_PIXELS, decode_image
from maskage.records import RgbImage
from maskage.system.peak_memory import peak_memory_mb
from tests.curation.broken_pictures import break_picture

HANGS_AFTER_S = 60.0
REASONS = ("is empty", "not a picture", "cut short", "over the limit")
MOST_NAMED = 20
COMMAND = "benchmarks/maskage/fuzz_images.py"

Facts = dict[str, Any]


class DisagreementError(Exception):
    """One part of us takes a picture that another refuses, or for one of another size."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="go on for so long, whatever --images says")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one of them, and its traceback")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--work-from", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only is not None:
        print(json.dumps(try_picture(arguments.seed, arguments.only)))
        return 0
    if arguments.self_test:
        tried = try_saboteurs(SABOTEURS, count_uncaught, FUZZ)
        return finish({"self-test": tried}, SELF_TEST)
    if arguments.work_from is not None:
        work(arguments.seed, arguments.work_from)
        return 0
    figures = Figures(arguments.seed)
    started_s = time.monotonic()
    for facts in try_all(arguments.seed):
        figures.count(facts)
        is_late = time.monotonic() - started_s > 60 * (arguments.minutes or 0)
        if is_late and figures.images >= (0 if arguments.minutes else arguments.images):
            break
    return finish(figures.told(time.monotonic() - started_s), FUZZ)


def count_uncaught(images: int) -> Facts:
    """Count the broken pictures that are not refused as they should be."""
    found = [try_picture(0, number) for number in range(images)]
    return {"uncaught": sum(facts["outcome"] == "uncaught" for facts in found)}


def decode_carelessly(data: bytes, name: str = "picture") -> RgbImage:
    """Decode a picture as is often done: what cannot be read ends in whatever it ends in."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


SABOTEURS = {
    "faults of the decoder are let through": Saboteur(
        ((sys.modules[__name__], "decode_image", decode_carelessly),), 40
    ),
}


class Figures:
    """What came of the pictures."""

    def __init__(self, seed: int) -> None:
        self.images = 0
        self.uncaught: list[Facts] = []
        self._seed = seed
        self._outcomes: Counter[str] = Counter()
        self._warnings: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._slowest: Facts = {"seconds": 0.0}
        self._peak_mb = 0.0

    def count(self, facts: Facts) -> None:
        self.images += 1
        self._outcomes[facts["outcome"]] += 1
        self._warnings.update(facts.get("warnings", []))
        self._peak_mb = max(self._peak_mb, facts.get("peak_mb", 0.0))
        if facts["outcome"] == "uncaught":
            self.uncaught.append(facts)
        if facts.get("stderr"):
            self._written[facts["stderr"]] += 1
        if facts["seconds"] > self._slowest["seconds"]:
            self._slowest = {key: facts[key] for key in ("number", "made", "seconds")}

    def told(self, seconds: float) -> Facts:
        return {
            "images": self.images,
            "seed": self._seed,
            "accepted": self._outcomes.pop("accepted", 0),
            "uncaught": self._outcomes.pop("uncaught", 0),
            "refused": dict(self._outcomes.most_common()),
            "slowest": self._slowest,
            "peak_mb": round(self._peak_mb),
            "warnings": dict(self._warnings.most_common()),
            "wrote_on_stderr": sum(self._written.values()),
            "written": dict(self._written.most_common(MOST_NAMED)),
            "to_repeat": [
                f"python {COMMAND} --seed {self._seed} --only {facts['number']}"
                for facts in self.uncaught[:MOST_NAMED]
            ],
            "uncaught_first": self.uncaught[:MOST_NAMED],
            "a_second": round(self.images / seconds),
        }


def try_all(seed: int) -> Iterator[Facts]:
    """Try one broken picture after the other, without end; a process that dies is started anew."""
    number = 0
    while True:
        command = [sys.executable, __file__, "--seed", str(seed), "--work-from", str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            lines = read_lines(worker)
            try:
                while (line := lines.get(timeout=HANGS_AFTER_S)) is not None:
                    yield json.loads(line)
                    number += 1
                fault = f"the process ended with {worker.wait()}"
            except queue.Empty:
                fault = f"hangs for over {HANGS_AFTER_S:g} s"
            finally:
                worker.kill()
        made, _ = break_picture(seed, number)
        yield {
            "number": number,
            "made": made,
            "outcome": "uncaught",
            "fault": fault,
            "seconds": HANGS_AFTER_S,
        }
        number += 1


def read_lines(worker: "subprocess.Popen[bytes]") -> "queue.Queue[bytes | None]":
    """What a worker writes, line by line; None at its end."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def read() -> None:
        assert worker.stdout is not None
        for line in worker.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def work(seed: int, number: int) -> None:
    """Try pictures, one line of facts each, until nobody reads them any more."""
    told = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        while True:
            facts = try_picture(seed, number)
            sys.stderr.flush()
            if written.seek(0, os.SEEK_END):
                written.seek(0)
                facts["stderr"] = written.read(200).decode(errors="replace")
                os.ftruncate(written.fileno(), 0)
                written.seek(0)
            facts["peak_mb"] = peak_memory_mb()
            print(json.dumps(facts), file=told, flush=True)
            number += 1


def try_picture(seed: int, number: int) -> Facts:
    """Look at one broken picture in every way; says what came of it."""
    made, data = break_picture(seed, number)
    facts: Facts = {"number": number, "made": made}
    with (
        tempfile.NamedTemporaryFile(suffix=".jpg") as file,
        warnings.catch_warnings(record=True) as warned,
    ):
        file.write(data)
        file.flush()
        started_s = time.monotonic()
        try:
            facts["outcome"] = outcome_of(Path(file.name), data)
        except Exception as fault:  # noqa: BLE001  what is looked for here
            facts["outcome"], facts["fault"] = "uncaught", repr(fault)
            facts["traceback"] = traceback.format_exc()
        facts["seconds"] = round(time.monotonic() - started_s, 3)
        facts["warnings"] = [f"{w.category.__name__}: {str(w.message)[:60]}" for w in warned]
    return facts


def outcome_of(path: Path, data: bytes) -> str:
    """Return "accepted", or the reason for the refusal.

    Raises:
        DisagreementError: Scan and decoder disagree.
    """
    file_scans = [scan_file(path, "picture")]
    if model := os.environ.get(FACE_MODEL_VARIABLE):
        file_scans.append(scan_file(path, "picture", Path(model)))
    refusals = {file_scan.fault is not None for file_scan in file_scans}
    try:
        pixels = decode_image(data)
    except UnreadableImageError as fault:
        if refusals != {True}:
            raise DisagreementError(f"{fault}; {file_scans}") from fault
        return next((reason for reason in REASONS if reason in str(fault)), str(fault))
    sizes = {(file_scan.height, file_scan.width) for file_scan in file_scans}
    is_reduced = any(height * width > MAX_PIXELS for height, width in sizes)
    if refusals != {False} or len(sizes) > 1 or not (is_reduced or sizes == {pixels.shape[:2]}):
        raise DisagreementError(f"{pixels.shape}; {file_scans}")
    return "accepted"


if __name__ == "__main__":
    sys.exit(main())
