"""The camera of a visitor's device: one picture, one answer, and what is refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from detector.tracking.pipeline import ModelRequest
from detector.web.device.frames import LONGEST_SIDE_PX, decode_frame
from detector.web.device.labelling import MOST_DEVICES, DeviceCameras, DevicesBusyError
from detector.web.device.routes import MOST_UNREADABLE
from maskage.errors import UnreadableImageError
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.detector.web.web_server import TOKEN, Served, serving, wait_until

Paint = Callable[..., RgbImage]


@contextmanager
def calling(served: Served, **headers: str) -> Iterator[Connection]:
    """A device that is connected."""
    with connect(
        f"ws://127.0.0.1:{served.port}/camera",
        additional_headers={"Authorization": f"Bearer {TOKEN}", **headers},
        proxy=None,
    ) as line:
        yield line


def answer_to(line: Connection, data: bytes) -> dict[str, Any]:
    """What comes back for one picture."""
    line.send(data)
    answer: dict[str, Any] = json.loads(line.recv(timeout=30))
    return answer


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    """A server without a camera of its own."""
    with serving(bundle, has_camera=False) as opened:
        yield opened


def test_each_picture_is_answered_with_its_faces(served: Served, paint: Paint) -> None:
    with calling(served) as line:
        first = answer_to(line, encode_jpeg(paint("mask_old", 320, 240)))
        second = answer_to(line, encode_jpeg(paint("mask_old", 320, 240)))
    assert (first["frame"], second["frame"]) == (0, 1)
    assert (first["width"], first["height"]) == (320, 240)
    assert first["notice"] == "nobody looked"
    [face] = first["faces"]
    assert face["label"] == "mask_old"
    assert face["box"] == [100, 60, 120, 120]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.001)
    # The same person goes on.
    assert second["faces"][0]["track"] == face["track"] == 1


def test_two_devices_have_tracks_of_their_own(served: Served, paint: Paint) -> None:
    with calling(served) as one, calling(served) as other:
        for _ in range(2):
            answers = [
                answer_to(one, encode_jpeg(paint("mask_old", 320, 240))),
                answer_to(other, encode_jpeg(paint("nomask_old", 320, 240))),
            ]
    assert [each["faces"][0]["label"] for each in answers] == ["mask_old", "nomask_old"]
    assert [each["faces"][0]["track"] for each in answers] == [1, 1]


def test_it_works_beside_a_live_view(bundle: ModelBundle, paint: Paint) -> None:
    with serving(bundle) as served, calling(served) as line:
        assert (
            answer_to(line, encode_jpeg(paint("mask_young")))["faces"][0]["label"] == "mask_young"
        )
        assert served.client.get("/about").json()["has_device_camera"] is True


def test_a_foreign_page_and_a_stranger_are_refused(served: Served) -> None:
    with pytest.raises(InvalidStatus) as foreign, calling(served, Origin="http://evil.example"):
        pass
    with (
        pytest.raises(InvalidStatus) as stranger,
        connect(f"ws://127.0.0.1:{served.port}/camera"),
    ):
        pass
    assert foreign.value.response.status_code == 403
    assert stranger.value.response.status_code == 401


def test_one_device_too_many_is_told_and_a_place_that_is_left_is_free(
    served: Served, paint: Paint
) -> None:
    jpeg = encode_jpeg(paint("mask_old"))
    lines = [calling(served) for _ in range(MOST_DEVICES)]
    opened = [each.__enter__() for each in lines]
    for line in opened:
        answer_to(line, jpeg)
    with calling(served) as late:
        assert "As many cameras" in json.loads(late.recv(timeout=30))["refused"]
        with pytest.raises(ConnectionClosed):
            late.recv(timeout=30)
    lines[0].__exit__(None, None, None)

    def has_place() -> bool:
        # One that is refused is closed, perhaps before the picture is sent.
        with suppress(ConnectionClosed), calling(served) as line:
            return "faces" in answer_to(line, jpeg)
        return False

    wait_until(has_place, 30)
    for each in lines[1:]:
        each.__exit__(None, None, None)


def test_what_is_no_picture_is_answered_and_at_last_refused(served: Served, paint: Paint) -> None:
    jpeg = encode_jpeg(paint("mask_old", 320, 240))
    with calling(served) as line:
        assert "found 5 bytes" in answer_to(line, b"GIF89")["fault"]
        assert "cut short" in answer_to(line, jpeg[: len(jpeg) // 2])["fault"]
        assert answer_to(line, jpeg)["faces"]
        for _ in range(MOST_UNREADABLE - 1):
            assert "fault" in answer_to(line, b"nothing")
        assert "refused" in answer_to(line, b"nothing")
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=30)


def test_text_is_refused(served: Served) -> None:
    with calling(served) as line:
        line.send("hello")
        assert "Only pictures" in json.loads(line.recv(timeout=30))["refused"]


def test_a_picture_that_is_too_large_is_never_decoded() -> None:
    wide = encode_jpeg(np.zeros((8, LONGEST_SIDE_PX + 1, 3), np.uint8))
    with pytest.raises(UnreadableImageError, match="at most 1280 px; found 1281x8"):
        decode_frame(wide, 0)
    assert decode_frame(encode_jpeg(np.zeros((8, LONGEST_SIDE_PX, 3), np.uint8)), 3).index == 3


def test_a_device_that_fails_gives_its_place_back(bundle: ModelBundle) -> None:
    cameras = DeviceCameras(
        lambda: GuideFinder(), lambda: Classifier(bundle, 1), ModelRequest(), most=1
    )
    with suppress(RuntimeError), cameras.connect():
        with pytest.raises(DevicesBusyError):
            cameras.connect()
        raise RuntimeError
    with cameras.connect():
        assert cameras.connected == 1
    cameras.close()


def test_the_server_ends_while_a_device_is_connected(bundle: ModelBundle, paint: Paint) -> None:
    with serving(bundle, has_camera=False) as served:
        line = connect(
            f"ws://127.0.0.1:{served.port}/camera",
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
        )
        answer_to(line, encode_jpeg(paint("mask_old")))
    with pytest.raises(ConnectionClosed):
        line.recv(timeout=30)
    line.close()
