"""Every key of the capture screen, pressed through Textual's Pilot on a real store."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.command import CommandPalette
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, Static

from collector.app import CollectorApp, run_capture
from collector.capture.picture_opener import PictureOpener
from collector.cli import main
from collector.key_file import read_key_file
from collector.keys import capture_commands, show_keys
from collector.screens.capture_parts import CaptureParts
from collector.screens.capture_screen import CaptureScreen
from collector.screens.review_screen import ReviewScreen
from collector.widgets.class_panel import ClassPanel
from collector.widgets.panels import KeyFooter
from collector.widgets.preview import Preview
from collector.widgets.tone_line import ToneLine
from maskage.cameras.sources import Camera, PictureFolder, open_camera
from maskage.capture.shutter import Gate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import CameraError, EnvironmentProblemError, UsageError
from maskage.pictures.images import encode_jpeg, read_image
from maskage.records import FaceBox, Frame, Photo, RgbImage

FACE = FaceBox(100, 60, 120, 120)
WAIT_S = 60.0


class MovingCamera:
    """A live camera of coarse noise that changes with each frame, left half bright."""

    fps: float | None = 30.0
    frame_count: int | None = None
    is_live: bool = True

    def __init__(self, name: str = "fake camera") -> None:
        self.name: str = name
        self.is_lost = threading.Event()
        self.is_stalled = threading.Event()
        self.is_closed = False
        self._index = 0
        self._rng = np.random.default_rng(7)

    def read(self) -> Frame | None:
        time.sleep(1 / 30)
        while self.is_stalled.is_set() and not self.is_closed:
            time.sleep(0.01)
        if self.is_lost.is_set():
            raise CameraError(f"{self.name}: no picture.")
        coarse = self._rng.integers(60, 160, (12, 16, 3), dtype=np.uint8)
        pixels = np.kron(coarse, np.ones((20, 20, 1), dtype=np.uint8))
        pixels[:, :160] += 60
        self._index += 1
        return Frame(pixels, self._index)

    def close(self) -> None:
        self.is_closed = True


class FixedFinder:
    """Sees the faces it is told to see."""

    is_guide: bool = False
    notice: str | None = None

    def __init__(self, *faces: FaceBox) -> None:
        self.faces = list(faces)

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        return self.faces


class Bench:
    """A running app with what a test looks at."""

    def __init__(self, app: CollectorApp, pilot: Pilot[None], camera: Camera) -> None:
        self.app, self.pilot = app, pilot
        self.heard: list[str] = []
        if isinstance(camera, MovingCamera):
            self.camera = camera

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def wait(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not happened():
            assert time.monotonic() < deadline_s, f"did not happen; heard: {self.heard[-20:]}"
            await self.pilot.pause(0.02)

    async def wait_for_answer(self, text: str) -> None:
        """Wait until the screen has said this, since the last answer that was waited for."""

        def is_said() -> bool:
            answers = self.app.capture.answers
            while answers:
                self.heard.append(answers.popleft().text)
                if text in self.heard[-1]:
                    return True
            return False

        await self.wait(is_said)

    async def photograph(self, key: str, text: str) -> None:
        """Press until a photo is taken: a busy machine may hold the camera up at that moment."""
        await self.press(key)
        answers = self.app.capture.answers
        while True:
            await self.wait(lambda: bool(answers))
            said = answers.popleft().text
            if text in said:
                return
            if "no picture" in said:
                await self.press(key)

    def answer(self) -> str:
        return str(self.app.capture.query_one("#answer", ToneLine).content)

    def advice(self) -> str:
        return str(self.app.capture.query_one("#advice", ToneLine).content)

    def text(self) -> str:
        """All text of the screen, as a person sees it."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)


@asynccontextmanager
async def running(
    root: Path,
    finder: FixedFinder | None = None,
    *,
    gate: Gate = Gate.WARN,
    subject: str | None = None,
    size: tuple[int, int] = (120, 40),
    others: list[str] | None = None,
    key_changes: dict[str, str] | None = None,
    camera: Camera | None = None,
    source: str = "fake",
) -> AsyncIterator[Bench]:
    camera = camera or MovingCamera()
    with PhotoStore(root) as store:
        pictures = None
        if isinstance(camera, PictureFolder):
            pictures = PictureOpener(open_camera, store)
            pictures.adopt(camera)
        parts = CaptureParts(
            store=store,
            camera=camera,
            source=source,
            opener=MovingCamera,
            finder=finder or FixedFinder(FACE),
            list_sources=lambda: others or [],
            subject=subject,
            gate=gate,
            key_changes=key_changes or {},
            pictures=pictures,
        )
        app = CollectorApp(parts)
        try:
            async with app.run_test(size=size) as pilot:
                bench = Bench(app, pilot, camera)
                await bench.wait(lambda: app.capture.query_one(Preview).drawn > 0)
                await bench.wait(lambda: "●" in bench.advice() or finder is not None)
                yield bench
        finally:
            app.capture.close_parts()


def photos_of(root: Path) -> list[Photo]:
    """Photos on disk, each with its manifest row: a row is known by its digest."""
    photos = list_photos(root)
    assert all(photo.sha256 for photo in photos), "a photo without a manifest row"
    return photos


@pytest.mark.parametrize(("key", "label"), list(zip("1234", MASK_AGE.labels, strict=True)))
async def test_each_number_saves_one_photo_and_one_row_in_its_class(
    tmp_path: Path, key: str, label: str
) -> None:
    async with running(tmp_path, subject="p07") as bench:
        await bench.press(key)
        await bench.wait_for_answer(f"saved {MASK_AGE.title(label)}, number 1")
    (photo,) = photos_of(tmp_path)
    assert (photo.label, photo.subject, photo.source) == (label, "p07", "fake camera")
    assert photo.box == FACE
    assert photo.quality is not None
    assert photo.quality.face_px == 120
    assert photo.session


async def test_the_saved_photo_is_never_mirrored(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("saved")
    pixels = read_image(tmp_path / photos_of(tmp_path)[0].path)
    middle = pixels.shape[1] // 2
    # The face straddles the camera's bright left half and dark right half.
    assert pixels[:, : middle - 10].mean() > pixels[:, middle + 10 :].mean() + 30


async def test_mirror_turns_the_preview_round(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        preview = bench.app.capture.query_one(Preview)

        def bright_side() -> str:
            strip = preview.render_line(preview.size.height // 4)
            cells = [
                sum(segment.style.color.triplet)
                for segment in strip
                if segment.style and segment.style.color and segment.style.color.triplet
                for _ in segment.text
            ]
            middle = len(cells) // 2
            return "left" if sum(cells[:middle]) > sum(cells[middle:]) else "right"

        assert bright_side() == "right"
        await bench.press("m")
        await bench.wait(lambda: bright_side() == "left")


async def test_space_shoots_into_the_class_last_used(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("space")
        await bench.wait_for_answer("press 1, 2, 3 or 4 first")
        await bench.press("3")
        await bench.wait_for_answer("number 1")
        await bench.pilot.pause(0.3)
        await bench.press("space")
        await bench.wait_for_answer("number 2")
    assert [photo.label for photo in photos_of(tmp_path)] == ["nomask_old"] * 2


async def test_a_burst_is_ten_photos_and_one_step_for_undo_and_redo(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("2")
        await bench.wait_for_answer("number 1")
        await bench.press("b")
        await bench.wait_for_answer("number 11")
        await bench.press("u")
        await bench.wait_for_answer("undone: 10 photos")
        assert len(photos_of(tmp_path)) == 1
        assert len(list((tmp_path / ".trash" / "mask_young").iterdir())) == 10
        await bench.press("ctrl+y")
        await bench.wait_for_answer("redone: 10 photos")
        assert len(photos_of(tmp_path)) == 11
        await bench.press("backspace")
        await bench.wait_for_answer("undone: 10 photos")
        await bench.press("u")
        await bench.wait_for_answer("undone: 1 photo")
        await bench.press("u")
        await bench.wait_for_answer("Nothing to undo")
    assert photos_of(tmp_path) == []


async def test_a_burst_waits_for_a_camera_that_stumbles(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.photograph("2", "number 1")
        await bench.press("b")
        await bench.wait_for_answer("number 3")
        bench.camera.is_stalled.set()
        await bench.wait(lambda: "waiting for the camera" in bench.advice())
        await asyncio.sleep(1.0)
        bench.camera.is_stalled.clear()
        await bench.wait_for_answer("number 11")
    assert not [text for text in bench.heard if "refused" in text]


async def test_a_held_key_is_a_burst_and_one_step(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        # As a terminal sends it, without the pilot's wait after each key.
        started_s = time.monotonic()
        for pause_s in (0.4, *[0.03] * 50):
            bench.app.post_message(Key("4", "4"))
            await asyncio.sleep(pause_s)
        held_s = time.monotonic() - started_s
        await bench.pilot.pause(0.5)
        count = len(photos_of(tmp_path))
        assert 4 <= count <= 2 + 5 * held_s
        steps = 0
        while photos_of(tmp_path):
            await bench.press("u")
            await bench.wait_for_answer("undone:")
            steps += 1
        # A stall of the machine parts a hold in two; test_shutter holds the exact rule.
        assert steps < count


async def test_the_timer_counts_down_and_takes_one(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        started_s = time.monotonic()
        await bench.press("t")
        await bench.wait_for_answer("number 2")
        assert 2.9 < time.monotonic() - started_s < 4.5
    assert len(photos_of(tmp_path)) == 2


async def test_a_subject_is_asked_for_checked_and_saved_in_a_new_session(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("s")
        await bench.wait(lambda: bool(bench.app.screen.query(Input)))
        bench.app.screen.query_one(Input).value = "p 9"
        await bench.press("enter")
        assert "pseudonym" in str(bench.app.screen.query_one("#dialog-text", Static).content)
        bench.app.screen.query_one(Input).value = "p09"
        await bench.press("enter")
        await bench.wait_for_answer("subject p09, new session")
        await bench.press("1")
        await bench.wait_for_answer("number 2")
    first, second = sorted(photos_of(tmp_path), key=lambda photo: photo.taken_at or "")
    assert (first.subject, second.subject) == (None, "p09")
    assert first.session != second.session


async def test_n_starts_a_new_session(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("n")
        await bench.wait_for_answer("new session")
        await bench.press("1")
        await bench.wait_for_answer("number 2")
    assert len({photo.session for photo in photos_of(tmp_path)}) == 2


async def test_pause_closes_the_shutter_and_opens_it_again(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("p", "1")
        await bench.wait_for_answer("refused: paused")
        await bench.press("p")
        await bench.pilot.pause(0.3)
        await bench.press("1")
        await bench.wait_for_answer("number 1")
    assert len(photos_of(tmp_path)) == 1


async def test_c_goes_to_the_next_camera_and_round(tmp_path: Path) -> None:
    async with running(tmp_path, others=["other"]) as bench:
        await bench.press("c")
        await bench.wait_for_answer("other is open")
        assert bench.camera.is_closed
        await bench.wait(lambda: shown_source(bench) == "other")
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("c")
        await bench.wait_for_answer("fake is open")
    assert photos_of(tmp_path)[0].source == "other"


async def test_skip_says_that_a_live_camera_has_nothing_to_skip(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("right")
        await bench.wait_for_answer("nothing to skip")


async def test_the_help_names_every_key(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("question_mark")
        await bench.pilot.pause(0.3)
        text = bench.text()
        for command in capture_commands(MASK_AGE):
            assert command.text in text
        await bench.press("escape")
        assert isinstance(bench.app.screen, CaptureScreen)


async def test_q_saves_what_was_taken_and_leaves(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1", "q")
        await bench.wait(lambda: not bench.app.is_running)
        assert bench.app.capture.summarise().startswith(f"Saved in {tmp_path}: 1.")
        assert bench.camera.is_closed
    assert len(photos_of(tmp_path)) == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_all_keys_and_counts_are_on_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size=size, subject="p07") as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.pilot.pause(0.3)
        text = bench.text()
        for command in capture_commands(MASK_AGE):
            if command.short:
                assert f"{show_keys(command.keys.split(',')[0])} {command.short}" in text
        assert "1 2 3 4 shoot" in text
        for label in MASK_AGE.labels:
            assert MASK_AGE.title(label) in text
        assert "1 / 735" in text
        assert "p07" in text
        for word in ("sharp", "light", "face", "saved 1", "refused 0", "frames dropped"):
            assert word in text
        preview = bench.app.capture.query_one(Preview)
        assert preview.size.height >= size[1] // 3


async def test_a_terminal_too_small_says_so_and_closes_the_shutter(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.pilot.resize_terminal(59, 30)
        await bench.wait(lambda: "The terminal is 59x30." in bench.text())
        assert "60x20" in bench.text()
        await bench.press("1")
        await bench.pilot.resize_terminal(120, 40)
        await bench.wait(lambda: "ready" in bench.advice())
        # The line of counts is drawn a moment after the screen has its size.
        await bench.wait(lambda: "refused 1" in bench.text())
    assert photos_of(tmp_path) == []


@pytest.mark.parametrize("gate", list(Gate))
async def test_without_a_face_only_an_open_gate_shoots(tmp_path: Path, gate: Gate) -> None:
    async with running(tmp_path, FixedFinder(), gate=gate) as bench:
        await bench.wait(lambda: "no face" in bench.advice())
        await bench.press("1")
        if gate is Gate.OFF:
            await bench.wait_for_answer("saved mask, old, number 1")
        else:
            await bench.wait_for_answer("refused: no face")
    assert len(photos_of(tmp_path)) == (gate is Gate.OFF)


async def test_two_faces_are_told_and_refused(tmp_path: Path) -> None:
    async with running(tmp_path, FixedFinder(FACE, FaceBox(10, 10, 80, 80))) as bench:
        await bench.wait(lambda: "two faces" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("refused: two faces")
    assert photos_of(tmp_path) == []


@pytest.mark.parametrize(("gate", "count"), [(Gate.STRICT, 0), (Gate.WARN, 1), (Gate.OFF, 1)])
async def test_a_small_face_is_refused_only_by_the_strict_gate(
    tmp_path: Path, gate: Gate, count: int
) -> None:
    async with running(tmp_path, FixedFinder(FaceBox(100, 60, 40, 40)), gate=gate) as bench:
        await bench.wait(lambda: "move closer" in bench.advice())
        await bench.press("1")
        words = {Gate.STRICT: "refused: move closer", Gate.WARN: "number 1 · move closer"}
        await bench.wait_for_answer(words.get(gate, "number 1"))
    assert len(photos_of(tmp_path)) == count


async def test_a_stalled_camera_cannot_be_shot(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bench.camera.is_stalled.set()
        await bench.wait(lambda: "no fresh picture" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("refused: no fresh picture")
        await bench.wait_for_answer("waiting for the camera")
        bench.camera.is_stalled.clear()
        await bench.wait(lambda: "ready" in bench.advice())
    assert photos_of(tmp_path) == []


async def test_a_lost_camera_is_told_and_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        bench.camera.is_lost.set()
        await bench.wait_for_answer("Reconnecting (1)")
        await bench.press("1")
        await bench.wait_for_answer("refused: the camera is lost: reconnecting (")
        await bench.wait_for_answer("fake is open")
        await bench.wait(lambda: "ready" in bench.advice())
        await bench.press("1")
        await bench.wait_for_answer("number 2")
    assert len(photos_of(tmp_path)) == 2


async def test_an_undo_that_the_disk_refuses_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        (tmp_path / ".trash" / "mask_old").rmdir()
        await bench.press("u")
        await bench.wait_for_answer("cannot be moved to the trash")
        assert len(photos_of(tmp_path)) == 1
        (tmp_path / ".trash" / "mask_old").mkdir()
        await bench.press("u")
        await bench.wait_for_answer("undone: 1 photo")
    assert photos_of(tmp_path) == []


def draw_pictures(folder: Path, count: int) -> Path:
    """A folder of pictures to label, and a file that is none."""
    folder.mkdir()
    for number in range(count):
        frame = MovingCamera().read()
        assert frame is not None
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(frame.pixels + number))
    return folder


async def test_a_folder_of_pictures_is_a_queue_to_label(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 3)
    (pictures / "9.jpg").write_bytes(b"no picture")
    camera = open_camera(str(pictures))
    async with running(tmp_path / "data", camera=camera) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.wait(lambda: shown_file(bench) == "1.jpg")
        await bench.wait(lambda: "1.jpg · 2 of 4" in bench.text())
        await bench.press("right")
        await bench.wait(lambda: shown_file(bench) == "2.jpg")
        await bench.press("4")
        await bench.wait_for_answer(
            "Every picture of the folder is dealt with. 1 could not be read"
        )
    assert [(photo.label, photo.source) for photo in photos_of(tmp_path / "data")] == [
        ("mask_old", str(pictures / "0.jpg")),
        ("nomask_young", str(pictures / "2.jpg")),
    ]
    # The next time only what was not labelled is asked for.
    again = open_camera(str(pictures))
    assert isinstance(again, PictureFolder)
    assert again.pass_over(photo.source for photo in photos_of(tmp_path / "data")) == 2
    frame = again.read()
    assert frame is not None
    assert frame.file == "1.jpg"


async def test_undo_brings_the_picture_of_a_folder_back(tmp_path: Path) -> None:
    camera = open_camera(str(draw_pictures(tmp_path / "pictures", 2)))
    async with running(tmp_path / "data", camera=camera) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.wait(lambda: shown_file(bench) == "1.jpg")
        await bench.press("u")
        await bench.wait_for_answer("undone")
        await bench.wait(lambda: shown_file(bench) == "0.jpg")
        await bench.press("2")
        await bench.wait_for_answer("saved mask, young, number 1")
        await bench.wait(lambda: shown_file(bench) == "1.jpg")
        await bench.press("3")
        await bench.wait_for_answer("dealt with")
        await bench.wait(lambda: "no more pictures" in bench.advice())
        # Also after the end.
        await bench.press("u")
        await bench.wait(lambda: "hold" in bench.advice() or "ready" in bench.advice())
        assert shown_file(bench) == "1.jpg"
        await bench.press("4")
        await bench.wait_for_answer("saved no mask, young, number 1")
    assert [photo.label for photo in photos_of(tmp_path / "data")] == [
        "mask_young",
        "nomask_young",
    ]


def shown_source(bench: Bench) -> str | None:
    picture = bench.app.capture.query_one(Preview).picture
    return picture.observation.source if picture else None


def shown_file(bench: Bench) -> str | None:
    picture = bench.app.capture.query_one(Preview).picture
    return picture.observation.frame.file if picture else None


async def test_what_the_disk_refuses_is_not_called_saved(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        (tmp_path / "mask_old").rmdir()
        await bench.press("1")
        await bench.wait_for_answer("not saved")
        await bench.press("2")
        await bench.wait_for_answer("number 1")
        assert "Could not be saved: 1!" in bench.app.capture.summarise()
        assert bench.app.capture.query_one(ClassPanel).counts.total["mask_old"] == 0
    assert [photo.label for photo in photos_of(tmp_path)] == ["mask_young"]


async def test_keys_can_be_changed_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('undo = "z"\nshoot-mask-old = "a"\n')
    changes = read_key_file(file, MASK_AGE).changes
    async with running(tmp_path / "data", key_changes=changes) as bench:
        await bench.press("a")
        await bench.wait_for_answer("saved mask, old, number 1")
        await bench.press("u")
        await bench.pilot.pause(0.2)
        assert len(photos_of(tmp_path / "data")) == 1
        await bench.press("z")
        await bench.wait_for_answer("undone: 1 photo")
        footer = str(bench.app.capture.query_one(KeyFooter).render())
        assert "a 2 3 4 shoot" in footer
        assert "z undo" in footer


@pytest.mark.parametrize(
    "text", ["undo = ", 'nonsense = "z"', 'undo = "1"', "undo = 3", 'undo = "notakey"', 'undo = ""']
)
def test_a_wrong_key_file_is_explained(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"keys\.toml"):
        read_key_file(file, MASK_AGE)


@pytest.mark.parametrize("keys", ["z", "f5", "ctrl+z", "question_mark", "plus,equals_sign", "up"])
def test_every_key_that_a_terminal_sends_can_be_named(tmp_path: Path, keys: str) -> None:
    file = tmp_path / "keys.toml"
    # Other commands give their keys up, so that none has two.
    file.write_text(f'undo = "{keys}"\nhelp = "f9"\n')
    assert read_key_file(file, MASK_AGE).changes["undo"] == keys


def test_without_a_terminal_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="collector import"):
        run_capture(tmp_path / "data", "demo", None, None)
    assert not (tmp_path / "data").exists()


async def test_the_palette_offers_our_commands_and_themes(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("ctrl+p")
        await bench.wait(lambda: isinstance(bench.app.screen, CommandPalette))
        await bench.press(*"gallery")
        await bench.wait(lambda: "Review the photos and correct labels" in bench.text())
        await bench.press("escape")
        await bench.wait(lambda: isinstance(bench.app.screen, CaptureScreen))
        bench.app.theme = "textual-light"
        await bench.pilot.pause(0.2)
        assert bench.app.current_theme.dark is False
        await bench.press("1")
        await bench.wait_for_answer("number 1")


async def test_f_flags_the_last_photo_and_the_gallery_goes_on_from_there(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("f")
        await bench.wait_for_answer("nothing to flag")
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("f")
        await bench.wait_for_answer("flagged")
        assert photos_of(tmp_path)[0].is_flagged
        await bench.press("g")
        await bench.wait(lambda: isinstance(bench.app.screen, ReviewScreen))
        await bench.wait(lambda: "1 of 1" in bench.text())
        # Relabelled in the gallery, counted at the camera, undone at the camera.
        await bench.press("4", "q")
        await bench.wait(lambda: isinstance(bench.app.screen, CaptureScreen))
        await bench.wait(lambda: photos_of(tmp_path)[0].label == "nomask_young")
        counts = bench.app.capture.query_one(ClassPanel)
        await bench.wait(lambda: counts.counts.total["nomask_young"] == 1)
        assert counts.counts.total["mask_old"] == 0
        await bench.press("u")
        await bench.wait(lambda: photos_of(tmp_path)[0].label == "mask_old")
        await bench.press("2")
        await bench.wait_for_answer("saved mask, young, number 1")


async def test_the_shutter_is_closed_while_the_gallery_is_open(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("b", "g")
        await bench.wait(lambda: isinstance(bench.app.screen, ReviewScreen))
        count = len(photos_of(tmp_path))
        await bench.pilot.pause(0.6)
        assert len(photos_of(tmp_path)) == count
        await bench.press("escape")
        await bench.wait(lambda: "ready" in bench.advice())


async def test_a_key_pressed_twice_in_a_dialog_is_answered_once(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.press("s")
        await bench.wait(lambda: bool(bench.app.screen.query(Input)))
        bench.app.screen.query_one(Input).value = "p07"
        for key in ("enter", "enter"):
            bench.app.post_message(Key(key, None))
        await bench.wait_for_answer("subject p07")
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.press("g")
        await bench.wait(lambda: isinstance(bench.app.screen, ReviewScreen))
        for key in ("escape", "escape"):
            bench.app.post_message(Key(key, None))
        await bench.wait(lambda: isinstance(bench.app.screen, CaptureScreen))
        await bench.press("question_mark")
        await bench.pilot.pause(0.3)
        for key in ("escape", "escape"):
            bench.app.post_message(Key(key, None))
        await bench.wait(lambda: isinstance(bench.app.screen, CaptureScreen))
        assert bench.app.is_running


@pytest.mark.parametrize("word", ["statsu", "reveiw", "improt"])
def test_a_misspelt_command_is_no_dataset(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([word]) == 2
    assert "Did you mean" in capsys.readouterr().err
    (tmp_path / word).mkdir()
    # Now it is the name of a dataset, which needs a terminal.
    assert main([word]) == 5
