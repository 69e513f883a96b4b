"""A whole curation of very many photos: seconds, and how much memory it takes at most.

    python benchmarks/curation/curate_large.py [--photos 100000] [--side 96] [--work FOLDER]
        [-- OPTIONS]

Photos are drawn; every tenth is the start of a burst of three near-duplicates. `curate --dedupe`
(and OPTIONS) runs as a user would run it, twice: the second time it knows the photos already.
Prints JSON. --work keeps the photos for another run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import CURATE_LARGE
from maskage.classes.ready_made import MASK_AGE
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from maskage.system.peak_memory import peak_memory_mb

ROOT = Path(__file__).parents[2]
BURST_EVERY, BURST = 10, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--work", type=Path)
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:cut])
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        draw_dataset(work / "data", arguments.photos, arguments.side)
        figures = {name: run_curate(work, words[cut + 1 :]) for name in ("first run", "second run")}
    return finish({"photos": arguments.photos, **figures}, CURATE_LARGE)


def draw_dataset(root: Path, count: int, side: int) -> None:
    if root.is_dir():
        return
    for label in MASK_AGE.labels:
        (root / label).mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        step = 1000
        jobs = [
            pool.submit(draw_some, root, start, min(start + step, count), side)
            for start in range(0, count, step)
        ]
        for job in jobs:
            job.result()


def draw_some(root: Path, start: int, end: int, side: int) -> None:
    for number in range(start, end):
        # The photos of a burst are drawn from one seed, each with its own noise.
        place = number % (BURST_EVERY + BURST - 1)
        seed = number - max(0, place - BURST_EVERY + 1)
        label = MASK_AGE.labels[seed % len(MASK_AGE)]
        (root / label / f"{number:07d}.jpg").write_bytes(encode_jpeg(draw(seed, number, side), 90))


def draw(seed: int, noise_seed: int, side: int) -> RgbImage:
    coarse = np.random.default_rng(seed).integers(30, 226, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    noise = np.random.default_rng((1, noise_seed)).normal(0, 8, (side, side, 3))
    return (smooth + noise).clip(0, 255).astype(np.uint8)


def run_curate(work: Path, options: list[str]) -> dict[str, object]:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--child", "data", "--dedupe", "--json", *options],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MASKAGE_CACHE": str(work / "cache")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told, peak_kb = done.stdout.strip().splitlines()
    plan = json.loads(told)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "peak_mb": round(int(peak_kb) / 1024),
        "kept": plan["kept"],
        "set_aside": plan["set_aside"],
        "groups": plan["groups"],
    }


def run_child(argv: list[str]) -> int:
    from curation.cli import main as curate

    code = curate(argv)
    print(round(1024 * peak_memory_mb()))
    return code


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sys.exit(run_child(sys.argv[2:]))
    sys.exit(main())
