"""The measurement of `detector bench`: the milliseconds of each stage of a frame."""

import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.bench_formats import HEADER, FormatTime, compare_formats
from detector.drawing.overlay import Readout, draw_result
from detector.live.sources import public_source
from detector.screens.base import LiveView
from detector.screens.terminal import compose_view
from detector.tracking.pipeline import LivePipeline, Thrift
from maskage.cameras.sources import open_camera
from maskage.console import say, show_progress
from maskage.errors import CameraError
from maskage.faces.finder import crop_face, open_face_finder
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.inference.classifier import Classifier, count_cores
from maskage.outside_text import join_lines
from maskage.pictures.images import resize_square
from maskage.records import RgbImage
from maskage.system.peak_memory import peak_memory_mb

WARM_UP_FRAMES = 5
TERMINAL_CELLS = (120, 40)
CROPS = 8
"""The number of faces that formats are compared on."""
STAGES = ("read", "find", "crop", "classify", "track", "draw", "show")
OTHER_STAGES = ("crop", "track", "draw", "show")
"""The stages that are neither camera, finder nor network."""


@dataclass(frozen=True)
class BenchRequest:
    """The request for a measurement; the fields are those of `detector.run.RunRequest`."""

    source: str = "demo"
    model: Path | None = None
    face_model: Path | None = None
    frames: int = 200
    threads: int | None = None
    compares_formats: bool = False
    seed: int = 0


@dataclass(frozen=True)
class StageTime:
    """Milliseconds of one stage, over all frames."""

    stage: str
    mean_ms: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class BenchReport:
    """The measurement.

    Attributes:
        source: The source of the frames.
        bundle: The folder of the model.
        input_size: The side of the network's input, px.
        frames: The measured frames, after warm-up.
        faces: Faces a frame, on average.
        stages: Each stage; "draw" is the picture for a window, "show" the text for a terminal.
        fps: The frames a second where finder and network see every frame: all stages but "read"
            and "show".
        other_share: The share of that time that is neither finder nor network, 0 to 1.
        live_fps: The frames a second as `detector live` works: faces are tracked between two runs
            of the finder, and settled labels are checked only now and then.
        age_p50_ms, age_p95_ms: The age of a frame then, from reading to drawing.
        load_s: The seconds to open finder and model.
        memory_mb: The largest memory of the process so far.
        threads, cores: The threads of the network, and the cores of the machine.
        machine: The processor and the system.
        formats: The bundle's own format and its exports; empty where they were not compared.
        left_out: The formats that were not compared, each with the reason.
    """

    source: str
    bundle: str
    input_size: int
    frames: int
    faces: float
    stages: tuple[StageTime, ...]
    fps: float
    other_share: float
    live_fps: float
    age_p50_ms: float
    age_p95_ms: float
    load_s: float
    memory_mb: float
    threads: int
    cores: int
    machine: str
    formats: tuple[FormatTime, ...] = ()
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return one object for other programs, with the same names and rounded figures."""
        values = asdict(self)
        values["stages"] = {
            stage.stage: {
                "mean_ms": round(stage.mean_ms, 3),
                "p50_ms": round(stage.p50_ms, 3),
                "p95_ms": round(stage.p95_ms, 3),
            }
            for stage in self.stages
        }
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in values.items()
        }

    def __str__(self) -> str:
        rows = [
            f"{stage.stage:<10}{stage.mean_ms:9.2f}{stage.p50_ms:9.2f}{stage.p95_ms:9.2f}"
            for stage in self.stages
        ]
        return join_lines(
            [
                f"{self.source}: {self.frames} frames with {self.faces:.1f} faces each",
                f"{self.bundle}: {self.input_size} px, {self.threads} of {self.cores} cores, "
                f"loaded in {self.load_s:.2f} s",
                f"{'stage, ms':<10}{'mean':>9}{'median':>9}{'95%':>9}",
                *rows,
                f"{self.fps:.1f} frames a second (find to draw, every frame); "
                f"{self.other_share:.1%} of that time is neither finder nor network",
                f"{self.live_fps:.1f} frames a second as `detector live` works; age of a frame "
                f"when drawn: median {self.age_p50_ms:.0f} ms, 95% under {self.age_p95_ms:.0f} ms",
                f"{self.memory_mb:.0f} MB; {self.machine}",
                *self._format_lines(),
            ]
        )

    def _format_lines(self) -> list[str]:
        if not self.formats:
            return []
        left_out = [f"left out {reason}" for reason in self.left_out]
        return [HEADER, *(str(each) for each in self.formats), *left_out]


def run_bench(request: BenchRequest) -> BenchReport:
    """Label frames one after the other, none dropped, with a clock on every stage.

    Raises:
        ToolchainError: Source or model is not usable.
        CameraError: The source ends within the warm-up.
    """
    folder = find_bundle(request.model)
    started = time.perf_counter()
    bundle = load_bundle(folder)
    finder = open_face_finder(request.face_model)
    classifier = Classifier(bundle, request.threads)
    load_s = time.perf_counter() - started
    if finder.notice:
        say(finder.notice)
    every = _measure(request, LivePipeline(finder, classifier))
    live = _measure(request, LivePipeline(finder, classifier, thrift=Thrift()))
    stages = tuple(_stage_time(name, every.times[name]) for name in STAGES)
    mean = {stage.stage: stage.mean_ms for stage in stages}
    other_ms = sum(mean[name] for name in OTHER_STAGES) - mean["show"]
    memory_mb = peak_memory_mb()
    formats, left_out = _compare(request, folder, every.crops, bundle.input_size)
    return BenchReport(
        source=public_source(request.source),
        bundle=str(folder),
        input_size=bundle.input_size,
        frames=len(every.times["read"]),
        faces=every.faces,
        stages=stages,
        fps=1000 / float(every.spent_ms.mean()),
        other_share=other_ms / float(every.spent_ms.mean()),
        live_fps=1000 / float(live.spent_ms.mean()),
        age_p50_ms=float(np.percentile(live.spent_ms, 50)),
        age_p95_ms=float(np.percentile(live.spent_ms, 95)),
        load_s=load_s,
        memory_mb=memory_mb,
        threads=classifier.threads,
        cores=count_cores(),
        machine=f"{platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}",
        formats=tuple(formats),
        left_out=tuple(left_out),
    )


@dataclass(frozen=True, eq=False)
class _Passage:
    """One way through the source.

    Attributes:
        times: The milliseconds of each frame, by stage.
        faces: The faces a frame, on average.
        crops: Some of the faces.
    """

    times: dict[str, list[float]]
    faces: float
    crops: list[RgbImage]

    @property
    def spent_ms(self) -> NDArray[np.float64]:
        """The milliseconds of each frame from reading to drawing in a window."""
        parts = [self.times[name] for name in STAGES if name not in ("read", "show")]
        return np.sum(np.array(parts), axis=0)  # type: ignore[no-any-return]


def _compare(
    request: BenchRequest, folder: Path, crops: list[RgbImage], size: int
) -> tuple[list[FormatTime], list[str]]:
    if not request.compares_formats:
        return [], []
    if not crops:
        raise CameraError(
            f"{public_source(request.source)}: no face was found to compare formats on. Choose "
            f"another source."
        )
    return compare_formats(folder, np.stack([resize_square(crop, size) for crop in crops]))


def _measure(request: BenchRequest, pipeline: LivePipeline) -> _Passage:
    times: dict[str, list[float]] = {name: [] for name in STAGES}
    faces = 0
    crops: list[RgbImage] = []
    scheme = pipeline.classifier.bundle.scheme
    camera = open_camera(request.source, pace=False, seed=request.seed, scheme=scheme)
    try:
        total = WARM_UP_FRAMES + request.frames
        for number in show_progress(range(total), "measuring", total):
            begun = time.perf_counter()
            frame = camera.read()
            read_ms = 1000 * (time.perf_counter() - begun)
            if frame is None:
                break
            result = pipeline.process(frame)
            readout = Readout(fps=30.0, age_ms=30.0)
            begun = time.perf_counter()
            draw_result(result, readout)
            draw_ms = 1000 * (time.perf_counter() - begun)
            begun = time.perf_counter()
            compose_view(LiveView(result, readout), *TERMINAL_CELLS)
            show_ms = 1000 * (time.perf_counter() - begun)
            if number < WARM_UP_FRAMES:
                continue
            t = result.timings
            stages = (read_ms, t.find_ms, t.crop_ms, t.classify_ms, t.track_ms, draw_ms, show_ms)
            for name, value in zip(STAGES, stages, strict=True):
                times[name].append(value)
            faces += len(result.faces)
            if len(crops) < CROPS:
                margin = pipeline.classifier.bundle.crop_margin
                crops += [crop_face(frame.pixels, face.box, margin) for face in result.faces]
    finally:
        camera.close()
    if not times["read"]:
        raise CameraError(
            f"{public_source(request.source)}: too short to measure: over {WARM_UP_FRAMES} frames "
            f"are needed."
        )
    return _Passage(times, faces / len(times["read"]), crops)


def _stage_time(name: str, values: list[float]) -> StageTime:
    array = np.array(values)
    return StageTime(
        name, float(array.mean()), float(np.median(array)), float(np.percentile(array, 95))
    )
