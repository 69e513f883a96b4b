"""Sources of frames: a webcam, a video, a stream, a folder of pictures, the demo camera.

Each is a `Camera`; `open_camera` opens what a user names after `--source`.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2

from maskage.cameras.pixel_shape import square_size
from maskage.cameras.video.video_file import VideoFile
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.demo.address import is_demo, named_scheme
from maskage.errors import CameraError, UnreadableImageError
from maskage.outside_text import shown_text
from maskage.pictures.images import read_image
from maskage.pictures.picture_files import FolderListing, describe_left_out, list_pictures
from maskage.pictures.picture_kinds import PICTURE_FORMATS, VIDEO_SUFFIXES, is_picture_file
from maskage.records import Frame, RgbImage

OPEN_TIMEOUT_S = 5.0
"""FFmpeg waits for a key frame, which cameras send every 1 to 4 s."""
READ_TIMEOUT_S = 2.0
STREAM_SCHEMES = ("http://", "https://", "rtsp://", "rtsps://")


class Camera(Protocol):
    """A source that hands out frames, one after the other.

    Attributes:
        name: Its name for people: "webcam 0", "clip.mp4", "demo camera".
        fps: Nominal frames a second, or None where unknown.
        frame_count: Number of frames in all, or None where unknown or endless.
        is_live: True where time passes at the camera by itself: a frame not read is lost.
    """

    name: str
    fps: float | None
    frame_count: int | None
    is_live: bool

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end of a recording.

        Raises:
            CameraError: A live camera was lost (the end of a file is an end, not an error).
        """

    def close(self) -> None:
        """Release the device or file. May be called twice."""


class CaptureCamera:
    """A webcam or a stream, through OpenCV: live, without an end.

    Args:
        source: A webcam's number, or an address.
        name: Its name for people.
        missing: The message of the error where it does not open.
    """

    is_live: bool = True
    frame_count: int | None = None

    def __init__(self, source: int | str, name: str, missing: str) -> None:
        self.name = name
        self._capture = _open_capture(source)
        if not self._capture.isOpened():
            self._capture.release()
            raise CameraError(missing)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps: float | None = rate if 0 < rate < 1000 else None
        self._pixel_aspect = _read_pixel_aspect(self._capture)
        self._index = 0
        self._opened_s = time.monotonic()

    def read(self) -> Frame | None:
        """Return the next frame.

        Raises:
            CameraError: The camera was lost.
        """
        pixels = _read_pixels(self._capture, self._pixel_aspect)
        if pixels is None:
            raise CameraError(
                f"{self.name}: no picture after {self._index} frames. "
                f"Check the cable or the network, then start again."
            )
        now = time.monotonic()
        frame = Frame(pixels, self._index, now, now - self._opened_s)
        self._index += 1
        return frame

    def close(self) -> None:
        """Release the device. May be called twice."""
        self._capture.release()


class PictureFolder:
    """A folder of pictures, or one picture, in the order of their names.

    Attributes:
        folder: The folder that the pictures lie in.
        left_out: Files of the folder that are not read.
        skipped: Messages about pictures that cannot be read.
    """

    is_live = False

    def __init__(self, path: Path) -> None:
        self.name = shown_text(path)
        self.folder = path.parent if path.is_file() else path
        self.fps: float | None = None
        listing = FolderListing((path,), ()) if path.is_file() else _list_folder(path)
        self._files = list(listing.pictures)
        self.left_out = listing.left_out
        self.frame_count: int | None = len(self._files)
        self.skipped: list[str] = []
        self._index = 0
        self._passed_over: set[Path] = set()

    def pass_over(self, sources: Iterable[str | None]) -> int:
        """Leave out pictures that photos were made from before; return how many there are."""
        known = {Path(source).absolute() for source in sources if source}
        self._passed_over = {path for path in self._files if path.absolute() in known}
        return len(self._passed_over)

    def go_to(self, index: int) -> None:
        """Read this picture next, counted from 0."""
        self._index = index

    def read(self) -> Frame | None:
        """Return the next readable picture as a frame, or None after the last one."""
        while self._index < len(self._files):
            index, path = self._index, self._files[self._index]
            self._index += 1
            if path in self._passed_over:
                continue
            try:
                return Frame(read_image(path), index, time.monotonic(), float(index), path.name)
            except UnreadableImageError as fault:
                self.skipped.append(str(fault))
        return None

    def close(self) -> None:
        """End the folder. May be called twice."""
        self._index = len(self._files)


def _list_folder(path: Path) -> FolderListing:
    try:
        listing = list_pictures(path)
    except OSError as fault:
        raise CameraError(
            f"{path}: the pictures in this folder cannot be listed ({fault.strerror or fault}). "
            f"Check who may read it."
        ) from fault
    if not listing.pictures:
        raise CameraError(
            f"{path}: no pictures in this folder.",
            *(describe_left_out(listing.left_out) or ["It is empty."]),
            f"Pictures are files in {PICTURE_FORMATS} that lie directly in it.",
        )
    return listing


def can_fall_silent(camera: Camera) -> bool:
    """Return whether silence means that a source is lost; a recording ends, and is never lost."""
    return camera.is_live and not isinstance(camera, VideoFile)


def shows_pictures(source: str) -> bool:
    """Return True where a source is a folder of pictures, or one picture.

    "demo" and "0" are cameras, also beside a folder of that name; "./demo" is the folder.
    """
    if is_demo(source) or source.isdecimal():
        return False
    path = Path(source).expanduser()
    return path.is_dir() or (path.is_file() and is_picture_file(path))


def open_camera(
    source: str, *, pace: bool = True, seed: int = 0, scheme: Scheme = MASK_AGE
) -> Camera:
    """Open a source, as a user names it after `--source`.

    Args:
        source: A webcam's number, a video or picture file, a folder of pictures, a stream's URL
            (HTTP MJPEG, RTSP), "demo", or "demo:" and the name of ready-made classes.
        pace: True where recordings and the demo camera keep to their own speed; False lets them run
            as fast as they are read.
        seed: Seed of the demo camera: who appears, and in what light.
        scheme: Classes that the demo camera shows, unless the source names them.

    Raises:
        CameraError: There is no such source, or it gives no picture.
    """
    if not source.strip():
        raise CameraError("No source is named. Try --source 0, a file, an address, or demo.")
    if is_demo(source):
        from maskage.demo.camera import DemoCamera

        return DemoCamera(seed=seed, pace=pace, scheme=named_scheme(source) or scheme)
    if source.isdecimal():
        return _open_webcam(int(source))
    if source.lower().startswith(STREAM_SCHEMES):
        return _open_stream(source)
    if "://" in source:
        # The address is not repeated: a password may be in it.
        protocol = source.partition("://")[0]
        kind = f"at {protocol}:// addresses" if protocol.isalnum() else "there"
        raise CameraError(
            f"No camera can be opened {kind}. "
            f"Addresses of cameras begin with {', '.join(STREAM_SCHEMES)}."
        )
    path = Path(source).expanduser()
    if shows_pictures(source):
        return PictureFolder(path)
    if path.is_file() or path.is_fifo():
        return VideoFile(path, pace=pace)
    # An address without its scheme, or with one slash, may hold a password too.
    named = "it is not repeated here, as it may hold a password" if "@" in source else repr(source)
    raise CameraError(
        f"No such source: {named}. A source is a webcam's number, a video "
        f"({', '.join(sorted(VIDEO_SUFFIXES)[:3])}, ...), a folder of pictures, an http:// or "
        f"rtsp:// address, 'demo', or 'demo:' and the name of ready-made classes."
    )


def read_frames(source: str | Path, *, limit: int | None = None, seed: int = 0) -> Iterator[Frame]:
    """Iterate over the frames of a source, as fast as they are taken, and close it at the end.

    Args:
        source: As for `open_camera`.
        limit: Number of frames at most; None reads a recording to its end, a camera for ever.
        seed: Seed of the demo camera: who appears, and in what light.

    Raises:
        CameraError: There is no such source, or a live camera was lost.

    Example:
        >>> [frame.pixels.shape for frame in read_frames("demo", limit=2)]
        [(480, 640, 3), (480, 640, 3)]
    """
    with closing(open_camera(str(source), pace=False, seed=seed)) as camera:
        taken = 0
        while (limit is None or taken < limit) and (frame := camera.read()) is not None:
            yield frame
            taken += 1


@dataclass(frozen=True)
class Webcam:
    """A webcam that answers.

    Attributes:
        index: Number that `--source` takes.
        name: Name of the device from its driver, or None where unknown.
        width, height: Size of its pictures in pixels, as it opens.
        fps: Nominal frames a second, or None where unknown.
    """

    index: int
    name: str | None
    width: int
    height: int
    fps: float | None

    def __str__(self) -> str:
        rate = f" at {self.fps:.0f} fps" if self.fps else ""
        return f"{self.name or 'webcam'}, {self.width}x{self.height}{rate}"


def find_webcams(limit: int = 10, leave_out: Collection[int] = ()) -> list[Webcam]:
    """Find the webcams that answer, without opening devices that the system does not list.

    Args:
        limit: Number of devices to try at most.
        leave_out: Numbers of devices to leave alone.
    """
    devices = sorted(
        int(number)
        for path in Path("/dev").glob("video*")
        if (number := path.name.removeprefix("video")).isdecimal()
    )
    candidates = devices if Path("/sys").exists() else list(range(limit))
    found = []
    for index in [each for each in candidates if each not in leave_out][:limit]:
        capture = cv2.VideoCapture(index)
        if capture.isOpened() and capture.grab():
            found.append(_describe_webcam(index, capture))
        capture.release()
    return found


def list_webcams(limit: int = 10) -> list[int]:
    """Return the numbers of the webcams that answer; see `find_webcams`."""
    return [webcam.index for webcam in find_webcams(limit)]


def read_device_name(index: int, devices: Path = Path("/sys/class/video4linux")) -> str | None:
    """Return the name of a video device on Linux, or None where it has none."""
    try:
        return (devices / f"video{index}" / "name").read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _describe_webcam(index: int, capture: cv2.VideoCapture) -> Webcam:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return Webcam(
        index,
        read_device_name(index),
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        rate if 0 < rate < 1000 else None,
    )


def _open_stream(url: str) -> Camera:
    from maskage.addresses import encode_login, public_url

    shown = public_url(url)
    if url.lower().startswith(("http://", "https://")):
        from maskage.cameras.http_address import HttpAddress
        from maskage.cameras.mjpeg import MjpegStream, SnapshotCamera

        address = HttpAddress(url)
        answer = address.ask()
        if answer.boundary is not None:
            return MjpegStream(answer)
        answer.close()
        if answer.kind.startswith("image/"):
            return SnapshotCamera(address)
    return CaptureCamera(
        encode_login(url),
        shown,
        f"{shown}: no stream can be opened there (tried for at most {OPEN_TIMEOUT_S:.0f} s). "
        f"Check the address in a browser or player, its name and password too, then try again.",
    )


def _open_webcam(index: int) -> Camera:
    found = list_webcams()
    listed = " and ".join(map(str, found)) if found else "none"
    missing = (
        f"No camera at index {index}. Found {listed}. Try "
        + (f"--source {found[0]}" if found else "--source demo")
        + ", or a video file."
    )
    if index not in found:
        raise CameraError(missing)
    return CaptureCamera(index, f"webcam {index}", missing)


def _open_capture(source: int | str) -> cv2.VideoCapture:
    if isinstance(source, int):
        return cv2.VideoCapture(source)
    _silence_ffmpeg()
    # Time-outs count only as parameters of the constructor; set afterwards they do nothing.
    return cv2.VideoCapture(
        source,
        cv2.CAP_FFMPEG,
        [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            int(OPEN_TIMEOUT_S * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            int(READ_TIMEOUT_S * 1000),
        ],
    )


def _silence_ffmpeg() -> None:
    # FFmpeg writes to the terminal by itself; our own message says what went wrong.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def _read_pixel_aspect(capture: cv2.VideoCapture) -> Fraction | None:
    """Return the width of a pixel by its height, or None where the source does not say."""
    width, height = (
        int(capture.get(each)) for each in (cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN)
    )
    return Fraction(width, height) if width > 0 and height > 0 else None


def _read_pixels(capture: cv2.VideoCapture, pixel_aspect: Fraction | None) -> RgbImage | None:
    ok, bgr = capture.read()
    if not ok or bgr is None:
        return None
    size = square_size(bgr.shape[1], bgr.shape[0], pixel_aspect)
    if size != (bgr.shape[1], bgr.shape[0]):
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
