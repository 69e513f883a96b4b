"""Decides shot by shot between the keys and the writer, and answers each key in words.

It knows no screen; every time is passed in as `now_s`, from `time.monotonic()`.
"""

import itertools
from dataclasses import dataclass
from enum import StrEnum

from maskage.capture.observation import Observation
from maskage.capture.shutter import (
    MAX_FRAME_AGE_S,
    Gate,
    HeldKey,
    SessionSharpness,
    ShotFindings,
    ShotPlan,
    inspect_shot,
)
from maskage.capture.writer import PhotoWriter, Shot
from maskage.classes.scheme import Scheme
from maskage.dataset.photo_names import new_session_id
from maskage.defaults import BURST_COUNT, TIMER_S
from maskage.pictures.perceptual_hash import hash_crop, is_same_picture
from maskage.pictures.quality_limits import QualityLimits


class Tone(StrEnum):
    """The tone of an answer or a piece of advice."""

    GOOD = "good"
    CARE = "care"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True)
class Feedback:
    """The answer of the screen to a key.

    Attributes:
        text: One line.
        tone: Its tone.
        is_taken: True where a shot was taken.
    """

    text: str
    tone: Tone = Tone.PLAIN
    is_taken: bool = False


class Photographer:
    """Takes shots of the newest observation, where the gate lets it.

    Args:
        writer: Saves the shots.
        scheme: The classes.
        gate: The strictness of the shutter.
        subject: Pseudonym of the person, or None.
        key_words: The keys of the classes in words, to be named where no class was used yet.

    Attributes:
        observation: The newest observation; the screen sets it.
        closed: The reason why the shutter is closed (paused, camera lost), or None.
        is_silent: True while it is closed only because a live camera's next frame is late.
        last_label: The class last used.
        refused: Number of shots refused so far.
        plan: The burst or timer in progress, or None.
    """

    def __init__(
        self,
        writer: PhotoWriter,
        scheme: Scheme,
        gate: Gate,
        subject: str | None = None,
        key_words: str = "the key of a class",
    ) -> None:
        self._writer = writer
        self._scheme = scheme
        self._key_words = key_words
        self.gate = gate
        self.subject = subject
        self.session = new_session_id()
        self._is_session_chosen = False
        self.observation: Observation | None = None
        self.closed: str | None = None
        self.is_silent = False
        self.last_label: str | None = None
        self.refused = 0
        self.plan: ShotPlan | None = None
        self._steps = itertools.count(1)
        self._held = HeldKey()
        self._sharpness = SessionSharpness()
        self._last_hash: dict[tuple[str, str | None], int] = {}
        self._shot_frame: object = None

    @property
    def limits(self) -> QualityLimits:
        """Quality limits of this session."""
        return self._sharpness.limits(QualityLimits())

    @property
    def shared_session(self) -> str | None:
        """The session of the next photo; None where each picture is a photo of its own.

        The pictures of a folder may show anybody: only the person at the keys knows that some of
        them are of one session.
        """
        is_queue = self.observation is not None and not self.observation.is_live
        return None if is_queue and not self._is_session_chosen else self.session

    def start_session(self, subject: str | None, *, is_chosen: bool = False) -> None:
        """Start a new session with the same subject or another.

        Args:
            subject: Pseudonym of the person, or None.
            is_chosen: True where pictures of a folder belong to it too.
        """
        self.subject = subject
        self.session = new_session_id()
        self._is_session_chosen = is_chosen
        self.plan = None
        self._sharpness.clear()

    def press(self, label: str, now_s: float) -> Feedback | None:
        """Handle a class key that was pressed, or repeats because it is held."""
        self.last_label = label
        self.plan = None
        folded = self._held.press(label, next(self._steps), now_s)
        if folded is not None:
            self._writer.fold(folded, into=self._held.step)
        return self._shoot_held(now_s)

    def take_picture(self, label: str, now_s: float) -> tuple[Feedback, int]:
        """Take the present picture of a folder at once; return the answer and its step."""
        self.last_label = label
        step = self.next_step()
        return self._shoot(label, step, now_s), step

    def shoot_into(self, label: str, step: int, now_s: float) -> Feedback:
        """Take the newest observation as one more shot of a step, such as a button held down."""
        self.last_label = label
        return self._shoot(label, step, now_s)

    def next_step(self) -> int:
        """Return the number of a new step, for undo."""
        return next(self._steps)

    def press_again(self, now_s: float) -> Feedback | None:
        """Handle the key that shoots into the class last used."""
        return self.press(self.last_label, now_s) if self.last_label else self.refuse_again()

    def start_burst(self, now_s: float) -> Feedback:
        """Start a burst, or stop the one in progress."""
        return self._start_plan("burst", BURST_COUNT, now_s)

    def start_timer(self, now_s: float) -> Feedback:
        """Start the countdown to one shot, or stop it."""
        return self._start_plan("timer", 1, now_s + TIMER_S)

    def tick(self, now_s: float) -> Feedback | None:
        """Take the shot that is due, if any; the screen calls this many times a second."""
        if self.plan is not None and self._lacks_picture(now_s):
            # Ten photos were asked for: a camera that stumbles must not cost some of them.
            self.plan.wait(now_s)
            return None
        if self._must_wait(now_s):
            return None
        if self.plan is not None:
            label = self.plan.take_due(now_s)
            answer = self._shoot(label, self.plan.step, now_s) if label else None
            if self.plan.is_done:
                self.plan = None
            return answer
        return self._shoot_held(now_s)

    def countdown(self, now_s: float) -> int:
        """Return the number that the timer shows: 3, 2, 1, or 0 where none runs."""
        return self.plan.countdown(now_s) if self.plan else 0

    def advise(self, now_s: float) -> Feedback:
        """Return a line for the person in front of the camera: the worst fault, or "ready"."""
        if self.closed:
            return Feedback(self.closed, Tone.BAD)
        if self.observation is None:
            return Feedback("waiting for the first picture", Tone.PLAIN)
        findings = inspect_shot(self.observation, now_s, self.limits)
        if not findings.all:
            ready = "hold your face in the frame" if self.observation.is_guided else "ready"
            return Feedback(ready, Tone.GOOD)
        is_bad = bool(findings.refusals(self.gate))
        return Feedback(findings.all[0], Tone.BAD if is_bad else Tone.CARE)

    def _start_plan(self, what: str, count: int, starts_s: float) -> Feedback:
        if self.last_label is None:
            return self.refuse_again()
        if self.plan is not None:
            self.plan = None
            return Feedback(f"{what} stopped")
        self.plan = ShotPlan(self.last_label, next(self._steps), count, starts_s)
        return Feedback(f"{what} into {self._scheme.title(self.last_label)}")

    def _shoot_held(self, now_s: float) -> Feedback | None:
        if self._must_wait(now_s):
            return None
        label = self._held.take_due(now_s)
        return self._shoot(label, self._held.step, now_s) if label else None

    def _must_wait(self, now_s: float) -> bool:
        """Return True while a live camera's next frame is awaited: no frame is shot twice."""
        observation = self.observation
        return (
            self.closed is None
            and observation is not None
            and observation.is_live
            and observation.frame is self._shot_frame
            and now_s - observation.frame.captured_s <= MAX_FRAME_AGE_S
        )

    def _lacks_picture(self, now_s: float) -> bool:
        """Return True while a live camera's next frame is late, so that there is none to shoot."""
        observation = self.observation
        if observation is None or not observation.is_live:
            return False
        is_late = now_s - observation.frame.captured_s > MAX_FRAME_AGE_S
        return self.is_silent or (self.closed is None and is_late)

    def _shoot(self, label: str, step: int, now_s: float) -> Feedback:
        observation = self.observation
        if self.closed or observation is None:
            return self._refuse((self.closed or "no picture yet",))
        if observation.frame is self._shot_frame:
            return self._refuse(("no new picture yet",))
        fingerprint = hash_crop(observation.crop)
        findings = self._inspect(observation, label, fingerprint, now_s)
        if refusals := findings.refusals(self.gate):
            return self._refuse(refusals)
        shot = self._compose(observation, label, step, findings)
        if not self._writer.save(shot):
            return self._refuse(("the disk does not keep up",))
        self._shot_frame = observation.frame
        self._last_hash[label, self.subject] = fingerprint
        self._sharpness.note(observation.quality.sharpness)
        return Feedback(f"saving {self._scheme.title(label)}", Tone.PLAIN, is_taken=True)

    def _inspect(
        self, observation: Observation, label: str, fingerprint: int, now_s: float
    ) -> ShotFindings:
        findings = inspect_shot(observation, now_s, self.limits)
        last = self._last_hash.get((label, self.subject))
        if last is None or not is_same_picture(last, fingerprint):
            return findings
        return ShotFindings(
            findings.closed,
            findings.unclear,
            (
                *findings.flaws,
                "same as the last shot: move"
                if observation.is_live
                else "same as the last picture",
            ),
        )

    def _compose(
        self, observation: Observation, label: str, step: int, findings: ShotFindings
    ) -> Shot:
        return Shot(
            crop=observation.crop,
            label=label,
            subject=self.subject,
            session=self.shared_session,
            source=observation.source,
            box=observation.box,
            quality=observation.quality,
            step=step,
            flaws=findings.all if self.gate is not Gate.OFF else (),
            picture=None if observation.is_live else observation.frame.index,
            digest=observation.digest,
        )

    def _refuse(self, why: tuple[str, ...]) -> Feedback:
        self.refused += 1
        return Feedback(f"refused: {', '.join(why)}", Tone.BAD)

    def refuse_again(self) -> Feedback:
        """Return the answer to a key that needs a class where none was used yet."""
        return Feedback(f"no class used yet: press {self._key_words} first", Tone.CARE)
