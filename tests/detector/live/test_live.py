"""The live loop shows the newest frame, obeys keys, survives a lost camera, and ends when asked."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from detector.cli import main
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections, CorrectionStore
from detector.live.loop import LiveLimits, LiveLoop
from detector.live.sources import CameraChoice
from detector.live.watched import WatchedCamera, WatchedCameras
from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command
from detector.screens.display import DisplayProbe, ScreenKind, choose_screen
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import LivePipeline
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera, PictureFolder
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import CameraError, EnvironmentProblemError
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg
from maskage.records import Frame, RgbImage

pytestmark = pytest.mark.usefixtures("no_face_model")


class ScriptedCamera:
    """A live camera of a fixed rate that is lost after so many frames."""

    name = "scripted camera"
    frame_count: int | None = None
    is_live = True

    def __init__(self, pixels: RgbImage, fps: float = 100.0, lost_after: int | None = None) -> None:
        self.fps: float | None = fps
        self._pixels = pixels
        self._lost_after = lost_after
        self._index = 0
        self._period_s = 1 / fps

    def read(self) -> Frame | None:
        if self._index == self._lost_after:
            raise CameraError("scripted camera: pulled out.")
        time.sleep(self._period_s)
        self._index += 1
        return Frame(self._pixels, self._index - 1, position_s=self._index * self._period_s)

    def close(self) -> None: ...


class ScriptedScreen(Screen):
    """Keeps what is shown, and presses each key once its number of views was reached."""

    def __init__(self, keys: dict[int, str] | None = None, show_s: float = 0.0) -> None:
        self.is_open = True
        self.views: list[LiveView] = []
        self._keys = keys or {}
        self._show_s = show_s

    def show(self, view: LiveView) -> None:
        time.sleep(self._show_s)
        self.views.append(view)

    def read_commands(self) -> list[Command]:
        due = [number for number in self._keys if len(self.views) >= number]
        return LiveKeys(MASK_AGE).parse("".join(self._keys.pop(number) for number in due))

    def close(self) -> None:
        self.is_open = False


@contextmanager
def looping(
    camera: Callable[[], Camera],
    bundle: ModelBundle,
    screen: Screen,
    snapshots: Path = Path("snapshots"),
    **limits: object,
) -> Iterator[LiveLoop]:
    with ExitStack() as held:
        choice = CameraChoice(["demo"], lambda _: camera())
        feed = held.enter_context(LiveFeed(choice.open))
        corrections = held.enter_context(
            Corrections(CorrectionStore(Path("data")), bundle.scheme, "model")
        )
        pipeline = LivePipeline(GuideFinder("hold the face in the guide"), Classifier(bundle))
        cameras = WatchedCameras([WatchedCamera(feed, pipeline)], choice)
        controls = LiveControls(cameras, corrections, snapshots=snapshots, recordings=snapshots)
        held.callback(controls.close)
        limit = LiveLimits(**limits)  # type: ignore[arg-type]
        yield LiveLoop(cameras, screen, controls, limits=limit)


def test_each_view_holds_a_labelled_frame_its_rate_and_its_age(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    screen = ScriptedScreen()
    camera = ScriptedCamera(paint("mask_old"))
    with looping(lambda: camera, bundle, screen, frames=20) as loop:
        loop.run()
    assert loop.summary.frames == 20
    assert {view.result.faces[0].label for view in screen.views} == {"mask_old"}
    last = screen.views[-1].readout
    assert last.fps is not None
    assert 10 < last.fps < 110
    assert last.age_ms is not None
    assert 0 < last.age_ms < 200
    assert last.notice == "hold the face in the guide"


def test_the_last_view_of_a_recording_says_so_and_that_of_a_camera_does_not(
    bundle: ModelBundle, tmp_path: Path, paint: Callable[..., RgbImage]
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(encode_jpeg(paint("mask_old")))
    over = ScriptedScreen()
    with looping(lambda: PictureFolder(tmp_path), bundle, over) as loop:
        loop.run()
    assert [view.is_over for view in over.views].index(True) == len(over.views) - 1
    assert over.views[-1].result.frame.index == 2
    left = ScriptedScreen({2: "q"})
    with looping(lambda: ScriptedCamera(paint("mask_old")), bundle, left) as loop:
        loop.run()
    assert left.views
    assert not any(view.is_over for view in left.views)


def test_a_slow_screen_shows_new_frames_and_never_old_ones(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    screen = ScriptedScreen(show_s=0.1)
    camera = ScriptedCamera(paint("mask_old"))
    with looping(lambda: camera, bundle, screen, frames=10) as loop:
        loop.run()
    assert loop.summary.dropped > 20
    assert loop.summary.age_p95_ms < 250
    indexes = [view.result.frame.index for view in screen.views]
    assert indexes == sorted(set(indexes))


def test_pause_holds_the_picture_mirror_turns_it_and_q_ends(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    screen = ScriptedScreen({5: "m", 10: "p", 12: "p", 20: "q"})
    camera = ScriptedCamera(paint("mask_old"))
    with looping(lambda: camera, bundle, screen) as loop:
        loop.run()
    paused = [view for view in screen.views if view.readout.is_paused]
    assert len({view.result.frame.index for view in paused}) == 1
    assert paused[0].readout.age_ms is None
    assert not screen.views[0].is_mirrored
    assert screen.views[-1].is_mirrored
    assert not screen.views[-1].readout.is_paused


def test_a_snapshot_is_saved_and_told(
    bundle: ModelBundle, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    screen = ScriptedScreen({3: "s", 6: "q"})
    camera = ScriptedCamera(paint("mask_old"))
    shots = tmp_path / "new" / "shots"
    with looping(lambda: camera, bundle, screen, snapshots=shots) as loop:
        loop.run()
    (shot,) = shots.iterdir()
    assert shot.suffix == ".jpg"
    assert any(str(shot) in view.readout.text for view in screen.views)


def test_a_snapshot_that_cannot_be_saved_does_not_end_the_view(
    bundle: ModelBundle, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    screen = ScriptedScreen({3: "s", 9: "q"})
    camera = ScriptedCamera(paint("mask_old"))
    with looping(lambda: camera, bundle, screen, snapshots=tmp_path / "file") as loop:
        loop.run()
    assert len(screen.views) >= 9
    assert any("cannot be" in view.readout.text for view in screen.views)


def test_a_lost_camera_is_opened_again(bundle: ModelBundle, paint: Callable[..., RgbImage]) -> None:
    openings: list[int] = []

    def open_camera() -> Camera:
        openings.append(len(openings))
        if len(openings) == 2:
            raise CameraError("still pulled out.")
        return ScriptedCamera(paint("mask_old"), lost_after=10 if len(openings) == 1 else None)

    screen = ScriptedScreen()
    with looping(open_camera, bundle, screen, seconds=4.0) as loop:
        loop.run()
    assert len(openings) == 3
    assert loop.summary.reconnects == 1
    assert loop.summary.frames > 20
    notices = [view.readout.notice or "" for view in screen.views]
    assert any("pulled out" in notice for notice in notices)
    assert "pulled out" not in notices[-1]


def test_a_silent_camera_is_called_stale(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    class SilentCamera(ScriptedCamera):
        def read(self) -> Frame | None:
            if self._index == 5:
                time.sleep(3.0)
            return super().read()

    screen = ScriptedScreen()
    with looping(lambda: SilentCamera(paint("mask_old")), bundle, screen, seconds=3.8) as loop:
        loop.run()
    stale = [view.readout.stale_s for view in screen.views if view.readout.stale_s]
    assert stale
    assert stale[0] < 2.2
    assert screen.views[-1].readout.stale_s is None


def test_a_camera_that_is_not_there_is_an_error_at_once() -> None:
    def refuse() -> Camera:
        raise CameraError("No camera at index 2.")

    with pytest.raises(CameraError):
        LiveFeed(refuse)


def test_headless_tells_of_changes_and_writes_events(
    bundle: ModelBundle,
    film: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = film(["nomask_young"] * 20 + ["mask_old"] * 20, 20)
    words = ["live", "--headless", "--source", str(clip), "--model", str(bundle.folder)]
    assert main([*words, "--json", str(tmp_path / "e.jsonl")]) == 0
    printed = capsys.readouterr()
    told = [line for line in printed.err.splitlines() if "#1" in line]
    assert "no mask, young" in told[0]
    assert "mask, old" in told[-1]
    assert "no mask" not in told[-1]
    assert len(told) <= 3
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert 10 < len(events) <= 40
    assert "frames labelled" in printed.out


def test_the_first_face_is_labelled_within_a_second_and_a_half_of_the_start(
    bundle: ModelBundle, film: Callable[..., Path]
) -> None:
    clip = film(["mask_old"] * 40)
    command = [sys.executable, "-m", "detector.cli", "live", "--headless", "--frames", "1"]
    before = os.times()
    subprocess.run(
        [*command, "--source", str(clip), "--model", str(bundle.folder)],
        check=True,
        capture_output=True,
        env=os.environ,
    )
    after = os.times()
    # Time at work, not on the clock: the clock also shows what else this machine does.
    assert (
        after.children_user - before.children_user + after.children_system - before.children_system
        < 1.5
    )


def test_headless_looks_at_every_picture_of_a_folder(
    bundle: ModelBundle,
    paint: Callable[..., RgbImage],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for label in MASK_AGE.labels:
        (folder / f"{label}.jpg").write_bytes(encode_jpeg(paint(label)))
    (folder / "x.jpg").write_bytes(b"broken")
    words = ["live", "--headless", "--source", str(folder), "--model", str(bundle.folder)]
    assert main([*words, "--json", "-"]) == 0
    printed = capsys.readouterr()
    events = [json.loads(line) for line in printed.out.splitlines()]
    assert [event["faces"][0]["label"] for event in events] == list(MASK_AGE.labels)
    assert "skipped" in printed.err


def test_without_display_and_terminal_the_message_names_the_ways_out(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["live", "--source", "demo", "--model", str(bundle.folder)]) == 5
    told = capsys.readouterr().err
    assert "--headless" in told
    assert "detector run" in told


def test_a_missing_model_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["live", "--headless", "--source", "demo"]) == 5
    assert "trainer fit" in capsys.readouterr().err


def test_the_screen_is_a_window_then_the_terminal_then_an_error() -> None:
    auto = ScreenKind.AUTO
    none = "there is no display"
    assert choose_screen(auto, has_terminal=True, display_problem=None) is ScreenKind.WINDOW
    assert choose_screen(auto, has_terminal=True, display_problem=none) is ScreenKind.TERMINAL
    assert (
        choose_screen(ScreenKind.TERMINAL, has_terminal=True, display_problem=None)
        is ScreenKind.TERMINAL
    )
    assert (
        choose_screen(ScreenKind.HEADLESS, has_terminal=False, display_problem=none)
        is ScreenKind.HEADLESS
    )
    with pytest.raises(EnvironmentProblemError, match="--headless"):
        choose_screen(auto, has_terminal=False, display_problem=none)
    with pytest.raises(EnvironmentProblemError, match="--terminal"):
        choose_screen(ScreenKind.WINDOW, has_terminal=True, display_problem=none)


def test_a_display_that_is_not_there_is_told_without_loading_a_window() -> None:
    assert "not set" in (DisplayProbe({}).find_problem() or "")
    # Port 6000 + 59000 is past the last: such a display cannot be.
    assert "does not answer" in (DisplayProbe({"DISPLAY": ":59321"}).find_problem() or "")
    assert "does not answer" in (DisplayProbe({"DISPLAY": "nonsense"}).find_problem() or "")
