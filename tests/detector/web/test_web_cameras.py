"""Several cameras in a browser: each by itself, all in one picture, and their figures."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest

from detector.screens.base import CameraFigures, CameraPhase, Controls, Counts, LiveView
from detector.screens.commands import ShowAll, UseCamera
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import decode_image
from tests.detector.web.test_web_live import (
    brightness,
    first_view,
    read_metrics,
    read_pictures,
)
from tests.detector.web.web_server import Served, make_face, make_view, serving, wait_until

FIGURES = (
    CameraFigures(0, "door", CameraPhase.LIVE, 12.34, 80.4, 1, Counts(10, 2, 0)),
    CameraFigures(1, "yard", CameraPhase.LOST, None, 9000.0, 1, Counts(20, 0, 3)),
    CameraFigures(2, "gate", CameraPhase.WAITING),
)


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    with serving(bundle) as opened:
        yield opened


def view_of(camera: int, number: int) -> LiveView:
    """A view of one of the three cameras, as bright as its number."""
    view = make_view(number, (make_face(camera + 1),))
    result = replace(view.result, camera=camera, source=FIGURES[camera].name)
    controls = Controls(sources=tuple(each.name for each in FIGURES))
    return replace(view, result=result, controls=controls, camera=camera, cameras=FIGURES)


def show_two(served: Served, shown: int = 0) -> None:
    for camera, number in ((0, 60), (1, 200)):
        served.screen.keep(view_of(camera, number))
    served.screen.show(view_of(shown, (60, 200)[shown]))


def snapshot(served: Served, query: str = "") -> httpx.Response:
    return served.client.get(f"/snapshot.jpg{query}")


def test_each_camera_can_be_seen_by_itself_whichever_is_shown(served: Served) -> None:
    show_two(served)
    levels = {
        query: brightness(snapshot(served, query).content)
        for query in ("", "?source=0", "?source=1")
    }
    assert levels == pytest.approx({"": 60, "?source=0": 60, "?source=1": 200}, abs=2)
    show_two(served, shown=1)
    assert brightness(snapshot(served).content) == pytest.approx(200, abs=2)
    assert brightness(snapshot(served, "?source=0").content) == pytest.approx(60, abs=2)


def test_all_cameras_are_in_one_picture_while_one_is_shown(served: Served) -> None:
    show_two(served)
    pixels = decode_image(snapshot(served, "?source=all").content)
    assert pixels.shape[1] == 960
    assert pixels[250, 250].mean() == pytest.approx(60, abs=4)
    assert pixels[250, 900].mean() == pytest.approx(200, abs=4)
    # The one that never came is dark, and there.
    assert pixels[-100, 250].mean() < 40


@pytest.mark.parametrize("source", ["3", "-1", "1.0", "door", "", "99999999999999999999", "²"])
def test_a_source_that_is_not_there_is_refused(served: Served, source: str) -> None:
    show_two(served)
    for path in ("/snapshot.jpg", "/stream.mjpg"):
        answer = served.client.get(path, params={"source": source})
        assert answer.status_code == 404
        assert "all, or a number under 3" in answer.json()["detail"]


def test_the_streams_of_two_cameras_are_told_apart(served: Served) -> None:
    show_two(served)
    with (
        served.client.stream("GET", "/stream.mjpg?source=0") as door,
        served.client.stream("GET", "/stream.mjpg?source=1") as yard,
    ):
        of_door, of_yard = read_pictures(door), read_pictures(yard)
        assert brightness(next(of_door)) == pytest.approx(60, abs=2)
        assert brightness(next(of_yard)) == pytest.approx(200, abs=2)
        served.screen.keep(view_of(1, 120))
        assert brightness(next(of_yard)) == pytest.approx(120, abs=2)
        served.screen.keep(view_of(0, 20))
        assert brightness(next(of_door)) == pytest.approx(20, abs=2)
    wait_until(lambda: served.screen._parts.watchers.taken == 0, 30)


def test_the_state_lists_every_camera_and_what_is_shown(served: Served) -> None:
    show_two(served)
    shown = first_view(served)
    assert shown["sources"] == [
        {"id": 0, "name": "door", "state": "live", "fps": 12.3, "age_ms": 80, "faces": 1},
        {"id": 1, "name": "yard", "state": "lost", "fps": None, "age_ms": 9000, "faces": 1},
        {"id": 2, "name": "gate", "state": "waiting", "fps": None, "age_ms": None, "faces": 0},
    ]
    assert (shown["shown"], shown["source"]) == (0, "door")
    served.screen.show(replace(view_of(1, 10), camera=None))
    assert first_view(served)["shown"] == "all"


def test_all_or_one_of_them_is_chosen_by_a_command(served: Served) -> None:
    show_two(served)
    for body in ({"command": "show_all"}, {"command": "use_camera", "index": 2}):
        assert served.client.post("/commands", json=body).status_code == 202
    assert served.desk.take() == [ShowAll(), UseCamera(2)]
    assert served.client.post("/commands", json={"command": "use_camera", "index": 3}).is_error


def test_figures_of_each_camera_carry_its_name(served: Served) -> None:
    show_two(served)
    metrics = read_metrics(served)
    assert metrics["detector_camera_frames_total", "door"] == 10
    assert metrics["detector_camera_reconnects_total", "yard"] == 3
    assert metrics["detector_camera_frames_per_second", "door"] == 12.34
    assert metrics["detector_camera_frame_age_seconds", "yard"] == 9.0
    assert ("detector_camera_frame_age_seconds", "gate") not in metrics
    live = [metrics["detector_camera_live", name] for name in ("door", "yard", "gate")]
    assert live == [1, 0, 0]


def test_faces_of_all_cameras_are_counted_once(served: Served) -> None:
    door = view_of(0, 60)
    for _ in range(3):
        served.screen.keep(door)
        served.screen.show(door)
    served.screen.keep(view_of(1, 200))
    assert read_metrics(served)["detector_faces_total", "mask_old"] == 2


def test_one_camera_alone_is_shown_by_its_number_and_as_all(served: Served) -> None:
    served.screen.show(replace(make_view(90), cameras=FIGURES[:1]))
    for query in ("", "?source=0", "?source=all"):
        assert brightness(snapshot(served, query).content) == pytest.approx(90, abs=2)
    assert snapshot(served, "?source=1").status_code == 404


def test_the_picture_of_all_has_room_for_its_status(served: Served) -> None:
    show_two(served)
    pixels = decode_image(snapshot(served, "?source=all").content)
    # Two rows of tiles, and a strip below them.
    assert pixels.shape[0] == 2 * 378 + 44
    assert np.ptp(pixels[-40:]) > 100
