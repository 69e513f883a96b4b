"""The demo camera: rendered people who move in changing light, drawn from a seed.

It serves the tests, a classroom, and `--source demo`. Frame i is a pure function of the seed, the
cast, i and the settings. The numbers are chosen so that a small network learns age and mask from
the people and not from the background.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.demo.backgrounds import paint_room
from maskage.demo.light import Light
from maskage.demo.painting.canvas import Layer
from maskage.demo.painting.masks import mask_state
from maskage.demo.people import DEMO_SUBJECTS, DemoSubject
from maskage.demo.scenes import DemoFace, Movement, Pose, Role, ScenePlan, choose_cast, face_box
from maskage.demo.sprites import PersonSprites, lay_over
from maskage.errors import UsageError
from maskage.records import Frame, RgbImage

__all__ = ["DEMO_SUBJECTS", "DemoCamera", "DemoFace", "DemoSubject"]

_ROOMS = 3
# The current scene and the one before: enough for reading in order, with little memory.
_SCENES_KEPT = 2


class DemoCamera:
    """A camera that renders people; it implements `maskage.cameras.sources.Camera`.

    Args:
        seed: Seed that everything drawn depends on.
        pace: True to keep time like a webcam, so that a frame not read is lost; False to give the
            next frame at once on each read.
        cast: Ids of the subjects who may appear; None for all of `DEMO_SUBJECTS`.
        size: Width and height of the frames, in pixels.
        fps: Frames per second.
        scene_s: Duration of a scene, with the same people in the same masks.
        people: Number of people in front of the camera.
        scheme: Classes to show: of its factors, the mask's and the age's are drawn. A scheme
            without them gets the people of the four classes, and the truth stays unknown.

    Raises:
        UsageError: The cast, the size or another number cannot be shown.
    """

    name: str = "demo camera"
    frame_count: int | None = None

    def __init__(
        self,
        seed: int = 0,
        pace: bool = True,
        cast: Sequence[str] | None = None,
        size: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        scene_s: float = 3.0,
        people: int = 1,
        scheme: Scheme = MASK_AGE,
    ) -> None:
        if seed < 0 or min(size) < 32 or not fps > 0 or not scene_s > 0:
            raise UsageError(
                f"The demo camera cannot show seed {seed}, {size[0]}x{size[1]} px, {fps} fps, "
                f"scenes of {scene_s} s. Use a seed from 0, 32 px or more, and times above 0."
            )
        self.fps: float | None = fps
        self.is_live = pace
        self._seed, self._size, self._rate, self._people = seed, size, fps, people
        self._scene_plan = ScenePlan(seed, choose_cast(cast), people, scheme)
        self._scheme = scheme
        self._frames_per_scene = max(1, round(scene_s * fps))
        self._scene = lru_cache(maxsize=_SCENES_KEPT)(self._set_scene)
        self._next_index = 0
        self._opened_s = time.monotonic()

    def read(self) -> Frame:
        """Return the next frame; with `pace`, wait for the one that is due."""
        if self.is_live:
            elapsed = time.monotonic() - self._opened_s
            self._next_index = max(self._next_index, int(elapsed * self._rate))
            time.sleep(max(0.0, self._next_index / self._rate - elapsed))
        index = self._next_index
        captured_s = time.monotonic()
        self._next_index += 1
        return Frame(self.render(index), index, captured_s, index / self._rate)

    def close(self) -> None:
        """Do nothing, since no device is open."""

    def render(self, index: int) -> RgbImage:
        """Render frame `index` as RGB uint8, shape (height, width, 3)."""
        number, time_s = self._when(index)
        return self._scene(number).render(time_s, index)

    def faces_at(self, index: int) -> tuple[DemoFace, ...]:
        """Return the true faces of frame `index`, from left to right."""
        number, time_s = self._when(index)
        faces = []
        for place, role in enumerate(self._scene_plan.roles(number)):
            pose = self._movement(number, place).pose(time_s)
            box = face_box(role.subject, pose, self._size)
            label = role.subject.label(self._scheme, mask_state(role.mask))
            faces.append(DemoFace(box, label, role.subject.subject_id, role.mask))
        return tuple(faces)

    def _when(self, index: int) -> tuple[int, float]:
        """Return the number of frame `index`'s scene, and the seconds since the scene's start."""
        number, frame = divmod(index, self._frames_per_scene)
        return number, frame / self._rate

    def _movement(self, number: int, place: int) -> Movement:
        return Movement(self._seed, number, place, self._people, self._size)

    def _set_scene(self, number: int) -> "_Scene":
        roles = self._scene_plan.roles(number)
        movements = [self._movement(number, place) for place in range(len(roles))]
        return _Scene(self._seed, number, roles, movements, self._size)


class _Scene:
    """The parts that are painted once for a scene."""

    def __init__(
        self,
        seed: int,
        number: int,
        roles: Sequence[Role],
        movements: Sequence[Movement],
        size: tuple[int, int],
    ) -> None:
        width, height = size
        self._movements = movements
        self._room = paint_room(np.random.default_rng([seed, _ROOMS, number]), width, height)
        self._light = Light(seed, number, size)
        self._figures = [
            PersonSprites(role.subject, role.mask, move.unit_px, 0.3 + height / move.unit_px)
            for role, move in zip(roles, movements, strict=True)
        ]

    def render(self, time_s: float, index: int) -> RgbImage:
        pixels = self._room.copy()
        for figure, movement in zip(self._figures, self._movements, strict=True):
            self._draw(pixels, figure, movement.pose(time_s), time_s)
        return self._light.expose(pixels, time_s, index)

    def _draw(self, pixels: RgbImage, figure: PersonSprites, pose: Pose, time_s: float) -> None:
        at_head = _Placement(pose.x, pose.y, pose.unit_px, pose.roll)
        at_body = _Placement(pose.body_x, pose.body_y, figure.body.unit_px, pose.roll * 0.12)
        if figure.back is not None:
            _stamp(pixels, figure.back, figure.back.pixels, at_head)
        _stamp(pixels, figure.body, figure.body.pixels, at_body)
        head = figure.head(pose.eyes, pose.mouth)
        across, down = figure.turn_maps(pose.yaw, pose.pitch)
        turned = np.asarray(cv2.remap(head.pixels, across, down, cv2.INTER_LINEAR), np.uint8)
        _stamp(pixels, head, self._light.shade(turned, head, time_s), at_head)


@dataclass(frozen=True)
class _Placement:
    """The place of a sprite in the frame, its head unit in px, and its lean in radians."""

    x: float
    y: float
    unit_px: float
    roll: float

    def matrix(self, layer: Layer) -> NDArray[np.float64]:
        """Return the matrix from pixels of a sprite to pixels of the frame, shape (2, 3)."""
        scale = self.unit_px / layer.unit_px
        cos, sin = scale * np.cos(self.roll), scale * np.sin(self.roll)
        return np.array(
            [
                [cos, -sin, self.x + cos * layer.x - sin * layer.y],
                [sin, cos, self.y + sin * layer.x + cos * layer.y],
            ]
        )


def _stamp(ground: RgbImage, layer: Layer, pixels: NDArray[np.uint8], at: _Placement) -> None:
    """Lay a moved sprite on the frame, and compute only the part that it touches."""
    matrix = at.matrix(layer)
    height, width = pixels.shape[:2]
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
    reach = corners @ matrix.T
    left, top = np.maximum(np.floor(reach.min(axis=0)).astype(int), 0).tolist()
    right, bottom = np.minimum(np.ceil(reach.max(axis=0)).astype(int), ground.shape[1::-1]).tolist()
    if left >= right or top >= bottom:
        return
    matrix[:, 2] -= (left, top)
    moved = cv2.warpAffine(pixels, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    part = np.ascontiguousarray(ground[top:bottom, left:right])
    lay_over(part, np.asarray(moved, np.uint8))
    ground[top:bottom, left:right] = part
