"""A recorded video as a camera: its pauses are no faults, and it can be stopped at a picture."""

from pathlib import Path

from maskage.cameras.sources import open_camera
from maskage.cameras.video.video_file import VideoFile
from maskage.dataset.photo_listing import list_photos
from tests.collector.screens.test_app import Bench, running
from tests.maskage.cameras.video.video_clips import make_clip


def shown_index(bench: Bench) -> int:
    observation = bench.app.capture._observation
    return -1 if observation is None else observation.frame.index


async def test_a_picture_in_a_long_pause_can_be_taken(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", [0, 2.2, 2.3, 2.4])
    async with running(tmp_path / "data", camera=open_camera(str(clip))) as bench:
        await bench.pilot.pause(1.3)
        assert "no fresh picture" not in bench.advice()
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.wait_for_answer("The recording is over.")
        await bench.wait(lambda: "no more pictures" in bench.advice())
        # The last picture stays on the screen.
        assert shown_index(bench) >= 0
        assert not any("lost" in heard for heard in bench.heard)
    assert [photo.label for photo in list_photos(tmp_path / "data")] == ["mask_old"]


async def test_a_pause_stops_the_recording_and_its_picture_can_be_taken(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", [number / 10 for number in range(60)])
    camera = open_camera(str(clip))
    assert isinstance(camera, VideoFile)
    async with running(tmp_path / "data", camera=camera) as bench:
        await bench.wait(lambda: shown_index(bench) > 2)
        await bench.press("p")
        await bench.wait_for_answer("this picture can still be taken")
        stopped = shown_index(bench)
        await bench.pilot.pause(1.5)
        assert shown_index(bench) == stopped
        await bench.press("2")
        await bench.wait_for_answer("number 1")
        await bench.press("p")
        await bench.wait(lambda: shown_index(bench) > stopped)
        # The recording waited: at most what was under way was not shown.
        assert shown_index(bench) <= stopped + 5
    assert [photo.label for photo in list_photos(tmp_path / "data")] == ["mask_young"]
