"""Videos of 640x480 for the live benchmarks, made of any clip with a face in it."""

from pathlib import Path

import cv2
import numpy as np

from detector.video.sink import VideoSink, fit_into
from maskage.cameras.video.video_file import VideoFile
from maskage.faces.finder import YuNetFinder, obtain_face_model
from maskage.records import FaceBox, RgbImage

WIDTH, HEIGHT = 640, 480
CELLS = (4, 2)
SURROUNDINGS = 2.2
"""Side of the picture in a cell, in sides of the face."""
_LOOKS = 40


def prepare_clips(clip: Path, one: Path, eight: Path) -> None:
    """Write two videos of a clip.

    Args:
        clip: Any video with a face in it.
        one: Gets its pictures, scaled to fit, with bars.
        eight: Gets eight cells a frame, each with the surroundings of its largest face, at
            another moment of the clip.
    """
    pictures, fps = read_pictures(clip)
    finder = YuNetFinder(obtain_face_model())
    faces = [finder.find(picture)[:1] for picture in pictures[:: max(1, len(pictures) // _LOOKS)]]
    boxes = [box for found in faces for box in found]
    assert boxes, f"{clip}: no face in it"
    around = surroundings(boxes)
    with VideoSink(one, fps) as sink:
        for picture in pictures:
            sink.write(picture)
    with VideoSink(eight, fps) as sink:
        for number in range(len(pictures)):
            sink.write(tile(pictures, number, around))


def read_pictures(clip: Path) -> tuple[list[RgbImage], float]:
    """Return all pictures of a clip at 640x480, and their rate a second."""
    camera = VideoFile(clip, pace=False)
    pictures = []
    while (frame := camera.read()) is not None:
        pictures.append(fit_into(frame.pixels, WIDTH, HEIGHT))
    camera.close()
    return pictures, camera.fps or 25.0


def surroundings(boxes: list[FaceBox]) -> tuple[int, int, int]:
    """Return left, top and side of one square around the face of all pictures, in pixels."""
    x, y = np.median([box.center for box in boxes], axis=0)
    side = round(SURROUNDINGS * float(np.median([box.side_px for box in boxes])))
    side = min(side, WIDTH, HEIGHT)
    left = int(np.clip(round(x - side / 2), 0, WIDTH - side))
    top = int(np.clip(round(y - side / 2), 0, HEIGHT - side))
    return left, top, side


def tile(pictures: list[RgbImage], number: int, around: tuple[int, int, int]) -> RgbImage:
    """Draw one frame of eight cells, each as many frames later than the cell before."""
    left, top, side = around
    across, down = CELLS
    cell = WIDTH // across
    canvas = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for at in range(across * down):
        later = (number + at * len(pictures) // (across * down)) % len(pictures)
        part = pictures[later][top : top + side, left : left + side]
        x, y = at % across * cell, at // across * (HEIGHT // down) + (HEIGHT // down - cell) // 2
        canvas[y : y + cell, x : x + cell] = cv2.resize(part, (cell, cell))
    return canvas
