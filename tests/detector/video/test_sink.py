"""A video can be played at every moment of its writing, and once finished by every player."""

import struct
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.video.encoder import split_frame
from detector.video.mp4 import FRAGMENT_S
from detector.video.sink import VideoSink
from maskage.errors import EnvironmentProblemError
from maskage.records import RgbImage
from tests.maskage.dataset.saving_checks import small_disk

FPS = 10.0
DARKEST, STEP = 30, 4
"""Grey levels: more than encoding changes them."""
DARKENED = 3
"""Grey levels that OpenCV's encoder takes away from every picture."""


def picture(number: int, width: int = 160, height: int = 120) -> RgbImage:
    """A picture that tells its number by its brightness, with something to encode."""
    pixels = np.full((height, width, 3), DARKEST + STEP * number, np.uint8)
    pixels[:20] = np.random.default_rng(number).integers(0, 255, (20, width, 3))
    return pixels


def number_of(pixels: RgbImage) -> int:
    return round((float(pixels[60:].mean()) + DARKENED - DARKEST) / STEP)


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
    assert [kind for kind, _ in read_boxes(path.read_bytes())] == ["ftyp", "mdat", "moov"]
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
    whole = wait_for_fragments(path, 4)
    for share in (0.3, 0.6, 0.9, 1.0):
        cut.write_bytes(whole[: round(share * len(whole))])
        numbers = read_numbers(cut)
        # The frame at the cut may be damaged.
        assert numbers[:-1] == list(range(len(numbers) - 1))
        assert len(numbers) >= share * 45 - 1 - FPS * FRAGMENT_S
    sink.close()
    assert read_numbers(path) == list(range(45))


def wait_for_fragments(path: Path, fragments: int) -> bytes:
    """The file once the encoder's thread has written so many."""
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        data = path.read_bytes()
        if data.count(b"moof") == fragments and sum(n for _, n in read_boxes(data)) == len(data):
            return data
        time.sleep(0.02)
    raise TimeoutError


@pytest.mark.parametrize("fps", [1.0, 23.976, 29.97, 60.0])
def test_it_plays_at_the_rate_that_was_asked_for(tmp_path: Path, fps: float) -> None:
    write(tmp_path / "clip.mp4", 5, fps)
    reader = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, abs=1e-3)
    reader.release()


def test_a_file_of_another_kind_is_written_too(tmp_path: Path) -> None:
    write(tmp_path / "clip.avi", 12)
    assert len(read_numbers(tmp_path / "clip.avi")) == 12
    assert (tmp_path / "clip.avi").read_bytes()[:4] == b"RIFF"


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


def test_a_frame_is_split_into_header_and_picture() -> None:
    header, group = b"\0\0\1\xb0\1\0\0\1\x20abc", b"\0\0\1\xb3\0"
    key, other = b"\0\0\1\xb6\x10xyz", b"\0\0\1\xb6\x50xyz"
    frames = [split_frame(data) for data in (header + group + key, header + key, other, b"?")]
    assert [frame.header for frame in frames] == [header, header, b"", b""]
    assert [frame.data for frame in frames] == [group + key, key, other, b"?"]
    assert [frame.is_key for frame in frames] == [True, True, False, False]
