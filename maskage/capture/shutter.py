"""The gate that a shot must pass, and held keys that become bursts.

It knows no screen and reads no clock: every time is passed in as `now_s`, from `time.monotonic()`.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median

import numpy as np

from maskage.capture.observation import Observation
from maskage.pictures.quality import find_faults
from maskage.pictures.quality_limits import QualityLimits

MAX_FRAME_AGE_S = 1.0
FROZEN_AFTER_S = 2.0


class Gate(StrEnum):
    """The strictness of the shutter; under none of them is a stale or frozen picture taken.

    strict: Any fault refuses the shot.
    warn: No face or several faces refuse the shot; other faults are shown.
    off: Every shot is taken, of the guide's square where no face was found.
    """

    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


GATE_TEXTS = {
    Gate.STRICT: "Gate strict: a blurred, dark, small, repeated or unclear shot is refused.",
    Gate.WARN: "Gate warn: no face or several faces refuse a shot; other faults are shown.",
    Gate.OFF: "Gate off: every shot is taken, without a warning.",
}


@dataclass(frozen=True)
class ShotFindings:
    """The faults of a shot, the worst first in each list.

    Attributes:
        closed: The picture is not of this moment: refused under every gate.
        unclear: No face, or more than one: refused unless the gate is off.
        flaws: Blurred, dark, small, same as before: refused only under strict.
    """

    closed: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every fault, the worst first."""
        return self.closed + self.unclear + self.flaws

    def refusals(self, gate: Gate) -> tuple[str, ...]:
        """Return the reasons why `gate` refuses the shot; empty where it lets it pass."""
        refused = self.closed
        if gate is not Gate.OFF:
            refused += self.unclear
        if gate is Gate.STRICT:
            refused += self.flaws
        return refused


def inspect_shot(
    observation: Observation, now_s: float, limits: QualityLimits | None = None
) -> ShotFindings:
    """Find the faults of a shot of this observation now.

    Args:
        observation: The newest observation.
        now_s: `time.monotonic()`.
        limits: Quality limits; see `SessionSharpness.limits`.
    """
    closed: list[str] = []
    if observation.is_live:
        can_be_stale = not observation.is_recording
        if can_be_stale and now_s - observation.frame.captured_s > MAX_FRAME_AGE_S:
            closed.append("no fresh picture")
        elif can_be_stale and observation.still_s > FROZEN_AFTER_S:
            closed.append("the picture is frozen")
        elif observation.is_black:
            closed.append("the picture is black: is the lens covered?")
    unclear: list[str] = []
    if not observation.is_guided and not observation.faces:
        unclear.append("no face")
    elif len(observation.faces) > 1:
        unclear.append(f"{_count_words(len(observation.faces))} faces")
    flaws = find_faults(observation.quality, limits)
    return ShotFindings(tuple(closed), tuple(unclear), tuple(flaws))


def _count_words(count: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(count, str(count))


class SessionSharpness:
    """The sharpness of one session, which blur is measured against.

    A soft webcam is not refused; a shaken picture of a sharp one is.
    """

    _KEPT = 50
    _NEEDED = 5
    _FRACTION = 0.35

    def __init__(self) -> None:
        self._values: list[float] = []

    def note(self, sharpness: float) -> None:
        """Remember the sharpness of a shot that was taken."""
        self._values = [*self._values[-self._KEPT + 1 :], sharpness]

    def clear(self) -> None:
        """Forget all shots: a new session has other light and another person."""
        self._values = []

    def limits(self, base: QualityLimits) -> QualityLimits:
        """Return `base`, its sharpness raised to a fraction of this session's median."""
        if len(self._values) < self._NEEDED:
            return base
        wanted = self._FRACTION * median(self._values)
        return replace(base, min_sharpness=max(base.min_sharpness, wanted))


class HeldKey:
    """A key that is held down, which becomes a burst at a fixed rate.

    Terminals send no key-up, so a held key is its auto-repeat: a first press, a pause of some
    250-660 ms, then a press every 30-100 ms. Each separate press is one shot; presses closer than
    `silence_s` are a hold, and shots keep to one each `period_s` until the presses stop.

    Attributes:
        step: Number of the press or hold in progress: its shots are undone together.
    """

    def __init__(
        self, period_s: float = 0.2, silence_s: float = 0.2, repeat_delay_s: float = 0.85
    ) -> None:
        self._period_s = period_s
        self._silence_s = silence_s
        self._repeat_delay_s = repeat_delay_s
        self._label: str | None = None
        self._pressed_s = self._next_shot_s = float("-inf")
        self._is_wanted = False
        self._is_held = False
        self._opening_step: int | None = None
        self.step = 0

    def press(self, label: str, step: int, now_s: float) -> int | None:
        """Note one key event.

        Args:
            label: The class of the key.
            step: A fresh step number, used if this press starts something new.
            now_s: Moment of the event.

        Returns:
            A step that turns out to belong to `self.step`, or None: the first repeat of a hold
            comes so late that it looks like a press of its own, until the next one follows.
        """
        gap_s = now_s - self._pressed_s
        is_same = label == self._label
        folded = None
        if is_same and gap_s <= self._silence_s:
            if not self._is_held and self._opening_step is not None:
                folded, self.step = self.step, self._opening_step
            self._is_held = True
        else:
            may_repeat = is_same and gap_s <= self._repeat_delay_s and not self._is_held
            self._opening_step = self.step if may_repeat else None
            self._is_held = False
            self.step = step
            if not is_same:
                self._next_shot_s = now_s
        self._label, self._pressed_s, self._is_wanted = label, now_s, True
        return folded

    def take_due(self, now_s: float) -> str | None:
        """Return the class to shoot into now, or None; call it after each press and tick."""
        if not self._is_wanted or now_s < self._next_shot_s:
            return None
        self._is_wanted = False
        # From the shot that was due, not from this late tick: the rate does not drift.
        late_s = now_s - self._next_shot_s
        start_s = self._next_shot_s if late_s < self._period_s / 2 else now_s
        self._next_shot_s = start_s + self._period_s
        return self._label


@dataclass
class ShotPlan:
    """A plan of shots: a burst of several, or one after a countdown.

    Attributes:
        label: The class to shoot into.
        step: The number of the step; its shots are undone together.
        count: Number of shots.
        starts_s: Moment at which the first is due.
        period_s: Seconds from one shot to the next.
        taken: Number of shots that were due so far, taken or refused.
    """

    label: str
    step: int
    count: int
    starts_s: float
    period_s: float = 0.2
    taken: int = field(default=0)

    @property
    def is_done(self) -> bool:
        """True once every shot was due."""
        return self.taken >= self.count

    def take_due(self, now_s: float) -> str | None:
        """Return the class to shoot into now, or None."""
        if self.is_done or now_s < self.starts_s + self.taken * self.period_s:
            return None
        self.taken += 1
        return self.label

    def wait(self, now_s: float) -> None:
        """Postpone a shot that is due, and those after it; the countdown goes on."""
        self.starts_s = max(self.starts_s, now_s - self.taken * self.period_s)

    def countdown(self, now_s: float) -> int:
        """Return the whole seconds before the first shot: 3, 2, 1; 0 once it is due."""
        left_s = self.starts_s - now_s
        return 0 if left_s <= 0 else int(np.ceil(left_s))
