"""Views of faces: every part has its place on them, and painted masks are known examples."""

import numpy as np
import pytest

from curation.labels.face_views import VIEW_SIDE_PX, Face, MaskState, cut_view, paint_masks
from maskage.faces.finder import FaceLandmarks
from maskage.records import FaceBox, RgbImage

NOSE_PX = (64, 48)
"""Column and row of the tip of the nose on every view."""


def landmarks_at(x: int, y: int, scale: int) -> FaceLandmarks:
    """A face from the front whose eyes have their middle at (x, y), 68 * scale px over the lips."""
    box = FaceBox(x - 60 * scale, y - 60 * scale, 120 * scale, 165 * scale, 0.9)
    return FaceLandmarks(box, (x, y), (x, y + 36 * scale), (x, y + 68 * scale))


def draw(side: int, landmarks: FaceLandmarks, dot_px: int) -> RgbImage:
    """A black picture with a white dot at the tip of the nose."""
    pixels = np.zeros((side, side, 3), np.uint8)
    x, y = (round(value) for value in landmarks.nose)
    pixels[y - dot_px : y + dot_px + 1, x - dot_px : x + dot_px + 1] = 255
    return pixels


@pytest.mark.parametrize(("x", "y", "scale"), [(150, 100, 1), (90, 120, 1), (400, 300, 3)])
def test_the_nose_has_its_place_wherever_the_face_is_and_however_large(
    x: int, y: int, scale: int
) -> None:
    landmarks = landmarks_at(x, y, scale)
    view = cut_view(draw(700, landmarks, 6 * scale), landmarks)
    assert view.shape == (VIEW_SIDE_PX, VIEW_SIDE_PX, 3)
    assert view.dtype == np.uint8
    rows, columns = np.nonzero(view[..., 0] > 127)
    assert columns.mean() == pytest.approx(NOSE_PX[0], abs=1)
    assert rows.mean() == pytest.approx(NOSE_PX[1], abs=1)


def views_of(side: int) -> dict[MaskState, RgbImage]:
    landmarks = landmarks_at(150, 100, 1)
    face = Face(0, np.full((side, 300, 3), 150, np.uint8), landmarks)
    painted = paint_masks(face, 0, [], seed=1)
    return {state: cut_view(pixels, landmarks) for state, pixels in painted}


def test_painted_masks_cover_the_nose_the_mouth_or_the_chin() -> None:
    views = views_of(300)
    assert list(views) == [MaskState.WORN, MaskState.NOSE_OUT, MaskState.ON_CHIN]

    def is_covered(state: MaskState, row: int) -> bool:
        return bool(np.abs(views[state][row, 60:68].astype(int) - 150).mean() > 8)

    nose, mouth, below = 44, 75, 112
    assert [is_covered(state, nose) for state in views] == [True, False, False]
    assert [is_covered(state, mouth) for state in views] == [True, True, False]
    assert is_covered(MaskState.ON_CHIN, below)


def test_a_face_without_its_chin_gets_no_mask_there() -> None:
    assert list(views_of(205)) == [MaskState.WORN, MaskState.NOSE_OUT]


def test_the_same_seed_paints_the_same_masks() -> None:
    first, again = views_of(300), views_of(300)
    assert all(np.array_equal(first[state], again[state]) for state in first)
