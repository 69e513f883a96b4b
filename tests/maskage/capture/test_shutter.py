"""Gates and bursts, in literal times."""

import numpy as np
import pytest

from maskage.capture.observation import RIVAL_SIDE, Observation, is_black_picture, observe_frame
from maskage.capture.shutter import (
    Gate,
    HeldKey,
    SessionSharpness,
    ShotFindings,
    ShotPlan,
    inspect_shot,
)
from maskage.pictures.perceptual_hash import hash_crop, is_same_picture
from maskage.pictures.quality_limits import QualityLimits
from maskage.records import FaceBox, Frame, Quality, RgbImage

OLD, YOUNG = "mask_old", "mask_young"
GOOD = Quality(sharpness=100.0, brightness=120.0, clipped=0.0, face_px=120)
FACE = FaceBox(10, 10, 120, 120)


def observed(
    *,
    faces: tuple[FaceBox, ...] = (FACE,),
    quality: Quality = GOOD,
    captured_s: float = 100.0,
    is_live: bool = True,
    is_guided: bool = False,
    still_s: float = 0.0,
    is_black: bool = False,
) -> Observation:
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    frame = Frame(pixels, 0, captured_s)
    return Observation(
        frame=frame,
        faces=faces,
        box=FACE,
        is_guided=is_guided,
        crop=pixels,
        quality=quality,
        source="cam",
        is_live=is_live,
        still_s=still_s,
        is_black=is_black,
    )


class FixedFinder:
    is_guide: bool = False
    notice: str | None = None

    def __init__(self, *boxes: FaceBox) -> None:
        self.boxes = list(boxes)

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        return self.boxes


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (observed(), ShotFindings()),
        (observed(captured_s=98.9), ShotFindings(closed=("no fresh picture",))),
        (observed(captured_s=98.9, is_live=False), ShotFindings()),
        (observed(still_s=2.1), ShotFindings(closed=("the picture is frozen",))),
        (
            observed(is_black=True),
            ShotFindings(closed=("the picture is black: is the lens covered?",)),
        ),
        (observed(is_black=True, is_live=False), ShotFindings()),
        (observed(faces=()), ShotFindings(unclear=("no face",))),
        (observed(faces=(), is_guided=True), ShotFindings()),
        (observed(faces=(FACE, FACE)), ShotFindings(unclear=("two faces",))),
        (
            observed(quality=Quality(1.0, 10.0, 0.0, 20)),
            ShotFindings(flaws=("too dark", "move closer", "hold still")),
        ),
    ],
)
def test_what_speaks_against_a_shot(observation: Observation, expected: ShotFindings) -> None:
    assert inspect_shot(observation, 100.0) == expected


@pytest.mark.parametrize(
    ("level", "lamp", "expected"), [(0, 0, True), (12, 0, True), (20, 0, False), (4, 90, False)]
)
def test_a_covered_lens_is_black_and_a_dark_room_is_not(
    level: int, lamp: int, expected: bool
) -> None:
    pixels = np.full((240, 320, 3), level, np.uint8)
    pixels[40:80, 40:80] += np.uint8(lamp)
    assert is_black_picture(pixels) is expected


def test_each_gate_refuses_what_it_should() -> None:
    findings = ShotFindings(("no fresh picture",), ("no face",), ("too dark",))
    assert findings.refusals(Gate.STRICT) == ("no fresh picture", "no face", "too dark")
    assert findings.refusals(Gate.WARN) == ("no fresh picture", "no face")
    assert findings.refusals(Gate.OFF) == ("no fresh picture",)


def test_people_far_behind_are_no_second_face() -> None:
    near, far = FaceBox(10, 10, 100, 100), FaceBox(150, 10, 40, 40)
    frame = Frame(np.zeros((200, 200, 3), dtype=np.uint8), 0)
    assert far.side_px < RIVAL_SIDE * near.side_px
    assert observe_frame(frame, FixedFinder(near, far), "cam").faces == (near,)
    rival = FaceBox(130, 10, 60, 60)
    assert observe_frame(frame, FixedFinder(near, rival), "cam").faces == (near, rival)


def test_where_no_face_is_found_the_guide_is_cut_out() -> None:
    frame = Frame(np.zeros((200, 300, 3), dtype=np.uint8), 0)
    observation = observe_frame(frame, FixedFinder(), "cam")
    assert observation.faces == ()
    assert (observation.box, observation.box.score) == (FaceBox(100, 50, 100, 100, 0.0), 0.0)
    assert observation.crop.shape == (160, 160, 3)


def shots_of(key: HeldKey, presses: list[float], until_s: float) -> list[float]:
    """Times of the shots when `presses` come in and the screen ticks every 10 ms."""
    shots, step = [], 0
    for now_s in np.arange(0, until_s, 0.01).round(2).tolist():
        if now_s in presses:
            step += 1
            key.press(OLD, step, now_s)
        if key.take_due(now_s):
            shots.append(now_s)
    return shots


def test_one_press_is_one_shot_at_once() -> None:
    assert shots_of(HeldKey(), [0.5], 3) == [0.5]


def test_separate_presses_are_separate_shots() -> None:
    assert shots_of(HeldKey(), [0.1, 0.6, 1.3], 3) == [0.1, 0.6, 1.3]


@pytest.mark.parametrize(("delay_s", "repeat_s"), [(0.25, 0.03), (0.5, 0.03), (0.6, 0.1)])
def test_a_held_key_is_five_shots_a_second(delay_s: float, repeat_s: float) -> None:
    repeats = np.arange(delay_s, 4.0, repeat_s).round(2).tolist()
    shots = shots_of(HeldKey(), [0.0, *repeats], 6)
    assert shots[0] == 0.0
    assert shots[-1] <= 4.2, "it stops within 200 ms of the last repeat"
    burst = [shot for shot in shots if shot >= delay_s]
    assert np.diff(burst).mean() == pytest.approx(0.2, abs=0.011)


def test_two_quick_taps_are_two_shots_and_no_third() -> None:
    assert shots_of(HeldKey(), [0.0, 0.15], 2) == [0.0, 0.2]


def test_another_key_shoots_at_once() -> None:
    key = HeldKey()
    key.press(OLD, 1, 0.0)
    assert key.take_due(0.0) is OLD
    key.press(YOUNG, 2, 0.05)
    assert key.take_due(0.05) is YOUNG


def test_a_hold_is_one_step_with_its_first_press() -> None:
    key = HeldKey()
    assert key.press(OLD, 1, 0.0) is None
    assert key.press(OLD, 2, 0.5) is None, "this may still be a second tap"
    assert key.press(OLD, 3, 0.53) == 2, "now it is a hold: step 2 belongs to step 1"
    assert key.step == 1
    assert key.press(OLD, 4, 0.56) is None
    assert key.step == 1
    key.press(OLD, 5, 1.5)
    assert key.step == 5


def test_a_burst_takes_its_count_at_its_rate() -> None:
    plan = ShotPlan(OLD, step=1, count=3, starts_s=10.0)
    times = [t for t in np.arange(9, 12, 0.05).round(2).tolist() if plan.take_due(t)]
    assert times == [10.0, 10.2, 10.4]
    assert plan.is_done


def test_a_burst_that_waits_goes_on_at_its_rate() -> None:
    plan = ShotPlan(OLD, step=1, count=3, starts_s=10.0)
    assert plan.take_due(10.0) is OLD
    plan.wait(10.1)
    assert plan.take_due(10.15) is None, "the second is due at 10.2"
    plan.wait(13.0)
    times = [t for t in np.arange(13, 14, 0.05).round(2).tolist() if plan.take_due(t)]
    assert times == pytest.approx([13.0, 13.2], abs=0.051)


def test_a_timer_counts_three_two_one() -> None:
    plan = ShotPlan(OLD, step=1, count=1, starts_s=13.0)
    assert [plan.countdown(t) for t in (10.0, 10.5, 11.5, 12.5, 13.0)] == [3, 3, 2, 1, 0]
    assert plan.take_due(12.99) is None
    assert plan.take_due(13.0) is OLD


def test_blur_is_relative_to_the_sitting() -> None:
    sitting, base = SessionSharpness(), QualityLimits(min_sharpness=25.0)
    for _ in range(4):
        sitting.note(1000.0)
    assert sitting.limits(base) == base, "too few shots to know the sitting"
    sitting.note(1000.0)
    assert sitting.limits(base).min_sharpness == pytest.approx(350.0)
    sitting.clear()
    assert sitting.limits(base) == base


def test_the_same_crop_is_known_again_and_another_is_not() -> None:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (2, 12, 12, 3), dtype=np.uint8)
    one, other = (np.kron(c, np.ones((12, 12, 1), dtype=np.uint8)) for c in coarse)
    noisy = np.clip(one + rng.normal(0, 4, one.shape), 0, 255).astype(np.uint8)
    assert is_same_picture(hash_crop(one), hash_crop(noisy))
    assert not is_same_picture(hash_crop(one), hash_crop(other))
