"""Several cameras are watched at once: none starves, none costs another, each has its events."""

import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from detector.cli import main
from detector.events.alarm_options import AlarmSettings
from detector.events.alarms import Alarms
from detector.live import watched
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections, CorrectionStore
from detector.live.loop import LiveLimits, LiveLoop
from detector.live.sources import CameraChoice, can_come_later, name_sources
from detector.live.watched import CameraNews, WatchedCamera, WatchedCameras
from detector.screens.base import CameraPhase, LiveView, Screen
from detector.screens.commands import Command, Quit, ShowAll, ToggleAll, UseCamera
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import FrameResult, LivePipeline, Thrift
from maskage.cameras.live_feed import CameraCondition, CameraState, LiveFeed
from maskage.cameras.sources import Camera
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.errors import CameraError
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg
from maskage.records import Frame, RgbImage
from tests.conftest import draw_noise
from tests.detector.conftest import COLORS
from tests.detector.live.test_live import ScriptedCamera
from tests.detector.tracking.test_pipeline import LEFT, RIGHT, FixedFinder

pytestmark = pytest.mark.usefixtures("no_face_model")

LONG_S = 30.0
"""Far more than anything here takes, on a machine however busy."""

ENVIRONMENT, USAGE = 5, 2


def plain(label: str) -> RgbImage:
    return np.full((200, 320, 3), COLORS[label], np.uint8)


class HungCamera(ScriptedCamera):
    """A camera whose read never comes back, until it may."""

    def __init__(self, may_go_on: threading.Event) -> None:
        super().__init__(plain("mask_old"))
        self._may_go_on = may_go_on

    def read(self) -> Frame | None:
        self._may_go_on.wait(2 * LONG_S)
        return super().read()


class EndingCamera(ScriptedCamera):
    """A recording of so many frames; with `fault` it cannot be read any further then."""

    is_live = False

    def __init__(self, count: int, fault: str | None = None) -> None:
        super().__init__(plain("mask_old"), fps=1000)
        self._count, self._fault = count, fault

    def read(self) -> Frame | None:
        if self._index >= self._count:
            if self._fault:
                raise CameraError(self._fault)
            return None
        return super().read()


class Wall(Screen):
    """A screen whose user presses a key, waits for its effect, and goes on; then waits for the end.

    Attributes:
        views: What was shown.
        kept: The newest view of each camera.
        news: What was told.
    """

    def __init__(
        self,
        *steps: tuple[str | Command, Callable[["Wall"], object]],
        until: Callable[["Wall"], object],
    ) -> None:
        self.is_open = True
        self.views: list[LiveView] = []
        self.kept: dict[int, LiveView] = {}
        self.counts: Counter[int] = Counter()
        self.news: list[str] = []
        self._steps, self._until = list(steps), until
        self._is_waiting = False

    def show(self, view: LiveView) -> None:
        self.views.append(view)

    def keep(self, view: LiveView) -> None:
        known = self.kept.get(view.result.camera)
        if view.result.faces and (known is None or known.result is not view.result):
            self.counts[view.result.camera] += 1
        self.kept[view.result.camera] = view

    def report(self, news: Sequence[str], problem: str | None) -> None:
        assert problem is None
        self.news += news

    def read_commands(self) -> list[Command]:
        if self._steps and self._is_waiting and self.views and self._steps[0][1](self):
            self._steps.pop(0)
            self._is_waiting = False
        if not self._steps:
            return [Quit()] if self._until(self) else []
        if self._is_waiting or not self.views:
            return []
        self._is_waiting = True
        key = self._steps[0][0]
        return LiveKeys(MASK_AGE, has_several=True).parse(key) if isinstance(key, str) else [key]

    def close(self) -> None:
        self.is_open = False


@contextmanager
def watching(
    bundle: ModelBundle,
    openers: dict[str, Callable[[], Camera]],
    screen: Screen,
    folder: Path,
    *,
    listeners: Sequence[Callable[[FrameResult], None]] = (),
) -> Iterator[tuple[LiveLoop, WatchedCameras]]:
    """A live view of several scripted cameras, each awaited."""
    names = list(openers)
    pipeline = LivePipeline(FixedFinder(LEFT, RIGHT), Classifier(bundle))
    with ExitStack() as held:
        arrived = threading.Event()
        choice = CameraChoice(names, lambda source: openers[source]())
        news: queue.SimpleQueue[str] = queue.SimpleQueue()
        cameras = WatchedCameras(
            [
                WatchedCamera(
                    held.enter_context(
                        LiveFeed(
                            openers[name],
                            awaited=name,
                            on_state=CameraNews(name, news.put).note,
                            on_change=arrived.set,
                        )
                    ),
                    pipeline if number == 0 else pipeline.for_another_source(),
                    number,
                    name,
                    name,
                )
                for number, name in enumerate(names)
            ],
            choice,
            arrived=arrived,
            news=news,
        )
        corrections = held.enter_context(
            Corrections(CorrectionStore(folder / "data"), bundle.scheme, "model")
        )
        controls = LiveControls(
            cameras, corrections, snapshots=folder / "shots", recordings=folder / "films"
        )
        held.callback(controls.close)
        limits = LiveLimits(seconds=LONG_S)
        yield LiveLoop(cameras, screen, controls, limits=limits, listeners=listeners), cameras


def scripted(label: str, fps: float = 50.0) -> Callable[[], Camera]:
    return lambda: ScriptedCamera(plain(label), fps)


def refuse() -> Camera:
    raise CameraError("nobody answers.")


def each_has(count: int) -> Callable[[Wall], bool]:
    return lambda wall: len(wall.counts) > 1 and min(wall.counts.values()) >= count


def test_every_camera_is_labelled_with_tracks_and_a_name_of_its_own(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    results: list[FrameResult] = []
    wall = Wall(until=each_has(5))
    openers = {"door": scripted("mask_old"), "yard": scripted("nomask_old")}
    with watching(bundle, openers, wall, tmp_path, listeners=[results.append]) as (loop, _):
        loop.run()
        summary = loop.summary
    by_source = {
        name: [result for result in results if result.source == name] for name in ("door", "yard")
    }
    labels = {name: {f.label for r in own for f in r.faces} for name, own in by_source.items()}
    assert labels == {"door": {"mask_old"}, "yard": {"nomask_old"}}
    tracks = {name: {f.track for r in own for f in r.faces} for name, own in by_source.items()}
    assert tracks["door"] | tracks["yard"] == {1, 2, 3, 4}
    assert not tracks["door"] & tracks["yard"]
    assert summary.frames == len(results)
    assert [line.partition(":")[0] for line in summary.cameras] == ["door", "yard"]


def test_a_blurred_recording_begins_with_every_face_of_every_camera(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    """A camera that gives no further picture stays as it is in the picture of all."""
    openers: dict[str, Callable[[], Camera]] = {"door": refuse, "yard": refuse}
    with watching(bundle, openers, Wall(until=bool), tmp_path) as (loop, cameras):
        finder = FixedFinder(LEFT)
        frames = [Frame(draw_noise(7, 320), n, position_s=0.01 * n) for n in range(2)]
        for camera in cameras:
            camera.pipeline.finder = finder
        cameras.adjust(thrift=Thrift(10.0, 10.0))
        cameras.label([(camera, frames[0]) for camera in cameras])
        finder.boxes = [LEFT, RIGHT]
        # The faces are followed, and nobody looks for the one that has come.
        cameras.label([(camera, frames[1]) for camera in cameras])
        assert [len(r.faces) for c in cameras if (r := c.newest)] == [1, 1]
        loop._controls.start_recording()
        assert [len(r.faces) for c in cameras if (r := c.newest)] == [2, 2]
        assert [(r.camera, r.source) for c in cameras if (r := c.newest)] == [
            (0, "door"),
            (1, "yard"),
        ]


def test_a_hung_and_an_absent_camera_hold_up_nobody(bundle: ModelBundle, tmp_path: Path) -> None:
    may_go_on = threading.Event()
    wall = Wall(until=lambda wall: min(wall.counts[0], wall.counts[3]) >= 30)
    openers: dict[str, Callable[[], Camera]] = {
        "door": scripted("mask_old"),
        "hung": lambda: HungCamera(may_go_on),
        "absent": refuse,
        "yard": scripted("nomask_old"),
    }
    try:
        with watching(bundle, openers, wall, tmp_path) as (loop, cameras):
            loop.run()
            phases = [each.phase for each in cameras.describe()]
            may_go_on.set()
    finally:
        may_go_on.set()
    live, waiting = CameraPhase.LIVE, CameraPhase.WAITING
    assert phases == [live, waiting, waiting, live]
    # Told once, however often it was tried.
    assert wall.news.count("absent: nobody answers. Waiting.") == 1
    assert "hung: waiting" in (wall.views[-1].readout.notice or "")
    assert "absent: waiting" in (wall.views[-1].readout.notice or "")


def test_a_camera_that_comes_later_is_told_and_watched(bundle: ModelBundle, tmp_path: Path) -> None:
    openings: list[int] = []

    def open_at_third() -> Camera:
        openings.append(1)
        return ScriptedCamera(plain("nomask_old")) if len(openings) > 2 else refuse()

    wall = Wall(until=lambda wall: wall.counts[1] > 3 and "there now" in str(wall.news))
    openers = {"door": scripted("mask_old"), "late": open_at_third}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
        assert loop.summary.reconnects == 0
    told = [message for message in wall.news if message.startswith("late:")]
    assert told == ["late: nobody answers. Waiting.", "late: it is there now."]


def test_a_camera_that_is_lost_is_told_by_name_and_so_is_its_return(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    openings: list[int] = []

    def open_once_more() -> Camera:
        openings.append(1)
        return ScriptedCamera(plain("nomask_old"), lost_after=4 if len(openings) == 1 else None)

    wall = Wall(until=lambda wall: any("is back" in message for message in wall.news))
    openers = {"door": scripted("mask_old"), "yard": open_once_more}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
        assert loop.summary.reconnects == 1
    told = [message for message in wall.news if message.startswith("yard:")]
    assert told == ["yard: scripted camera: pulled out.", "yard: the picture is back."]


def test_of_more_cameras_than_fit_in_a_turn_those_come_that_waited_longest(
    bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "MOST_TOGETHER", 2)
    openers = {f"camera {n}": scripted("mask_old", fps=500) for n in range(5)}
    with watching(bundle, openers, Wall(until=each_has(1)), tmp_path) as (_, cameras):
        deadline = time.monotonic() + LONG_S
        served: list[int] = []
        while len(served) < 50:
            assert time.monotonic() < deadline
            # Slower than every camera: all of them have a frame in each turn.
            time.sleep(0.02)
            taken = cameras.take(0.05)
            assert len(taken) <= 2
            served += [camera.number for camera, _ in taken]
    # From when all were there, each comes as often as the others.
    counts = Counter(served[-25:])
    assert set(counts) == set(range(5))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_recording_ends_by_itself_and_all_end_when_the_last_has(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    wall = Wall(until=lambda wall: False)
    openers: dict[str, Callable[[], Camera]] = {
        "short": lambda: EndingCamera(2),
        "long": lambda: EndingCamera(20),
    }
    with watching(bundle, openers, wall, tmp_path) as (loop, cameras):
        loop.run()
        assert {each.phase for each in cameras.describe()} == {CameraPhase.ENDED}
    assert wall.counts == {0: 2, 1: 20}
    assert [message for message in wall.news if "has ended" in message] == [
        "short: it has ended.",
        "long: it has ended.",
    ]
    assert wall.views[-1].is_over
    assert wall.views[-1].readout.fps is None


def test_a_recording_that_breaks_off_leaves_the_others_running(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    wall = Wall(until=lambda wall: wall.counts[0] > 30 and "broken" in str(wall.news))
    openers: dict[str, Callable[[], Camera]] = {
        "door": scripted("mask_old"),
        "broken": lambda: EndingCamera(3, "broken: the file is damaged here."),
    }
    with watching(bundle, openers, wall, tmp_path) as (loop, cameras):
        loop.run()
        assert str(cameras.cameras[1].fault) == "broken: the file is damaged here."
    assert any("the file is damaged here" in message for message in wall.news)


def shows(index: int, red: int) -> Callable[[Wall], bool]:
    def is_shown(wall: Wall) -> bool:
        view = wall.views[-1]
        pixels = view.result.frame.pixels
        return view.camera == index and pixels[0, 0, 0] == red and view.result.camera == index

    return is_shown


def shows_all(wall: Wall) -> bool:
    return wall.views[-1].camera is None


def test_c_and_g_choose_what_is_shown_and_nobody_is_opened_again(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    opened: list[str] = []

    def opener(name: str, label: str) -> Callable[[], Camera]:
        def open_it() -> Camera:
            opened.append(name)
            return ScriptedCamera(plain(label), 50)

        return open_it

    openers = {"door": opener("door", "mask_old"), "yard": opener("yard", "nomask_old")}
    wall = Wall(
        ("f", shows(0, 250)),
        ("c", shows(1, 0)),
        ("c", shows(0, 250)),
        (UseCamera(1), shows(1, 0)),
        ("g", shows_all),
        ("c", shows(1, 0)),
        (ShowAll(), shows_all),
        (ToggleAll(), shows(1, 0)),
        ("g", shows_all),
        (UseCamera(0), shows(0, 250)),
        until=each_has(1),
    )
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
    assert not wall._steps
    assert sorted(opened) == ["door", "yard"]
    last = wall.views[-1]
    assert [each.name for each in last.cameras] == ["door", "yard"]
    assert not last.tiles


def test_in_the_picture_of_all_faces_are_those_of_all_cameras(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    wall = Wall(
        ("g", lambda wall: shows_all(wall) and len(wall.views[-1].result.faces) == 4),
        until=shows_all,
    )
    openers = {"door": scripted("mask_old"), "yard": scripted("nomask_old")}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
    view = wall.views[-1]
    left = {face.label for face in view.result.faces if face.box.x < 480}
    right = {face.label for face in view.result.faces if face.box.x >= 480}
    assert (left, right) == ({"mask_old"}, {"nomask_old"})
    assert [tile.caption.split("  ")[0] for tile in view.tiles] == ["door", "yard"]


def test_a_face_in_the_picture_of_all_is_saved_as_its_own_camera_saw_it(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    def says(part: str) -> Callable[[Wall], bool]:
        return lambda wall: any(part in message for message in wall.news)

    wall = Wall(
        ("g", lambda wall: shows_all(wall) and len(wall.views[-1].result.faces) == 4),
        ("1", says("choose a face with f first")),
        ("f" * 4, says("face #4 is chosen")),
        ("2", says("saved ")),
        until=lambda wall: True,
    )
    openers = {"demo": scripted("mask_old"), "clip.mp4": scripted("nomask_old")}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
    (photo,) = list_photos(tmp_path / "data")
    assert photo.label == "mask_young"
    assert photo.box in (LEFT, RIGHT)


def test_snapshots_carry_the_name_of_their_camera(bundle: ModelBundle, tmp_path: Path) -> None:
    def saved(count: int) -> Callable[[Wall], bool]:
        return lambda wall: sum("saved" in message for message in wall.news) == count

    wall = Wall(
        ("s", saved(1)), ("c", shows(1, 0)), ("s", saved(2)), ("g", shows_all), ("s", saved(3)),
        until=lambda wall: True,
    )  # fmt: skip
    openers = {"front door": scripted("mask_old"), "rtsp://10.0.0.7/a": scripted("nomask_old")}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
    names = sorted(path.stem.partition("-")[2] for path in (tmp_path / "shots").iterdir())
    assert names == ["all", "front-door", "rtsp-10-0-0-7-a"]


def test_a_pause_holds_every_camera(bundle: ModelBundle, tmp_path: Path) -> None:
    counts: list[dict[int, int]] = []

    def note(wall: Wall) -> bool:
        if wall.views[-1].readout.is_paused:
            counts.append(dict(wall.counts))
        return len(counts) > 3

    wall = Wall(("p", note), until=lambda wall: True)
    openers = {"door": scripted("mask_old"), "yard": scripted("nomask_old")}
    with watching(bundle, openers, wall, tmp_path) as (loop, _):
        loop.run()
    assert counts[0] == counts[-1]


def test_each_camera_raises_alarms_of_its_own(bundle: ModelBundle, tmp_path: Path) -> None:
    settings = AlarmSettings(
        labels=frozenset(("mask_old", "nomask_old")),
        commands=(("true",),),
        webhooks=(),
        on_for_s=0.0,
        cool_down_s=1000.0,
    )
    raised: list[str] = []
    with Alarms(settings, "cameras", lambda message: None) as alarms:
        for worker in alarms._workers:
            give = worker.give

            def note(alarm: object, give: Callable[..., None] = give) -> None:
                raised.append(alarm.source)  # type: ignore[attr-defined]
                give(alarm)

            worker.give = note  # type: ignore[method-assign]

        def update(result: FrameResult) -> None:
            alarms.update(result, result.source, camera=result.camera)

        wall = Wall(until=each_has(5))
        openers = {"door": scripted("mask_old"), "yard": scripted("nomask_old")}
        with watching(bundle, openers, wall, tmp_path, listeners=[update]) as (loop, _):
            loop.run()
    # One in the cool-down of each camera, though their times do not agree.
    assert sorted(raised) == ["door", "yard"]


def test_repeated_losses_are_told_once_until_the_camera_is_back() -> None:
    told: list[str] = []
    news = CameraNews("door", told.append)
    lost = CameraState(CameraCondition.LOST, "door", "door: silent.", 1)
    live = CameraState(CameraCondition.LIVE, "door")
    for state in (live, lost, lost, live, lost):
        news.note(state)
    news.note(CameraState(CameraCondition.REFUSED, "door", "wrong password."))
    assert told == [
        "door: silent.",
        "door: the picture is back.",
        "door: silent.",
        "door: wrong password.",
    ]


def test_no_two_sources_have_the_same_name() -> None:
    assert name_sources(["a/clip.mp4", "b/clip.mp4", "demo", "demo"]) == (
        "clip.mp4", "clip.mp4 (2)", "demo", "demo (2)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "is_awaited"),
    [("0", True), ("rtsp://10.0.0.7/a", True), ("demo", False), ("clip.mp4", False), ("x", False)],
)
def test_only_webcams_and_addresses_are_waited_for(source: str, is_awaited: bool) -> None:
    assert can_come_later(source) is is_awaited


def run(bundle: ModelBundle, *words: str) -> int:
    return main(["live", "--headless", "--model", str(bundle.folder), *words])


NOBODY = "http://127.0.0.1:9/camera"


def test_one_that_never_comes_leaves_the_others_and_the_exit_code_alone(
    bundle: ModelBundle,
    film: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = film(["mask_old"] * 10, 20)
    out = tmp_path / "faces.csv"
    words = ["--source", NOBODY, "--source", str(clip), "--frames", "5", "--csv", str(out)]
    assert run(bundle, *words) == 0
    told = capsys.readouterr()
    assert f"{NOBODY}: no picture came: the camera does not answer" in told.out
    assert "clip.mp4  #1 mask, old" in told.err
    head, row = out.read_text().splitlines()[:2]
    assert head.startswith("source,frame,time_s,file,track,")
    assert row.startswith("clip.mp4,0,")


def test_where_none_ever_came_it_ends_with_an_error_that_names_them(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", NOBODY, "--source", "http://127.0.0.1:9/b", "--seconds", "1"]
    assert run(bundle, *words) == ENVIRONMENT
    told = capsys.readouterr()
    assert "None of the 2 cameras gave a picture." in told.err
    assert f"{NOBODY}: no picture came: " in told.err
    assert "http://127.0.0.1:9/b: no picture came: " in told.err


def test_a_file_that_is_not_there_ends_it_before_anything_is_watched(
    bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", "demo", "--source", str(tmp_path / "nowhere.mp4")]
    assert run(bundle, *words) == ENVIRONMENT
    assert "No such source" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--source", "0", "--source", "0"], "--source 0 is named 2 times"),
        (["--source", "demo", "--grid"], "--grid shows several cameras in one picture; found one"),
    ],
)
def test_what_cannot_be_meant_of_several_cameras_is_refused(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str], words: list[str], found: str
) -> None:
    assert run(bundle, *words) == USAGE
    assert found in capsys.readouterr().err


def test_the_events_of_one_source_have_no_name_and_no_other_keys(
    bundle: ModelBundle, film: Callable[..., Path], tmp_path: Path
) -> None:
    out, table = tmp_path / "events.jsonl", tmp_path / "faces.csv"
    clip = str(film(["mask_old"] * 3))
    assert run(bundle, "--source", clip, "--json", str(out), "--csv", str(table)) == 0
    first = json.loads(out.read_text().splitlines()[0])
    assert set(first) == {"frame", "time_s", "faces"}
    assert table.read_text().startswith("frame,time_s,file,")


def test_a_picture_that_takes_long_to_read_holds_up_no_camera(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    may_go_on = threading.Event()

    class HugePicture(EndingCamera):
        def read(self) -> Frame | None:
            may_go_on.wait(2 * LONG_S)
            return super().read()

    def is_enough(wall: Wall) -> bool:
        if wall.counts[0] > 30:
            may_go_on.set()
        return wall.counts[1] == 3 and "pictures: it has ended." in wall.news

    wall = Wall(until=is_enough)
    openers: dict[str, Callable[[], Camera]] = {
        "door": scripted("mask_old"),
        "pictures": lambda: HugePicture(3),
    }
    try:
        with watching(bundle, openers, wall, tmp_path) as (loop, _):
            loop.run()
    finally:
        may_go_on.set()
    assert wall.counts[1] == 3


def test_every_picture_of_a_folder_among_cameras_is_labelled_once(
    bundle: ModelBundle,
    paint: Callable[..., RgbImage],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(paint("mask_old")))
    (folder / "3.jpg").write_bytes(b"broken")
    second = tmp_path / "more"
    second.mkdir()
    (second / "a.jpg").write_bytes(encode_jpeg(paint("nomask_old")))
    out = tmp_path / "events.jsonl"
    words = ["--source", str(folder), "--source", str(second), "--json", str(out)]
    assert run(bundle, *words) == 0
    events = [json.loads(line) for line in out.read_text().splitlines()]
    files = sorted((event["source"], event["file"]) for event in events)
    assert files == [("more", "a.jpg"), *(("pictures", f"{n}.jpg") for n in (0, 1, 2, 4, 5))]
    assert "skipped" in capsys.readouterr().err
