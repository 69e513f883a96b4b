"""How each screen is laid out, with few classes and many, held as text."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from textual.widgets import Input

from collector.app import CollectorApp, ReviewApp
from collector.screens.capture_parts import CaptureParts
from collector.widgets.dialogs import Dialog
from collector.widgets.known_names import list_known
from collector.widgets.subject_dialog import SubjectDialog
from maskage.cameras.sources import open_camera
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.dataset.store import PhotoStore
from maskage.dataset.trash import list_trash
from maskage.faces.finder import GuideFinder
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, Quality, RgbImage, Suggestion
from tests.collector.screens.test_app import Bench
from tests.collector.screens.test_review_screen import Gallerist
from tests.snapshots import check_snapshot, screen_text

SIZES = [(120, 40), (80, 24)]


def draw_face() -> RgbImage:
    """A plain drawing, 320x240: the same bytes everywhere."""
    pixels = np.full((240, 320, 3), 150, np.uint8)
    cv2.circle(pixels, (160, 120), 60, (220, 180, 150), -1)
    cv2.rectangle(pixels, (120, 125), (200, 165), (90, 140, 190), -1)
    return pixels


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-snapshots"))


@dataclass(frozen=True)
class Scene:
    """A screen to be held: classes, size, and what is pressed before; `keys` take one photo."""

    name: str
    scheme: Scheme
    columns: int
    rows: int
    keys: tuple[str, ...] = ("1",)
    last_keys: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        return self.columns, self.rows


FEELINGS = ("happy", "sad", "angry", "surprised", "afraid", "disgusted", "neutral", "contempt",
            "sleepy")  # fmt: skip
TWELVE = plain_scheme([*FEELINGS, "glasses, dark", "日本語の名前です", "שלום עולם"])
FORTY = plain_scheme([*FEELINGS, *(f"person_{number:02d}" for number in range(31))])

CAMERAS = [
    *(Scene(f"camera_{w}x{h}", MASK_AGE, w, h) for w, h in SIZES),
    Scene("camera_two_80x24", READY_MADE["mask"], 80, 24),
    Scene("camera_states_120x40", READY_MADE["mask-state"], 120, 40, ("2",)),
    Scene("camera_twelve_100x30", TWELVE, 100, 30, ("9",)),
    Scene("camera_forty_80x24", FORTY, 80, 24, ("slash", *"on17", "enter")),
    Scene("camera_forty_160x50", FORTY, 160, 50, ("slash", *"on17", "enter")),
    Scene("camera_palette_120x40", FORTY, 120, 40, ("2",), ("slash", "p", "1")),
]
GALLERIES = [
    *(Scene(f"gallery_{w}x{h}", MASK_AGE, w, h, ()) for w, h in SIZES),
    Scene("gallery_twelve_100x30", TWELVE, 100, 30, ()),
    Scene("gallery_palette_80x24", FORTY, 80, 24, (), ("slash", "p", "0")),
]


def prepare(root: Path, scheme: Scheme) -> Path:
    """A dataset of these classes; the default ones need no file."""
    root.mkdir()
    if scheme is not MASK_AGE:
        (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    return root


@pytest.mark.parametrize("scene", CAMERAS, ids=lambda scene: scene.name)
async def test_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene, update: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for number in range(3):
        # Files of their own, though they look alike: a copy would be passed over.
        (Path("pictures") / f"{number}.jpg").write_bytes(encode_jpeg(draw_face()) + bytes([number]))
    with PhotoStore(prepare(Path("data"), scene.scheme)) as store:
        camera = open_camera("pictures")
        parts = CaptureParts(
            store=store,
            camera=camera,
            source="pictures",
            opener=open_camera,
            finder=GuideFinder(),
            list_sources=list,
            subject="p07",
        )
        app = CollectorApp(parts)
        try:
            async with app.run_test(size=scene.size) as pilot:
                bench = Bench(app, pilot, camera)
                await bench.wait(lambda: "hold your face" in bench.advice())
                await bench.press(*scene.keys)
                await bench.wait_for_answer("number 1")
                await bench.wait(lambda: "saved 1" in bench.text() and "2 of 3" in bench.text())
                await bench.press(*scene.last_keys)
                await check_snapshot(
                    lambda: screen_text(app), scene.name, pilot.pause, update=update
                )
        finally:
            app.capture.close_parts()


def fill_gallery(store: PhotoStore, labels: Sequence[str]) -> None:
    """Add eight photos of two people; the last one by path is disputed by model and check."""
    for number in range(8):
        label = labels[number % 4]
        photo = Photo(
            f"{label}/p{number}.jpg",
            label,
            subject=f"p0{number % 2}",
            session="s1",
            taken_at=f"2026-01-01T12:00:{number:02d}.000+00:00",
            source="webcam 0",
            quality=Quality(120.0, 130.0, 0.0, 90),
            is_flagged=number == 6,
        )
        store.add_encoded(encode_jpeg(draw_face()), photo)


@pytest.mark.parametrize("scene", GALLERIES, ids=lambda scene: scene.name)
async def test_the_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene, update: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = scene.scheme.labels
    with PhotoStore(prepare(Path("data"), scene.scheme)) as store:
        fill_gallery(store, labels if scene.scheme is MASK_AGE else labels[-4:])
        disputed = store.photos()[-1]
        store.suggest([(disputed, Suggestion(labels[0], 0.73))])
        async with seeing(store, scene.size) as desk:
            await desk.press(*scene.last_keys)
            await check_snapshot(
                lambda: screen_text(desk.app), scene.name, desk.pilot.pause, update=update
            )


@asynccontextmanager
async def seeing(store: PhotoStore, size: tuple[int, int]) -> AsyncIterator[Gallerist]:
    app = ReviewApp(store)
    try:
        async with app.run_test(size=size) as pilot:
            desk = Gallerist(app, pilot, Path("data"))
            await desk.wait(lambda: app.review.current is not None)
            await desk.press("d", "0")
            await desk.wait_for_answer(": label and go on")
            yield desk
    finally:
        app.writer.close()


COVERS = [
    ("facts", ("e",), "Set subject, session and group of 1 photo"),
    ("facts_range", ("v", "right", "right", "e"), "(several)"),
    ("opinions", ("r", "left"), "✓ confirmed, dismissed:"),
    ("trash", ("x", "x", "x", "t"), "1 of 3"),
    ("empty", ("x", "x", "x", "t", "E"), "delete 3 photos for good?"),
    ("subject_filter", ("s",), "Whose photos?"),
]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize(("name", "keys", "awaited"), COVERS, ids=[each[0] for each in COVERS])
async def test_what_covers_the_gallery(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    keys: tuple[str, ...],
    awaited: str,
    columns: int,
    rows: int,
    update: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    with PhotoStore(prepare(Path("data"), MASK_AGE)) as store:
        fill_gallery(store, MASK_AGE.labels)
        disputed = max(store.photos(), key=lambda photo: photo.taken_at or "")
        store.suggest([(disputed, Suggestion("mask_old", 0.73))])
        store.check({disputed.path: Suggestion("nomask_old", 0.91)})
        async with seeing(store, (columns, rows)) as desk:
            for key in keys:
                count = len(list_trash(store))
                await desk.press(key)
                # Each step is on the disk before the next key, so that the order is the same.
                await desk.wait(lambda key=key, n=count: key != "x" or len(list_trash(store)) > n)  # type: ignore[misc]
                await desk.pilot.pause(0.1)
            await desk.wait(lambda: awaited in desk.text())
            name = f"{name}_{columns}x{rows}"
            await check_snapshot(lambda: shown(desk), name, desk.pilot.pause, update=update)


def shown(desk: Gallerist) -> str:
    """Return the text of the screen, or of the dialog alone where one is open."""
    text = screen_text(desk.app)
    if not isinstance(desk.app.screen, Dialog):
        return text
    lines = [line for line in text.splitlines() if any(edge in line for edge in "╭│╰")]
    if not lines:  # it is not drawn yet
        return text
    left = lines[0].index("╭")
    return "\n".join(line[left : lines[0].index("╮") + 1] for line in lines) + "\n"


@pytest.mark.parametrize(("columns", "rows"), SIZES)
async def test_the_question_whether_another_person_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int, update: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with PhotoStore(prepare(Path("data"), MASK_AGE)) as store:
        fill_gallery(store, MASK_AGE.labels)
        async with seeing(store, (columns, rows)) as desk:
            await desk.app.push_screen(
                SubjectDialog(None, list_known(store.photos(), "subject"), MASK_AGE)
            )
            await desk.wait(lambda: "known people" in desk.text())
            name = f"subject_{columns}x{rows}"
            await check_snapshot(lambda: shown(desk), name, desk.pilot.pause, update=update)
            desk.app.screen.query_one("#subject", Input).value = "pp01"
            await desk.press("enter")
            await desk.wait(lambda: "Did you mean p01?" in desk.text())
            name = f"near_{name}"
            await check_snapshot(lambda: shown(desk), name, desk.pilot.pause, update=update)
