"""The start and the speed of the live detector, beside the usual script.

    python benchmarks/detector/live_speed.py CLIP --model RUN [--frames 300]
        [--rounds 3] [--starts 5]

Start: from the start of the process until `detector live --headless` has written its first labelled
frame, and whether TensorFlow or Keras were loaded by then.

Speed: CLIP is written as two videos of 640x480. In the first its pictures are enlarged and given
bars, with the face or faces that are in them. In the second eight cells show the surroundings of
its largest face, each cell at another moment of CLIP. Each is labelled by turns, round after round,
in one run: as `detector live` works ("live"), with finder and network on every frame ("thorough"),
and by `usual_script.py` in a process of its own, which waits meanwhile. All of them read the video,
find, classify and draw; "fps" is the median over rounds. Processor time stands beside it, since a
busy machine disturbs that less. "other_share" is what is neither reading, finder nor network.
"over_bare" is how much longer finder and network on every frame take there, with all that is around
them, than in a loop that calls nothing else ("bare", in the same rounds). The network is the one
that `detector live` would run here, in 32 bits or in 8: "network" names it.

Prints one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import LIVE_SPEED
from benchmarks.detector.live_clips import prepare_clips
from detector.drawing.overlay import Readout, draw_result
from detector.tracking.pipeline import EVERYTHING, LivePipeline, Thrift
from maskage.cameras.video.video_file import VideoFile
from maskage.faces.finder import YuNetFinder, crop_face, obtain_face_model
from maskage.formats.bundle import KERAS_FILE, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.inference.engine_choice import open_chosen

ROOT = Path(__file__).parents[2]
WARM_UP_FRAMES = 10
_CHECK = """
import json, sys
from detector.cli import main
code = main(sys.argv[1:])
print(json.dumps(sorted({"tensorflow", "keras", "jax", "torch"} & set(sys.modules))))
sys.exit(code)
"""


@dataclass
class Runs:
    """The times of one way of labelling.

    Attributes:
        fps: Frames a second in each round.
        cpu_ms: Processor milliseconds a frame in each round.
        faces: Faces a frame, on average.
        stages_ms: Mean milliseconds of each stage, over all rounds.
    """

    fps: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    faces: float = 0.0
    stages_ms: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return medians, with the slowest and fastest round."""
        figures: dict[str, Any] = {
            "fps": round(statistics.median(self.fps), 1),
            "fps_range": [round(min(self.fps), 1), round(max(self.fps), 1)],
            "cpu_ms_a_frame": round(statistics.median(self.cpu_ms), 2),
            "faces_a_frame": round(self.faces, 2),
        }
        if self.stages_ms:
            figures["stages_ms"] = {k: round(v, 3) for k, v in self.stages_ms.items()}
            labelling = sum(self.stages_ms.values()) - self.stages_ms["read"]
            other = sum(self.stages_ms[name] for name in ("crop", "track", "draw"))
            figures["other_share"] = round(other / labelling, 4)
        return figures


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="run or bundle folder")
    parser.add_argument("--frames", type=int, default=300, help="of each way, a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    bundle = find_bundle(arguments.model)
    figures: dict[str, Any] = {
        "input_px": load_bundle(bundle).input_size,
        "start": measure_start(arguments.clip, bundle, arguments.starts),
    }
    with tempfile.TemporaryDirectory() as folder:
        clips = {"1 face": Path(folder) / "one.mp4", "8 faces": Path(folder) / "eight.mp4"}
        prepare_clips(arguments.clip, *clips.values())
        for name, clip in clips.items():
            print(f"{name} ...", file=sys.stderr, flush=True)
            figures[name] = compare(clip, bundle, arguments.frames, arguments.rounds)
    return finish(figures, LIVE_SPEED)


def measure_start(clip: Path, bundle: Path, starts: int) -> dict[str, Any]:
    """Return the seconds until the first frame is labelled, and until the process has ended."""
    words = ["live", "--headless", "--frames", "1", "--source", str(clip), "--model", str(bundle)]
    words += ["--json", "-"]
    first_s, whole_s = [], []
    for _ in range(starts + 1):
        began_s = time.perf_counter()
        process = start([*words], "-m", "detector.cli")
        assert process.stdout is not None
        frame = json.loads(process.stdout.readline())
        first_s.append(time.perf_counter() - began_s)
        process.communicate()
        whole_s.append(time.perf_counter() - began_s)
        assert process.returncode == 0, process.returncode
    checked = start(words, "-c", _CHECK)
    loaded = json.loads(checked.communicate()[0].splitlines()[-1])
    assert not loaded, f"the live detector loaded {loaded}"
    return {
        "first_labelled_frame_s": round(statistics.median(first_s[1:]), 3),
        # Of the very first one files came from the disk, unless they were in memory before.
        "each_s": [round(value, 3) for value in first_s],
        "process_s": round(statistics.median(whole_s[1:]), 3),
        "faces": len(frame["faces"]),
        "heavy_modules": loaded,
    }


def start(words: list[str], *how: str) -> subprocess.Popen[str]:
    """Start a Python process with its stdin and stdout at hand."""
    return subprocess.Popen(
        [sys.executable, *how, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def compare(clip: Path, bundle: Path, frames: int, rounds: int) -> dict[str, Any]:
    """Measure all three ways by turns."""
    runs = {"live": Runs(), "thorough": Runs(), "usual": Runs()}
    thrifts = {"live": Thrift(), "thorough": EVERYTHING}
    words = [str(clip), "--model", str(bundle / KERAS_FILE), "--face-model"]
    usual = start(
        [*words, str(obtain_face_model())], str(Path(__file__).with_name("usual_script.py"))
    )
    classifier, network = open_chosen(load_bundle(bundle))
    bare_ms: list[float] = []
    ask(usual)
    ask(usual, WARM_UP_FRAMES)
    for _ in range(rounds):
        for name, thrift in thrifts.items():
            finder = YuNetFinder(obtain_face_model())
            label_frames(clip, LivePipeline(finder, classifier, thrift=thrift), frames, runs[name])
        bare_ms.append(run_bare(clip, classifier, frames))
        few = max(10, frames // 5)
        answer = ask(usual, few)
        runs["usual"].fps.append(few / answer["seconds"])
        runs["usual"].cpu_ms.append(1000 * answer["cpu_s"] / few)
        runs["usual"].faces = answer["faces"] / few
    usual.communicate()
    figures: dict[str, Any] = {name: run.to_json() for name, run in runs.items()}
    stages = runs["thorough"].stages_ms
    labelling_ms = sum(stages.values()) - stages["read"]
    figures["network"] = network
    figures["bare_ms"] = round(statistics.fmean(bare_ms), 3)
    figures["over_bare"] = round(labelling_ms / statistics.fmean(bare_ms) - 1, 4)
    for name in thrifts:
        figures[f"{name}_times_usual"] = round(figures[name]["fps"] / figures["usual"]["fps"], 1)
    return figures


def run_bare(clip: Path, classifier: Classifier, frames: int) -> float:
    """Return the milliseconds a frame of the finder and the network alone."""
    finder = YuNetFinder(obtain_face_model())
    camera = VideoFile(clip, pace=False)
    spent_s, done = 0.0, 0
    margin = classifier.bundle.crop_margin
    while done < frames + WARM_UP_FRAMES:
        frame = camera.read()
        if frame is None:
            camera.close()
            camera = VideoFile(clip, pace=False)
            continue
        begun_s = time.perf_counter()
        boxes = finder.find(frame.pixels)
        found_s = time.perf_counter()
        crops = [crop_face(frame.pixels, box, margin) for box in boxes]
        cropped_s = time.perf_counter()
        classifier.answer(crops)
        if done >= WARM_UP_FRAMES:
            spent_s += found_s - begun_s + time.perf_counter() - cropped_s
        done += 1
    camera.close()
    return 1000 * spent_s / frames


def ask(usual: subprocess.Popen[str], frames: int | None = None) -> dict[str, float]:
    """Let the usual script label so many frames, and return its answer."""
    assert usual.stdin is not None
    assert usual.stdout is not None
    if frames is not None:
        print(frames, file=usual.stdin, flush=True)
    return dict(json.loads(usual.stdout.readline()))


def label_frames(clip: Path, pipeline: LivePipeline, frames: int, runs: Runs) -> None:
    """Read, label and draw, one frame after the other, as fast as it goes."""
    spent = dict.fromkeys(("read", "find", "crop", "classify", "track", "draw"), 0.0)
    camera = VideoFile(clip, pace=False)
    faces = done = 0
    started_s = started_cpu_s = 0.0
    while done < frames + WARM_UP_FRAMES:
        if done == WARM_UP_FRAMES:
            spent = dict.fromkeys(spent, 0.0)
            faces, started_s, started_cpu_s = 0, time.perf_counter(), cpu_s()
        begun_s = time.perf_counter()
        frame = camera.read()
        if frame is None:
            camera.close()
            camera = VideoFile(clip, pace=False)
            continue
        spent["read"] += time.perf_counter() - begun_s
        result = pipeline.process(frame)
        begun_s = time.perf_counter()
        draw_result(result, Readout(fps=30.0, age_ms=30.0))
        spent["draw"] += time.perf_counter() - begun_s
        for stage in ("find", "crop", "classify", "track"):
            spent[stage] += getattr(result.timings, f"{stage}_ms") / 1000
        faces += len(result.faces)
        done += 1
    runs.fps.append(frames / (time.perf_counter() - started_s))
    runs.cpu_ms.append(1000 * (cpu_s() - started_cpu_s) / frames)
    camera.close()
    runs.faces = faces / frames
    for stage, seconds in spent.items():
        before = runs.stages_ms.get(stage, 0.0) * (len(runs.fps) - 1)
        runs.stages_ms[stage] = (before + 1000 * seconds / frames) / len(runs.fps)


def cpu_s() -> float:
    """Return the processor time of this process, in seconds."""
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    sys.exit(main())
