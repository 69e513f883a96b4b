"""The live view over many hours: memory, threads and files must stay as they are.

    python benchmarks/detector/live_soak.py [--frames 2600000] [--model RUN]
        [--screen draw|none|web]
    python benchmarks/detector/live_soak.py --minutes 60 --model RUN

The first way labels as many frames as a camera gives in a day, of 160x120 pixels and as fast as the
loop goes, though 30 a second by the camera's clock. Finder and network are all but free (a script,
a tiny bundle), with --model they are the real ones. Every tenth view is drawn. The second way runs
the real ones in real time, at 640x480, on pictures that the demo camera made beforehand.

Meanwhile people come and go, and over and over a snapshot is taken, something recorded, the
threshold moved, a face corrected, the picture mirrored and paused, the other camera chosen, and the
camera lost. Events are written to the null device; alarms run `true`. In calm moments between,
memory, threads and file descriptors of the process are noted. The first tenth is warm-up.

Prints one JSON object.
"""

import argparse
import contextlib
import itertools
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import LIVE_SOAK
from benchmarks.detector.live_parts import (
    DrawingScreen,
    Holdings,
    make_color_bundle,
    open_loop,
    weigh_process,
)
from benchmarks.detector.soak_cameras import FPS, FilmCamera, ScriptedFinder, Supply, make_films
from detector.events.alarm_options import AlarmSettings
from detector.events.alarms import Alarms
from detector.events.events import EventLog, EventTable
from detector.live.loop import LiveLimits
from detector.screens import commands
from detector.screens.base import Screen
from detector.screens.commands import Command, CommandDesk
from detector.screens.headless import HeadlessScreen
from detector.tracking.pipeline import FrameResult, LivePipeline, Thrift
from maskage.cameras.sources import Camera
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import FaceFinder, YuNetFinder, obtain_face_model
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier

CALM_AT = 0.9
"""Part of a round at which the process is weighed; all commands are carried out by then."""
CALM_FRAMES = 20
PAUSE_S = 0.3
SMALLEST_FACE_PX = 20


class UnseenScreen(HeadlessScreen):
    """`--headless`, with the commands of a desk.

    Args:
        desk: The desk.
    """

    def __init__(self, desk: CommandDesk) -> None:
        super().__init__()
        self._desk = desk

    def read_commands(self) -> list[Command]:
        """Return the commands of the desk."""
        return self._desk.take()


class Endurance:
    """Rounds of every command, and the weight of the process after each.

    Args:
        desk: Gets the commands.
        supply: Supply of the cameras.
        round_frames: Frames of a round.

    Attributes:
        frames: Labelled frames.
        samples: Frames, seconds and resources of each round.
    """

    def __init__(self, desk: CommandDesk, supply: Supply, round_frames: int) -> None:
        self.frames = 0
        self.samples: list[tuple[int, float, Holdings]] = []
        self._desk, self._supply, self._round = desk, supply, round_frames
        self._labels = itertools.cycle(MASK_AGE.labels)
        self._calm: list[Holdings] = []
        self._began_s = time.monotonic()
        plan: list[tuple[float, Command]] = [
            (0.05, commands.TakeSnapshot()),
            (0.10, commands.ToggleRecording()),
            (0.15, commands.ToggleRecording()),
            (0.20, commands.SetThreshold(0.95)),
            (0.22, commands.SetThreshold(0.5)),
            (0.25, commands.SelectNextFace()),
            (0.30, commands.ToggleMirror()),
            (0.35, commands.NextCamera()),
            (0.65, commands.ShowKeys()),
        ]
        self._plan = {round(part * round_frames): command for part, command in plan}

    def update(self, result: FrameResult) -> None:
        """Give the next command of the round, and let the next frame come."""
        self.frames += 1
        at = self.frames % self._round
        if at in self._plan:
            self._desk.ask(self._plan[at])
        elif at == round(0.26 * self._round):
            self._desk.ask(commands.CorrectLabel(next(self._labels)))
        elif at == round(0.5 * self._round):
            self._supply.lose()
        elif at == round(0.7 * self._round):
            self._desk.ask(commands.TogglePause())
            threading.Timer(PAUSE_S, self._desk.ask, [commands.TogglePause()]).start()
        elif 0 <= at - round(CALM_AT * self._round) < CALM_FRAMES:
            self._weigh()
        self._supply.wanted.release()

    def _weigh(self) -> None:
        # An alarm may be on its way, or a camera's thread: the least of some frames is taken.
        self._calm.append(weigh_process())
        if len(self._calm) < CALM_FRAMES:
            return
        least = Holdings(
            min(each.memory_mb for each in self._calm),
            min(each.threads for each in self._calm),
            min(each.descriptors for each in self._calm),
        )
        self._calm.clear()
        seconds = time.monotonic() - self._began_s
        self.samples.append((self.frames, seconds, least))
        print(f"{self.frames} frames, {seconds:.0f} s: {least}", file=sys.__stderr__, flush=True)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=2_600_000)
    parser.add_argument("--minutes", type=float, help="in real time instead; needs --model")
    parser.add_argument("--model", type=Path, help="run or bundle folder, with the real finder")
    parser.add_argument("--screen", choices=("draw", "none", "web"), default="draw")
    arguments = parser.parse_args()
    if arguments.minutes and not arguments.model:
        parser.error("--minutes needs --model")
    with tempfile.TemporaryDirectory() as folder:
        return finish(endure(arguments, Path(folder)), LIVE_SOAK)


def endure(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Run the whole test and return its figures."""
    supply, desk = Supply(), CommandDesk()
    frames = round(arguments.minutes * 60 * FPS) if arguments.minutes else arguments.frames
    endurance = Endurance(desk, supply, max(300, min(20_000, frames // 40)))
    bundle: ModelBundle
    finder: FaceFinder
    if arguments.model:
        bundle = load_bundle(find_bundle(arguments.model))
        finder = YuNetFinder(obtain_face_model(), 40 if arguments.minutes else SMALLEST_FACE_PX)
    else:
        bundle, finder = make_color_bundle(work / "bundle"), ScriptedFinder()
    films = make_films(is_real=bool(arguments.model), is_paced=bool(arguments.minutes))

    def open_camera(source: str) -> Camera:
        return FilmCamera(films[source], supply, pace=bool(arguments.minutes))

    pipeline = LivePipeline(finder, Classifier(bundle), thrift=Thrift())
    limits = LiveLimits(
        seconds=arguments.minutes * 60 if arguments.minutes else None,
        frames=None if arguments.minutes else frames,
    )
    settings = AlarmSettings(frozenset(MASK_AGE.labels[:2]), commands=(("true",),))
    with ExitStack() as held:
        alarms = held.enter_context(Alarms(settings, "soak"))
        log = held.enter_context(EventLog(Path(os.devnull)))
        table = held.enter_context(EventTable(Path(os.devnull), bundle.scheme))
        screen = open_screen(arguments.screen, 1 if arguments.minutes else 10, bundle, desk)
        held.callback(screen.close)
        loop, _ = held.enter_context(
            open_loop(
                open_camera,
                pipeline,
                screen,
                work,
                sources=list(films),
                limits=limits,
                listeners=[log.write, table.write, alarms.update, endurance.update],
            )
        )
        if arguments.screen == "none":
            # Its lines would be millions.
            null = held.enter_context(Path(os.devnull).open("w"))
            held.enter_context(contextlib.redirect_stderr(null))
        loop.run()
        summary = loop.summary
    kept = {name: len(list(work.rglob(f"*.{name}"))) for name in ("jpg", "mp4")}
    return {
        "way": "real time" if arguments.minutes else "accelerated",
        "screen": arguments.screen,
        "real_finder_and_network": bool(arguments.model),
        "tracks": pipeline.tracker.tracks_begun,
        "losses": supply.broken,
        "reconnects": summary.reconnects,
        "dropped": summary.dropped,
        "alarms": alarms.summary.raised,
        "alarms_failed": alarms.summary.failed + alarms.summary.dropped,
        "pictures_kept": kept["jpg"],
        "recordings_kept": kept["mp4"],
        **weigh_up(endurance),
    }


def open_screen(kind: str, every: int, bundle: ModelBundle, desk: CommandDesk) -> Screen:
    """Open the screen of a kind."""
    if kind == "draw":
        return DrawingScreen(every=every, desk=desk)
    if kind == "none":
        return UnseenScreen(desk)
    from detector.web.options import WebOptions
    from detector.web.pictures.classify import PictureClassifier
    from detector.web.server import open_web
    from maskage.faces.finder import open_face_finder

    pictures = PictureClassifier(open_face_finder, lambda: Classifier(bundle, threads=1))
    return open_web(WebOptions(port=0), pictures, bundle.scheme, desk)


def weigh_up(endurance: Endurance) -> dict[str, Any]:
    """Return the growth since warm-up, and its slope by least squares."""
    after = [sample for sample in endurance.samples if sample[0] > 0.1 * endurance.frames]
    memory = [each.memory_mb for _, _, each in after]
    slope = float(np.polyfit([frames for frames, _, _ in after], memory, 1)[0])
    return {
        "frames": endurance.frames,
        "frames_a_second": round(after[-1][0] / after[-1][1], 1),
        "memory_warm_mb": memory[0],
        "memory_end_mb": memory[-1],
        "growth_mb": round(memory[-1] - memory[0], 2),
        "most_mb": max(memory),
        "slope_mb_a_million_frames": round(1e6 * slope, 2),
        "threads": sorted({each.threads for _, _, each in after}),
        "descriptors": sorted({each.descriptors for _, _, each in after}),
        "more_threads": after[-1][2].threads - after[0][2].threads,
        "more_descriptors": after[-1][2].descriptors - after[0][2].descriptors,
    }


if __name__ == "__main__":
    sys.exit(main())
