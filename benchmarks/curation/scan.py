"""How fast photos are looked at, beside `imagehash.phash(PIL.Image.open(path))` in a loop.

    python benchmarks/curation/scan.py [--folder PHOTOS] [--photos 1000] [--rounds 3]

The photos, of FOLDER or drawn, are saved as JPEGs of 640x480. Ours computes SHA-256, the hash of
the mirrored picture, and sharpness and exposure beside the hash. Contenders take turns, the best
round counts. Prints JSON; photos a second, ratios, and in how many bits the hashes differ.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import imagehash
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import SCAN
from curation.scan.cache import open_scan_cache
from curation.scan.scanning import scan_photos
from curation.scan.workers import Workers
from maskage.pictures.images import encode_jpeg, is_picture, read_image
from maskage.records import Photo, RgbImage

SIZE = (640, 480)
QUALITY = 90


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["MASKAGE_CACHE"] = str(Path(temporary) / "cache")
        root = Path(temporary) / "photos"
        root.mkdir()
        names = write_photos(root, arguments.folder, arguments.photos)
        return finish(measure(root, names, arguments.rounds), SCAN)


def write_photos(root: Path, folder: Path | None, count: int) -> list[str]:
    found = sorted(path for path in folder.rglob("*") if is_picture(path)) if folder else []
    names = []
    for number in range(count):
        pixels = read_image(found[number % len(found)]) if found else draw(number)
        scaled = cv2.resize(pixels, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        names.append(f"{number:05d}.jpg")
        (root / names[-1]).write_bytes(encode_jpeg(scaled, QUALITY))
        # Older than what the cache takes for "changed just now".
        os.utime(root / names[-1], (1_700_000_000, 1_700_000_000))
    return names


def draw(seed: int) -> RgbImage:
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(30, 226, (9, 12, 3), dtype=np.uint8), SIZE)
    grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 3))
    return (coarse + grain).clip(0, 255).astype(np.uint8)


def measure(root: Path, names: list[str], rounds: int) -> dict[str, object]:
    photos = [Photo(name, "mask_old") for name in names]
    paths = [root / name for name in names]

    def look(workers: Workers) -> object:
        return list(scan_photos(root, photos, workers))

    def look_with_cache() -> object:
        with open_scan_cache(root, None) as cache:
            return list(scan_photos(root, photos, cache=cache))

    look_with_cache()
    contenders: dict[str, Callable[[], object]] = {
        "imagehash in a loop": lambda: [imagehash.phash(Image.open(path)) for path in paths],
        "1 thread": lambda: look(Workers(1)),
        "2 threads": lambda: look(Workers(2)),
        "2 processes": lambda: look(Workers(2, use_processes=True)),
        "from cache": look_with_cache,
    }
    seconds = {name: float("inf") for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    plain = seconds["imagehash in a loop"]
    differing = Counter(
        (
            scan.file_scan.phash ^ int(str(imagehash.phash(Image.open(root / scan.path))), 16)
        ).bit_count()
        for scan in scan_photos(root, photos)
    )
    return {
        "photos": len(names),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "photos_a_second": {name: round(len(names) / taken) for name, taken in seconds.items()},
        "times_imagehash": {name: round(plain / taken, 2) for name, taken in seconds.items()},
        "cache_times_first_run": round(seconds["2 threads"] / seconds["from cache"], 1),
        "bits_differing": {str(bits): count for bits, count in sorted(differing.items())},
    }


if __name__ == "__main__":
    sys.exit(main())
