"""The sound of a source beside the annotated pictures."""

import math
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from detector.cli import main
from maskage.cameras.video.video_file import VideoFile
from maskage.formats.bundle import ModelBundle
from tests.maskage.cameras.video.video_clips import make_clip

RATE = 48_000
LASTS_S = 4.0
BEEP_S = 2.0
"""Before it there is silence."""

pytestmark = pytest.mark.usefixtures("no_face_model")


def add_sound(clip: Path, codec: str = "aac", ending: str = ".mp4", late_s: float = 0.0) -> Path:
    """Give a clip a sound of four seconds: silence, and a tone for the last two."""
    made = clip.with_name(f"{clip.stem}-{codec}{ending}")
    with av.open(str(clip)) as source, av.open(str(made), "w") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream(codec, RATE)
        assert isinstance(sound, av.AudioStream)
        sound.codec_context.layout = "mono"
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None and packet.pts is not None and packet.time_base is not None:
                packet.pts += round(late_s / packet.time_base)
                packet.dts += round(late_s / packet.time_base)
                packet.stream = pictures
                target.mux(packet)
        resampler = av.AudioResampler(sound.codec_context.format, "mono", RATE)
        begin = round(late_s * RATE)
        for at in range(0, round(LASTS_S * RATE), 960):
            times = np.arange(at, at + 960) / RATE
            tone = np.where(times < BEEP_S, 0, 0.5 * np.sin(2 * math.pi * 440 * times))
            part = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], "flt", "mono")
            part.sample_rate, part.time_base, part.pts = RATE, Fraction(1, RATE), begin + at
            for piece in resampler.resample(part):
                target.mux(sound.encode(piece))
        target.mux(sound.encode(None))
    return made


def find_beep(path: Path) -> tuple[str, float, float]:
    """Return codec, start of the tone and end of the sound, in seconds of the video."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        begins_s, ends_s = math.inf, 0.0
        for part in container.decode(stream):
            assert part.time is not None
            ends_s = part.time + part.samples / part.sample_rate
            loud = np.flatnonzero(np.abs(part.to_ndarray().astype(np.float64)[0]) > 0.2)
            if len(loud) and begins_s == math.inf:
                begins_s = part.time + loud[0] / part.sample_rate
        return stream.codec_context.name, begins_s, ends_s


@pytest.fixture
def clip(film: Callable[..., Path]) -> Path:
    return film(["nomask_young"] * 20 + ["mask_old"] * 20)


def run(*words: object) -> int:
    return main(["run", *map(str, words)])


@pytest.mark.parametrize(
    ("codec", "ending", "out", "written"),
    [
        ("aac", ".mp4", "out.mp4", "aac"),
        ("aac", ".mp4", "out.mkv", "aac"),
        ("aac", ".mp4", "out.webm", "opus"),
        ("pcm_s16le", ".mov", "out.mp4", "aac"),
        ("libmp3lame", ".mkv", "out.mp4", "mp3float"),
    ],
)
def test_the_sound_is_kept_where_that_is_wanted_and_stays_beside_its_pictures(
    clip: Path, bundle: ModelBundle, tmp_path: Path, codec: str, ending: str, out: str, written: str
) -> None:
    source = add_sound(clip, codec, ending)
    words = ["--model", bundle.folder, "--video", tmp_path / out]
    assert run(source, *words, "--keep-sound") == 0
    kept, beep_s, ends_s = find_beep(tmp_path / out)
    assert kept == written
    assert beep_s == pytest.approx(BEEP_S, abs=0.08)
    assert ends_s == pytest.approx(LASTS_S, abs=0.1)
    with closing(VideoFile(tmp_path / out, pace=False)) as video:
        assert len(list(iter(video.read, None))) == 40


def test_sound_counts_from_the_first_picture(
    clip: Path, bundle: ModelBundle, tmp_path: Path
) -> None:
    # As in a recording that was cut out of another one: its clock begins at 100 s.
    source = add_sound(clip, ending=".mkv", late_s=100.0)
    assert run(source, "--model", bundle.folder, "--video", tmp_path / "o.mp4", "--keep-sound") == 0
    assert find_beep(tmp_path / "o.mp4")[1] == pytest.approx(BEEP_S, abs=0.08)


def test_sound_ends_with_the_pictures(clip: Path, bundle: ModelBundle, tmp_path: Path) -> None:
    words = ["--video", tmp_path / "o.mp4", "--keep-sound", "--max-frames", 10]
    assert run(add_sound(clip), "--model", bundle.folder, *words) == 0
    assert find_beep(tmp_path / "o.mp4")[2] == pytest.approx(1.0, abs=0.1)


def test_sound_that_is_dropped_is_told_and_silence_is_not(
    clip: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--model", bundle.folder, "--video", tmp_path / "o.mp4"]
    assert run(add_sound(clip), *words) == 0
    assert "leaves out the sound of clip-aac.mp4. Keep it with --keep-sound" in (
        capsys.readouterr().err
    )
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert not container.streams.audio
    assert run(clip, *words) == 0
    assert "sound" not in capsys.readouterr().err
    assert run(clip, *words, "--keep-sound") == 0
    assert "clip.mp4: has no sound that could be kept" in capsys.readouterr().err
    assert run("demo", "--max-frames", 3, *words, "--keep-sound") == 0
    assert "has no sound" in capsys.readouterr().err


def test_sound_without_a_video_to_keep_it_in_is_a_slip(
    clip: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(clip, "--model", bundle.folder, "--keep-sound") == 2
    assert "Add --video FILE" in capsys.readouterr().err


def test_a_video_is_upright_and_of_square_pixels(bundle: ModelBundle, tmp_path: Path) -> None:
    pixels = np.full((480, 720, 3), 60, np.uint8)
    pixels[:, :360] = 200
    # Pixels half as wide again as high; a player turns it by a quarter.
    clip = make_clip(
        tmp_path / "turned.mp4", [0.0, 0.1], pictures=[pixels] * 2, aspect=Fraction(3, 2), turned=90
    )
    assert run(clip, "--model", bundle.folder, "--video", tmp_path / "o.mp4") == 0
    with av.open(str(tmp_path / "o.mp4")) as container:
        stream, picture = container.streams.video[0], next(container.decode(video=0))
        assert (picture.width, picture.height, picture.rotation) == (480, 1080, 0)
        assert stream.sample_aspect_ratio in (None, Fraction(1))
    with (
        closing(VideoFile(clip, pace=False)) as source,
        closing(VideoFile(tmp_path / "o.mp4", pace=False)) as made,
    ):
        before, after = source.read(), made.read()
    assert before is not None
    assert after is not None
    assert after.pixels[100, 20].mean() == pytest.approx(before.pixels[100, 20].mean(), abs=6)
