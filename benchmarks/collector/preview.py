"""How fast the preview is: `python benchmarks/collector/preview.py`, in or out of a terminal.

Opens the real capture screen on the demo camera in a pseudo-terminal of 120x40 cells, reads
everything it draws as a terminal would, and reports from inside the app: preview frames a second,
the age of a frame when it is drawn, the time to the first frame, the longest time in which the
screen could not have answered a key, and the bytes a second. `--keys` also holds a key down, so
that photos are saved meanwhile, and reports how long a save takes, synced to the disk.
"""

import argparse
import asyncio
import json
import os
import pty
import signal
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import PREVIEW
from benchmarks.common.pseudo_terminal import run_in_terminal
from maskage.classes.ready_made import plain_scheme
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme

if TYPE_CHECKING:
    from collector.app import CollectorApp


_KEPT: list["asyncio.Task[None]"] = []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--source", default="demo")
    parser.add_argument("--face-model", type=Path, help="a YuNet file; without it the guide")
    parser.add_argument("--classes", type=int, default=0, help="plain classes, 2 to 64")
    parser.add_argument("--keys", action="store_true", help="hold a key down meanwhile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        if arguments.classes:
            scheme = plain_scheme([f"class {number}" for number in range(arguments.classes)])
            (Path(folder) / "data").mkdir()
            (Path(folder) / "data" / CLASSES_FILE).write_text(format_scheme(scheme))
        data, started_s = Path(folder) / "data", time.monotonic()
        bytes_drawn = run_in_terminal(
            lambda: _run_app(arguments, report, data, started_s),
            arguments.columns,
            arguments.rows,
            _hold_key if arguments.keys else None,
        )
        figures = json.loads(report.read_text())
        figures["command_to_picture_s"] = _time_command(arguments, Path(folder) / "other")
    figures["megabytes_a_second"] = round(bytes_drawn / figures["seconds"] / 1e6, 2)
    return finish(figures, PREVIEW)


def _time_command(arguments: argparse.Namespace, data: Path) -> float:
    """Seconds from starting the command to the first line of a picture on its terminal."""
    started_s = time.monotonic()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", https_proxy="127.0.0.1:9")
        os.environ.pop("FACE_MODEL", None)
        model = ["--face-model", str(arguments.face_model)] if arguments.face_model else []
        words = ["-m", "collector.cli", str(data), "--source", arguments.source, *model]
        os.execv(sys.executable, [sys.executable, *words])
    termios.tcsetwinsize(terminal, (arguments.rows, arguments.columns))
    shown = b""
    while "▀▀▀".encode() not in shown and b";48;2;" not in shown[-100_000:]:
        shown += os.read(terminal, 1 << 16)
    seconds = time.monotonic() - started_s
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return round(seconds, 2)


def _hold_key(terminal: int) -> None:
    """A key that is held: a press, the terminal's delay, then 30 repeats a second."""
    time.sleep(3)
    try:
        while True:
            os.write(terminal, b"2")
            time.sleep(1 / 30)
    except OSError:
        return


def _run_app(arguments: argparse.Namespace, report: Path, data: Path, started_s: float) -> None:
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    sys.stdout.flush()
    from collector.app import CollectorApp
    from collector.screens.capture_parts import CaptureParts
    from collector.terminal import keep_terminal
    from collector.widgets.preview import Preview
    from maskage.cameras.sources import open_camera
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import FaceFinder, GuideFinder, YuNetFinder

    model = arguments.face_model
    finder: FaceFinder = YuNetFinder(model, 60) if model else GuideFinder()
    ages_ms: list[float] = []
    drawn_s: list[float] = []
    draw = Preview._draw

    def timed_draw(preview: Preview) -> list[object]:
        strips = draw(preview)
        if preview._picture is not None:
            now_s = time.monotonic()
            drawn_s.append(now_s)
            ages_ms.append((now_s - preview._picture.observation.frame.captured_s) * 1000)
        return strips  # type: ignore[return-value]

    Preview._draw = timed_draw  # type: ignore[method-assign, assignment]
    saves_ms: list[float] = []
    add = PhotoStore.add

    def timed_add(store: PhotoStore, *values: object, **options: object) -> object:
        begun_s = time.monotonic()
        photo = add(store, *values, **options)  # type: ignore[arg-type]
        saves_ms.append((time.monotonic() - begun_s) * 1000)
        return photo

    PhotoStore.add = timed_add  # type: ignore[method-assign, assignment]
    blocks_ms: list[float] = []
    with PhotoStore(data) as store, keep_terminal() as driver_class:
        camera = open_camera(arguments.source)
        parts = CaptureParts(
            store=store,
            camera=camera,
            source=arguments.source,
            opener=open_camera,
            finder=finder,
            list_sources=list,
        )
        app = CollectorApp(parts, driver_class=driver_class)
        watch_later = threading.Timer(2, lambda: app.call_from_thread(_start_watch, blocks_ms))  # type: ignore[arg-type]
        watch_later.start()
        quit_later = threading.Timer(arguments.seconds, _quit, [app])
        quit_later.start()
        app.run()
        app.capture.close_parts()
        # The first second is start-up.
        steady = [t for t in drawn_s if t > drawn_s[0] + 1]
        seconds = steady[-1] - steady[0]
        figures = {
            "columns": arguments.columns,
            "rows": arguments.rows,
            "seconds": round(seconds, 2),
            "preview_fps": round((len(steady) - 1) / seconds, 1),
            "frame_age_ms_p50": round(float(np.percentile(ages_ms, 50)), 1),
            "frame_age_ms_p95": round(float(np.percentile(ages_ms, 95)), 1),
            "first_frame_s": round(drawn_s[0] - started_s, 2),
            "longest_block_ms": round(max(blocks_ms), 1),
            "block_ms_p99": round(float(np.percentile(blocks_ms, 99)), 1),
            "cpu_s": round(time.process_time(), 2),
            "summary": app.capture.summarise(),
        }
    if saves_ms:
        figures["saves"] = len(saves_ms)
        figures["save_ms_p50"] = round(float(np.percentile(saves_ms, 50)), 1)
        figures["save_ms_p99"] = round(float(np.percentile(saves_ms, 99)), 1)
        figures["save_ms_worst"] = round(max(saves_ms), 1)
    report.write_text(json.dumps(figures))


async def _start_watch(blocks_ms: list[float]) -> None:
    """From now on, note how long the event loop is busy with one thing."""
    _KEPT.append(asyncio.create_task(_watch_loop(blocks_ms)))


async def _watch_loop(blocks_ms: list[float]) -> None:
    while True:
        before_s = time.monotonic()
        await asyncio.sleep(0)
        blocks_ms.append((time.monotonic() - before_s) * 1000)
        await asyncio.sleep(0.002)


def _quit(app: "CollectorApp") -> None:
    app.call_from_thread(app.exit)


if __name__ == "__main__":
    sys.exit(main())
