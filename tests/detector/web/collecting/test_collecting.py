"""Collect in the browser: who may, what is saved, what is undone, and who else may write."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from detector.web.collecting.dataset import CollectingDataset, SessionWish
from detector.web.collecting.routes import collecting_routes
from detector.web.options import WebOptions
from maskage.capture.shutter import Gate
from maskage.dataset.consent import Consent
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetInUseError, EnvironmentProblemError
from maskage.faces.finder import FaceFinder, GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, RgbImage
from tests.detector.web.web_server import TOKEN, Served, serving, wait_until

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
WAIT_S = 30.0
ME = {"subject": "me", "is_self": True, "gate": "off"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def served(bundle: ModelBundle, root: Path, no_face_model: None) -> Iterator[Served]:
    options = WebOptions(port=0, token=TOKEN, collect=root)
    with serving(bundle, options, has_camera=False) as opened:
        yield opened


def begin(served: Served, **wanted: Any) -> dict[str, Any]:
    """A session; by default of somebody who photographs themselves."""
    answer = served.client.post("/collect/sessions", json={**ME, **wanted}, timeout=60)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


class Camera:
    """A browser that sends one picture after the other, each a little different."""

    def __init__(self, line: Connection) -> None:
        self.line = line
        self.thumbs: dict[str, str] = {}
        self.said: list[str] = []
        self._number = 0

    def order(self, **order: Any) -> None:
        self.line.send(json.dumps(order))

    def look(self) -> dict[str, Any]:
        """Send a picture; returns its answer."""
        self._number += 1
        pixels = np.random.default_rng(self._number).integers(0, 255, (240, 320, 3), np.uint8)
        self.line.send(encode_jpeg(pixels))
        answer: dict[str, Any] = json.loads(self.line.recv(timeout=WAIT_S))
        for path in answer.get("gone") or []:
            del self.thumbs[path]
        for each in answer.get("added") or []:
            self.thumbs[each["path"]] = each["label"]
        self.said += [text for text in (answer["said"], answer["report"]) if text]
        return answer

    def look_until(self, count: int) -> None:
        """Go on until there are so many photos."""

        def has_come() -> bool:
            self.look()
            return len(self.thumbs) == count

        wait_until(has_come, WAIT_S)

    def tap(self, label: str, count: int) -> None:
        """Press a button once; `count` photos are there then."""
        self.order(hold=label)
        self.order(release=True)
        self.look_until(count)


@contextmanager
def camera_of(served: Served, session: dict[str, Any]) -> Iterator[Camera]:
    address = f"ws://127.0.0.1:{served.port}/collect/camera?session={session['session']}"
    with connect(address, additional_headers=AUTHORIZATION, proxy=None) as line:
        yield Camera(line)


def photos_in(root: Path, label: str) -> list[str]:
    return sorted(path.name for path in (root / label).glob("*.jpg"))


def test_a_press_is_one_photo_and_a_hold_is_several_undone_together(
    served: Served, root: Path
) -> None:
    session = begin(served)
    assert [each["label"] for each in session["classes"]][:2] == ["mask_old", "mask_young"]
    with camera_of(served, session) as camera:
        camera.tap("mask_old", 1)
        assert len(photos_in(root, "mask_old")) == 1
        camera.order(hold="nomask_old")
        camera.look_until(4)
        camera.order(release=True)
        camera.order(undo=True)
        camera.look_until(1)
        assert photos_in(root, "nomask_old") == []
        camera.order(redo=True)
        camera.look_until(4)
        [path] = [path for path, label in camera.thumbs.items() if label == "mask_old"]
        camera.order(remove=path)
        camera.look_until(3)
        assert photos_in(root, "mask_old") == []
        assert (root / ".trash" / path).exists()
        # A removal is undone as well.
        camera.order(undo=True)
        camera.look_until(4)
        # Neither a class that is not there nor another's photo is touched.
        camera.order(hold="../elsewhere")
        camera.order(remove="mask_young/none.jpg")
        camera.line.send("no order")
        assert "fault" not in camera.look()
    assert sorted(path.name for path in root.iterdir() if path.name[0] != ".") == sorted(
        each["label"] for each in session["classes"]
    )


def test_a_photo_has_its_person_its_session_and_its_consent(served: Served, root: Path) -> None:
    with camera_of(served, begin(served, subject="p07")) as camera:
        camera.tap("mask_young", 1)
    served.screen.close()
    with PhotoStore(root) as store:
        [photo] = store.photos()
        assert (photo.label, photo.subject, photo.source) == ("mask_young", "p07", "browser camera")
        assert photo.session
        assert photo.quality
        assert photo.box
        assert store.consents()["p07"].basis == "self"


def test_nobody_is_photographed_without_a_consent(served: Served, root: Path) -> None:
    post = served.client.post
    wanted = {"subject": "p08", "gate": "warn"}
    refused = post("/collect/sessions", json=wanted, timeout=60)
    assert refused.status_code == 403
    assert "no consent of p08 on record" in refused.json()["detail"]
    bad = post("/collect/sessions", json={"subject": "Anna Müller", "is_self": True})
    assert bad.status_code == 422
    assert "pseudonym" in bad.json()["detail"]
    minor = {"basis": "form 3", "is_minor": True}
    assert (
        "say who agreed"
        in post("/collect/sessions", json={**wanted, "consent": minor}).json()["detail"]
    )
    given = {**minor, "guardian": "mother", "expires_on": "2999-01-01"}
    assert post("/collect/sessions", json={**wanted, "consent": given}).status_code == 201
    near = post("/collect/sessions", json={"subject": "p8", "is_self": True})
    assert near.status_code == 422
    assert "p08 is known" in near.json()["detail"]
    begin(served, subject="p8", is_new=True)
    served.screen.close()
    with PhotoStore(root) as store:
        assert store.consents()["p08"] == Consent(
            "p08", "form 3", date.today(), date(2999, 1, 1), True, "mother"
        )


def test_a_dataset_that_another_program_holds_is_told(served: Served, root: Path) -> None:
    with PhotoStore(root):
        answer = served.client.post("/collect/sessions", json=ME, timeout=60)
        assert answer.status_code == 409
        assert "is writing to this dataset" in answer.json()["detail"]
    begin(served)
    with pytest.raises(DatasetInUseError):
        PhotoStore(root)
    served.screen.close()
    PhotoStore(root).close()


def test_two_browsers_collect_into_one_dataset_each_with_its_own_undo(
    served: Served, root: Path
) -> None:
    one, other = begin(served, subject="anna"), begin(served, subject="bert")
    with camera_of(served, one) as left, camera_of(served, other) as right:
        left.tap("mask_old", 1)
        right.tap("mask_old", 1)
        left.order(undo=True)
        left.look_until(0)
        assert right.look()["report"] is None
        assert len(photos_in(root, "mask_old")) == 1


def test_a_line_that_breaks_finds_its_session_and_its_undo_again(
    served: Served, root: Path
) -> None:
    session = begin(served)
    with camera_of(served, session) as camera:
        camera.tap("mask_old", 1)
        with camera_of(served, session) as second:
            assert "has ended" in json.loads(second.line.recv(timeout=WAIT_S))["refused"]
        thumbs = camera.thumbs

    def is_back() -> bool:
        with camera_of(served, session) as again:
            again.line.send(json.dumps({"undo": True}))
            again.thumbs = dict(thumbs)
            again.line.send(encode_jpeg(np.zeros((240, 320, 3), np.uint8)))
            return "refused" not in json.loads(again.line.recv(timeout=WAIT_S))

    wait_until(is_back, WAIT_S)
    wait_until(lambda: photos_in(root, "mask_old") == [], WAIT_S)


def test_the_gate_refuses_and_says_why(served: Served, root: Path) -> None:
    with camera_of(served, begin(served, gate="warn")) as camera:
        camera.order(hold="mask_old")
        camera.line.send(encode_jpeg(np.zeros((240, 320, 3), np.uint8)))
        answer = json.loads(camera.line.recv(timeout=WAIT_S))
        assert answer["said"].startswith("refused: the picture is black")
        assert answer["said_tone"] == "bad"
        camera.line.send(b"nothing")
        assert "a JPEG" in json.loads(camera.line.recv(timeout=WAIT_S))["fault"]
    assert photos_in(root, "mask_old") == []


def test_the_page_needs_the_token_and_is_there_only_where_it_was_asked_for(
    served: Served, bundle: ModelBundle
) -> None:
    assert served.client.get("/collect").status_code == 200
    assert served.client.get("/about").json()["collects"] is True
    with served.stranger() as stranger:
        assert stranger.get("/collect").status_code == 401
        assert stranger.post("/collect/sessions", json=ME).status_code == 401
    with serving(bundle, has_camera=False) as other:
        assert other.client.get("/collect").status_code == 404
        assert other.client.get("/about").json()["collects"] is False


def test_an_order_that_is_no_order_ends_nothing(served: Served) -> None:
    with camera_of(served, begin(served)) as camera:
        for text in ("[" * 100_000, "{", "7", '{"hold": ["mask_old"]}'):
            camera.line.send(text)
        camera.tap("mask_old", 1)


class BrokenFinder(GuideFinder):
    """A finder whose model breaks while it is used."""

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        raise EnvironmentProblemError("The face model cannot be run.")


def test_a_finder_that_breaks_is_named_to_the_visitor(root: Path) -> None:
    app = FastAPI()
    dataset = CollectingDataset(root, lambda: BrokenFinder("nobody looked"))
    app.include_router(collecting_routes(dataset))
    with TestClient(app) as client:
        key = client.post("/collect/sessions", json=ME).json()["session"]
        with client.websocket_connect(f"/collect/camera?session={key}") as line:
            line.send_bytes(encode_jpeg(np.zeros((240, 320, 3), np.uint8)))
            assert line.receive_json() == {"refused": "The face model cannot be run."}
        dataset.close()


def test_a_visit_that_ends_while_a_session_begins_keeps_no_place(root: Path) -> None:
    async def check() -> None:
        is_opened = threading.Event()

        def open_finder() -> FaceFinder:
            assert is_opened.wait(WAIT_S)
            return GuideFinder("nobody looked")

        dataset = CollectingDataset(root, open_finder, kept_s=0.0)
        wish = SessionWish("me", Gate.OFF, is_self=True)
        beginning = asyncio.create_task(dataset.begin(wish))
        await asyncio.sleep(0)
        beginning.cancel()
        is_opened.set()
        async with asyncio.timeout(WAIT_S):
            while not await dataset.run(lambda: is_free(root)):
                await asyncio.sleep(0.01)
        dataset.close()

    asyncio.run(check())


def is_free(root: Path) -> bool:
    """True where a dataset is there, and nobody writes to it."""
    try:
        with PhotoStore(root) as store:
            return bool(store.consents())
    except DatasetInUseError:
        return False


def test_a_session_that_is_just_ending_is_not_held_again(root: Path) -> None:
    async def check() -> None:
        dataset = CollectingDataset(root, lambda: GuideFinder("nobody looked"), kept_s=0.0)
        key, _ = await dataset.begin(SessionWish("me", Gate.OFF, is_self=True))
        is_over = threading.Event()
        work = asyncio.create_task(dataset.run(lambda: is_over.wait(WAIT_S)))
        async with asyncio.timeout(WAIT_S):
            # The thread is busy, so the order to end the session waits behind that.
            while dataset.hold(key) is not None:
                dataset.release(key)
                await asyncio.sleep(0.01)
        is_over.set()
        await work
        dataset.close()
        assert is_free(root)

    asyncio.run(check())
