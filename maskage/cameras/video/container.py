"""Opens a video file, or explains why it cannot be read and what would make it readable."""

import re
import shlex
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.errors import CameraError

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer
    from av.stream import Stream

LARGEST_FRAME_PX = 8192 * 8192
"""8K has 33 megapixels; a small file that claims more than twice that is a trap."""

_OPTIONS = {
    # A playlist that calls itself a video would fetch what it names from the network.
    "protocol_whitelist": "file",
    "max_pixels": str(LARGEST_FRAME_PX),
    # Else a hole of more than 64 KB in an MPEG transport stream looks like its end.
    "resync_size": str(1 << 30),
}
_AVI = "avi"
_MATROSKA = "matroska"
_TEXT_FORMAT = "tty"
"""FFmpeg draws any text file as a terminal would show it."""
_GUESSED_FPS = 25.0
_USUAL_TIME_BASE = Fraction(1, 90_000)
_FASTEST_FPS = 1000.0
_FASTEST_USUAL_FPS = 60.0


@dataclass(frozen=True)
class OpenVideo:
    """A video file, open.

    Attributes:
        container: The container, which gives its packets.
        stream: The track of pictures.
        facts: The facts that the file states about itself.
    """

    container: "InputContainer"
    stream: "VideoStream"
    facts: "VideoFacts"


@dataclass(frozen=True)
class VideoFacts:
    """The facts that a video file states about itself.

    Attributes:
        time_base: Seconds of one tick of its clock.
        is_in_order: True where it has no times of showing, only the order of decoding.
        pixel_aspect: Width of a pixel by its height, or None.
        coded_aspect: The same as the codec's data have it, which the container may overrule.
        codec: Name of the codec in the file, as "avc1", or FFmpeg's name where it gives none.
        fps: Usual frames a second, pauses left out.
        has_beat: True where frames come at that rate; else it is no more than an average.
        frame_count: Number of frames, or None where the file does not say; a guess where
            it says only how long it lasts.
        lasts_s: For how long it says that it plays, or None.
        starts_s: Time by its own clock from which `lasts_s` counts.
        sounds: Number of tracks of sound that can be decoded.
    """

    time_base: Fraction
    is_in_order: bool
    pixel_aspect: Fraction | None
    coded_aspect: Fraction | None
    codec: str
    fps: float
    has_beat: bool
    frame_count: int | None
    lasts_s: float | None
    starts_s: float
    sounds: int = 0


def open_video(path: Path) -> OpenVideo:
    """Open a video file, or a pipe that one comes through.

    Raises:
        CameraError: It is no video, holds no pictures, or no decoder for its codec is here.
    """
    import av

    try:
        # With the prefix a name such as "concat:a" stays a name.
        container = av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, OSError) as fault:
        raise CameraError(_explain_unreadable(path, fault)) from fault
    try:
        return _describe(path, container)
    except CameraError:
        container.close()
        raise


def find_pixel_aspect(video: OpenVideo) -> Fraction | None:
    """Return the shape of the pixels that were decoded last: width by height, or None.

    Television changes it between programmes. What the container states goes before that.
    """
    coded = video.stream.codec_context.sample_aspect_ratio or None
    is_overruled = video.facts.pixel_aspect != video.facts.coded_aspect
    return video.facts.pixel_aspect if coded is None or is_overruled else coded


def conversion(path: Path) -> str:
    """Return the command that turns a video into one that is readable everywhere."""
    made = path.with_name(f"{path.stem}-h264.mp4")
    return f"ffmpeg -i {shlex.quote(str(path))} -c:v libx264 {shlex.quote(str(made))}"


def _describe(path: Path, container: "InputContainer") -> OpenVideo:
    from av.video import VideoStream

    stream = container.streams.best("video")
    if container.format.name == _TEXT_FORMAT:
        raise CameraError(f"{path}: this is text, not a video. Choose another file.")
    if not isinstance(stream, VideoStream) or _is_cover(stream):
        kinds = " and ".join(sorted({_kind_of(each) for each in container.streams})) or "nothing"
        raise CameraError(f"{path}: no video is in this file, only {kinds}. Choose another one.")
    if stream.codec_context is None:
        raise CameraError(
            f"{path}: its codec{_name_codec(path)} cannot be decoded here. Convert it: "
            f"{conversion(path)}"
        )
    stream.thread_type = "AUTO"
    return OpenVideo(container, stream, _read_facts(container, stream))


def _is_cover(stream: "Stream") -> bool:
    """Return True for a picture that a sound file carries as its cover."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _kind_of(stream: "Stream") -> str:
    return "a cover picture" if _is_cover(stream) else stream.type


def _read_facts(container: "InputContainer", stream: "VideoStream") -> VideoFacts:
    average = _sane_rate(stream.average_rate)
    usual = _find_usual_rate(stream, average)
    fps = usual or average or _GUESSED_FPS
    lasts_s = _find_length(container, stream)
    context = stream.codec_context
    return VideoFacts(
        time_base=stream.time_base or _USUAL_TIME_BASE,
        is_in_order=container.format.name == _AVI,
        pixel_aspect=stream.sample_aspect_ratio or None,
        coded_aspect=context.sample_aspect_ratio or None,
        codec=context.codec_tag if re.fullmatch(r"\w{4}", context.codec_tag) else context.name,
        fps=fps,
        has_beat=usual is not None,
        frame_count=_find_count(stream, lasts_s, fps),
        lasts_s=lasts_s,
        # Matroska counts its length from 0, wherever its first frame lies.
        starts_s=0.0 if _MATROSKA in container.format.name else (container.start_time or 0) / 1e6,
        sounds=sum(1 for each in container.streams.audio if each.codec_context is not None),
    )


def _find_length(container: "InputContainer", stream: "VideoStream") -> float | None:
    """Return the length of the file in seconds, as it states it."""
    if container.format.name == _AVI and stream.frames and stream.average_rate:
        # FFmpeg makes an AVI that was cut as short as what is left of it; the header knows better.
        return float(stream.frames / stream.average_rate)
    return container.duration / 1e6 if container.duration else None


def _find_count(stream: "VideoStream", lasts_s: float | None, fps: float) -> int | None:
    guessed = round(lasts_s * fps) if lasts_s else 0
    # Where both are stated the smaller: one counts pauses, the other what an edit leaves out.
    counts = [count for count in (stream.frames, guessed) if count > 0]
    return min(counts, default=None)


def _find_usual_rate(stream: "VideoStream", average: float | None) -> float | None:
    """Return the rate at which frames come where there is no pause, or None where there is none."""
    usual = _sane_rate(stream.guessed_rate)
    if average is not None and usual is not None and usual > max(_FASTEST_USUAL_FPS, average):
        # It is that of the file's clock: frames come at any time.
        return None
    return usual


def _sane_rate(rate: Fraction | None) -> float | None:
    return float(rate) if rate is not None and 0 < rate <= _FASTEST_FPS else None


def _explain_unreadable(path: Path, fault: Exception) -> str:
    if not path.is_file():
        return f"{path}: no video comes through this pipe ({_reason(fault)}). Write it to a file."
    size = path.stat().st_size
    if size == 0:
        return f"{path}: this file is empty (0 bytes). Wait until it is written, or copy it again."
    if not isinstance(fault, ValueError):
        return f"{path}: cannot be opened ({_reason(fault)})."
    with path.open("rb") as file:
        is_mp4 = file.read(12)[4:8] in (b"ftyp", b"wide", b"mdat")
    if is_mp4:
        return (
            f"{path}: the index of this video is missing or damaged ({size:,} bytes). It was cut "
            f"off, or is still being written: end the recording, or copy the file again."
        )
    return (
        f"{path}: not a video that can be read ({size:,} bytes). If a player shows it, convert it: "
        f"{conversion(path)}"
    )


def _reason(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or type(fault).__name__


def _name_codec(path: Path) -> str:
    """Return the four letters by which a file names a codec that FFmpeg does not know.

    Only FFmpeg's log has them: a stream without a decoder has no facts of its own.
    """
    import av

    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as log, av.open(f"file:{path}", options=_OPTIONS):
            text = " ".join(message for _, _, message in log)
    finally:
        av.logging.set_level(level)
    found = re.search(r"Video: none \((\w+) / 0x", text)
    return f", {found[1]!r}," if found else ""
