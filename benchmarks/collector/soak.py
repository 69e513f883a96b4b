"""Whether the capture screen stays as it is over a long sitting.

    python benchmarks/collector/soak.py

Runs the real screen in a pseudo-terminal of 120x40 cells on a camera of small rendered frames that
is faster than any webcam, presses keys meanwhile (shots, undo, flags), and reports memory, threads
and file descriptors after warm-up and at the end.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import SOAK
from benchmarks.common.pseudo_terminal import run_in_terminal

WARM_UP = 5000
SAMPLE = 5000
KEYS = (b"2", b"3", b"1", b"u", b"f", b"4", b"b", b"u")


class FastCamera:
    """Rendered people at up to 400 frames a second, 320x240: no two frames are alike."""

    name: str = "fast camera"
    fps: float | None = 400.0
    frame_count: int | None = None
    is_live: bool = True

    def __init__(self) -> None:
        from maskage.demo.camera import DemoCamera

        demo = DemoCamera(size=(320, 240), pace=False, scene_s=0.5)
        self._pictures = [demo.read().pixels for _ in range(120)]
        self.read_frames = 0

    def read(self) -> "object":
        from maskage.records import Frame

        time.sleep(1 / 400)
        pixels = self._pictures[self.read_frames % len(self._pictures)].copy()
        pixels[:16, :16] = self.read_frames % 251
        self.read_frames += 1
        return Frame(pixels, self.read_frames)

    def close(self) -> None:
        """Nothing is held open."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60_000)
    parser.add_argument("--face-model", type=Path, help="a YuNet file; without it the guide")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        data = Path(folder) / "data"
        run_in_terminal(lambda: _run_app(arguments, report, data), press_keys=_press_keys)
        return finish(json.loads(report.read_text()), SOAK)


def _press_keys(terminal: int) -> None:
    time.sleep(3)
    try:
        for number in range(1_000_000):
            os.write(terminal, KEYS[number % len(KEYS)])
            time.sleep(0.7)
    except OSError:
        return


def _run_app(arguments: argparse.Namespace, report: Path, data: Path) -> None:
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    from collector.app import CollectorApp
    from collector.screens.capture_parts import CaptureParts
    from collector.terminal import keep_terminal
    from maskage.capture.shutter import Gate
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import FaceFinder, GuideFinder, YuNetFinder

    finder: FaceFinder = GuideFinder()
    if arguments.face_model:
        finder = YuNetFinder(arguments.face_model, 60)
    camera = FastCamera()
    samples: list[dict[str, float]] = []
    with PhotoStore(data) as store, keep_terminal() as driver_class:
        parts = CaptureParts(
            store=store,
            camera=camera,  # type: ignore[arg-type]
            source="fast",
            opener=lambda _: FastCamera(),  # type: ignore[arg-type, return-value]
            finder=finder,
            list_sources=list,
            subject="p07",
            gate=Gate.OFF,
        )
        app = CollectorApp(parts, driver_class=driver_class)
        watch = threading.Thread(
            target=_watch, args=(app, camera, arguments.frames, samples), daemon=True
        )
        watch.start()
        app.run()
        app.capture.close_parts()
        summary = app.capture.summarise()
    warm, end = samples[0], samples[-1]
    figures = {
        "frames": int(end["frames"]),
        "frames_a_second": round(end["frames"] / end["seconds"]),
        "memory_warm_mb": warm["memory_mb"],
        "memory_end_mb": end["memory_mb"],
        "growth_mb": round(end["memory_mb"] - warm["memory_mb"], 1),
        "slope_kb_a_1000_frames": round(_slope(samples) * 1000 * 1024, 1),
        "threads": [int(warm["threads"]), int(end["threads"])],
        "descriptors": [int(warm["descriptors"]), int(end["descriptors"])],
        "more_threads": int(end["threads"] - warm["threads"]),
        "more_descriptors": int(end["descriptors"] - warm["descriptors"]),
        "memory_mb": [sample["memory_mb"] for sample in samples],
        "summary": summary,
    }
    report.write_text(json.dumps(figures))


def _slope(samples: list[dict[str, float]]) -> float:
    """Megabytes a frame, by least squares over the second half."""
    half = samples[len(samples) // 2 :]
    if len(half) < 2:
        return 0.0
    return float(np.polyfit([s["frames"] for s in half], [s["memory_mb"] for s in half], 1)[0])


def _watch(app: "object", camera: FastCamera, frames: int, samples: list[dict[str, float]]) -> None:
    started_s = time.monotonic()
    due = min(WARM_UP, frames // 2)
    while camera.read_frames < frames:
        if camera.read_frames >= due:
            samples.append(_sample(camera, started_s))
            due += SAMPLE
        time.sleep(0.05)
    samples.append(_sample(camera, started_s))
    app.call_from_thread(app.exit)  # type: ignore[attr-defined]


def _sample(camera: FastCamera, started_s: float) -> dict[str, float]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "frames": camera.read_frames,
        "seconds": time.monotonic() - started_s,
        "memory_mb": round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1),
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


if __name__ == "__main__":
    sys.exit(main())
