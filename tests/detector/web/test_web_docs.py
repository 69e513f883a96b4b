"""`/openapi.json` describes what the server really does, and `/docs` shows it without scripts."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from detector.screens.base import CameraFigures, CameraPhase, Counts
from detector.web.answers import BatchAnswer, ViewEvent
from detector.web.api_docs import describe_type
from detector.web.options import WebOptions
from detector.web.views.events import describe_view
from detector.web.views.hub import NumberedView
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.detector.web.chromium import Chromium, find_chromium
from tests.detector.web.web_server import TOKEN, Served, make_view, serving


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    options = WebOptions(port=0, token=TOKEN, password="a password for tests")
    with serving(bundle, options) as opened:
        yield opened


def operations(described: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, each) for path, of in described["paths"].items() for each in of.values()]


def test_every_request_says_who_may_send_it(served: Served) -> None:
    described = served.client.get("/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert schemes["token"] | {"description": ""} == {
        "type": "http",
        "scheme": "bearer",
        "description": "",
    }
    assert (schemes["cookie"]["in"], schemes["cookie"]["name"]) == (
        "cookie",
        f"detector_{served.port}",
    )
    assert schemes["password"]["scheme"] == "basic"
    assert [set(each) for each in described["security"]] == [{"token"}, {"cookie"}, {"password"}]
    # What is marked as open answers a stranger, all else does not.
    with served.stranger() as stranger:
        for path, operation in operations(described):
            is_open = operation.get("security") == []
            answer = stranger.request("GET" if "get" in described["paths"][path] else "POST", path)
            assert (answer.status_code != 401) is is_open, path


def test_every_answer_has_a_schema_and_every_reference_leads_somewhere(served: Served) -> None:
    text = served.client.get("/openapi.json").text
    described = served.client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(schemas)
    assert {"ViewEvent", "AlarmEvent", "FaultAnswer", "BatchAnswer"} <= set(schemas)
    assert "HTTPValidationError" not in schemas
    for path, operation in operations(described):
        assert operation["responses"], path
        for status, answer in operation["responses"].items():
            for content in answer["content"].values():
                assert content["schema"], (path, status)


def test_a_view_and_a_batch_are_as_their_schemas_say(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    served.screen.show(make_view())
    with served.client.stream("GET", "/events?format=jsonl") as stream:
        line = next(each for each in stream.iter_lines() if each)
    ViewEvent.model_validate_json(line, strict=True)
    assert set(json.loads(line)) <= set(ViewEvent.model_fields)
    files = [("images", ("a.jpg", encode_jpeg(paint("mask_old")))), ("images", ("b", b"x"))]
    batch = served.client.post("/classify", files=files)
    answer = TypeAdapter(BatchAnswer).validate_json(batch.text)
    assert answer.classified == 1


def test_the_view_of_several_cameras_is_as_its_schema_says(served: Served) -> None:
    cameras = (
        CameraFigures(0, "door", CameraPhase.LIVE, 12.3, 80.4, 1, Counts(10, 2, 0)),
        CameraFigures(1, "yard", CameraPhase.WAITING),
    )
    for shown in (0, None):
        view = replace(make_view(), camera=shown, cameras=cameras)
        event = describe_view(NumberedView(1, view, 0.0))
        assert set(event) <= set(ViewEvent.model_fields)
        found = ViewEvent.model_validate_json(json.dumps(event), strict=True)
        assert (found.sources[1].state, found.shown) == ("waiting", "all" if shown is None else 0)


def test_the_refusals_of_the_history_and_of_collecting_are_described(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    with serving(bundle, WebOptions(port=0, token=TOKEN, collect=tmp_path / "data")) as served:
        described = served.client.get("/openapi.json").json()["paths"]
    file = described["/history/{kind}/{name}"]
    assert {"404", "410", "422"} <= set(file["get"]["responses"])
    assert {"404", "409", "410", "422"} <= set(file["delete"]["responses"])
    collect = described["/collect/sessions"]["post"]["responses"]
    assert {"403", "409", "422", "503"} <= set(collect)
    assert "422" in described["/signed-addresses"]["post"]["responses"]
    assert "422" not in described["/session"]["get"]["responses"]


class _Found(HTMLParser):
    """What a page loads, links to and can be linked to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.inline = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.names.add(found.get("id", ""))
        if tag in ("script", "img"):
            self.loaded.append(found.get("src", ""))
        elif tag == "link":
            self.loaded.append(found["href"])
        elif tag == "a":
            self.links.append(found["href"])
        self.inline += tag == "style" or "style" in found or any(n.startswith("on") for n in found)


def test_the_page_shows_all_of_it_and_loads_nothing_from_elsewhere(served: Served) -> None:
    answer = served.client.get("/docs")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    found = _Found(answer.text)
    assert found.inline == 0
    for address in found.loaded:
        assert address.startswith("/page/")
        assert served.client.get(address).status_code == 200
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.names, link
        else:
            assert served.client.get(link).status_code == 200
    described = served.client.get("/openapi.json").json()
    for path in described["paths"]:
        assert f"<code>{path}</code>" in answer.text
    for name in described["components"]["schemas"]:
        assert name in found.names
    assert 'href="/docs"' in served.client.get("/", headers={}).text


def test_the_page_is_not_for_strangers(served: Served) -> None:
    with served.stranger() as stranger:
        assert stranger.get("/docs").status_code == 401


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "anything"),
        ({"type": "string", "format": "binary"}, "file"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/FaceAnswer"}},
         "list of FaceAnswer"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"enum": ["live", "paused"]}, "'live' or 'paused'"),
    ],
)  # fmt: skip
def test_types_are_named_in_words(schema: dict[str, Any], words: str) -> None:
    assert describe_type(schema) == words


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium")
def test_a_browser_comes_from_the_page_by_its_link_and_obeys_the_policy(
    served: Served, tmp_path: Path
) -> None:
    served.screen.show(make_view())
    with Chromium() as browser:
        browser.show_as(1280, 800)
        browser.open(served.screen.url)
        browser.wait_for("document.querySelector('a[href=\"/docs\"]') !== null")
        browser.run("document.querySelector('a[href=\"/docs\"]').click()")
        browser.wait_for("location.pathname === '/docs' && document.readyState === 'complete'")
        style = "getComputedStyle(document.querySelector('.docs article')).borderTopStyle"
        assert browser.run(style) == "solid"
        assert browser.run("document.documentElement.scrollWidth <= innerWidth") is True
        browser.take_picture(tmp_path / "docs.png")
        browser.show_as(390, 844, dark=True)
        assert browser.run("document.documentElement.scrollWidth <= innerWidth") is True
        assert [each for each in browser.complaints if "docs" in each] == []
        browser.take_picture(tmp_path / "phone.png")
