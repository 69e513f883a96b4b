"""Each command, by key or from the browser, does what it says in a running live view."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.live.controls import LiveControls
from detector.live.corrections import Corrections, CorrectionStore
from detector.live.loop import LiveLimits, LiveLoop
from detector.live.sources import CameraChoice
from detector.live.watched import WatchedCamera, WatchedCameras
from detector.screens.base import LiveView, Screen
from detector.screens.commands import (
    KEYS,
    PLAIN_KEYS,
    Command,
    CommandDesk,
    CorrectLabel,
    MoveThreshold,
    Quit,
    SetThreshold,
    TogglePause,
    UseCamera,
)
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import EVERYTHING, LivePipeline, Thrift
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera, PictureFolder
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.errors import CameraError
from maskage.faces.finder import FaceFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg
from maskage.records import Frame, RgbImage
from tests.detector.live.test_live import ScriptedCamera
from tests.detector.tracking.test_pipeline import LEFT, RIGHT, FixedFinder

LONG_S = 30.0
"""Far more than anything here takes, on a machine however busy."""

Step = tuple[str | Command, Callable[[LiveView], object]]


class Visitor(Screen):
    """A screen whose user presses a key, waits until its effect is seen, and goes on; then quits.

    Attributes:
        views: All that was shown.
        seen: The view in which the effect of each step was seen.
    """

    def __init__(self, *steps: Step) -> None:
        self.is_open = True
        self.views: list[LiveView] = []
        self.seen: list[LiveView] = []
        self._steps = list(steps)
        self._pressed = False
        self._has_quit = False

    @property
    def is_satisfied(self) -> bool:
        """Whether every effect was seen."""
        return not self._steps

    def show(self, view: LiveView) -> None:
        self.views.append(view)
        if self._pressed and self._steps and self._steps[0][1](view):
            self._steps.pop(0)
            self.seen.append(view)
            self._pressed = False

    def read_commands(self) -> list[Command]:
        if not self.views or self._pressed or self._has_quit:
            return []
        self._pressed = True
        if not self._steps:
            self._has_quit = True
            return [Quit()]
        key = self._steps[0][0]
        return LiveKeys(MASK_AGE).parse(key) if isinstance(key, str) else [key]

    def close(self) -> None:
        self.is_open = False


@dataclass
class Watched:
    """One live view, and what it is made of."""

    bundle: ModelBundle
    folder: Path
    cameras: dict[str, Callable[[], Camera]]
    finder: FaceFinder = field(default_factory=lambda: FixedFinder(LEFT, RIGHT))
    dataset: CorrectionStore | None = None
    is_blurred: bool = True
    thrift: Thrift = EVERYTHING

    @contextmanager
    def opened(self, visitor: Visitor) -> Iterator[LiveLoop]:
        with ExitStack() as held:
            self.choice = CameraChoice(list(self.cameras), lambda source: self.cameras[source]())
            feed = held.enter_context(LiveFeed(self.choice.open))
            dataset = self.dataset or CorrectionStore(self.folder / "data")
            corrections = held.enter_context(Corrections(dataset, self.bundle.scheme, "model"))
            self.pipeline = LivePipeline(self.finder, Classifier(self.bundle), thrift=self.thrift)
            cameras = WatchedCameras([WatchedCamera(feed, self.pipeline)], self.choice)
            self.controls = LiveControls(
                cameras,
                corrections,
                snapshots=self.folder / "shots",
                recordings=self.folder / "films",
                is_blurred=self.is_blurred,
            )
            held.callback(self.controls.close)
            limits = LiveLimits(seconds=LONG_S)
            yield LiveLoop(cameras, visitor, self.controls, limits=limits)

    def visit(self, *steps: Step) -> Visitor:
        """Take these steps one after the other, and quit."""
        visitor = Visitor(*steps)
        with self.opened(visitor) as loop:
            loop.run()
        assert visitor.is_satisfied, [view.readout.text for view in visitor.views[-5:]]
        return visitor


@pytest.fixture
def watched(bundle: ModelBundle, paint: Callable[..., RgbImage], tmp_path: Path) -> Watched:
    """One scripted camera, two faces with a mask."""
    pixels = paint("mask_old", 320, 200)
    return Watched(bundle, tmp_path, {"demo": lambda: ScriptedCamera(pixels)})


def says(part: str) -> Callable[[LiveView], bool]:
    return lambda view: part in view.readout.message


def threshold_is(value: float) -> Callable[[LiveView], bool]:
    return lambda view: abs(view.controls.threshold - value) < 1e-9


def selected_is(track: int | None) -> Callable[[LiveView], bool]:
    return lambda view: view.controls.selected == track == view.readout.selected


def source_is(index: int, red: int) -> Callable[[LiveView], bool]:
    return lambda view: view.controls.source == index and view.result.frame.pixels[0, 0, 0] == red


def anything(view: LiveView) -> bool:
    return True


def test_the_threshold_goes_up_and_down_in_steps_and_is_told(watched: Watched) -> None:
    visitor = watched.visit(
        ("+", threshold_is(0.55)),
        ("+", threshold_is(0.6)),
        ("-", threshold_is(0.55)),
        ("-" * 2, threshold_is(0.45)),
    )
    assert visitor.seen[0].readout.message == "unsure below 55%"


def test_the_threshold_stays_between_nothing_and_certainty(watched: Watched) -> None:
    watched.visit(
        ("+" * 30, threshold_is(1.0)),
        ("-", threshold_is(0.95)),
        ("-" * 40, threshold_is(0.0)),
        (SetThreshold(0.734), threshold_is(0.73)),
        (SetThreshold(7.0), threshold_is(1.0)),
        (SetThreshold(float("-inf")), threshold_is(0.0)),
        (MoveThreshold(0.2), threshold_is(0.2)),
        (SetThreshold(float("nan")), threshold_is(0.0)),
    )


def test_faces_follow_the_threshold(watched: Watched) -> None:
    visitor = watched.visit(
        (SetThreshold(1.0), lambda view: not any(face.is_sure for face in view.result.faces)),
        (SetThreshold(0.2), lambda view: all(face.is_sure for face in view.result.faces)),
    )
    assert len(visitor.seen[0].result.faces) == 2


def test_f_chooses_one_face_after_the_other_and_begins_anew(watched: Watched) -> None:
    visitor = watched.visit(
        ("f", selected_is(1)), ("f", selected_is(2)), ("f", selected_is(1)), ("f", selected_is(2))
    )
    assert visitor.views[0].controls.selected is None
    assert visitor.seen[1].readout.message == "face #2 is chosen"


def test_where_nobody_is_there_no_face_can_be_chosen_or_corrected(watched: Watched) -> None:
    watched.finder = FixedFinder()
    watched.visit(("f", says("no face to choose")), ("1", says("no face there to correct")))
    assert not (watched.folder / "data").exists()


@pytest.mark.parametrize(("key", "label"), list(zip("1234", MASK_AGE.labels, strict=True)))
def test_a_number_saves_the_largest_face_under_its_right_label(
    watched: Watched, key: str, label: str
) -> None:
    visitor = watched.visit((key, says("saved ")))
    (photo,) = list_photos(watched.folder / "data")
    assert (photo.label, photo.box) == (label, LEFT)
    assert f"#1: saving it as {MASK_AGE.title(label)}" in [
        view.readout.message for view in visitor.views
    ]


def test_a_number_saves_the_face_that_was_chosen(watched: Watched) -> None:
    watched.visit(("f", selected_is(1)), ("f", selected_is(2)), ("4", says("saved ")))
    (photo,) = list_photos(watched.folder / "data")
    assert (photo.label, photo.box) == ("nomask_young", RIGHT)


def test_the_browser_names_the_face_itself(watched: Watched) -> None:
    watched.visit(
        (CorrectLabel("nomask_old", track=9), says("no face there to correct")),
        (CorrectLabel("nomask_old", track=2), says("saved ")),
    )
    (photo,) = list_photos(watched.folder / "data")
    assert (photo.label, photo.box) == ("nomask_old", RIGHT)


def test_why_no_face_can_be_saved_is_told_beforehand(
    watched: Watched, paint: Callable[..., RgbImage]
) -> None:
    watched.cameras = {"0": lambda: ScriptedCamera(paint("mask_old", 320, 200))}
    visitor = watched.visit(("1", says("not saved: say who it is")))
    assert "--self" in (visitor.views[0].controls.correcting or "")
    assert not (watched.folder / "data").exists()


def test_a_status_is_a_value_and_reading_it_changes_nothing(watched: Watched) -> None:
    with watched.opened(Visitor()):
        controls = watched.controls
        controls.add_message("the disk is nearly full")
        wanted: list[Command] = [TogglePause(), SetThreshold(0.7), UseCamera(9)]
        first = controls.apply(wanted, None)
        second = controls.apply([], None)
    assert first.news == (
        "unsure below 70%",
        "That camera is watched already, or gone.",
        "the disk is nearly full",
    )
    assert first.is_paused
    assert first.controls.threshold == 0.7
    # News comes once; the message stays for some seconds; all else is as it was.
    assert second.news == ()
    assert second == replace(first, news=())
    assert second.message == "the disk is nearly full"


def three_cameras(watched: Watched) -> None:
    def camera(red: int) -> Callable[[], Camera]:
        return lambda: ScriptedCamera(np.full((200, 320, 3), red, np.uint8))

    watched.cameras = {"demo": camera(10), "clip.mp4": camera(20), "1": camera(30)}


def test_c_goes_round_the_cameras(watched: Watched) -> None:
    three_cameras(watched)
    visitor = watched.visit(
        ("c", source_is(1, 20)), ("c", source_is(2, 30)), ("c", source_is(0, 10))
    )
    assert visitor.views[0].controls.sources == ("demo", "clip.mp4", "webcam 1")
    assert visitor.seen[-1].counts.reconnects == 0
    # Until the next one gives a picture, it is said which is opened.
    assert any("Opening clip.mp4" in (view.readout.notice or "") for view in visitor.views)


def test_the_browser_chooses_a_camera(watched: Watched) -> None:
    three_cameras(watched)
    watched.visit(
        (UseCamera(2), source_is(2, 30)),
        (UseCamera(2), says("watched already, or gone")),
        (UseCamera(3), says("watched already, or gone")),
        (UseCamera(-1), says("watched already, or gone")),
        (UseCamera(0), source_is(0, 10)),
    )


def test_without_another_camera_c_says_so(watched: Watched) -> None:
    watched.visit(("c", says("There is no other camera")))


def test_another_camera_has_other_people(watched: Watched) -> None:
    three_cameras(watched)
    visitor = watched.visit(
        ("f", selected_is(1)),
        ("p", lambda view: view.readout.is_paused),
        ("c", source_is(1, 20)),
    )
    last = visitor.seen[-1]
    assert not last.readout.is_paused
    assert last.controls.selected is None
    assert not {1, 2} & {face.track for face in last.result.faces}


def test_a_camera_that_does_not_open_is_told_and_can_be_left(watched: Watched) -> None:
    def refuse() -> Camera:
        raise CameraError("No camera at index 1.")

    three_cameras(watched)
    watched.cameras["1"] = refuse
    watched.visit(
        (UseCamera(2), lambda view: "No camera at index 1." in (view.readout.notice or "")),
        ("c", source_is(0, 10)),
    )


def test_people_before_the_former_camera_are_not_saved_by_the_rules_of_the_next(
    watched: Watched,
) -> None:
    may_open = threading.Event()

    def open_slowly() -> Camera:
        may_open.wait(LONG_S)
        return ScriptedCamera(np.full((200, 320, 3), 20, np.uint8))

    def let_it_open(view: LiveView) -> bool:
        may_open.set()
        return source_is(1, 20)(view)

    # Nobody before a webcam may be saved without a consent; a video's people may.
    watched.cameras = {
        "0": lambda: ScriptedCamera(np.full((200, 320, 3), 10, np.uint8)),
        "clip.mp4": open_slowly,
    }
    try:
        visitor = watched.visit(
            ("c", lambda view: view.controls.source == 1),
            ("1", says("no face there to correct")),
            ("f", says("no face to choose")),
            ("f", let_it_open),
            ("1", says("saved ")),
        )
    finally:
        may_open.set()
    assert visitor.seen[1].result.frame.pixels[0, 0, 0] == 10
    (photo,) = list_photos(watched.folder / "data")
    assert photo.label == "mask_old"


def test_keys_that_mean_nothing_change_nothing(watched: Watched) -> None:
    meaningless = "".join(
        chr(code) for code in range(1, 256) if chr(code) not in KEYS and chr(code) not in "1234"
    )
    visitor = watched.visit((meaningless, anything), (meaningless, anything))
    assert {view.readout.message for view in visitor.views} == {""}
    assert {view.controls.threshold for view in visitor.views} == {0.5}
    assert not any(view.is_mirrored or view.readout.is_paused for view in visitor.views)
    assert list(watched.folder.glob("[!r]*")) == []


def test_several_keys_at_once_are_obeyed_in_their_order(watched: Watched) -> None:
    watched.visit(("mpfm+", lambda view: view.readout.is_paused and threshold_is(0.55)(view)
                   and selected_is(1)(view) and not view.is_mirrored))  # fmt: skip


def test_the_keys_are_told_and_none_is_left_out(watched: Watched) -> None:
    watched.visit(("?", says(LiveKeys(MASK_AGE).help)))
    told = set(re.findall(r"(?<![a-z])[a-z+?-](?![a-z0-9-])", PLAIN_KEYS)) | {"?"}
    assert set(KEYS) == told


def test_quitting_from_the_browser_ends_the_view(watched: Watched) -> None:
    visitor = Visitor((Quit(), lambda view: False))
    with watched.opened(visitor) as loop:
        started_s = time.monotonic()
        loop.run()
    assert time.monotonic() - started_s < LONG_S / 2
    assert watched.controls.apply([], None).has_quit


def test_commands_from_many_threads_all_arrive() -> None:
    desk = CommandDesk()

    def ask() -> None:
        for _ in range(100):
            desk.ask(TogglePause())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    taken: list[Command] = []
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += desk.take()
    taken += desk.take()
    assert len(taken) == 400
    assert desk.take() == []


def is_recording(view: LiveView) -> bool:
    return view.controls.recording is not None and view.readout.is_recording


def test_r_begins_and_ends_a_recording_and_tells_where_it_is(watched: Watched) -> None:
    visitor = watched.visit(
        ("r", lambda view: is_recording(view) and view.counts.frames > 60),
        ("r", says("recorded ")),
    )
    path = visitor.seen[0].controls.recording
    assert path is not None
    assert path.parent == watched.folder / "films"
    assert path.suffix == ".mp4"
    assert f"recorded {path}" in visitor.seen[1].readout.message
    assert not is_recording(visitor.seen[1])
    assert any("faces blurred" in view.readout.message for view in visitor.views)
    assert "REC" in visitor.seen[0].readout.text
    reader = cv2.VideoCapture(str(path))
    # What is seen of it is blurred, and its colour is still that of the picture.
    is_there, pixels = reader.read()
    reader.release()
    assert is_there
    assert pixels[5, 300] == pytest.approx([0, 0, 250], abs=30)


def test_while_faces_are_blurred_no_frame_goes_by_without_a_look_for_them(
    watched: Watched,
) -> None:
    watched.thrift = Thrift()
    thrifts: list[Thrift] = []

    def note(view: LiveView) -> bool:
        thrifts.append(watched.pipeline.thrift)
        return True

    watched.visit(("m", note), ("r", is_recording), ("m", note), ("r", says("recorded ")),
                  ("m", note))  # fmt: skip
    assert thrifts == [Thrift(), EVERYTHING, Thrift()]


def test_where_faces_are_recorded_as_they_are_that_is_said(watched: Watched) -> None:
    watched.is_blurred, watched.thrift = False, Thrift()
    watched.visit(("r", lambda view: is_recording(view) and says("as they are")(view)))
    assert watched.pipeline.thrift == Thrift()


def test_a_recording_that_runs_at_the_end_is_finished_and_said(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = watched.visit(("r", lambda view: is_recording(view) and view.counts.frames > 30))
    path = visitor.seen[0].controls.recording
    assert capsys.readouterr().err.count(f"recorded {path}") == 1
    reader = cv2.VideoCapture(str(path))
    assert reader.read()[0]
    reader.release()
    watched.controls.close()
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_made_is_told_and_the_view_goes_on(watched: Watched) -> None:
    (watched.folder / "films").write_text("")
    visitor = watched.visit(("r", says("cannot be made")), ("m", lambda view: view.is_mirrored))
    assert not any(is_recording(view) for view in visitor.views)


def test_a_recording_that_fails_is_told_and_the_view_goes_on(watched: Watched) -> None:
    def remove_folder(view: LiveView) -> bool:
        if is_recording(view) and (watched.folder / "films").exists():
            shutil.rmtree(watched.folder / "films")
        return is_recording(view)

    visitor = watched.visit(
        ("p", lambda view: view.readout.is_paused),
        ("r", remove_folder),
        ("p", lambda view: says("films")(view) and not is_recording(view)),
        ("m", lambda view: view.is_mirrored),
    )
    assert "recorded" not in visitor.seen[2].readout.message


def test_a_recording_of_nothing_is_not_said_to_be_there(watched: Watched) -> None:
    watched.visit(
        ("p", lambda view: view.readout.is_paused), ("r", is_recording), ("r", says("not made"))
    )
    assert list((watched.folder / "films").iterdir()) == []


def pictures_in(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        pixels = np.full((200, 320, 3), 40 * number, np.uint8)
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(pixels))
    return folder


def shows(name: str) -> Callable[[LiveView], bool]:
    return lambda view: view.result.frame.file == name


def test_n_goes_on_in_a_folder(watched: Watched) -> None:
    folder = pictures_in(watched.folder / "pictures", 5)
    watched.cameras = {"demo": lambda: PictureFolder(folder)}
    visitor = watched.visit(("n", shows("1.jpg")), ("n", shows("2.jpg")), ("n", shows("3.jpg")))
    assert files_of(visitor.views) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_in_a_folder_that_is_held_n_shows_the_next_and_leaves_none_out(watched: Watched) -> None:
    folder = pictures_in(watched.folder / "pictures", 5)
    watched.cameras = {"demo": lambda: PictureFolder(folder)}
    visitor = watched.visit(
        ("p", lambda view: view.readout.is_paused),
        ("n", shows("1.jpg")),
        ("n", shows("2.jpg")),
        ("p", lambda view: not view.readout.is_paused),
        ("n", shows("3.jpg")),
    )
    assert files_of(visitor.views) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert visitor.seen[2].readout.is_paused


def files_of(views: Sequence[LiveView]) -> list[str]:
    """Names of the pictures that were shown, in their order, each once."""
    return list(dict.fromkeys(view.result.frame.file or "" for view in views))


def test_a_snapshot_shows_what_is_seen(watched: Watched) -> None:
    watched.visit(("m", lambda view: view.is_mirrored), ("s", says("saved ")))
    (shot,) = (watched.folder / "shots").iterdir()
    assert shot.suffix == ".jpg"


def test_a_picture_that_is_held_can_be_corrected(watched: Watched) -> None:
    visitor = watched.visit(("p", lambda view: view.readout.is_paused), ("3", says("saved ")))
    held = {view.result.frame.index for view in visitor.views if view.readout.is_paused}
    assert len(held) == 1
    (photo,) = list_photos(watched.folder / "data")
    assert photo.label == "nomask_old"


def test_a_face_that_was_chosen_and_has_gone_is_not_mistaken_for_another(
    watched: Watched,
) -> None:
    finder = FixedFinder(LEFT, RIGHT)
    watched.finder = finder

    def leave(view: LiveView) -> bool:
        finder.boxes = [RIGHT]
        return len(view.result.faces) == 1

    watched.visit(
        ("f", selected_is(1)), ("m", leave), ("1", says("no face there to correct")),
        ("f", selected_is(2)), ("1", says("saved ")),
    )  # fmt: skip
    (photo,) = list_photos(watched.folder / "data")
    assert photo.box == RIGHT


def test_while_the_camera_is_lost_commands_are_still_obeyed(watched: Watched) -> None:
    def open_once() -> Camera:
        watched.cameras["demo"] = refuse
        pixels = np.full((200, 320, 3), 10, np.uint8)
        return ScriptedCamera(pixels, lost_after=5)

    def refuse() -> Camera:
        raise CameraError("still pulled out.")

    watched.cameras = {"demo": open_once}
    visitor = watched.visit(
        ("m", lambda view: "pulled out" in (view.readout.notice or "")),
        ("+", threshold_is(0.55)),
        ("m", lambda view: not view.is_mirrored),
    )
    assert isinstance(visitor.views[-1].result.frame, Frame)
