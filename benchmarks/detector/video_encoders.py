"""Compare the encoders of annotated videos with OpenCV's own writers, in one run.

    python benchmarks/detector/video_encoders.py VIDEO [--size 640x360] [--frames 150]

It prints one JSON object: for each writer the frames a second by the clock and by the processor's
time, which other work on the machine disturbs less, and the size of the file; "times_vp8" is what
H.264 encodes beside OpenCV's VP8, by the processor's time. The goals are in
`benchmarks/common/goals.py`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import VIDEO_ENCODERS
from detector.video.encoder import ENCODERS, Encoder
from detector.video.sink import VideoSink, fit_into
from maskage.cameras.video.video_file import VideoFile
from maskage.records import RgbImage

FPS = 25.0
OPENCV = {"mp4v": ".mp4", "VP80": ".webm"}


def main() -> int:
    """Encode by each, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--frames", type=int, default=150)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with closing(VideoFile(arguments.video, pace=False)) as video:
        frames = [
            fit_into(frame.pixels, width, height)
            for frame, _ in zip(iter(video.read, None), range(arguments.frames), strict=False)
        ]
    with tempfile.TemporaryDirectory() as work:
        figures = {
            f"opencv {codec}": measure(write_by_opencv, frames, Path(work, f"{codec}{ending}"))
            for codec, ending in OPENCV.items()
        }
        for encoder in ENCODERS:
            path = Path(work, f"{encoder.name}.mp4")
            figures[encoder.name] = measure(write_by(encoder), frames, path)
    times = figures["libx264"]["by_processor"] / figures["opencv VP80"]["by_processor"]
    result = {"size": arguments.size, "frames": len(frames), "times_vp8": round(times, 1)}
    return finish({**result, **figures}, VIDEO_ENCODERS)


def measure(
    write: Callable[[list[RgbImage], Path], None], frames: list[RgbImage], path: Path
) -> dict[str, float]:
    """Return frames a second by both clocks, and megabytes."""
    clock_s, processor_s = time.perf_counter(), time.process_time()
    write(frames, path)
    clock_s, processor_s = time.perf_counter() - clock_s, time.process_time() - processor_s
    return {
        "by_clock": round(len(frames) / clock_s, 1),
        "by_processor": round(len(frames) / processor_s, 1),
        "megabytes": round(path.stat().st_size / 1e6, 2),
    }


def write_by(encoder: Encoder) -> Callable[[list[RgbImage], Path], None]:
    """Return what writes frames by an encoder of the toolchain."""

    def write(frames: list[RgbImage], path: Path) -> None:
        with VideoSink(path, FPS, encoders=[encoder]) as sink:
            for pixels in frames:
                sink.write(pixels)

    return write


def write_by_opencv(frames: list[RgbImage], path: Path) -> None:
    """Write frames as OpenCV does; the name of the file says the codec."""
    size = (frames[0].shape[1], frames[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*path.stem), FPS, size)
    for pixels in frames:
        writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    writer.release()


if __name__ == "__main__":
    sys.exit(main())
