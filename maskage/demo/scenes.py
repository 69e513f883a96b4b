"""The scenes of the demo camera: who appears, what they wear, and how they move.

Everything here is a pure function of the seed, the cast and the time; nothing is painted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maskage.classes.scheme import MASK, MISWORN, NONE, WORN, Scheme
from maskage.demo.painting.face import CHEEK_X, CHIN_Y, HAIRLINE_Y
from maskage.demo.painting.features import EyeState
from maskage.demo.painting.masks import (
    BELOW_NOSE,
    LEFT_EAR,
    MASK_KINDS,
    NO_MASK,
    ON_CHIN,
    ON_FOREHEAD,
    RIGHT_EAR,
    wear,
)
from maskage.demo.people import DEMO_SUBJECTS, DemoSubject
from maskage.errors import UsageError
from maskage.records import FaceBox

_CHIN_SHARE = 0.25
"""Share of masks on the chin among people without a mask, where no class is for misworn masks."""

_WAY_SHARES = {BELOW_NOSE: 9, ON_CHIN: 6, LEFT_EAR: 1, RIGHT_EAR: 1, ON_FOREHEAD: 3}
"""Share, in twentieths, of each way to wear a mask wrongly; noses are bare most often."""

_PLANS, _MOVES = 1, 2
_STATES = (WORN, MISWORN, NONE)


@dataclass(frozen=True)
class DemoFace:
    """A true face in a frame.

    Attributes:
        box: Box from the chin to the hairline, in pixels of the frame.
        label: The class; None where the scheme asks for more than mask and age.
        subject_id: Id of the person.
        mask: "none", a kind of mask, or a way to wear it wrongly and the kind: "chin dots".
    """

    box: FaceBox
    label: str | None
    subject_id: str
    mask: str


@dataclass(frozen=True)
class Role:
    """A person in a scene, with the mask that they wear."""

    subject: DemoSubject
    mask: str


@dataclass(frozen=True, kw_only=True)
class Pose:
    """The place and pose of a head in a frame.

    Attributes:
        x, y: Point between the eyes, in pixels.
        unit_px: Pixels in a head unit.
        roll: Lean to the side, in radians.
        yaw, pitch: Turn and nod, -1 to 1.
        eyes: State of the eyes.
        mouth: Opening of the mouth: 0 closed, 0.5 or 1 open.
        body_x, body_y: Origin of the body, in pixels, which follows the head in part.
    """

    x: float
    y: float
    unit_px: float
    roll: float
    yaw: float
    pitch: float
    eyes: EyeState
    mouth: float
    body_x: float
    body_y: float


def choose_cast(cast: Sequence[str] | None) -> tuple[DemoSubject, ...]:
    """Return the subjects with these ids, in this order; all for None.

    Raises:
        UsageError: An id is unknown, is named twice, or the cast is empty.
    """
    if cast is None:
        return DEMO_SUBJECTS
    known = {subject.subject_id: subject for subject in DEMO_SUBJECTS}
    unknown = [name for name in cast if name not in known]
    if unknown or not cast or len(set(cast)) != len(cast):
        found = f"{unknown[0]!r}" if unknown else f"{', '.join(cast) or 'nobody'}"
        raise UsageError(
            f"The demo camera's cast must name different known people; found {found}. "
            f"Choose from {DEMO_SUBJECTS[0].subject_id} to {DEMO_SUBJECTS[-1].subject_id}."
        )
    return tuple(known[name] for name in cast)


class ScenePlan:
    """The plan of the people and masks of each scene.

    In each round everyone appears once, and from round to round a person goes on to the next state
    of the mask: worn, misworn where the scheme has that, none. The states, both ages and the kinds
    of masks alternate as evenly as the cast allows.

    Args:
        seed: Seed of the plan.
        cast: People who may appear.
        people: Number of people in a scene.
        scheme: Classes to show. Without a factor for masks, masks are worn or not there.

    Raises:
        UsageError: There are more people in a scene than in the cast, or fewer than one.
    """

    def __init__(self, seed: int, cast: Sequence[DemoSubject], people: int, scheme: Scheme) -> None:
        if not 1 <= people <= len(cast):
            raise UsageError(
                f"A scene of {people} people cannot be shown with a cast of {len(cast)}. "
                f"Ask for 1 to {len(cast)} people."
            )
        self._seed, self._cast, self._people = seed, tuple(cast), people
        self._scenes_per_round = len(cast) // people
        self._states = {subject: _states_of(subject, scheme) for subject in self._cast}
        self._has_misworn = MISWORN in scheme.factors.get(MASK, ())

    def roles(self, scene: int) -> tuple[Role, ...]:
        """Return the people of a scene, from left to right."""
        turn, place = divmod(scene, self._scenes_per_round)
        order = self._round(turn)
        return tuple(order[place * self._people : (place + 1) * self._people])

    def _round(self, turn: int) -> list[Role]:
        rng = np.random.default_rng([self._seed, _PLANS, turn])
        groups = [(state, is_old) for state in _STATES for is_old in (True, False)]
        queues: dict[tuple[str, bool], list[Role]] = {group: [] for group in groups}
        for is_old in (True, False):
            first = int(np.random.default_rng([self._seed, _PLANS]).integers(2))
            group = [subject for subject in self._cast if subject.is_old is is_old]
            worn, misworn = _deal_masks(rng), _deal_masks(rng)
            for rank, subject in enumerate(group):
                states = self._states[subject]
                state = states[(rank + turn + first) % len(states)]
                mask = self._choose_mask(state, worn, misworn, rng)
                queues[state, is_old].append(Role(subject, mask))
        shown = [queue for queue in queues.values() if queue]
        for queue in shown:
            rng.shuffle(queue)
        order = [shown[i] for i in rng.permutation(len(shown))]
        longest = max(len(queue) for queue in shown)
        return [queue[i] for i in range(longest) for queue in order if i < len(queue)]

    def _choose_mask(
        self, state: str, worn: Iterator[str], misworn: Iterator[str], rng: np.random.Generator
    ) -> str:
        if state == WORN:
            return next(worn)
        if state == MISWORN:
            ways, shares = list(_WAY_SHARES), list(_WAY_SHARES.values())
            way = rng.choice(len(ways), p=np.array(shares) / sum(shares))
            return wear(ways[int(way)], next(misworn))
        # Without a class for them, misworn masks count as none, and some must be seen.
        if not self._has_misworn and rng.random() < _CHIN_SHARE:
            return wear(ON_CHIN, next(misworn))
        return NO_MASK


def mask_states(scheme: Scheme) -> tuple[str, ...]:
    """Return the states that masks are shown in for a scheme; without the factor worn and none."""
    known = scheme.factors.get(MASK, ())
    return tuple(state for state in _STATES if state in known) or (WORN, NONE)


def _states_of(subject: DemoSubject, scheme: Scheme) -> tuple[str, ...]:
    """Return the states that a scheme has classes for on this person; all if it has none."""
    states = mask_states(scheme)
    with_class = [state for state in states if subject.label(scheme, state) is not None]
    return tuple(with_class) or states


class Movement:
    """The movement of a person in a scene: sums of slow waves, blinks and talk.

    Args:
        seed: Seed of the camera.
        scene: Number of the scene.
        place: Number of the person from the left, from 0.
        people: Number of people in the scene.
        size: Width and height of the frame, in pixels.
    """

    def __init__(
        self, seed: int, scene: int, place: int, people: int, size: tuple[int, int]
    ) -> None:
        rng = np.random.default_rng([seed, _MOVES, scene, place])
        width, height = size
        share = width / people
        self.unit_px = min(0.25 * height, share / (2.6 if people == 1 else 3.3))
        self.unit_px *= float(rng.uniform(0.94, 1.06))
        rise = 0.08 * self.unit_px if people == 1 else -float(rng.uniform(-0.2, 0.3)) * self.unit_px
        self._x = (place + 0.5) * share + float(rng.normal(0, 0.05)) * self.unit_px
        self._y = height / 2 - rise
        self._phase = rng.uniform(0, 2 * np.pi, 8)
        self._rate = rng.uniform(0.7, 1.35, 8)
        self._reach = rng.uniform(0.55, 1.0, 8)
        self._blink_every = float(rng.uniform(2.1, 3.8))
        self._blink_at = float(rng.uniform(0.4, 1.8))
        self._talks = bool(rng.random() < 0.55)

    def pose(self, time_s: float) -> Pose:
        """Return the pose `time_s` seconds after the start of the scene."""
        sway, bob = self._wave(0, 0.42, time_s), self._wave(1, 0.6, time_s)
        yaw, pitch = self._wave(2, 0.36, time_s), self._wave(3, 0.5, time_s)
        near = 1 + 0.035 * self._wave(4, 0.25, time_s)
        unit = self.unit_px * near
        shift = unit * 0.09 * sway
        return Pose(
            x=self._x + shift + 0.05 * unit * yaw,
            y=self._y + unit * (0.035 * bob + 0.03 * pitch),
            unit_px=unit,
            roll=0.075 * self._wave(5, 0.33, time_s),
            yaw=0.62 * yaw,
            pitch=0.32 * pitch,
            eyes=self._eyes(time_s),
            mouth=self._mouth(time_s),
            body_x=self._x + 0.45 * shift,
            body_y=self._y + unit * 0.015 * bob,
        )

    def _wave(self, which: int, hertz: float, time_s: float) -> float:
        """Return a slow wave with an overtone, -1 to 1."""
        angle = 2 * np.pi * hertz * self._rate[which] * time_s + self._phase[which]
        wave = 0.75 * np.sin(angle) + 0.25 * np.sin(2.3 * angle + self._phase[7 - which])
        return float(self._reach[which] * wave)

    def _eyes(self, time_s: float) -> EyeState:
        since = (time_s - self._blink_at) % self._blink_every
        if time_s >= self._blink_at and since < 0.2:
            return EyeState(0.0) if 0.05 <= since < 0.13 else EyeState(0.5)
        glance = self._wave(6, 0.3, time_s)
        return EyeState(1.0, float(np.sign(glance)) if abs(glance) > 0.55 else 0.0)

    def _mouth(self, time_s: float) -> float:
        if not self._talks or self._wave(7, 0.4, time_s) < -0.1:
            return 0.0
        loud = np.sin(2 * np.pi * 2.7 * self._rate[7] * time_s) + np.sin(11.3 * time_s)
        return 1.0 if loud > 0.9 else 0.5 if loud > -0.2 else 0.0


def face_box(subject: DemoSubject, pose: Pose, size: tuple[int, int]) -> FaceBox:
    """Return the tight box of a face, chin to hairline, clipped to a frame of `size`, px."""
    cheek, middle = CHEEK_X * subject.face[0], (CHIN_Y + HAIRLINE_Y) / 2
    corners = np.array([(0, CHIN_Y), (0, HAIRLINE_Y), (cheek, middle), (-cheek, middle)])
    cos, sin = np.cos(pose.roll), np.sin(pose.roll)
    x = pose.x + pose.unit_px * (corners[:, 0] * cos - corners[:, 1] * sin)
    y = pose.y + pose.unit_px * (corners[:, 0] * sin + corners[:, 1] * cos)
    left, right = (int(np.clip(round(v), 0, size[0])) for v in (x.min(), x.max()))
    top, bottom = (int(np.clip(round(v), 0, size[1])) for v in (y.min(), y.max()))
    return FaceBox(left, top, max(1, right - left), max(1, bottom - top))


def _deal_masks(rng: np.random.Generator) -> Iterator[str]:
    """Yield every kind of mask in a random order, over and over."""
    kinds = list(MASK_KINDS)
    while True:
        yield from (kinds[int(i)] for i in rng.permutation(len(kinds)))
