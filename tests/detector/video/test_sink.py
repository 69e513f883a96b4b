"""A video can be played at every moment of its writing, and once finished by every player."""

import stat
import struct
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from detector.video.encoder import ENCODERS, Encoder
from detector.video.growing_file import FORMATS, FRAGMENT_S
from detector.video.sink import VideoSink
from maskage.cameras.video.video_file import VideoFile
from maskage.errors import EnvironmentProblemError
from maskage.records import RgbImage
from tests.maskage.dataset.saving_checks import small_disk

FPS = 10.0
DARKEST, STEP = 30, 4
"""Grey levels: more than encoding changes them."""


def picture(number: int, width: int = 160, height: int = 120) -> RgbImage:
    """A picture that tells its number by its brightness, with something to encode."""
    pixels = np.full((height, width, 3), DARKEST + STEP * number, np.uint8)
    pixels[:20] = np.random.default_rng(number).integers(0, 255, (20, width, 3))
    return pixels


def number_of(pixels: RgbImage) -> int:
    return round((float(pixels[60:].mean()) - DARKEST) / STEP)


def write(path: Path, frames: int, fps: float = FPS) -> None:
    with VideoSink(path, fps) as sink:
        for number in range(frames):
            sink.write(picture(number))


def read_numbers(path: Path) -> list[int]:
    """The numbers of the pictures that OpenCV reads."""
    reader = cv2.VideoCapture(str(path))
    numbers: list[int] = []
    while True:
        is_there, pixels = reader.read()
        if not is_there:
            reader.release()
            return numbers
        numbers.append(number_of(np.asarray(pixels, np.uint8)))


def read_boxes(data: bytes) -> list[tuple[str, int]]:
    """Kind and size of the outermost boxes of an MP4."""
    boxes, place = [], 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
        boxes.append((kind.decode(), size))
        place += size
    return boxes


@pytest.mark.parametrize("frames", [1, 9, 10, 11, 45])
def test_every_frame_is_there_once_and_in_order(tmp_path: Path, frames: int) -> None:
    write(tmp_path / "clip.mp4", frames)
    assert read_numbers(tmp_path / "clip.mp4") == list(range(frames))


def test_a_finished_file_is_an_ordinary_mp4_with_one_index(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, 45)
    assert [kind for kind, _ in read_boxes(path.read_bytes())] == ["ftyp", "free", "mdat", "moov"]
    reader = cv2.VideoCapture(str(path))
    assert reader.get(cv2.CAP_PROP_FRAME_COUNT) == 45
    assert reader.get(cv2.CAP_PROP_FPS) == FPS
    # Players seek by the index.
    reader.set(cv2.CAP_PROP_POS_FRAMES, 33)
    is_there, pixels = reader.read()
    reader.release()
    assert is_there
    assert number_of(np.asarray(pixels, np.uint8)) == 33


def test_wherever_it_is_cut_off_all_but_the_last_second_can_be_read(tmp_path: Path) -> None:
    path, cut = tmp_path / "clip.mp4", tmp_path / "cut.mp4"
    sink = VideoSink(path, FPS)
    for number in range(45):
        sink.write(picture(number))
    # As a kill leaves it: never closed. What the last frames still wait for is their second.
    whole = path.read_bytes()
    assert sum(size for _, size in read_boxes(whole)) == len(whole)
    assert whole.count(b"moof") == 4
    for share in (0.3, 0.6, 0.9, 1.0):
        cut.write_bytes(whole[: round(share * len(whole))])
        numbers = read_numbers(cut)
        # The frame at the cut may be damaged.
        assert numbers[:-1] == list(range(len(numbers) - 1))
        assert len(numbers) >= share * 45 - 1 - FPS * FRAGMENT_S
    sink.close()
    assert read_numbers(path) == list(range(45))


@pytest.mark.parametrize("fps", [1.0, 23.976, 29.97, 60.0])
def test_it_plays_at_the_rate_that_was_asked_for(tmp_path: Path, fps: float) -> None:
    write(tmp_path / "clip.mp4", 5, fps)
    reader = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, abs=1e-3)
    reader.release()


@pytest.mark.parametrize("ending", sorted(FORMATS))
def test_every_kind_of_file_that_is_written_can_be_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip{ending}"
    # MPEG program streams know the rates of television only.
    write(path, 12, 25.0)
    assert read_numbers(path) == list(range(12))
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context.name
    assert codec == ("vp9" if ending == ".webm" else "h264")


def test_browsers_play_what_is_written(tmp_path: Path) -> None:
    write(tmp_path / "clip.mp4", 3)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.codec_tag, context.pix_fmt) == ("avc1", "yuv420p")
        assert container.streams.video[0].sample_aspect_ratio in (None, Fraction(1))


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"older")
    (tmp_path / "clip.mp4").chmod(0o644)
    write(tmp_path / "clip.mp4", 1)
    assert stat.S_IMODE((tmp_path / "clip.mp4").stat().st_mode) == 0o600


def test_each_frame_lies_at_its_own_time(tmp_path: Path) -> None:
    times_s = [0.0, 0.033, 0.5, 0.51, 4.0]
    with VideoSink(tmp_path / "clip.mp4", 30.0) as sink:
        for number, at_s in enumerate(times_s):
            sink.write(picture(number), at_s)
    assert sink.lasts_s == pytest.approx(4.0 + 1 / 30)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frames = list(container.decode(video=0))
        assert (container.duration or 0) / 1e6 == pytest.approx(4.0 + 1 / 30, abs=0.002)
    assert [frame.time for frame in frames] == pytest.approx(times_s, abs=0.001)


def test_a_format_without_times_lays_frames_on_the_nearest_beat(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "clip.avi", 10.0) as sink:
        for number, at_s in enumerate([0.0, 0.11, 0.12, 0.52]):
            sink.write(picture(number), at_s)
    with closing(VideoFile(tmp_path / "clip.avi", pace=False)) as video:
        times_s = [frame.position_s for frame in iter(video.read, None)]
    assert times_s == pytest.approx([0.0, 0.1, 0.2, 0.5])


def test_where_the_usual_encoder_is_missing_another_one_is_used_and_told(tmp_path: Path) -> None:
    missing = Encoder("no-such-encoder", "h264", "")
    for other in ENCODERS[1:]:
        path, told = tmp_path / f"{other.name}.mp4", list[str]()
        with VideoSink(path, FPS, encoders=(missing, other), report=told.append) as sink:
            for number in range(12):
                sink.write(picture(number))
        assert read_numbers(path) == list(range(12))
        (message,) = told
        assert f"no-such-encoder is missing here or refuses such pictures, so {other.name} is" in (
            message
        )


def test_without_any_encoder_it_is_an_error(tmp_path: Path) -> None:
    missing = Encoder("no-such-encoder", "h264", "")
    sink = VideoSink(tmp_path / "clip.mp4", FPS, encoders=(missing,))
    with pytest.raises(EnvironmentProblemError, match=r"160x120 px cannot .* no-such-encoder"):
        sink.write(picture(0))
    sink.close()


@pytest.mark.parametrize("name", ["clip.txt", "clip", "clip.mp4.part"])
def test_a_name_that_is_no_videos_is_refused(tmp_path: Path, name: str) -> None:
    sink = VideoSink(tmp_path / name, FPS)
    with pytest.raises(EnvironmentProblemError, match=r"ends in \.mp4"):
        sink.write(picture(0))
    assert not (tmp_path / name).exists()


def test_a_full_disk_is_told_and_leaves_what_fitted(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "disk", 2) as disk:
            noise = np.random.default_rng(1).integers(0, 255, (200, 240, 320, 3), np.uint8)
            sink = VideoSink(disk / "clip.mp4", FPS)
            with pytest.raises(EnvironmentProblemError, match=r"No space left .*Make room"):
                write_all(sink, noise)
            with pytest.raises(EnvironmentProblemError, match="No space left"):
                sink.close()
            sink.close()
            read = len(read_numbers(disk / "clip.mp4"))
            assert read >= FPS * FRAGMENT_S
            assert read % (FPS * FRAGMENT_S) == 0
    except PermissionError as fault:
        pytest.skip(f"needs to mount a small file system: {fault}")


def write_all(sink: VideoSink, frames: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> None:
    for pixels in frames:
        sink.write(pixels)
    sink.close()
