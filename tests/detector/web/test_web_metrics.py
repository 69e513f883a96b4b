"""Alarms and times in `/metrics`, read as Prometheus reads them."""

import re
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from detector.events.alarm_actions import ActionWorker, Alarm
from detector.events.alarm_counts import AlarmCounts
from detector.events.alarm_options import AlarmRules, AlarmSettings
from detector.events.alarms import Alarms
from detector.screens.base import Controls
from detector.screens.commands import CommandDesk
from detector.web.options import WebOptions
from detector.web.server import open_web
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import EnvironmentProblemError
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.detector.web.web_server import (
    TOKEN,
    Served,
    make_face,
    make_view,
    picture_classifier,
    serving,
    wait_until,
)


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    with serving(bundle) as opened:
        yield opened


def read_samples(text: str) -> dict[str, float]:
    """Value of each sample by its name and labels: `name{source=x}`."""
    return {
        sample.name + "{" + ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())) + "}": (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_stages_of_a_live_view_are_timed_by_source(served: Served) -> None:
    controls = Controls(source=1, sources=("demo camera", "front door"))
    view = make_view(1, controls=controls)
    served.screen.show(view)
    # The same result again, as while paused, is no new run.
    served.screen.show(view)
    served.screen.show(make_view(2, controls=Controls(sources=("demo camera",))))
    samples = read_samples(served.client.get("/metrics").text)
    for stage in ("finder", "network"):
        for source in ("front door", "demo camera"):
            assert samples[f"detector_{stage}_seconds_count{{source={source}}}"] == 1
            # The views of these tests say 1 ms for each stage.
            total = samples[f"detector_{stage}_seconds_sum{{source={source}}}"]
            assert total == pytest.approx(0.001)
            assert samples[f"detector_{stage}_seconds_bucket{{le=+Inf,source={source}}}"] == 1


def test_posted_pictures_are_timed_from_their_place_in_the_queue(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old"))
    served.client.post("/classify", content=data)
    served.client.post("/classify", files=[("images", ("a.jpg", data))] * 3)
    served.client.post("/classify", content=b"no picture")

    def count(name: str) -> float:
        return read_samples(served.client.get("/metrics").text)[name]

    # A request is counted as it leaves its place, which may be after its answer.
    wait_until(lambda: count("detector_classify_request_seconds_count{}") == 3, 30)
    assert count("detector_classify_queue_seconds_count{}") == 3
    assert count("detector_finder_seconds_count{source=pictures}") == 4
    # One picture alone, and three together.
    assert count("detector_network_seconds_count{source=pictures}") == 2
    assert count("detector_classify_waiting{}") == count("detector_classify_running{}") == 0


def test_alarms_are_counted_by_rule_action_and_outcome(bundle: ModelBundle) -> None:
    class Failing:
        name = "--webhook https://example.org/..."

        def carry_out(self, alarm: Alarm) -> None:
            raise EnvironmentProblemError("no")

        def stop(self) -> None:
            pass

    rules = AlarmRules(("mask_*", "mask=none"), AlarmSettings(frozenset(), (("true",),)))
    settings = rules.for_classes(MASK_AGE)
    with Alarms(settings, "front door", lambda words: None, more_actions=[Failing()]) as alarms:
        for number in range(0, 3600, 5):
            face = make_face(1, "nomask_old" if number >= 1800 else "mask_old")
            alarms.update(make_view(number, (face,)).result)
    options = WebOptions(port=0, token=TOKEN)
    with open_web(
        options, picture_classifier(bundle), MASK_AGE, CommandDesk(), alarm_counts=alarms.counts
    ) as screen:
        address = f"{screen.url.partition('/?')[0]}/metrics"
        answer = httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        samples = read_samples(answer.text)
    raised = {
        rule: samples[f"detector_alarms_total{{rule={rule},source=front door}}"]
        for rule in ("mask_*", "mask=none")
    }
    assert raised == {"mask_*": 6, "mask=none": 6}
    for rule, count in raised.items():
        ended = {
            (action, outcome): samples.get(
                f"detector_alarm_actions_total{{action={action},outcome={outcome},rule={rule}}}", 0
            )
            for action in ("--exec true", Failing.name)
            for outcome in ("done", "failed", "dropped")
        }
        assert ended["--exec true", "failed"] == ended[Failing.name, "done"] == 0
        # Some may be dropped: the frames come faster than programs start.
        for action in ("--exec true", Failing.name):
            assert sum(n for (name, _), n in ended.items() if name == action) == count


def test_an_alarm_for_which_too_many_wait_is_counted_as_dropped() -> None:
    go_on = threading.Event()
    counts = AlarmCounts()

    class Slow:
        name = "slow"

        def carry_out(self, alarm: Alarm) -> None:
            go_on.wait(30)

        def stop(self) -> None:
            pass

    worker = ActionWorker(
        Slow(), print, 1, lambda alarm, outcome: counts.note_ended("rule", "slow", outcome)
    )
    alarm = Alarm("nomask_old", 3, 0.9, 1.0, "2026-03-01T10:20:30.123+00:00", "webcam 0")
    worker.give(alarm)
    wait_until(lambda: worker._waiting.empty(), 30)
    worker.give(alarm)
    worker.give(alarm)
    assert counts.ended == {("rule", "slow", "dropped"): 1}
    go_on.set()
    wait_until(lambda: counts.ended.get(("rule", "slow", "done")) == 2, 30)
    worker.finish()
    worker.join(30)


def test_names_keep_the_conventions_of_prometheus(served: Served) -> None:
    served.screen.show(make_view())
    text = served.client.get("/metrics").text
    for family in text_string_to_metric_families(text):
        assert re.fullmatch(r"detector_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples)
