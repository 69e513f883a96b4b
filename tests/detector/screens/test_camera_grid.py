"""All cameras in one picture: each in its place, with its faces, its name and its figures."""

from dataclasses import replace

import numpy as np
import pytest

from detector.drawing.overlay import Readout
from detector.screens.base import CameraFigures, CameraPhase, Controls, Counts, LiveView
from detector.screens.camera_grid import (
    GRID_WIDTH_PX,
    compose_grid,
    empty_result,
    lay_out_tiles,
)
from detector.screens.commands import CorrectLabel, ToggleAll
from detector.screens.headless import HeadlessScreen
from detector.screens.keys import LiveKeys
from detector.screens.terminal import compose_view
from detector.tracking.pipeline import FrameResult, Timings
from maskage.classes.ready_made import MASK_AGE
from maskage.records import FaceBox, Frame
from tests.detector.schemes import with_keys
from tests.detector.web.web_server import make_face


def result_of(
    camera: int, name: str, level: int, *tracks: int, size: tuple[int, int] = (480, 640)
) -> FrameResult:
    pixels = np.full((*size, 3), level, np.uint8)
    faces = tuple(make_face(track) for track in tracks)
    frame = Frame(pixels, 5, captured_s=100.0 + camera, position_s=7.0 + camera)
    return FrameResult(frame, faces, Timings(1, 1, 1, 1), MASK_AGE, camera, name)


def figures_of(*names: str, phase: CameraPhase = CameraPhase.LIVE) -> tuple[CameraFigures, ...]:
    return tuple(
        CameraFigures(n, name, phase, 9.6, 80.0, 1, Counts(10 * (n + 1)))
        for n, name in enumerate(names)
    )


def base_of(result: FrameResult, figures: tuple[CameraFigures, ...]) -> LiveView:
    return LiveView(result, Readout(fps=9.6, age_ms=80.0), cameras=figures)


def test_tiles_are_laid_out_row_by_row_and_never_overlap() -> None:
    assert [(p.x, p.y) for p in lay_out_tiles(4)] == [(0, 0), (480, 0), (0, 378), (480, 378)]
    for count in range(1, 26):
        places = lay_out_tiles(count)
        assert len(places) == count
        assert all(place.x + place.width <= GRID_WIDTH_PX for place in places)
        assert all(a.overlap(b) == 0 for a in places for b in places if a is not b)
    assert lay_out_tiles(0) == []


def test_each_camera_is_in_its_place_with_its_faces() -> None:
    results = [result_of(0, "door", 60, 1), result_of(1, "yard", 200, 2)]
    view = compose_grid(results, base_of(results[0], figures_of("door", "yard")))
    pixels = view.result.frame.pixels
    assert pixels.shape[1] == GRID_WIDTH_PX
    assert (pixels[200, 200, 0], pixels[200, 700, 0]) == (60, 200)
    boxes = {face.track: face.box for face in view.result.faces}
    whole = make_face(2).box
    scale = 478 / 640
    assert boxes[2].x == pytest.approx(480 + whole.x * scale, abs=2)
    assert boxes[2].width == pytest.approx(whole.width * scale, abs=1)
    assert boxes[1].x < 480
    assert view.camera is None
    assert view.result.source == "all"
    assert view.result.frame.position_s == 8.0
    assert view.result.frame.index == 30
    assert [tile.caption for tile in view.tiles] == [
        "door  10 frames/s  80 ms",
        "yard  10 frames/s  80 ms",
    ]
    assert view.readout.fps == pytest.approx(19.2)


def test_in_a_mirror_each_tile_is_turned_and_stays_in_its_place() -> None:
    result = result_of(0, "door", 60, 1)
    result.frame.pixels[:, :320] = 250
    other = result_of(1, "yard", 200)
    base = replace(base_of(result, figures_of("door", "yard")), is_mirrored=True)
    view = compose_grid([result, other], base)
    assert not view.is_mirrored
    pixels = view.result.frame.pixels
    assert (pixels[200, 100, 0], pixels[200, 400, 0]) == (60, 250)
    assert pixels[200, 700, 0] == 200
    (face,) = view.result.faces
    assert 240 < face.box.x < 480
    # Of a view that is composed already the choice is known too.
    chosen = replace(base, is_mirrored=False, controls=Controls(is_mirrored=True))
    again = compose_grid([result, other], chosen)
    assert (again.result.frame.pixels == pixels).all()


@pytest.mark.parametrize("size", [(1, 1), (1080, 1920), (1920, 1080), (3, 900)])
def test_pictures_of_any_size_fit(size: tuple[int, int]) -> None:
    results = [result_of(0, "door", 60, 1, size=size), result_of(1, "yard", 200, size=size)]
    view = compose_grid(results, base_of(results[0], figures_of("door", "yard")))
    assert view.result.frame.pixels.shape[1] == GRID_WIDTH_PX


def test_a_camera_that_has_not_come_has_a_dark_tile_and_does_not_count_as_new() -> None:
    waiting = CameraFigures(1, "late", CameraPhase.WAITING)
    results = [result_of(0, "door", 60, 1), empty_result(MASK_AGE, 1, "late")]
    view = compose_grid(results, base_of(results[0], (*figures_of("door"), waiting)))
    assert view.tiles[1].caption == "late  WAITING"
    assert view.tiles[1].is_alarm
    assert not view.tiles[0].is_alarm
    assert view.result.frame.captured_s == 100.0
    alone = compose_grid([results[1]], base_of(results[1], (replace(waiting, number=0),)))
    assert alone.result.faces == ()


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (CameraFigures(0, "door", CameraPhase.LIVE, 12.34, 80.0), "door  12 frames/s  80 ms"),
        (CameraFigures(0, "door", CameraPhase.LOST, None, 12_345.0), "door  LOST  12 s old"),
        (CameraFigures(0, "door", CameraPhase.ENDED, None, 80.0), "door  ENDED"),
        (CameraFigures(0, "door", CameraPhase.WAITING), "door  WAITING"),
    ],
)
def test_a_caption_says_how_a_camera_is(figures: CameraFigures, words: str) -> None:
    assert str(figures) == words


def test_in_a_terminal_the_names_are_text() -> None:
    results = [result_of(0, "door", 60, 1), result_of(1, "yard", 200, 2)]
    view = compose_grid(results, base_of(results[0], figures_of("door", "yard")))
    text = compose_view(view, 100, 30)
    assert "door  10 frames/s" in text
    assert "yard  10 frames/s" in text
    assert "g all cameras" in text
    single = compose_view(base_of(results[0], figures_of("door")), 100, 30)
    assert "g all cameras" not in single


def test_headless_prints_every_camera_with_its_name_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = HeadlessScreen()
    figures = figures_of("door", "yard")
    door, yard = result_of(0, "door", 60, 1), result_of(1, "yard", 200, 2)
    for _ in range(2):
        screen.keep(base_of(door, figures))
        screen.keep(base_of(yard, figures))
        screen.show(base_of(door, figures))
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert [line[:4] for line in lines] == [
        ["7.00", "s", "door", "#1"],
        ["8.00", "s", "yard", "#2"],
    ]


def test_the_key_of_all_cameras_is_there_only_where_there_are_several() -> None:
    assert LiveKeys(MASK_AGE, has_several=True).parse("g") == [ToggleAll()]
    assert "f select face, g all cameras, 1-4" in LiveKeys(MASK_AGE, has_several=True).help
    assert LiveKeys(MASK_AGE).parse("g") == []
    # A class keeps its key where no other meaning takes it.
    scheme = with_keys("g", "x")
    assert LiveKeys(scheme).parse("g") == [CorrectLabel("class 0")]
    assert "g is not the key of class 0 here" in LiveKeys(scheme, has_several=True).help


def test_boxes_never_lose_their_last_pixel() -> None:
    tiny = replace(make_face(1), box=FaceBox(0, 0, 1, 1))
    result = replace(result_of(0, "door", 60), faces=(tiny,))
    view = compose_grid([result], base_of(result, figures_of("door")))
    assert view.result.faces[0].box.width >= 1
