from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from maskage.cameras.video.video_file import VideoFile
from maskage.dataset.importing.face_crops import FaceCutter
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.importing.video_import import import_video
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.records import FaceBox, RgbImage
from tests.maskage.cameras.video.video_clips import make_clip, spoil_middle
from tests.maskage.dataset.importing.bright_faces import BrightFinder, draw_faces

LEFT, RIGHT = FaceBox(20, 20, 100, 100), FaceBox(220, 40, 60, 60)


def import_clip(
    root: Path, clip: Path, *, every_s: float = 0.5, takes_all: bool = False
) -> ImportReport:
    faces = FaceCutter(BrightFinder(), takes_all=takes_all)
    with PhotoStore(root) as store:
        *_, report = import_video(store, clip, "mask_old", faces, every_s=every_s)
    return report


def times_taken(root: Path, clip: Path) -> list[float]:
    """Return when in the video the imported frames are shown, in seconds."""
    numbers = {int((photo.source or "").rpartition("#")[2]) for photo in list_photos(root)}
    video = VideoFile(clip, pace=False)
    shown = {}
    while (frame := video.read()) is not None:
        shown[frame.index] = frame.position_s
    video.close()
    return [round(shown[number], 3) for number in sorted(numbers)]


def draw_each(times_s: Sequence[float], *boxes: FaceBox) -> list[RgbImage]:
    return [draw_faces(*boxes, seed=number) for number in range(len(times_s))]


STEADY = [number / 30 for number in range(60)]


@pytest.mark.parametrize(
    ("times_s", "every_s", "expected"),
    [
        pytest.param(STEADY, 0.5, [0, 0.5, 1, 1.5], id="steady"),
        pytest.param(
            [*STEADY, *(12 + step for step in STEADY), 14.0],
            1.0,
            [0, 1, 12, 13, 14],
            id="a pause of ten seconds",
        ),
        pytest.param(
            [0, 0.9, 1.0, 1.1, 1.5, 2.0], 0.5, [0, 0.9, 1.5, 2.0], id="a frame that came late"
        ),
        pytest.param([0, 2, 4, 6], 0.5, [0, 2, 4, 6], id="a slideshow"),
        pytest.param(
            [number / 30 for number in range(60)] + [2 + number / 5 for number in range(10)],
            1.0,
            [0, 1, 2, 3],
            id="a phone at dusk",
        ),
        # Frames every 0.04 s, 0.5 s apart on the whole: the beat does not drift.
        pytest.param(
            [number / 25 for number in range(100)],
            0.5,
            [0, 0.52, 1, 1.52, 2, 2.52, 3, 3.52],
            id="no drift",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_frames_are_taken_on_a_beat_that_begins_anew_behind_a_pause(
    tmp_path: Path, name: str, times_s: list[float], every_s: float, expected: list[float]
) -> None:
    clip = make_clip(tmp_path / name, times_s, pictures=draw_each(times_s, LEFT))
    import_clip(tmp_path / "data", clip, every_s=every_s)
    assert times_taken(tmp_path / "data", clip) == pytest.approx(expected, abs=0.011)


def test_all_faces_of_a_frame_are_taken_on_request_and_are_one_session(tmp_path: Path) -> None:
    times_s = [0.0, 0.5, 1.0]
    clip = make_clip(tmp_path / "a.mp4", times_s, pictures=draw_each(times_s, LEFT, RIGHT))
    data = tmp_path / "data"
    first = import_clip(data, clip)
    assert first.saved["mask_old"] == 3
    assert first.several_faces == {"a.mp4#0": 2, "a.mp4#1": 2, "a.mp4#2": 2}
    second = import_clip(data, clip, takes_all=True)
    assert (second.saved["mask_old"], second.duplicates) == (3, 3)
    photos = list_photos(data)
    assert [photo.path for photo in photos][:2] == [
        "mask_old/a_000000.jpg",
        "mask_old/a_000000_face2.jpg",
    ]
    assert len({photo.session for photo in photos}) == 1
    assert import_clip(data, clip, takes_all=True).duplicates == 6


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(64, 45), Fraction(2), Fraction(3, 4)])
def test_faces_of_pixels_that_are_not_square_are_cut_as_people_see_them(
    tmp_path: Path, aspect: Fraction
) -> None:
    """A face of 100 by 100 px as it is shown is stored narrower, or lower."""
    across, down = (100 / aspect, 100.0) if aspect > 1 else (100.0, 100 * aspect)
    stored = FaceBox(20, 20, round(across), round(down))
    clip = make_clip(tmp_path / "a.mp4", [0, 0.5], pictures=[draw_faces(stored)] * 2, aspect=aspect)
    import_clip(tmp_path / "data", clip)
    for photo in list_photos(tmp_path / "data"):
        assert photo.box is not None
        assert (photo.box.width, photo.box.height) == pytest.approx((100, 100), abs=4)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_faces_of_a_turned_video_stand_upright(tmp_path: Path, turned: int) -> None:
    upright = draw_faces(LEFT, size=(300, 400))
    # A player turns it counter-clockwise by `turned`; it is stored turned the other way.
    stored = np.rot90(upright, -turned // 90)
    clip = make_clip(tmp_path / "a.mp4", [0, 0.5], pictures=[stored] * 2, turned=turned)
    import_clip(tmp_path / "data", clip)
    box = list_photos(tmp_path / "data")[0].box
    assert box is not None
    assert (box.x, box.y) == pytest.approx((LEFT.x, LEFT.y), abs=4)


def test_damage_in_the_middle_is_counted_and_what_follows_is_imported(tmp_path: Path) -> None:
    times_s = [number / 30 for number in range(120)]
    clip = make_clip(tmp_path / "a.mkv", times_s, pictures=draw_each(times_s, LEFT))
    report = import_clip(tmp_path / "data", spoil_middle(clip))
    assert report.damage.lost
    assert times_taken(tmp_path / "data", clip)[-1] >= 3.5


def test_a_video_without_a_face_names_its_frames(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", [0, 0.5], pictures=[draw_faces(), draw_faces()])
    report = import_clip(tmp_path / "data", clip)
    assert report.faceless_names == ["a.mp4#0", "a.mp4#1"]
