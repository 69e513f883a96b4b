"""Masks are painted where they are to sit: what they cover, and what they leave bare."""

import numpy as np
import pytest

from curation.masks.cloth import borrow_cloth, can_lend_mask, is_whole_face, shows_chin
from curation.masks.painting import MaskLender, MaskPainting, Wearing, paint_mask_on
from curation.masks.photo_look import blur_of
from curation.masks.skin import has_covered_chin
from maskage.faces.finder import FaceLandmarks
from maskage.records import FaceBox, RgbImage

Point = tuple[float, float]

SIDE = 240
SKIN = (197, 141, 96)
SEEDS = [f"seed {number}" for number in range(24)]

# A face of 100x130 px, upright, before it is tilted about its middle or turned aside.
EYES, NOSE, MOUTH = (120.0, 90.0), (120.0, 116.0), (120.0, 138.0)
CHIN, BROW = (120.0, 152.0), (120.0, 72.0)
BOX = FaceBox(70, 48, 100, 116)
UPRIGHT = FaceLandmarks(BOX, EYES, NOSE, MOUTH)
GREEN = (30, 190, 60)


def bare_face() -> RgbImage:
    return np.full((SIDE, SIDE, 3), SKIN, np.uint8)


def tilted(point: Point, degrees: float) -> Point:
    turn = np.radians(degrees)
    x, y = point[0] - SIDE / 2, point[1] - SIDE / 2
    return (
        float(SIDE / 2 + x * np.cos(turn) - y * np.sin(turn)),
        float(SIDE / 2 + x * np.sin(turn) + y * np.cos(turn)),
    )


def paint(wearing: Wearing, seed: str, degrees: float = 0.0) -> RgbImage:
    eyes, nose, mouth = (tilted(point, degrees) for point in (EYES, NOSE, MOUTH))
    return paint_mask_on(
        bare_face(), MaskPainting(wearing, FaceLandmarks(BOX, eyes, nose, mouth)), seed
    )


def is_covered(pixels: RgbImage, point: Point, degrees: float = 0.0) -> bool:
    """Whether there is anything but skin around a point."""
    x, y = (round(value) for value in tilted(point, degrees))
    around = pixels[y - 1 : y + 2, x - 1 : x + 2].astype(int)
    return bool(np.abs(around - SKIN).max(axis=2).mean() > 12)


@pytest.mark.parametrize("degrees", [0.0, 25.0, -40.0])
@pytest.mark.parametrize(
    ("wearing", "covered", "bare"),
    [
        (Wearing.WORN, [NOSE, MOUTH, CHIN], [EYES, BROW]),
        (Wearing.BELOW_NOSE, [MOUTH, CHIN], [NOSE, EYES, BROW]),
        (Wearing.ON_CHIN, [], [MOUTH, NOSE, EYES, BROW]),
        (Wearing.OVER_EYES, [EYES], [MOUTH, CHIN]),
        (Wearing.ABOVE_MOUTH, [NOSE], [MOUTH, CHIN, BROW]),
    ],
)
def test_a_mask_covers_what_it_is_to_cover_and_nothing_else(
    wearing: Wearing, covered: list[Point], bare: list[Point], degrees: float
) -> None:
    for seed in SEEDS:
        painted = paint(wearing, seed, degrees)
        assert all(is_covered(painted, point, degrees) for point in covered), seed
        assert not any(is_covered(painted, point, degrees) for point in bare), seed


def test_a_mask_on_the_chin_is_seen() -> None:
    for seed in SEEDS:
        changed = np.abs(paint(Wearing.ON_CHIN, seed).astype(int) - SKIN).max(axis=2) > 12
        assert changed[round(MOUTH[1]) :].mean() > 0.04, seed


def test_the_far_side_of_a_turned_face_gets_the_smaller_part() -> None:
    landmarks = FaceLandmarks(BOX, (100.0, EYES[1]), (90.0, NOSE[1]), (98.0, MOUTH[1]))
    painted = paint_mask_on(bare_face(), MaskPainting(Wearing.WORN, landmarks), "1")
    row = np.abs(painted[125].astype(int) - SKIN).max(axis=1) > 12
    edges = np.flatnonzero(row)
    assert BOX.x - 8 <= edges[0] < edges[-1] <= BOX.x + BOX.width + 8
    assert edges[-1] - 94 > 2 * (94 - edges[0])


def photo_of_a_mask(upper: float) -> RgbImage:
    """A face with a green mask, from so many head units below the eyes down to the chin."""
    pixels = bare_face()
    unit_px = (MOUTH[1] - EYES[1]) / 0.68
    top = round(EYES[1] + upper * unit_px)
    pixels[top : round(CHIN[1] + 20), 76:165] = GREEN
    return pixels


def test_a_photo_lends_its_mask_to_another_face() -> None:
    lender = photo_of_a_mask(0.15)
    assert can_lend_mask(lender, UPRIGHT)
    for wearing in (Wearing.WORN, Wearing.BELOW_NOSE, Wearing.ON_CHIN):
        painting = MaskPainting(wearing, UPRIGHT, MaskLender("mask_old/1.jpg", UPRIGHT))
        for seed in SEEDS[:8]:
            painted = paint_mask_on(bare_face(), painting, seed, lender)
            x, y = round(CHIN[0]), round(CHIN[1]) + 12 * (wearing is Wearing.ON_CHIN)
            red, green, blue = painted[y, x].tolist()
            assert green > red + 60
            assert green > blue + 60
            assert is_covered(painted, NOSE) is (wearing is Wearing.WORN)
            assert not is_covered(painted, EYES)


def test_a_mask_that_is_not_over_the_nose_is_not_lent() -> None:
    assert not can_lend_mask(photo_of_a_mask(0.5), UPRIGHT)


def test_a_mask_that_is_seen_from_the_side_or_in_part_is_not_lent() -> None:
    pixels = photo_of_a_mask(0.15)
    turned = FaceLandmarks(BOX, (100.0, EYES[1]), (90.0, NOSE[1]), (98.0, MOUTH[1]))
    assert not can_lend_mask(pixels, turned)
    assert not can_lend_mask(pixels[: round(CHIN[1]) - 12], UPRIGHT)


def test_a_lent_mask_brings_no_skin_along() -> None:
    cloth = borrow_cloth(photo_of_a_mask(0.15), UPRIGHT)
    opaque = cloth.layer.pixels[cloth.layer.pixels[..., 3] == 255][:, :3].astype(int)
    is_skin = np.abs(opaque - SKIN).max(axis=1) < 25
    assert len(opaque) > 1000
    assert is_skin.mean() < 0.01


def test_the_seed_alone_chooses_the_mask() -> None:
    first = paint(Wearing.WORN, "a")
    paint(Wearing.WORN, "b")
    assert np.array_equal(paint(Wearing.WORN, "a"), first)
    assert not np.array_equal(paint(Wearing.WORN, "b"), first)


def test_a_mask_is_as_dark_as_its_photo() -> None:
    dim = MaskPainting(Wearing.WORN, UPRIGHT)
    for seed in SEEDS[:6]:
        light = paint_mask_on(np.full_like(bare_face(), 180), dim, seed)
        dark = paint_mask_on(np.full_like(bare_face(), 60), dim, seed)
        assert dark[130, 120].mean() < 0.6 * light[130, 120].mean(), seed


@pytest.mark.parametrize("height", [3, 20, 400])
def test_a_face_of_any_size_and_one_at_the_edge_can_be_painted(height: int) -> None:
    pixels = np.full((height, height, 3), SKIN, np.uint8)
    side = float(height)
    landmarks = FaceLandmarks(
        FaceBox(0, 0, height, height),
        (side / 2, side / 2),
        (side / 2, 0.8 * side),
        (side / 2, 1.1 * side),
    )
    for wearing in Wearing:
        painted = paint_mask_on(pixels, MaskPainting(wearing, landmarks), "1")
        assert painted.shape == pixels.shape
        assert painted.dtype == np.uint8


def test_a_face_that_is_cut_off_is_not_whole() -> None:
    pixels = bare_face()
    assert is_whole_face(pixels, UPRIGHT)
    assert shows_chin(pixels, UPRIGHT)
    above = FaceLandmarks(BOX, (120.0, -4.0), NOSE, MOUTH)
    assert not is_whole_face(pixels, above)
    squeezed = FaceLandmarks(BOX, EYES, (120.0, 100.0), (120.0, 106.0))
    assert not is_whole_face(pixels, squeezed)
    nose_in_the_eyes = FaceLandmarks(BOX, EYES, EYES, MOUTH)
    assert not is_whole_face(pixels, nose_in_the_eyes)
    assert not shows_chin(pixels[:165], UPRIGHT)


def test_a_grey_photo_stays_grey() -> None:
    grey = np.full((SIDE, SIDE, 3), 150, np.uint8)
    for seed in SEEDS:
        painted = paint_mask_on(grey, MaskPainting(Wearing.WORN, UPRIGHT), seed)
        assert (painted.max(axis=2) == painted.min(axis=2)).all()


def test_points_that_fall_together_do_no_harm() -> None:
    landmarks = FaceLandmarks(BOX, EYES, EYES, EYES)
    painted = paint_mask_on(bare_face(), MaskPainting(Wearing.WORN, landmarks), "1")
    assert painted.shape == (SIDE, SIDE, 3)


PULLED_WAYS = (Wearing.WORN, Wearing.BELOW_NOSE, Wearing.ON_CHIN)


def pull(wearing: Wearing, seed: str, bare: RgbImage | None = None) -> RgbImage:
    painting = MaskPainting(wearing, UPRIGHT, MaskLender("nomask_old/1.jpg", UPRIGHT), True)
    return paint_mask_on(
        photo_of_a_mask(0.15), painting, seed, bare_face() if bare is None else bare
    )


def is_green(pixels: RgbImage, point: Point) -> bool:
    x, y = round(point[0]), round(point[1])
    red, green, blue = pixels[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(axis=0).tolist()
    return bool(green > red + 40 and green > blue + 40)


@pytest.mark.parametrize("wearing", PULLED_WAYS)
def test_the_mask_of_a_photo_is_pulled_to_where_it_is_to_be(wearing: Wearing) -> None:
    for seed in SEEDS:
        painted = pull(wearing, seed)
        assert is_green(painted, NOSE) is (wearing is Wearing.WORN), seed
        assert is_green(painted, CHIN) or wearing is Wearing.ON_CHIN, seed
        assert is_green(painted, (CHIN[0], CHIN[1] + 14)), seed
        if wearing is Wearing.ON_CHIN:
            assert not is_green(painted, MOUTH), seed
        assert np.array_equal(painted[:70], photo_of_a_mask(0.15)[:70])


def test_the_upper_edges_of_pulled_masks_lie_at_every_height() -> None:
    heights = set()
    for number in range(60):
        column = pull(Wearing.BELOW_NOSE, f"height {number}")[:, round(NOSE[0])].astype(int)
        is_cloth = (column[:, 1] > column[:, 0] + 40) & (column[:, 1] > column[:, 2] + 40)
        heights.add(int(np.argmax(is_cloth)))
    assert min(heights) <= round(EYES[1] + 0.45 * 70.6)
    assert max(heights) >= round(EYES[1] + 0.63 * 70.6)
    assert len(heights) >= 12


def test_the_skin_above_a_pulled_mask_has_the_colour_of_its_photo() -> None:
    pale = np.full_like(bare_face(), (225, 180, 145))
    painted = pull(Wearing.ON_CHIN, "1", pale)
    x, y = round(NOSE[0]), round(NOSE[1])
    assert np.abs(painted[y, x].astype(int) - SKIN).max() < 8


def test_a_mask_is_pulled_only_where_there_is_a_bare_face_to_show() -> None:
    with pytest.raises(ValueError, match="needs the photo of a bare face"):
        MaskPainting(Wearing.BELOW_NOSE, UPRIGHT, is_pulled=True)
    with pytest.raises(ValueError, match="cannot be pulled to 'eyes'"):
        MaskPainting(Wearing.OVER_EYES, UPRIGHT, MaskLender("a/1.jpg", UPRIGHT), is_pulled=True)


def test_a_chin_under_cloth_is_told_from_a_bare_one() -> None:
    assert not has_covered_chin(bare_face(), UPRIGHT)
    assert has_covered_chin(photo_of_a_mask(0.5), UPRIGHT)


def test_paint_is_as_blurred_and_as_grainy_as_its_photo() -> None:
    rng = np.random.default_rng(1)
    grainy = np.clip(bare_face() + rng.normal(0, 12, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
    assert blur_of(grainy, 200.0) < blur_of(bare_face(), 200.0)
    worn = MaskPainting(Wearing.WORN, UPRIGHT)
    for seed in SEEDS[:6]:
        rough = paint_mask_on(grainy, worn, seed)[126:134, 110:130].astype(float)
        plain = paint_mask_on(bare_face(), worn, seed)[126:134, 110:130].astype(float)
        assert np.diff(rough[..., 1], axis=1).std() > np.diff(plain[..., 1], axis=1).std() + 2, seed


def test_the_loops_of_a_mask_over_the_eyes_stay_above_the_mouth() -> None:
    for seed in SEEDS:
        changed = np.abs(paint(Wearing.OVER_EYES, seed).astype(int) - SKIN).max(axis=2) > 12
        assert changed[: round(NOSE[1])].mean() > 0.04, seed
        assert not changed[round(MOUTH[1]) - 8 :, : BOX.x + 10].any(), seed
