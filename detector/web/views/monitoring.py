"""Figures for monitoring: the state of the live view in one word, and metrics for Prometheus."""

import time
from collections.abc import Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.events.alarm_counts import AlarmCounts
from detector.screens.base import LiveView
from detector.web.pictures.classify import PictureClassifier, Stage
from detector.web.views.cameras import CameraMetrics
from detector.web.views.hub import ViewHub
from detector.web.views.stream import Seats
from maskage.classes.scheme import Scheme

STUCK_AFTER_S = 5.0
"""The live loop shows a view several times a second even when nothing changes."""

Health = Literal["live", "paused", "ready", "starting", "stale", "stuck"]

HEALTHY: frozenset[Health] = frozenset(("live", "paused", "ready"))

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


POSTED = "pictures"
"""Value of `source` for pictures that clients send, in histograms."""

_STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_REQUEST_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LEAST_RUN_MS = 0.05
"""Under this a stage was left out in this frame: faces are followed, and settled labels kept."""


def unsure_label(scheme: Scheme) -> str:
    """Return the value of `label` for unsure faces: "unsure", or "unsure_" beside such a class."""
    name = "unsure"
    while name in scheme:
        name += "_"
    return name


def judge_health(hub: ViewHub | None, now_s: float | None = None) -> Health:
    """Return the state of the live view.

    Args:
        hub: Where the views are; None without a camera, which is "ready".
        now_s: By `time.monotonic`; None for now.
    """
    if hub is None:
        return "ready"
    newest = hub.newest
    if newest is None:
        return "starting"
    now_s = time.monotonic() if now_s is None else now_s
    if now_s - newest.put_s > STUCK_AFTER_S:
        return "stuck"
    if newest.view.readout.stale_s is not None:
        return "stale"
    return "paused" if newest.view.readout.is_paused else "live"


class Metrics:
    """The figures of one server.

    Args:
        hub: Where the views are; None without a camera.
        seats: The clients of each kind of stream.
        classifier: Classifies the pictures that clients send.
        alarms: Counts of alarms; None where none can be raised.
    """

    def __init__(
        self,
        hub: ViewHub | None,
        seats: dict[str, Seats],
        classifier: PictureClassifier,
        alarms: AlarmCounts | None = None,
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "detector_http_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._registry.register(_Clients(seats))
        self._stages = {
            "finder": self._stage("finder", "Time that the finder took for one picture."),
            "network": self._stage("network", "Time that the network took for one batch of faces."),
        }
        self._requests_s = {
            "queue": self._request("queue", "Time that a request waited for its turn."),
            "request": self._request("request", "Time from a request's arrival to its answer."),
        }
        classifier.report_s = self.observe_posted
        self._registry.register(_Queue(classifier))
        if alarms is not None:
            self._registry.register(_Alarms(alarms))
        if hub is not None:
            hub.on_result = self.observe_view
            self._registry.register(_Views(hub))
            self._registry.register(CameraMetrics(hub))

    def observe_view(self, view: LiveView) -> None:
        """Take in the times of a frame that was labelled."""
        names, number = view.controls.sources, view.controls.source
        if len(view.cameras) > 1:
            number = view.result.camera
        source = names[number] if number < len(names) else "camera"
        timings = view.result.timings
        for stage, took_ms in (("finder", timings.find_ms), ("network", timings.classify_ms)):
            if took_ms >= _LEAST_RUN_MS:
                self._stages[stage].labels(source).observe(took_ms / 1000)

    def observe_posted(self, stage: Stage, seconds: float) -> None:
        """Take in the time of one stage of pictures that a client sent."""
        if stage == "finder" or stage == "network":
            self._stages[stage].labels(POSTED).observe(seconds)
        else:
            self._requests_s[stage].observe(seconds)

    def count_request(self, route: str, method: str, status: int) -> None:
        """Count one answer; `route` is a pattern, never what a client made up."""
        self._requests.labels(route, method, str(status)).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _stage(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"detector_{name}_seconds",
            text,
            ("source",),
            buckets=_STAGE_BUCKETS_S,
            registry=self._registry,
        )

    def _request(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"detector_classify_{name}_seconds",
            text,
            buckets=_REQUEST_BUCKETS_S,
            registry=self._registry,
        )


class _Clients(Collector):
    def __init__(self, seats: dict[str, Seats]) -> None:
        self._seats = seats

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "detector_clients", "Clients with an open stream.", labels=["stream"]
        )
        for name, seats in self._seats.items():
            gauge.add_metric([name], seats.taken)
        yield gauge


class _Queue(Collector):
    def __init__(self, classifier: PictureClassifier) -> None:
        self._classifier = classifier

    def collect(self) -> Iterator[Metric]:
        queue = self._classifier.queue
        yield GaugeMetricFamily(
            "detector_classify_waiting", "Requests that wait for their turn.", queue.waiting
        )
        yield GaugeMetricFamily(
            "detector_classify_running", "Requests that are read or classified.", queue.inside
        )


class _Alarms(Collector):
    def __init__(self, counts: AlarmCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        raised = CounterMetricFamily("detector_alarms", "Alarms raised.", labels=["rule", "source"])
        for (rule, source), count in self._counts.raised.items():
            raised.add_metric([rule, source], count)
        yield raised
        ended = CounterMetricFamily(
            "detector_alarm_actions",
            "Commands, webhooks and messages of alarms, by how they ended.",
            labels=["rule", "action", "outcome"],
        )
        for (rule, action, outcome), count in self._counts.ended.items():
            ended.add_metric([rule, action, outcome], count)
        yield ended


class _Views(Collector):
    """Figures of the newest view, read for each collection."""

    def __init__(self, hub: ViewHub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        newest = self._hub.newest
        if newest is None:
            return
        view = newest.view
        counts, readout = view.counts, view.readout
        yield CounterMetricFamily("detector_frames", "Frames labelled.", counts.frames)
        yield CounterMetricFamily(
            "detector_frames_dropped", "Frames skipped for newer ones.", counts.dropped
        )
        yield CounterMetricFamily(
            "detector_reconnects", "Times that a lost source was opened again.", counts.reconnects
        )
        yield GaugeMetricFamily(
            "detector_frame_age_seconds",
            "Seconds since the newest labelled frame left the camera.",
            time.monotonic() - view.result.frame.captured_s,
        )
        yield GaugeMetricFamily(
            "detector_stale", "1 while the camera is silent, else 0.", readout.stale_s is not None
        )
        yield GaugeMetricFamily("detector_paused", "1 while paused, else 0.", readout.is_paused)
        yield GaugeMetricFamily(
            "detector_frames_per_second", "Frames labelled a second.", readout.fps or 0.0
        )
        yield from self._faces()

    def _faces(self) -> Iterator[Metric]:
        totals, scheme = self._hub.totals(), self._hub.scheme
        unsure = unsure_label(scheme)
        labelled = CounterMetricFamily(
            "detector_faces", "Faces labelled, frame by frame.", labels=["label"]
        )
        for label, count in totals.by_label.items():
            labelled.add_metric([label], count)
        labelled.add_metric([unsure], totals.unsure)
        yield labelled
        shown = GaugeMetricFamily(
            "detector_faces_shown", "Faces in the newest frame.", labels=["label"]
        )
        newest = self._hub.newest
        faces = newest.view.result.faces if newest else ()
        names = [face.label if face.is_sure else unsure for face in faces]
        for name in (*scheme.labels, unsure):
            shown.add_metric([name], names.count(name))
        yield shown
