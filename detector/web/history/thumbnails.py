"""A small picture of a kept file: of a snapshot, or of a recording's first frame."""

from contextlib import closing

import cv2

from detector.web.history.kept_files import KeptFile, KeptKind
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import RgbImage

WIDTH_PX = 320
_QUALITY = 80


def make_thumbnail(file: KeptFile) -> bytes:
    """Return a JPEG of at most `WIDTH_PX` in width.

    Raises:
        ToolchainError: The file cannot be read as a picture or video.
    """
    pixels = read_image(file.path) if file.kind is KeptKind.SNAPSHOTS else _first_frame(file)
    height, width = pixels.shape[:2]
    if width > WIDTH_PX:
        size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype("uint8")
    return encode_jpeg(pixels, _QUALITY)


def _first_frame(file: KeptFile) -> RgbImage:
    from maskage.cameras.video.video_file import VideoFile
    from maskage.errors import UnreadableImageError

    with closing(VideoFile(file.path, pace=False)) as video:
        frame = video.read()
    if frame is None:
        raise UnreadableImageError(f"{file.path.name}: this recording has no picture yet.")
    return frame.pixels
