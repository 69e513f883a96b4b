import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskage.cameras.newest_frame import NewestFrameReader
from maskage.cameras.sources import (
    PictureFolder,
    Webcam,
    list_webcams,
    open_camera,
    read_device_name,
    shows_pictures,
)
from maskage.cameras.video.video_file import VideoFile
from maskage.errors import CameraError
from maskage.records import Frame
from tests.conftest import draw_noise
from tests.maskage.dataset.importing.test_importer import make_video


class CountingCamera:
    """Hands out `count` frames, one every `period_s`, then ends or is lost."""

    name = "counting camera"
    is_live = True

    def __init__(self, count: int, period_s: float = 0.0, fault: CameraError | None = None) -> None:
        self.fps: float | None = None
        self.frame_count: int | None = count
        self.closed = threading.Event()
        self._left, self._period_s, self._fault = count, period_s, fault
        self._index = 0

    def read(self) -> Frame | None:
        time.sleep(self._period_s)
        if self._index == self._left:
            if self._fault:
                raise self._fault
            return None
        self._index += 1
        return Frame(np.zeros((4, 4, 3), np.uint8), self._index - 1)

    def close(self) -> None:
        self.closed.set()


def test_a_video_is_read_to_its_end_in_rgb(tmp_path: Path) -> None:
    video = VideoFile(make_video(tmp_path / "a.mp4", 10), pace=False)
    frames = []
    while (frame := video.read()) is not None:
        frames.append(frame)
    assert [frame.index for frame in frames] == list(range(10))
    assert video.frame_count == 10
    assert frames[5].position_s == pytest.approx(0.2)
    # draw_noise was written as BGR, so its first channel comes back as the last.
    difference = frames[0].pixels[:, :, ::-1].astype(int) - draw_noise(0, 160)[:120]
    assert np.abs(difference).mean() < 12


def test_a_paced_video_plays_at_its_own_speed(tmp_path: Path) -> None:
    video = VideoFile(make_video(tmp_path / "a.mp4", 10), pace=True)
    start = time.monotonic()
    while video.read() is not None:
        pass
    assert time.monotonic() - start >= 9 / 25


def test_a_folder_is_read_by_name_and_skips_what_is_broken(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        Image.fromarray(draw_noise(1)).save(tmp_path / name)
    (tmp_path / "aa.png").write_text("no picture")
    folder = PictureFolder(tmp_path)
    frames = [folder.read(), folder.read(), folder.read()]
    assert [frame.file if frame else None for frame in frames] == ["a.png", "b.png", None]
    assert len(folder.skipped) == 1


def test_sources_that_are_not_there_say_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="No such source"):
        open_camera(str(tmp_path / "none.mp4"))
    with pytest.raises(CameraError, match="no pictures"):
        open_camera(str(tmp_path))
    missing = max(list_webcams(), default=-1) + 77
    with pytest.raises(CameraError, match=rf"No camera at index {missing}\. Found .*Try --source"):
        open_camera(str(missing))
    with pytest.raises(CameraError, match="does not answer"):
        open_camera("http://127.0.0.1:9/stream")


def test_an_address_of_another_kind_is_refused_without_telling_its_password() -> None:
    with pytest.raises(CameraError, match=r"rtmp:// addresses.*begin with http://") as fault:
        open_camera("rtmp://anna:secret@cam/live")
    assert "secret" not in str(fault.value)


def test_a_slow_consumer_gets_the_newest_frame_and_the_rest_are_counted() -> None:
    camera = CountingCamera(50, 0.005)
    with NewestFrameReader(camera) as reader:
        first = reader.take()
        time.sleep(0.1)
        second = reader.take()
        assert first is not None
        assert second is not None
        assert second.index - first.index >= 5
        taken = 2
        while not reader.has_ended:
            taken += reader.take() is not None
        assert taken + reader.dropped == reader.read == 50
    assert camera.closed.is_set()


def test_the_end_of_a_recording_is_an_end() -> None:
    with NewestFrameReader(CountingCamera(1)) as reader:
        assert reader.take() is not None
        assert reader.take() is None
        assert reader.has_ended


def test_a_lost_camera_is_an_error_after_its_last_frame() -> None:
    with NewestFrameReader(CountingCamera(1, fault=CameraError("gone"))) as reader:
        assert reader.take() is not None
        with pytest.raises(CameraError, match="gone"):
            reader.take()


def test_waiting_for_a_frame_has_a_limit() -> None:
    with NewestFrameReader(CountingCamera(1, period_s=0.3)) as reader:
        assert reader.take(timeout_s=0.01) is None
        assert not reader.has_ended


def test_a_webcam_is_described_as_its_driver_calls_it(tmp_path: Path) -> None:
    (tmp_path / "video2").mkdir()
    (tmp_path / "video2" / "name").write_text("Front Camera: HD\n")
    assert read_device_name(2, tmp_path) == "Front Camera: HD"
    assert read_device_name(3, tmp_path) is None
    assert str(Webcam(2, "Front", 640, 480, 30.0)) == "Front, 640x480 at 30 fps"
    assert str(Webcam(2, None, 640, 480, None)) == "webcam, 640x480"


def test_the_time_of_a_frame_is_the_recordings_own_however_unevenly_frames_come(
    tmp_path: Path,
) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed, which makes the video")
    path = tmp_path / "uneven.mp4"
    # Ten frames a second, of which the second to the eighth are left out.
    picture = "testsrc=duration=2:size=64x48:rate=10"
    chosen = "select='not(between(n,1,7))'"
    words = ["-v", "error", "-f", "lavfi", "-i", picture, "-vf", chosen, "-fps_mode", "vfr"]
    subprocess.run([ffmpeg, *words, str(path)], check=True)
    video = VideoFile(path, pace=False)
    times = []
    while (frame := video.read()) is not None:
        times.append(frame.position_s)
    video.close()
    assert times[:3] == pytest.approx([0.0, 0.8, 0.9], abs=0.02)
    assert times[-1] == pytest.approx(1.9, abs=0.02)


def test_a_folder_called_as_a_camera_is_does_not_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "0"):
        Path(name).mkdir()
        assert not shows_pictures(name)
        assert shows_pictures(f"./{name}")
