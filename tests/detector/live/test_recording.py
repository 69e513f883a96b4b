"""A recording lasts as long as what was shown, tells nobody who was there, and holds nothing up."""

import contextlib
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from detector.drawing.overlay import Readout
from detector.live.recording import (
    BLUR_BLOCKS,
    FPS,
    LEAST_FREE_BYTES,
    WAITING,
    FaceBlur,
    Recording,
    name_by_time,
    pixelate,
)
from detector.screens.base import LiveView
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import KEEP_S, TrackedFace
from maskage.cameras.video.video_file import VideoFile
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import EnvironmentProblemError
from maskage.records import FaceBox, Frame, RgbImage
from tests.detector.tracking.test_optical_flow import draw_texture
from tests.maskage.dataset.saving_checks import small_disk

P = (0.02, 0.93, 0.03, 0.02)
HERE = FaceBox(200, 120, 160, 160)
LONG_S = 30.0
"""Far more than anything here takes, on a machine however busy."""


def person(box: FaceBox = HERE, track: int = 1, *, is_guide: bool = False) -> TrackedFace:
    return TrackedFace(
        track, box, "mask_young", P, P, is_sure=True, is_guide=is_guide, scheme=MASK_AGE
    )


def result_of(
    pixels: RgbImage, *faces: TrackedFace, at_s: float = 0.0, index: int = 0
) -> FrameResult:
    return FrameResult(Frame(pixels, index, 100 + at_s, at_s), faces, Timings(1, 1, 1, 1), MASK_AGE)


def record(recording: Recording, *views: LiveView) -> None:
    """Add every view, however slow the disk is; the loop would leave some out."""
    for view in views:
        deadline, left_out = time.monotonic() + LONG_S, -1
        while left_out != recording.left_out:
            assert time.monotonic() < deadline
            assert recording.problem is None, recording.problem
            left_out = recording.left_out
            recording.add(view)
            if left_out != recording.left_out:
                time.sleep(0.02)
                left_out = -1


def is_done(recording: Recording) -> bool:
    return recording.is_done


def read_timed(path: Path) -> list[tuple[float, RgbImage]]:
    """Each picture and its time."""
    with closing(VideoFile(path, pace=False)) as video:
        return [(frame.position_s, frame.pixels) for frame in iter(video.read, None)]


def read_video(path: Path) -> list[RgbImage]:
    return [pixels for _, pixels in read_timed(path)]


def lasts_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1e6


def level(red: int, width: int = 640, height: int = 480) -> RgbImage:
    return np.full((height, width, 3), red, np.uint8)


def fine_detail(pixels: RgbImage) -> float:
    """How much neighbouring pixels differ, in grey levels: what a face is known by."""
    return float(np.abs(np.diff(pixels.astype(np.int16), axis=1)).mean())


@pytest.mark.parametrize(
    "times",
    [
        [n / 120 for n in range(240)],
        [n / 4 for n in range(9)],
        [0.0, 0.02, 0.5, 0.51, 0.52, 1.4, 1.9, 2.0],
    ],
    ids=["faster than it is recorded", "slower", "unevenly"],
)
def test_the_file_plays_for_as_long_as_it_was_shown(tmp_path: Path, times: list[float]) -> None:
    path = tmp_path / "new" / "clip.mp4"
    with Recording(path) as recording:
        record(recording, *(LiveView(result_of(level(99), at_s=t), Readout()) for t in times))
    assert recording.problem is None
    assert recording.is_done
    assert lasts_s(path) == pytest.approx(times[-1] + 1 / FPS, abs=1 / FPS)
    assert len(read_video(path)) <= 2 * FPS + 1


def test_each_view_is_recorded_for_as_long_as_it_was_shown(tmp_path: Path) -> None:
    shown = [(0.0, 40), (0.5, 120), (2.0, 220)]
    with Recording(tmp_path / "clip.mp4") as recording:
        record(
            recording,
            *(LiveView(result_of(level(red), at_s=at_s), Readout()) for at_s, red in shown),
        )
    recorded = [(at_s, float(frame[100, 100].mean())) for at_s, frame in read_timed(recording.path)]
    # A view is held until the next one has come.
    assert [at_s for at_s, _ in recorded] == pytest.approx([0.0, 0.5, 2.0], abs=0.001)
    assert [red for _, red in recorded] == pytest.approx([40, 120, 220], abs=6)


def test_what_a_camera_gives_is_recorded_whole_although_it_is_not_punctual(tmp_path: Path) -> None:
    # Four milliseconds too early or too late, 29.97 a second.
    times = [n / 29.97 + (0.004 if n % 3 else -0.004) for n in range(40)]
    with Recording(tmp_path / "clip.mp4") as recording:
        record(recording, *(LiveView(result_of(level(99), at_s=t), Readout()) for t in times))
    assert len(read_video(recording.path)) >= 38


def test_a_long_hold_is_recorded_as_a_short_one_and_what_follows_at_its_own_speed(
    tmp_path: Path,
) -> None:
    times = [0.0, 0.5, *(3600 + n / 10 for n in range(11))]
    with Recording(tmp_path / "clip.mp4") as recording:
        record(
            recording,
            *(
                LiveView(result_of(level(20 * n), at_s=at_s), Readout())
                for n, at_s in enumerate(times)
            ),
        )
    # Half a second, ten seconds of the held picture, one second after it.
    placed = [at_s for at_s, _ in read_timed(recording.path)]
    expected = [0.0, 0.5, *(10.5 + n / 10 for n in range(11))]
    assert placed == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("has_status", [False, True])
def test_the_status_line_is_recorded_only_where_that_is_wanted(
    tmp_path: Path, has_status: bool
) -> None:
    plain = LiveView(result_of(level(99)), Readout())
    told = LiveView(
        result_of(level(99)), Readout(fps=24.0, message="keys: q ends", is_recording=True)
    )
    frames: list[RgbImage] = []
    for name, view in (("plain", plain), ("told", told)):
        with Recording(tmp_path / f"{name}.mp4", has_status=has_status) as recording:
            record(recording, view)
        frames += read_video(recording.path)
    first, second = frames
    assert np.array_equal(first, second) is not has_status


def test_faces_are_left_with_a_few_blocks(tmp_path: Path) -> None:
    pixels = draw_texture(3, 640, 480)
    with Recording(tmp_path / "clip.mp4") as recording:
        record(recording, *(LiveView(result_of(pixels, person(), at_s=n / 15), Readout())
                            for n in range(5)))  # fmt: skip
    for frame in read_video(recording.path):
        inside = frame[150:250, 220:340]
        assert fine_detail(inside) < 0.3 * fine_detail(pixels[150:250, 220:340])
        # The rest is as it was.
        assert fine_detail(frame[100:300, 450:600]) > 0.7 * fine_detail(pixels[100:300, 450:600])


def test_faces_stay_as_they_are_where_that_is_wanted(tmp_path: Path) -> None:
    pixels = draw_texture(3, 640, 480)
    with Recording(tmp_path / "clip.mp4", is_blurred=False) as recording:
        record(recording, LiveView(result_of(pixels, person()), Readout()))
    (frame,) = read_video(recording.path)
    assert fine_detail(frame[150:250, 220:340]) > 0.7 * fine_detail(pixels[150:250, 220:340])


def test_a_face_with_its_margin_becomes_blocks_of_its_mean_colours() -> None:
    pixels = draw_texture(5, 640, 480)
    blurred = FaceBlur().apply(result_of(pixels, person())).pixels
    # A quarter of 160 px on each side.
    region = blurred[80:320, 160:400]
    assert len(np.unique(region.reshape(-1, 3), axis=0)) <= BLUR_BLOCKS**2
    assert region.mean() == pytest.approx(pixels[80:320, 160:400].mean(), abs=1)
    changed = np.any(blurred != pixels, axis=2)
    changed[80:320, 160:400] = False
    assert not changed.any()


def test_the_frame_that_is_given_is_left_as_it_was(tmp_path: Path) -> None:
    pixels = draw_texture(5, 640, 480)
    copy = pixels.copy()
    pixels.setflags(write=False)
    FaceBlur().apply(result_of(pixels, person()))
    with Recording(tmp_path / "clip.mp4") as recording:
        record(recording, LiveView(result_of(pixels, person()), Readout()))
    assert recording.problem is None
    assert np.array_equal(pixels, copy)


def test_several_faces_are_blurred_also_over_the_edge() -> None:
    pixels = draw_texture(5, 640, 480)
    faces = [person(FaceBox(0, 0, 80, 90), 1), person(FaceBox(560, 400, 80, 80), 2)]
    blurred = FaceBlur().apply(result_of(pixels, *faces)).pixels
    for region in (blurred[0:112, 0:102], blurred[380:480, 540:640]):
        assert len(np.unique(region.reshape(-1, 3), axis=0)) <= BLUR_BLOCKS**2


def test_a_face_that_is_lost_stays_blurred_for_a_second() -> None:
    pixels, blur = draw_texture(5, 640, 480), FaceBlur()
    blur.apply(result_of(pixels, person(), at_s=0.0))

    def blocks(at_s: float) -> int:
        frame = blur.apply(result_of(pixels, at_s=at_s))
        return len(np.unique(frame.pixels[120:280, 200:360].reshape(-1, 3), axis=0))

    assert blocks(0.5) <= BLUR_BLOCKS**2
    assert blocks(KEEP_S - 0.01) <= BLUR_BLOCKS**2
    assert blocks(KEEP_S + 0.01) > 1000


def test_a_face_that_moves_on_leaves_no_blur_behind() -> None:
    pixels, blur = draw_texture(5, 640, 480), FaceBlur()
    blur.apply(result_of(pixels, person(FaceBox(20, 20, 80, 80)), at_s=0.0))
    frame = blur.apply(result_of(pixels, person(FaceBox(400, 300, 80, 80)), at_s=0.1))
    assert np.array_equal(frame.pixels[:150, :150], pixels[:150, :150])


def test_where_nobody_looks_for_faces_the_whole_picture_is_blurred() -> None:
    pixels = draw_texture(5, 640, 480)
    guide = person(FaceBox(200, 120, 240, 240), is_guide=True)
    blurred = FaceBlur().apply(result_of(pixels, guide)).pixels
    assert len(np.unique(blurred.reshape(-1, 3), axis=0)) <= BLUR_BLOCKS**2


@pytest.mark.parametrize("box", [FaceBox(900, 900, 50, 50), FaceBox(630, 470, 200, 200)])
def test_a_face_outside_the_picture_harms_nothing(box: FaceBox) -> None:
    pixels = draw_texture(5, 640, 480)
    pixelate(pixels, box, 0.25)
    assert pixels.shape == (480, 640, 3)


def test_what_is_shown_mirrored_is_recorded_mirrored(tmp_path: Path) -> None:
    pixels = level(20)
    pixels[:240, :320] = 220
    face = person(FaceBox(20, 300, 100, 100))
    for is_mirrored in (False, True):
        with Recording(tmp_path / f"{is_mirrored}.mp4") as recording:
            record(recording, LiveView(result_of(pixels, face), Readout(), is_mirrored))
        (frame,) = read_video(recording.path)
        left, right = float(frame[100, 100].mean()), float(frame[100, 540].mean())
        assert (left < right) is is_mirrored
        # The face's box is on that side too, and so is its blur.
        column = 570 if is_mirrored else 70
        assert frame[280:420, column - 60 : column + 60].max() > 100


def test_a_view_of_another_size_is_fitted_in(tmp_path: Path) -> None:
    sizes = [(640, 480), (1280, 720), (321, 241)]
    with Recording(tmp_path / "clip.mp4") as recording:
        record(
            recording,
            *(
                LiveView(result_of(level(200, *size), person(), at_s=n / FPS), Readout())
                for n, size in enumerate(sizes)
            ),
        )
    assert recording.problem is None
    assert [frame.shape for frame in read_video(recording.path)] == [(480, 640, 3)] * 3


def test_a_slow_writer_leaves_views_out_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    pixels = draw_texture(5, 1920, 1080)
    views = [LiveView(result_of(pixels, person(), at_s=n / FPS), Readout()) for n in range(200)]
    with Recording(tmp_path / "clip.mp4") as recording:
        started_s = time.monotonic()
        for view in views:
            recording.add(view)
        # Encoding a frame of this size takes longer than adding all of them.
        assert time.monotonic() - started_s < 1.0
    assert recording.problem is None
    assert 100 <= recording.left_out <= 200 - WAITING
    assert len(read_video(recording.path)) >= WAITING


def test_it_is_finished_in_the_background_and_may_be_closed_twice(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4")
    record(recording, *(LiveView(result_of(level(99), at_s=n / 15), Readout()) for n in range(8)))
    time.sleep(0.5)
    assert not is_done(recording)
    recording.finish()
    deadline = time.monotonic() + LONG_S
    while not is_done(recording):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(read_video(recording.path)) == 8
    recording.close()
    recording.close()
    assert recording.problem is None


def test_where_nothing_was_shown_no_file_is_claimed(tmp_path: Path) -> None:
    with Recording(tmp_path / "clip.mp4") as recording:
        pass
    assert list(tmp_path.iterdir()) == []
    assert "not made" in (recording.problem or "")


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblemError, match="cannot be made"):
        Recording(tmp_path / "file" / "clip.mp4")


def test_a_file_that_cannot_be_written_ends_the_recording_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").mkdir()
    with Recording(tmp_path / "clip.mp4") as recording:
        recording.add(LiveView(result_of(level(99)), Readout()))
    assert "cannot be written" in (recording.problem or "")
    # It has ended: more views are no trouble.
    for _ in range(2 * WAITING):
        recording.add(LiveView(result_of(level(99)), Readout()))
    recording.close()


def test_a_disk_that_fills_up_ends_the_recording_while_it_can_still_be_watched(
    tmp_path: Path,
) -> None:
    pixels = draw_texture(5, 640, 480)
    megabytes = LEAST_FREE_BYTES // 1_000_000 + 30
    try:
        with small_disk(tmp_path / "disk", megabytes) as disk:
            recording = Recording(disk / "clip.mp4")
            views = [LiveView(result_of(pixels, at_s=n / 15), Readout()) for n in range(5)]
            record(recording, *views)
            deadline = time.monotonic() + LONG_S
            while not (disk / "clip.mp4").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            time.sleep(0.5)
            (disk / "ballast").write_bytes(b"x" * 35_000_000)
            while not recording.is_done:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert "MB are free" in (recording.problem or "")
            assert len(read_video(recording.path)) >= 1
            recording.close()
            # Whoever asks for another one is told at once, and no empty file stays behind.
            again = Recording(disk / "again.mp4")
            again.add(views[0])
            while not again.is_done:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert "ended after 0 s, only" in (again.problem or "")
            assert not again.path.exists()
    except PermissionError as fault:
        pytest.skip(f"needs to mount a small file system: {fault}")


def test_a_disk_that_is_full_at_once_leaves_a_recording_that_plays(tmp_path: Path) -> None:
    noise = np.random.default_rng(3)
    try:
        with small_disk(tmp_path / "disk", LEAST_FREE_BYTES // 1_000_000 + 30) as disk:
            recording = Recording(disk / "clip.mp4", is_blurred=False)
            deadline, at_s = time.monotonic() + LONG_S, 0.0
            (disk / "ballast").touch()
            while not recording.is_done:
                assert time.monotonic() < deadline
                pixels = noise.integers(0, 255, (480, 640, 3), np.uint8)
                recording.add(LiveView(result_of(pixels, at_s=at_s), Readout()))
                at_s += 1 / FPS
                if recording.path.exists() and recording.path.stat().st_size > 1_000_000:
                    # Between one look at the disk and the next it is filled to the last byte.
                    with contextlib.suppress(OSError), (disk / "ballast").open("ab") as ballast:
                        ballast.write(bytes(100_000_000))
            problem = recording.problem or ""
            assert "MB are free" in problem or "No space left" in problem
            (disk / "ballast").unlink()
            assert len(read_video(recording.path)) >= 10
            recording.close()
    except PermissionError as fault:
        pytest.skip(f"needs to mount a small file system: {fault}")


def test_recordings_are_named_by_the_time(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    path = name_by_time(tmp_path, ".mp4")
    told = datetime.strptime(path.name, "%Y%m%dT%H%M%S.%fZ.mp4").replace(tzinfo=UTC)
    assert before - timedelta(milliseconds=1) <= told <= datetime.now(UTC)
    assert path.parent == tmp_path
