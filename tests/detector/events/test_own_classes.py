"""Alarms and event files for classes of any name and number."""

import csv
import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.events.alarm_actions import Alarm
from detector.events.alarm_options import AlarmRules, AlarmSettings, match_labels
from detector.events.events import csv_columns, event_of, open_event_files
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.errors import UsageError
from maskage.records import FaceBox, Frame
from tests.detector.schemes import MANY, MASK_STATE, ODD, ODD_NAMES

COLUMNS = ["frame", "time_s", "file", "track", "x", "y", "width", "height", "label", "confidence",
           "unsure"]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        ("misworn", {"misworn"}),
        ("mis*", {"misworn"}),
        ("mask=none", {"none"}),
        ("mask=*worn", {"worn", "misworn"}),
        ("*", {"worn", "misworn", "none"}),
    ],
)
def test_a_pattern_is_a_name_or_the_value_of_a_factor(pattern: str, labels: set[str]) -> None:
    rules = AlarmRules((pattern,), AlarmSettings(frozenset(), cool_down_s=7.0))
    settings = rules.for_classes(MASK_STATE)
    assert settings == AlarmSettings(frozenset(labels), cool_down_s=7.0)


def test_the_values_of_a_factor_are_several_classes() -> None:
    rules = AlarmRules(("age=old", "mask=none"), AlarmSettings(frozenset()))
    assert rules.for_classes(MASK_AGE).labels == {"mask_old", "nomask_old", "nomask_young"}


def test_the_name_of_a_class_comes_before_its_meaning_as_a_pattern() -> None:
    names = ["mask=none", "a*", "ab", "[x]", "x"]
    factors = {"mask": ("worn", "none", "a", "b", "c")}
    classes = [
        replace(each, factors={"mask": value})
        for each, value in zip(plain_scheme(names), factors["mask"], strict=True)
    ]
    scheme = Scheme(tuple(classes), factors)
    for pattern, labels in (
        ("mask=none", ["mask=none"]),
        ("mask=non?", ["mask=none"]),
        ("mask=b", ["[x]"]),
        ("a*", ["a*"]),
        ("a?", ["a*", "ab"]),
        ("[x]", ["[x]"]),
    ):
        assert list(match_labels(pattern, scheme)) == labels, pattern


@pytest.mark.parametrize("pattern", ["nomask", "age=old", "mask", "=", "mask=", "mask=No", ""])
def test_what_matches_no_class_is_refused_with_classes_and_values(pattern: str) -> None:
    with pytest.raises(UsageError, match="matches no label") as told:
        match_labels(pattern, MASK_STATE)
    assert "The labels are worn, misworn, none" in str(told.value)
    assert "mask=worn, mask=misworn, mask=none" in str(told.value)


def test_only_values_that_a_class_has_are_offered() -> None:
    scheme = Scheme(
        MASK_AGE.classes, {"mask": ("worn", "misworn", "none"), "age": ("old", "young")}
    )
    with pytest.raises(UsageError) as told:
        match_labels("mask=misworn", scheme)
    assert "Values of factors: mask=worn, mask=none, age=old, age=young." in str(told.value)


def test_classes_without_factors_offer_no_values() -> None:
    with pytest.raises(UsageError) as told:
        match_labels("mask=none", ODD)
    assert "Values of factors" not in str(told.value)


def test_an_alarm_names_an_odd_class_to_programs() -> None:
    for label in ODD.labels:
        alarm = Alarm(label, 1, 0.9, 1.0, "2026-03-01T10:20:30.123+00:00", "webcam 0")
        assert json.loads(alarm.to_json())["label"] == label
        assert alarm.to_environment()["MASKAGE_LABEL"] == label


def result_of(scheme: Scheme, label: str) -> FrameResult:
    rest = 0.1 / (len(scheme) - 1)
    row = tuple(0.9 if each == label else rest for each in scheme.labels)
    face = TrackedFace(3, FaceBox(1, 2, 30, 40), label, row, row, True, scheme=scheme)
    pixels = np.zeros((48, 64, 3), np.uint8)
    return FrameResult(Frame(pixels, 0), (face,), Timings(1, 1, 1, 1), scheme)


def test_the_columns_of_the_four_classes_are_as_ever() -> None:
    assert csv_columns(MASK_AGE) == [*COLUMNS, *MASK_AGE.labels]


def test_no_two_columns_have_one_name_and_none_is_a_formula() -> None:
    scheme = plain_scheme(
        ["label", "p_label", "x", "frame", "cat", "=1+1", "@SUM(A1)", "-", "file"]
    )
    columns = csv_columns(scheme)
    assert columns[:11] == COLUMNS
    assert columns[11:] == [
        "p_p_label",
        "p_label",
        "p_x",
        "p_frame",
        "cat",
        "p_=1+1",
        "p_@SUM(A1)",
        "p_-",
        "p_file",
    ]


@pytest.mark.parametrize("scheme", [MASK_STATE, ODD, MANY])
def test_event_files_hold_every_class(scheme: Scheme, tmp_path: Path) -> None:
    with ExitStack() as held:
        writers = open_event_files(tmp_path / "e.jsonl", tmp_path / "e.csv", scheme, held)
        for label in scheme.labels:
            for write in writers:
                write(result_of(scheme, label))
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [event["faces"][0]["label"] for event in events] == list(scheme.labels)
    assert list(events[0]["faces"][0]["probabilities"]) == list(scheme.labels)
    with (tmp_path / "e.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shares = [[row[name] for name in csv_columns(scheme)[11:]] for row in rows]
    assert [[float(p) for p in share].index(0.9) for share in shares] == list(range(len(scheme)))
    assert [row["label"].removeprefix("./") for row in rows] == list(scheme.labels)
    assert not [cell for row in rows for cell in row.values() if cell.startswith("=")]


def test_the_event_of_a_frame_keeps_its_shape() -> None:
    assert event_of(result_of(MASK_STATE, "misworn"))["faces"] == [
        {
            "track": 3,
            "box": [1, 2, 30, 40],
            "label": "misworn",
            "confidence": 0.9,
            "unsure": False,
            "unsure_reason": None,
            "strangeness": None,
            "probabilities": {"worn": 0.05, "misworn": 0.9, "none": 0.05},
        }
    ]
    assert ODD.labels == ODD_NAMES
