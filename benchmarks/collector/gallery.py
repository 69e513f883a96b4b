"""How quick the gallery is on a large dataset.

    python benchmarks/collector/gallery.py --photos 20000

Makes a dataset of rendered photos (a few hundred pictures, hard-linked under many names), opens
the real gallery in a pseudo-terminal of 120x40 cells, presses keys one after the other, and
reports the milliseconds from a key to the tiles being drawn anew, for each kind of key.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import GALLERY
from benchmarks.common.pseudo_terminal import run_in_terminal

if TYPE_CHECKING:
    from collector.app import ReviewApp

PICTURES = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        data = Path(folder) / "data"
        fill(data, arguments.photos)
        run_in_terminal(lambda: _run_app(report, data))
        return finish(json.loads(report.read_text()), GALLERY)


def fill(data: Path, count: int) -> None:
    """Rows for every photo; files are links to a few hundred pictures."""
    from maskage.classes.ready_made import MASK_AGE
    from maskage.dataset.manifest.writer import Manifest
    from maskage.dataset.photo_files import make_folders
    from maskage.demo.camera import DemoCamera
    from maskage.faces.finder import crop_face, guide_box
    from maskage.pictures.images import encode_jpeg
    from maskage.pictures.quality import measure_quality
    from maskage.records import Photo, Suggestion

    make_folders(data, MASK_AGE.labels)
    camera = DemoCamera(pace=False, fps=4, scene_s=1)
    frames = [camera.read() for _ in range(PICTURES)]
    crops = [crop_face(frame.pixels, guide_box(640, 480)) for frame in frames]
    pictures = []
    for number, crop in enumerate(crops):
        path = data / f"picture{number}"
        path.write_bytes(encode_jpeg(crop))
        pictures.append((path, measure_quality(crop)))
    chance = random.Random(0)
    burst = 0
    manifest = Manifest(data)
    with manifest.transaction():
        for number in range(count):
            picture, quality = pictures[number % PICTURES]
            # Bursts of ten look alike; two bits apart each from the first.
            if number % 10 == 0:
                burst = chance.getrandbits(64)
            fingerprint = burst ^ 1 << number % 10 * 3 ^ 1 << number % 10 * 5 + 1
            label = MASK_AGE.labels[number % 4]
            path = f"{label}/p{number:06d}.jpg"
            os.link(picture, data / path)
            photo = Photo(
                path,
                label,
                subject=f"p{number % 40:02d}",
                session=f"s{number % 200:03d}",
                taken_at=f"2026-01-01T00:00:00.{number:06d}+00:00",
                quality=quality,
                sha256="0" * 64,
                fingerprint=fingerprint,
                suggestion=Suggestion(MASK_AGE.labels[number % 5 % 4], (number * 7 % 100) / 100),
            )
            manifest.add(photo, "2026")
    manifest.close()


def _run_app(report: Path, data: Path) -> None:
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    from collector.app import ReviewApp
    from collector.terminal import keep_terminal
    from maskage.dataset.store import PhotoStore

    started_s = time.monotonic()
    with PhotoStore(data) as store, keep_terminal() as driver_class:
        opened_s = time.monotonic()
        app = ReviewApp(store, driver_class=driver_class)
        figures: dict[str, object] = {
            "photos": len(store.photos()),
            "store_opened_s": round(opened_s - started_s, 2),
        }
        start = threading.Timer(1.5, lambda: app.call_from_thread(_press_all, app, figures))
        start.start()
        app.run()
        start.join()
        app.writer.close()
    report.write_text(json.dumps(figures))


async def _press_all(app: "ReviewApp", figures: dict[str, object]) -> None:
    from collector.review.gallery import Gallery

    while not app.review.is_mounted or app.review.current is None:
        await asyncio.sleep(0.02)
    gallery = app.review.query_one(Gallery)
    await asyncio.sleep(1)
    steps: list[tuple[str, Sequence[str]]] = [
        ("step right", ["l"] * 60),
        ("step down", ["j"] * 60),
        ("page", ["pagedown"] * 30),
        ("end and home", ["end", "home"] * 5),
        ("relabel", ["2"] * 40),
        ("flag", ["f"] * 20),
        ("undo", ["u"] * 40),
        ("trash", ["x"] * 20),
        ("class filter", ["c"] * 5),
        ("order", ["o"] * 4),
    ]
    for name, keys in steps:
        times_ms = [await _press(app, gallery, key) for key in keys]
        figures[name] = {
            "median_ms": round(statistics.median(times_ms), 1),
            "worst_ms": round(max(times_ms), 1),
        }
    app.exit()


async def _press(app: "ReviewApp", gallery: object, key: str) -> float:
    """Press a key; milliseconds until the tiles were drawn anew."""
    drawn = gallery.drawn  # type: ignore[attr-defined]
    started_s = time.monotonic()
    app.simulate_key(key)
    while gallery.drawn == drawn:  # type: ignore[attr-defined]
        await asyncio.sleep(0.0005)
        if time.monotonic() - started_s > 5:
            return 5000.0
    return (time.monotonic() - started_s) * 1000


if __name__ == "__main__":
    sys.exit(main())
