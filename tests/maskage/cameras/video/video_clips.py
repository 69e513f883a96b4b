"""Makes small videos as cameras, phones and editors leave them, and damages them."""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from maskage.records import RgbImage
from tests.conftest import draw_noise

EVEN_TIMES_S = tuple(number / 30 for number in range(60))
TICKS = 600
"""Of a second, in which times are given to the encoder."""


def make_clip(
    path: Path,
    times_s: Sequence[float] = EVEN_TIMES_S,
    *,
    pictures: Sequence[RgbImage] | None = None,
    codec: str = "libx264",
    aspect: Fraction = Fraction(1),
    turned: float = 0,
    matrix: tuple[int, int, int, int] | None = None,
) -> Path:
    """Write a video whose frames are shown at these times.

    Args:
        path: Its ending says the container.
        times_s: Of each frame.
        pictures: One a frame, all of one size; without them it is noise, 160x120.
        codec: As FFmpeg calls it.
        aspect: Width of a pixel by its height, told by the file.
        turned: Degrees, counter-clockwise, by which a player is to turn it.
        matrix: Where a player is to show a pixel: of x at right and below, then of y.
    """
    shown = pictures or [draw_noise(number, 160)[:120] for number in range(len(times_s))]
    with _usual_priority(), av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = shown[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = 15
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = Fraction(
            1, 30 if path.suffix in (".avi", ".mpg") or codec == "mpeg2video" else TICKS
        )
        stream.codec_context.sample_aspect_ratio = aspect
        if turned:
            stream.set_display_rotation(turned)
        if matrix:
            a, b, c, d = (part << 16 for part in matrix)
            stream.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        for pixels, time_s in zip(shown, times_s, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(time_s / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@contextmanager
def _usual_priority() -> Iterator[None]:
    """Give the thread back its priority: for root, SVT-AV1 raises it to real time and leaves it so.

    Every command that a later test starts would inherit that, and starve what watches it.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


def spoil_middle(path: Path, begin: float = 0.4, end: float = 0.5) -> Path:
    """Overwrite a part of a file, from one share of its length to another, with noise."""
    data = bytearray(path.read_bytes())
    chance = random.Random(1)
    for at in range(int(len(data) * begin), int(len(data) * end)):
        data[at] = chance.randrange(256)
    path.write_bytes(data)
    return path


def cut_off(path: Path, kept: float = 0.4) -> Path:
    """Keep only the beginning of a file, up to a share of its length."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    return path


def put_index_first(path: Path) -> Path:
    """Move the index of an MP4 to its beginning, as it is made for the network."""
    moved = path.with_name(f"{path.stem}-indexed{path.suffix}")
    with (
        av.open(str(path)) as source,
        av.open(str(moved), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return moved
