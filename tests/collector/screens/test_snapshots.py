"""How each screen is laid out at two sizes, held as text."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from collector.app import CollectorApp, ReviewApp
from collector.screens.capture_parts import CaptureParts
from maskage.cameras.sources import open_camera
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import GuideFinder
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


@pytest.mark.parametrize("size", SIZES)
async def test_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], update: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for number in range(3):
        (Path("pictures") / f"{number}.jpg").write_bytes(encode_jpeg(draw_face()))
    with PhotoStore(Path("data")) as store:
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
            async with app.run_test(size=size) as pilot:
                bench = Bench(app, pilot, camera)
                await bench.wait(lambda: "hold your face" in bench.advice())
                await bench.press("1")
                await bench.wait_for_answer("number 1")
                await bench.wait(lambda: "saved 1" in bench.text() and "2 of 3" in bench.text())
                check_snapshot(screen_text(app), f"camera_{size[0]}x{size[1]}", update=update)
        finally:
            app.capture.close_parts()


@pytest.mark.parametrize("size", SIZES)
async def test_the_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], update: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with PhotoStore(Path("data")) as store:
        for number in range(8):
            label = MASK_AGE.labels[number % 4]
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
        disputed = store.photos()[-1]
        store.suggest([(disputed, Suggestion(MASK_AGE.labels[0], 0.73))])
        app = ReviewApp(store)
        try:
            async with app.run_test(size=size) as pilot:
                desk = Gallerist(app, pilot, Path("data"))
                await desk.wait(lambda: app.review.current is not None)
                await desk.press("d", "0")
                await desk.wait_for_answer("1-4: label")
                check_snapshot(screen_text(app), f"gallery_{size[0]}x{size[1]}", update=update)
        finally:
            app.writer.close()
