"""Figures for monitoring: the state of the live view in one word, and metrics for Prometheus."""

import time
from collections.abc import Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.web.views.cameras import CameraMetrics
from detector.web.views.hub import ViewHub
from detector.web.views.stream import Seats
from maskage.classes.scheme import Scheme

STUCK_AFTER_S = 5.0
"""The live loop shows a view several times a second even when nothing changes."""

Health = Literal["live", "paused", "ready", "starting", "stale", "stuck"]

HEALTHY: frozenset[Health] = frozenset(("live", "paused", "ready"))

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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
    """

    def __init__(self, hub: ViewHub | None, seats: dict[str, Seats]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "detector_http_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._registry.register(_Clients(seats))
        if hub is not None:
            self._registry.register(_Views(hub))
            self._registry.register(CameraMetrics(hub))

    def count_request(self, route: str, method: str, status: int) -> None:
        """Count one answer; `route` is a pattern, never what a client made up."""
        self._requests.labels(route, method, str(status)).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)


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
