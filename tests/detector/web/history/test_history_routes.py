"""The history over HTTP: listed, read in parts, shown small, deleted."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.events.alarm_actions import Alarm
from detector.screens.base import Controls
from detector.video.sink import VideoSink
from detector.web.history.alarm_history import MOST_KEPT, AlarmHistory
from detector.web.history.kept_files import KeptFiles, KeptKind
from detector.web.history.routes import History
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from tests.detector.web.web_server import Served, make_view, serving, wait_until

SNAPSHOT = "20261126T114501.123Z.jpg"
RECORDING = "20261126T114502.000Z.mp4"
ALARM = Alarm("nomask_old", 3, 0.93456, 1.5, "2026-11-26T11:45:01.123+00:00", "webcam 0")


def fill(folder: Path) -> KeptFiles:
    """A snapshot and a recording, as the program makes them."""
    snapshots, recordings = folder / "snapshots", folder / "recordings"
    snapshots.mkdir()
    (snapshots / SNAPSHOT).write_bytes(encode_jpeg(np.full((480, 640, 3), 90, np.uint8)))
    with VideoSink(recordings / RECORDING, 10) as sink:
        for number in range(3):
            sink.write(np.full((240, 320, 3), 60 * number, np.uint8))
    return KeptFiles({KeptKind.SNAPSHOTS: snapshots, KeptKind.RECORDINGS: recordings})


@pytest.fixture
def served(bundle: ModelBundle, tmp_path: Path) -> Iterator[Served]:
    with serving(bundle, history=History(fill(tmp_path))) as opened:
        yield opened


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height."""
    return Image.open(io.BytesIO(jpeg)).size


def test_files_are_listed_and_sent(served: Served, tmp_path: Path) -> None:
    told = served.client.get("/history").json()
    assert told["has_alarms"] is False
    assert (told["left_out"], told["problem"]) == (0, None)
    assert [(each["kind"], each["name"], each["is_growing"]) for each in told["kept"]] == [
        ("recordings", RECORDING, False),
        ("snapshots", SNAPSHOT, False),
    ]
    assert told["kept"][1]["at"] == "2026-11-26T11:45:01.123+00:00"
    answer = served.client.get(f"/history/snapshots/{SNAPSHOT}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == (tmp_path / "snapshots" / SNAPSHOT).read_bytes()


def test_a_recording_is_sent_in_parts_where_a_player_asks_so(served: Served) -> None:
    answer = served.client.get(f"/history/recordings/{RECORDING}", headers={"Range": "bytes=4-7"})
    assert answer.status_code == 206
    assert answer.content == b"ftyp"
    assert answer.headers["content-type"] == "video/mp4"


def test_snapshots_and_recordings_have_small_pictures(served: Served) -> None:
    small = served.client.get(f"/history/snapshots/{SNAPSHOT}?small=1")
    assert size_of(small.content) == (320, 240)
    first = served.client.get(f"/history/recordings/{RECORDING}?small=1")
    assert size_of(first.content) == (320, 240)


def test_a_file_is_deleted_once_and_then_called_gone(served: Served, tmp_path: Path) -> None:
    place = f"/history/snapshots/{SNAPSHOT}"
    assert served.client.delete(place).json() == {"deleted": SNAPSHOT}
    assert not (tmp_path / "snapshots" / SNAPSHOT).exists()
    for answer in (served.client.delete(place), served.client.get(place)):
        assert answer.status_code == 410
        assert "deleted or moved meanwhile" in answer.json()["detail"]


def test_a_recording_that_grows_is_not_deleted(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "recordings" / RECORDING
    view = make_view()
    served.screen.show(replace(view, controls=replace(Controls(), recording=path)))
    answer = served.client.delete(f"/history/recordings/{RECORDING}")
    assert answer.status_code == 409
    assert "Stop the recording first" in answer.json()["detail"]
    assert path.exists()
    assert served.client.get("/history").json()["kept"][0]["is_growing"] is True


def test_nothing_else_is_reached_by_an_address(served: Served, tmp_path: Path) -> None:
    (tmp_path / "snapshots" / "mine.jpg").write_bytes(b"mine")
    for place in (
        "/history/snapshots/mine.jpg",
        f"/history/snapshots/..%2Frecordings%2F{RECORDING}",
        "/history/snapshots/%2Fetc%2Fpasswd",
        f"/history/others/{SNAPSHOT}",
    ):
        for method in ("GET", "DELETE"):
            assert served.client.request(method, place).status_code in (404, 422), place
    assert (tmp_path / "snapshots" / "mine.jpg").exists()


def test_a_stranger_and_another_site_get_nothing(served: Served, tmp_path: Path) -> None:
    place = f"/history/snapshots/{SNAPSHOT}"
    with served.stranger() as client:
        assert [client.get("/history").status_code, client.delete(place).status_code] == [401, 401]
    foreign = served.client.delete(place, headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert (tmp_path / "snapshots" / SNAPSHOT).exists()


def test_a_damaged_file_has_its_reason_in_the_place_of_a_picture(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / "snapshots" / SNAPSHOT).write_bytes(b"")
    answer = served.client.get(f"/history/snapshots/{SNAPSHOT}?small=1")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_alarms_are_kept_with_their_pictures_and_the_oldest_make_room(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    with AlarmHistory() as alarms, serving(bundle, history=History(fill(tmp_path), alarms)) as it:
        for _ in range(MOST_KEPT + 2):
            alarms.add(ALARM, make_view().result)
        wait_until(lambda: alarms.find(MOST_KEPT + 2) is not None, 30)
        told = it.client.get("/history").json()
        assert (told["has_alarms"], told["alarms_raised"]) == (True, MOST_KEPT + 2)
        assert [each["number"] for each in told["alarms"]] == list(range(MOST_KEPT + 2, 2, -1))
        assert told["alarms"][0] == {
            "number": MOST_KEPT + 2,
            "label": "nomask_old",
            "track": 3,
            "confidence": 0.9346,
            "at": ALARM.at,
            "source": "webcam 0",
            "file": None,
        }
        assert size_of(it.client.get(f"/history/alarms/{MOST_KEPT}").content)[0] == 640
        assert it.client.get("/history/alarms/1").status_code == 404


def test_without_a_history_the_page_does_not_offer_one(bundle: ModelBundle) -> None:
    with serving(bundle) as it:
        assert it.client.get("/about").json()["has_history"] is False
        assert it.client.get("/history").status_code == 404
