"""A recorded video is read from its first frame to its last, whatever is in between."""

import contextlib
import itertools
import os
import random
import socket
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from maskage.cameras.sources import Camera, open_camera
from maskage.cameras.video.video_file import VideoDamage, VideoFile
from maskage.errors import CameraError
from maskage.records import Frame
from tests.conftest import draw_noise
from tests.maskage.cameras.video.video_clips import (
    cut_off,
    make_clip,
    put_index_first,
    spoil_middle,
)

LONG_S = 20.0
NOISE = random.Random(1).randbytes(5000)


def read_all(camera: Camera) -> list[Frame]:
    frames = []
    while (frame := camera.read()) is not None:
        frames.append(frame)
    camera.close()
    return frames


def open_file(path: Path) -> VideoFile:
    camera = open_camera(str(path), pace=False)
    assert isinstance(camera, VideoFile)
    return camera


CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.avi", "libx264"),
    ("a.avi", "mjpeg"),
    ("a.webm", "libvpx"),
    ("a.webm", "libvpx-vp9"),
    ("a.ts", "libx264"),
    ("a.mpg", "mpeg2video"),
]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_a_whole_video_has_no_damage(name: str, codec: str, tmp_path: Path) -> None:
    video = open_file(make_clip(tmp_path / name, codec=codec))
    frames = read_all(video)
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.position_s for frame in frames] == pytest.approx(
        [number / 30 for number in range(60)], abs=0.002
    )
    assert video.damage == VideoDamage()
    assert video.damage.faults == []
    assert video.take_notices() == []
    assert video.fps == pytest.approx(30)


@pytest.mark.parametrize(
    ("name", "codec"), [each for each in CONTAINERS if each != ("a.avi", "mjpeg")]
)
def test_a_damaged_spot_is_read_over_and_what_follows_keeps_its_number_and_time(
    name: str, codec: str, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / name, codec=codec)
    whole = read_all(open_file(path))
    video = open_file(spoil_middle(path))
    frames = read_all(video)
    last = frames[-1]
    assert last.index == pytest.approx(59, abs=1)
    assert last.position_s == pytest.approx(59 / 30, abs=0.04)
    assert np.abs(last.pixels.astype(int) - whole[-1].pixels).mean() < 1
    assert video.damage.lost > 2
    assert len(frames) + video.damage.lost == pytest.approx(60, abs=1)
    notices = video.take_notices()
    first_lost = next(
        before.index + 1
        for before, after in itertools.pairwise(frames)
        if after.index > before.index + 1
    )
    assert notices[0].startswith(f"{name}: frames {first_lost} to ")
    assert "could not be decoded" in notices[0]


@pytest.mark.parametrize("hole_bytes", [200_000, 20_000_000])
def test_a_hole_in_a_transport_stream_is_neither_its_end_nor_a_new_begin(
    tmp_path: Path, hole_bytes: int
) -> None:
    clip = make_clip(tmp_path / "clip.ts")
    data = clip.read_bytes()
    begin, end = (len(data) * part // 3 // 188 * 188 for part in (1, 2))
    clip.write_bytes(data[:begin] + bytes(hole_bytes) + data[end:])
    video = VideoFile(clip, pace=False)
    times_s = [frame.position_s for frame in read_all(video)]
    assert times_s == sorted(times_s)
    assert times_s[-1] == pytest.approx(59 / 30, abs=0.001)
    assert len(times_s) + video.damage.lost == 60
    assert video.damage.early_end is None
    assert any("could not be decoded" in notice for notice in video.take_notices())


def test_frames_of_which_an_avi_keeps_no_trace_are_missed_at_its_end(tmp_path: Path) -> None:
    video = open_file(spoil_middle(make_clip(tmp_path / "a.avi", codec="mjpeg")))
    assert len(read_all(video)) < 60
    assert "but says that it lasts 2.0 s" in str(video.damage.early_end)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mjpeg"), ("a.webm", "libvpx")],
)
def test_a_video_that_was_cut_short_says_so(name: str, codec: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, codec=codec)
    video = open_file(cut_off(put_index_first(path) if name == "a.mp4" else path))
    frames = read_all(video)
    assert 5 < len(frames) < 40
    assert video.damage.early_end is not None
    assert video.damage.early_end.endswith("but says that it lasts 2.0 s")
    assert "cut short" in video.take_notices()[-1]


def test_what_an_editor_left_out_is_no_damage(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    # Without decoding, an editor can begin at a key frame only, and tells players to skip the rest.
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is None or packet.pts is None:
                continue
            packet.stream = stream
            shift = round(1 / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            target.mux(packet)
    video = open_file(tmp_path / "b.mp4")
    frames = read_all(video)
    assert 25 <= len(frames) <= 35
    assert frames[0].index == 0
    assert frames[0].position_s == 0
    assert video.damage == VideoDamage()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.webm", "a.mov"])
def test_a_recording_whose_clock_ran_before_it_began_is_whole(name: str, tmp_path: Path) -> None:
    # What is cut out of a stream keeps its times, and Matroska counts its length from 0.
    times = [7 + number / 30 for number in range(40)]
    codec = "libvpx" if name == "a.webm" else "libx264"
    video = open_file(make_clip(tmp_path / name, times, codec=codec))
    frames = read_all(video)
    assert [frame.index for frame in frames] == list(range(40))
    assert frames[0].position_s == 0
    assert frames[-1].position_s == pytest.approx(39 / 30, abs=0.003)
    assert video.damage == VideoDamage()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_pause_is_no_damage_and_keeps_its_length(name: str, tmp_path: Path) -> None:
    times = [number / 30 for number in range(20)] + [9 + number / 30 for number in range(20)]
    video = open_file(make_clip(tmp_path / name, times))
    frames = read_all(video)
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.position_s for frame in frames] == pytest.approx(times, abs=0.002)
    assert video.damage == VideoDamage()
    assert video.take_notices() == []


def test_a_paced_video_leaves_a_pause_out_with_a_word(tmp_path: Path) -> None:
    times = [0, 1 / 30, 2 / 30, 30, 30 + 1 / 30]
    video = VideoFile(make_clip(tmp_path / "a.mkv", times), pace=True)
    started_s = time.monotonic()
    frames = read_all(video)
    assert time.monotonic() - started_s < 15
    assert frames[-1].position_s == pytest.approx(times[-1], abs=0.002)
    assert video.take_notices() == [
        "a.mkv: nothing was recorded from 0.1 to 30.0 s; this pause is left out."
    ]


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(4, 3), (120, 213)),
        (Fraction(64, 45), (120, 228)),
        (Fraction(2), (120, 320)),
        (Fraction(8, 9), (135, 160)),
        # A slip of the file; nobody's pixels are so.
        (Fraction(50), (120, 160)),
    ],
)
def test_frames_have_square_pixels(
    aspect: Fraction, shape: tuple[int, int], tmp_path: Path
) -> None:
    video = open_file(make_clip(tmp_path / "a.mkv", [0, 1 / 30], aspect=aspect))
    assert [frame.pixels.shape for frame in read_all(video)] == [(*shape, 3)] * 2


@pytest.mark.parametrize(
    ("turned", "shape", "dark_corner"),
    [(90, (213, 120), (-1, 0)), (-90, (213, 120), (0, -1)), (180, (120, 213), (-1, -1))],
)
def test_a_turned_video_stands_upright_and_its_pixels_are_square(
    turned: float, shape: tuple[int, int], dark_corner: tuple[int, int], tmp_path: Path
) -> None:
    picture = np.full((120, 160, 3), 250, np.uint8)
    picture[:40, :40] = 5
    path = make_clip(
        tmp_path / "a.mp4",
        [0, 1 / 30],
        pictures=[picture] * 2,
        aspect=Fraction(4, 3),
        turned=turned,
    )
    pixels = read_all(open_file(path))[0].pixels
    assert pixels.shape == (*shape, 3)
    corners = {(y, x): int(pixels[y, x].mean()) for y in (0, -1) for x in (0, -1)}
    assert min(corners, key=lambda corner: corners[corner]) == dark_corner


@pytest.mark.parametrize(
    ("matrix", "shape", "dark_corner"),
    [
        ((-1, 0, 0, 1), (120, 160), (0, -1)),
        ((1, 0, 0, -1), (120, 160), (-1, 0)),
        ((-1, 0, 0, -1), (120, 160), (-1, -1)),
        ((0, 1, 1, 0), (160, 120), (0, 0)),
        ((0, 1, -1, 0), (160, 120), (0, -1)),
        ((0, -1, -1, 0), (160, 120), (-1, -1)),
    ],
)
def test_a_mirrored_video_does_not_stand_on_its_head(
    matrix: tuple[int, int, int, int],
    shape: tuple[int, int],
    dark_corner: tuple[int, int],
    tmp_path: Path,
) -> None:
    picture = np.full((120, 160, 3), 250, np.uint8)
    picture[:40, :40] = 5
    path = make_clip(tmp_path / "a.mp4", [0, 1 / 30], pictures=[picture] * 2, matrix=matrix)
    pixels = read_all(open_file(path))[0].pixels
    assert pixels.shape == (*shape, 3)
    corners = {(y, x): int(pixels[y, x].mean()) for y in (0, -1) for x in (0, -1)}
    assert min(corners, key=lambda corner: corners[corner]) == dark_corner


def test_pixels_that_change_their_shape_in_the_middle_stay_square(tmp_path: Path) -> None:
    """Television goes from wide to narrow and back between programmes."""
    parts = [
        make_clip(tmp_path / f"{number}.ts", codec="mpeg2video", aspect=aspect)
        for number, aspect in enumerate((Fraction(4, 3), Fraction(1)))
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    widths = [frame.width for frame in read_all(open_file(path))]
    assert (widths[0], widths[-1]) == (213, 160)


def test_the_cover_of_a_sound_file_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame", rate=44_100)
        cover = container.add_stream("mjpeg", rate=1)
        assert isinstance(cover, av.VideoStream)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1152), np.int16), format="s16p")
        silence.sample_rate = 44_100
        picture = av.VideoFrame.from_ndarray(draw_noise(1, 64), format="rgb24")
        container.mux([*cover.encode(picture), *cover.encode(None)])
        assert isinstance(sound, av.AudioStream)
        container.mux([*sound.encode(silence), *sound.encode(None)])
    with pytest.raises(CameraError, match="only a cover picture and audio"):
        open_file(path)


def test_av1_is_decoded(tmp_path: Path) -> None:
    picture = np.full((96, 128, 3), (200, 40, 90), np.uint8)
    path = make_clip(tmp_path / "a.mp4", [0, 0.1, 0.2], pictures=[picture] * 3, codec="libsvtav1")
    # Its encoder takes real-time priority where it may; nothing after it is to inherit that.
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    frames = read_all(open_file(path))
    assert len(frames) == 3
    assert frames[0].pixels.mean(axis=(0, 1)) == pytest.approx([200, 40, 90], abs=6)


def make_unknown_codec(path: Path) -> None:
    data = make_clip(path, [0, 0.1]).read_bytes()
    path.write_bytes(data.replace(b"avc1", b"xyz9"))


def make_index_missing(path: Path) -> None:
    cut_off(make_clip(path), 0.9)


def make_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), r"this file is empty \(0 bytes\)"),
        (
            lambda path: path.write_bytes(NOISE),
            r"not a video that .*5,000 bytes",
        ),
        (lambda path: path.write_text("no video"), "not a video"),
        (make_index_missing, "index of this video is missing.*still being written"),
        (make_unknown_codec, r"codec, 'xyz9', cannot .*ffmpeg -i .*a\.mp4 -c:v libx264"),
        (make_sound, "no video is in this file, only audio"),
    ],
)
def test_what_is_no_readable_video_is_refused_with_its_reason(
    make: object, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    assert callable(make)
    make(path)
    with pytest.raises(CameraError, match=message):
        open_camera(str(path))


def test_a_text_is_not_drawn_as_a_video(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video\n" * 50)
    with pytest.raises(CameraError, match="this is text, not a video"):
        open_camera(str(tmp_path / "notes.txt"))


def test_a_video_of_which_no_frame_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.avi", [n / 30 for n in range(10)], codec="mjpeg")
    data = path.read_bytes()
    # Each picture's own frame header: what is left is the container.
    path.write_bytes(data.replace(b"\xff\xc0", b"\xff\x00"))
    video = open_file(path)
    with pytest.raises(CameraError, match=r"none of its frames .*MJPG.*ffmpeg -i"):
        read_all(video)


def test_a_playlist_that_calls_itself_a_video_asks_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/part.ts"
        path = tmp_path / "a.mp4"
        path.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{address}\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(CameraError):
            read_all(open_camera(str(path), pace=False))
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_file_whose_name_looks_like_an_address_is_a_file(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "concat:b|c?d#e%20f.mkv", [0, 0.1])
    assert len(read_all(open_file(path))) == 2


def test_a_file_whose_name_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", [0, 0.1])
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/k\xe4se.mkv"))
    path.rename(odd)
    assert len(read_all(open_file(odd))) == 2


def write_slowly(pipe: Path, data: bytes, pause_s: float) -> None:
    with pipe.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        time.sleep(pause_s)
        file.write(data[len(data) // 2 :])


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    data = make_clip(tmp_path / "a.mkv").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=write_slowly, args=(pipe, data, 0.2))
    writer.start()
    video = open_file(pipe)
    frames = read_all(video)
    writer.join(LONG_S)
    assert [frame.index for frame in frames] == list(range(60))
    assert video.damage == VideoDamage()


def test_a_pipe_whose_video_has_its_index_at_the_end_says_so(tmp_path: Path) -> None:
    data = make_clip(tmp_path / "a.mp4").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=write_to_the_end, args=(pipe, data))
    writer.start()
    with pytest.raises(CameraError, match=r"pipe.* to a file"):
        read_all(open_camera(str(pipe), pace=False))
    writer.join(LONG_S)


def write_to_the_end(pipe: Path, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write_bytes(data)


def count_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_a_closed_video_leaves_no_thread(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    video = open_file(path)
    before = count_threads()
    assert video.read() is not None
    video.close()
    assert video.read() is None
    video.close()
    assert count_threads() <= before


def test_damage_is_described_by_what_there_is_of_it() -> None:
    assert VideoDamage().faults == []

    assert VideoDamage(1, 0, None).faults == ["1 frame could not be decoded"]
    whole = VideoDamage(2, 1, "ends early")
    assert whole.faults == [
        "2 frames could not be decoded",
        "1 picture decoded with faults in them",
        "ends early",
    ]
    assert whole.is_incomplete
    assert not VideoDamage(0, 3, None).is_incomplete
