"""The encoders of videos, and the choice of one that this machine has.

H.264 plays in every browser. Its usual encoder, libx264, comes with PyAV's wheels; another build of
FFmpeg may lack it, so others follow, and the user is told which one it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from maskage.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from av import VideoCodecContext, VideoStream
    from av.container import OutputContainer

FRAME_TICKS = 1000
"""Time units of one frame: a frame may lie at any of them."""

KEY_EVERY_S = 2.0
"""Seconds from one key frame to the next: the places that a player can jump to."""

_PIXELS = "yuv420p"
"""The only kind of pixels that every browser plays."""
_LARGEST_DENOMINATOR = 1001
"""That of the rates of television, as 24000/1001."""
_TAKE_ALL = ("mpegts", "mpeg")
"""Formats for which FFmpeg lists no codecs, though they hold all of these."""
_HAS_TIMES = 0x400
"""Mark of a format in which each frame has a time of its own (AVFMT_VARIABLE_FPS in FFmpeg)."""
_BT601 = 6
"""The colours of standard definition (SMPTE 170M), by number (ITU-T H.273). Readers that heed no
such mark, as OpenCV's, take them for granted."""


@dataclass(frozen=True)
class Encoder:
    """An encoder, and the settings for it.

    Attributes:
        name: Its name in FFmpeg.
        codec: Name of the codec in FFmpeg.
        plays: The programs that play its videos, for people.
        options: Settings; with all of them each frame comes out as soon as it is given.
        is_even: True where frames must lie on an even beat: it knows no finer time.
    """

    name: str
    codec: str
    plays: str
    options: dict[str, str] = field(default_factory=dict)
    is_even: bool = False


ENCODERS = (
    Encoder(
        "libx264",
        "h264",
        "browsers play it",
        {"preset": "superfast", "tune": "zerolatency", "crf": "23", "threads": "2"},
    ),
    Encoder(
        "libvpx-vp9",
        "vp9",
        "most browsers play it",
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "crf": "33", "b": "0"},
    ),
    Encoder(
        "mpeg4",
        "mpeg4",
        "players show it, browsers do not",
        {"flags": "+qscale", "global_quality": "472"},
        is_even=True,
    ),
)
"""From the best on."""


@dataclass(frozen=True)
class EncodedStream:
    """A stream of a new file, with its encoder open.

    Attributes:
        stream: The stream.
        encoder: The encoder.
        notice: The reason why it is not the usual one, for people; None if it is.
    """

    stream: "VideoStream"
    encoder: Encoder
    notice: str | None


def add_video_stream(
    container: "OutputContainer",
    size: tuple[int, int],
    fps: float,
    encoders: Sequence[Encoder] = ENCODERS,
) -> EncodedStream:
    """Add a stream of pictures to a file, by the first encoder that works here.

    Args:
        container: The file, open for writing.
        size: Width and height in pixels, both even.
        fps: Usual frames a second.
        encoders: Encoders to try, the best first.

    Raises:
        EnvironmentProblemError: None of them encodes pictures of this size into such a file.
    """
    import av
    from av import VideoStream

    fitting = [
        each
        for each in encoders
        if each.codec in container.supported_codecs or container.format.name in _TAKE_ALL
    ]
    for encoder in fitting:
        try:
            _try_encoder(encoder, size, fps)
        except (av.FFmpegError, ValueError):
            continue
        stream = container.add_stream(encoder.name, _rate(fps))
        assert isinstance(stream, VideoStream)
        _set_up(stream.codec_context, encoder, size, _time_base(container, encoder, fps), fps)
        stream.time_base = stream.codec_context.time_base
        return EncodedStream(stream, encoder, _explain(encoder, fitting[0]))
    raise EnvironmentProblemError(
        f"Pictures of {size[0]}x{size[1]} px cannot be encoded here (tried "
        f"{', '.join(each.name for each in fitting) or 'no encoder: none fits this kind of file'})."
        f" Name a file that ends in .mp4, or use a source with a smaller picture."
    )


def _try_encoder(encoder: Encoder, size: tuple[int, int], fps: float) -> None:
    """Open an encoder for such pictures.

    Raises:
        ValueError: There is no such encoder.
        FFmpegError: It refuses them.
    """
    from av import CodecContext, VideoCodecContext

    context = CodecContext.create(encoder.name, "w")
    assert isinstance(context, VideoCodecContext)
    _set_up(context, encoder, size, 1 / _rate(fps), fps)
    context.open()


def _set_up(
    context: "VideoCodecContext",
    encoder: Encoder,
    size: tuple[int, int],
    time_base: Fraction,
    fps: float,
) -> None:
    context.width, context.height = size
    context.pix_fmt = _PIXELS
    context.time_base = time_base
    context.framerate = _rate(fps)
    context.gop_size = max(1, round(fps * KEY_EVERY_S))
    context.max_b_frames = 0
    context.colorspace = context.color_primaries = context.color_trc = _BT601
    context.options = dict(encoder.options)


def _time_base(container: "OutputContainer", encoder: Encoder, fps: float) -> Fraction:
    """Return the finest unit of time that a file and its encoder know."""
    has_times = bool(container.format.flags & _HAS_TIMES)
    ticks = FRAME_TICKS if has_times and not encoder.is_even else 1
    return 1 / (_rate(fps) * ticks)


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(_LARGEST_DENOMINATOR)


def _explain(taken: Encoder, wanted: Encoder) -> str | None:
    if taken is wanted:
        return None
    return (
        f"The encoder {wanted.name} is missing here or refuses such pictures, so {taken.name} is "
        f"used: {taken.plays}. The package `av` from PyPI brings {wanted.name} along."
    )
