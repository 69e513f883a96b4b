"""Cameras for a long sitting: as fast as the loop goes, or in real time; lost on demand."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from maskage.classes.ready_made import MASK_AGE
from maskage.demo.camera import DemoCamera
from maskage.errors import CameraError
from maskage.records import FaceBox, Frame, RgbImage
from tests.detector.conftest import COLORS

SMALL, LARGE = (160, 120), (640, 480)
FPS = 30.0
FACE_PX = 36
CYCLE = 600
"""Frames after which everything begins again: twenty seconds."""


@dataclass
class Supply:
    """What the cameras of one sitting share.

    Attributes:
        wanted: Released once for every frame that the loop is ready for.
        is_lost: The camera in use breaks at its next read.
        refusals: How often it cannot be opened after that.
        broken: How often it broke.
    """

    wanted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(2))
    is_lost: bool = False
    refusals: int = 0
    broken: int = 0

    def lose(self) -> None:
        """Break the camera, and refuse the first attempt to open it again."""
        self.is_lost, self.refusals = True, 1

    def check_open(self) -> None:
        """Raise where the camera cannot be opened yet."""
        if self.refusals > 0:
            self.refusals -= 1
            raise CameraError("The camera does not answer.")

    def check_read(self) -> None:
        """Raise where the camera is to break."""
        if self.is_lost:
            self.is_lost = False
            self.broken += 1
            raise CameraError("The cable was pulled.")


class FilmCamera:
    """Prepared pictures over and over; by its own clock they are 30 a second.

    Args:
        pictures: Each is given as memory of its own, as a camera does.
        supply: Shared by the cameras of a sitting.
        pace: Keep to that clock, and lose what is not read in time. Without it each picture comes
            as soon as the one before was dealt with.
    """

    name: str = "film camera"
    fps: float | None = FPS
    frame_count: int | None = None
    is_live: bool = True

    def __init__(self, pictures: Sequence[RgbImage], supply: Supply, *, pace: bool) -> None:
        supply.check_open()
        self._pictures, self._supply, self._pace = pictures, supply, pace
        self._opened_s = time.monotonic()
        self._index = 0

    def read(self) -> Frame:
        if self._pace:
            elapsed_s = time.monotonic() - self._opened_s
            self._index = max(self._index, int(elapsed_s * FPS))
            time.sleep(max(0.0, self._index / FPS - elapsed_s))
        else:
            # A paused loop wants none: frames come slowly then, as they do in life.
            self._supply.wanted.acquire(timeout=1 / FPS)
        self._supply.check_read()
        index = self._index
        self._index += 1
        pixels = self._pictures[index % len(self._pictures)].copy()
        return Frame(pixels, index, time.monotonic(), index / FPS)

    def close(self) -> None:
        """Nothing is held open."""


class ScriptedFinder:
    """Knows where the faces of `paint_cycle` are: finding them costs nothing."""

    is_guide: bool = False
    notice: str | None = None

    def __init__(self) -> None:
        self._boxes = [[box for box, _ in faces_at(number)] for number in range(CYCLE)]

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        return self._boxes[int(pixels[0, 0, 0]) + 256 * int(pixels[0, 0, 1])]


def faces_at(number: int) -> list[tuple[FaceBox, int]]:
    """Boxes, and positions in `MASK_AGE.labels`, of one frame of the cycle: up to three people.

    They come and go, apart for longer than a track is kept, move, and change their mask.
    """
    faces = []
    for person, (first, last) in enumerate(((0, 480), (90, 300), (250, 560))):
        if first <= number < last:
            x = 8 + 50 * person + round(6 * np.sin(number / 20 + person))
            y = 40 + round(20 * np.sin(number / 35 + 2 * person))
            is_second_half = number - first > (last - first) // 2
            faces.append((FaceBox(x, y, FACE_PX, FACE_PX), (2 * person + is_second_half) % 4))
    return faces


def paint_cycle(seed: int) -> list[RgbImage]:
    """Pictures of `SMALL` for `ScriptedFinder` and the tiny network of colours.

    The first pixel of each says its number; everything has grain, that it can be followed.
    """
    chance = np.random.default_rng(seed)
    width, height = SMALL
    ground = chance.integers(90, 160, (height, width, 3), dtype=np.uint8)
    grain = chance.integers(-20, 21, (FACE_PX, FACE_PX, 1))
    pictures = []
    for number in range(CYCLE):
        pixels = ground.copy()
        for box, label in faces_at(number):
            face = np.array(COLORS[MASK_AGE.labels[label]]) + grain
            part = (slice(box.y, box.y + FACE_PX), slice(box.x, box.x + FACE_PX))
            pixels[part] = np.clip(face, 0, 255).astype(np.uint8)
        pixels[0, 0] = (number % 256, number // 256, 0)
        pictures.append(pixels)
    return pictures


def film_demo(seed: int, size: tuple[int, int], frames: int) -> list[RgbImage]:
    """Pictures of the demo camera, for a real finder and network.

    They are made beforehand: what its painting takes and gives back is no matter of the live view.
    """
    demo = DemoCamera(seed=seed, pace=False, size=size, scene_s=4.0, people=2)
    return [demo.read().pixels for _ in range(frames)]


def make_films(*, is_real: bool, is_paced: bool) -> dict[str, list[RgbImage]]:
    """What two cameras show, by their names: painted for a script, or real enough to be found."""
    if is_paced:
        # Two would take half a gigabyte; the other camera sees the same backwards.
        film = film_demo(1, LARGE, round(8 * FPS))
        return {"a film": film, "the same backwards": film[::-1]}
    if is_real:
        return {f"film {seed}": film_demo(seed, SMALL, CYCLE) for seed in (1, 2)}
    return {f"film {seed}": paint_cycle(seed) for seed in (1, 2)}
