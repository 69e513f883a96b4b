"""The web interface of models with classes of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from detector.screens.commands import CorrectLabel
from detector.web.views.counting import ChartSeries, CountedSecond, FaceCounts, chart_series
from detector.web.views.monitoring import unsure_label
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.pictures.images import encode_jpeg
from tests.detector.conftest import bundle_for
from tests.detector.schemes import AGE_ONLY, MANY, MASK_ODD_VALUE, MASK_STATE, ODD
from tests.detector.web.web_server import Served, make_face, make_view, serving, wait_until

Serve = Callable[[Scheme], Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a model of any classes until the end of the test."""
    opened = []

    def begin(scheme: Scheme) -> Served:
        opened.append(serving(bundle_for(tmp_path / "bundle", scheme)))
        return opened[-1].__enter__()

    yield begin
    for each in opened:
        each.__exit__(None, None, None)


def test_about_keeps_what_it_said_of_the_four_classes(serve: Serve) -> None:
    told = serve(MASK_AGE).client.get("/about").json()
    assert told["labels"][2] == {
        "name": "nomask_old",
        "folder": "nomask_old",
        "title": "no mask, old",
        "color": "#e0651f",
        "factors": {"mask": "none", "age": "old"},
        "has_mask": False,
        "line": "corners",
    }
    assert [label["has_mask"] for label in told["labels"]] == [True, True, False, False]
    assert told["series"] == [
        {"name": "worn", "title": "masked", "label": None},
        {"name": "none", "title": "not masked", "label": None},
    ]
    assert (told["unsure_word"], told["unsure_color"]) == ("unsure", "#c8c8c8")
    assert told["age_notice"] == "Age is estimated from appearance and may be wrong."


def test_about_says_the_lines_and_series_of_three_mask_values(serve: Serve) -> None:
    told = serve(MASK_STATE).client.get("/about").json()
    assert [each["line"] for each in told["labels"]] == ["closed", "open_below", "corners"]
    assert [each["title"] for each in told["series"]] == ["masked", "misworn", "not masked"]
    assert told["age_notice"] == ""


def test_about_says_nothing_of_masks_where_classes_say_nothing(serve: Serve) -> None:
    told = serve(ODD).client.get("/about").json()
    assert [each["name"] for each in told["labels"]] == list(ODD.labels)
    assert {each["has_mask"] for each in told["labels"]} == {None}
    assert {each["line"] for each in told["labels"]} == {"closed"}
    assert [each["label"] for each in told["series"]] == list(range(12))
    assert told["unsure_word"] == "not sure"


def test_the_description_for_programs_says_nothing_of_age_without_one(serve: Serve) -> None:
    served = serve(ODD)
    told = served.client.get("/openapi.json").json()["info"]["description"]
    assert "Age" not in told
    assert told == told.strip()


@pytest.mark.parametrize("scheme", [MASK_STATE, ODD, MANY])
def test_a_picture_is_classified(serve: Serve, scheme: Scheme) -> None:
    served = serve(scheme)
    for label in (scheme.labels[0], scheme.labels[-1]):
        pixels = np.full((48, 64, 3), scheme[label].rgb, dtype=np.uint8)
        result = served.client.post("/classify", content=encode_jpeg(pixels)).json()
        assert result["faces"][0]["label"] == label
        assert list(result["faces"][0]["probabilities"]) == list(scheme.labels)
        assert result["age_notice"] == ""


@pytest.mark.parametrize("label", ODD.labels)
def test_a_face_is_corrected_to_a_class_of_any_name(serve: Serve, label: str) -> None:
    served = serve(ODD)
    served.screen.show(make_view(faces=(make_face(label="cat", scheme=ODD),), scheme=ODD))
    told = served.client.post(
        "/commands", json={"command": "correct_label", "label": label, "track": 1}
    )
    assert told.status_code == 202
    assert served.desk.take() == [CorrectLabel(label, 1)]


@pytest.mark.parametrize("label", ["mask_old", "Cat", "", "cat/../mask", "x" * 5000])
def test_a_label_that_the_model_has_not_is_refused(serve: Serve, label: str) -> None:
    served = serve(ODD)
    served.screen.show(make_view(faces=(make_face(label="cat", scheme=ODD),), scheme=ODD))
    told = served.client.post("/commands", json={"command": "correct_label", "label": label})
    assert told.status_code == 422
    assert told.json()["detail"].startswith("The label is one of cat, Mask, mask")
    assert "xxxxx" not in told.text
    assert served.desk.take() == []


def samples(served: Served, family: str) -> list[tuple[str, float]]:
    """The value of each label of a metric."""
    text = served.client.get("/metrics").text
    (found,) = [each for each in text_string_to_metric_families(text) if each.name == family]
    return [(each.labels["label"], each.value) for each in found.samples]


def test_a_class_called_unsure_and_unsure_faces_are_counted_apart(serve: Serve) -> None:
    served = serve(ODD)
    faces = (
        make_face(1, "unsure", scheme=ODD),
        make_face(2, "unsure", scheme=ODD),
        make_face(3, "cat", 0.4, is_sure=False, scheme=ODD),
    )
    served.screen.show(make_view(faces=faces, scheme=ODD))
    wait_until(lambda: "detector_faces_total" in served.client.get("/metrics").text)
    for family in ("detector_faces", "detector_faces_shown"):
        found = samples(served, family)
        assert [label for label, _ in found] == [*ODD.labels, "unsure_"]
        assert dict(found)["unsure"] == 2
        assert dict(found)["unsure_"] == 1
        assert sum(value for _, value in found) == 3


def test_unsure_faces_have_a_label_of_their_own_whatever_classes_are_called() -> None:
    assert unsure_label(MASK_AGE) == "unsure"
    assert unsure_label(plain_scheme(["unsure", "unsure_", "x"])) == "unsure__"


@pytest.mark.parametrize(
    ("scheme", "titles"),
    [
        (MASK_AGE, ["masked", "not masked"]),
        (MASK_STATE, ["masked", "misworn", "not masked"]),
        (MASK_ODD_VALUE, ["beard", "masked"]),
        (AGE_ONLY, ["old", "young"]),
    ],
)
def test_the_chart_has_a_line_for_each_mask_value_or_else_each_class(
    scheme: Scheme, titles: list[str]
) -> None:
    assert [each.title for each in chart_series(scheme)] == titles


def test_a_line_of_a_class_has_its_colour() -> None:
    assert chart_series(ODD)[1] == ChartSeries("Mask", "Mask", "Mask")


def test_faces_are_counted_by_class_where_there_are_no_masks() -> None:
    now = [100.0]
    counts = FaceCounts(AGE_ONLY, lambda: now[0])
    old, young = make_face(1, "old", scheme=AGE_ONLY), make_face(2, "young", scheme=AGE_ONLY)
    counts.add((old, young))
    counts.add((young, make_face(3, "old", 0.5, is_sure=False, scheme=AGE_ONLY)))
    now[0] = 101.2
    assert counts.seconds() == [CountedSecond(100, (0.5, 1.0), 0.5)]
    assert counts.seconds()[0].row == (100, 0.5, 1.0, 0.5)
    assert dict(counts.by_label) == {"old": 1, "young": 2}


def test_three_mask_values_are_counted_apart() -> None:
    now = [100.0]
    counts = FaceCounts(MASK_STATE, lambda: now[0])
    labels = ("misworn", "none", "none")
    counts.add(tuple(make_face(1, label, scheme=MASK_STATE) for label in labels))
    now[0] = 101.0
    assert counts.seconds()[0].row == (100, 0.0, 1.0, 2.0, 0.0)


def test_the_event_stream_carries_every_class(serve: Serve) -> None:
    served = serve(MANY)
    face = make_face(label=MANY.labels[9], scheme=MANY)
    served.screen.show(make_view(faces=(face,), scheme=MANY))
    with served.client.stream("GET", "/events", params={"format": "jsonl"}) as answer:
        line = next(line for line in answer.iter_lines() if line)
    assert '"label": "class 09"' in line
    assert line.count("class ") == 65
