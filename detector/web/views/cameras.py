"""The cameras that are watched, as the page and Prometheus get them."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.screens.base import CameraPhase, LiveView
from detector.screens.camera_grid import stands_for
from detector.web.views.hub import ViewHub
from maskage.outside_text import path_to_text


def describe_cameras(view: LiveView) -> dict[str, Any]:
    """Return `sources`, one object for each watched camera, and `shown`: "all", or an `id`.

    Of a camera: `id`, `name`, `state` (waiting, live, lost, ended), `fps` and `age_ms` (null where
    it has none) and `faces`, the number in its newest frame.
    """
    return {
        "sources": [
            {
                "id": each.number,
                "name": path_to_text(each.name),
                "state": str(each.phase),
                "fps": None if each.fps is None else round(each.fps, 1),
                "age_ms": None if each.age_ms is None else round(each.age_ms),
                "faces": each.faces,
            }
            for each in view.cameras
        ],
        "shown": stands_for(view),
    }


class CameraMetrics(Collector):
    """The figures of each watched camera, for Prometheus.

    Args:
        hub: Where the views are.
    """

    def __init__(self, hub: ViewHub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; each has the name of the camera as its label `source`."""
        cameras = self._hub.cameras
        if not cameras:
            return
        counters = (
            ("detector_camera_frames", "Frames of a camera that were labelled.", "frames"),
            ("detector_camera_frames_dropped", "Frames skipped for newer ones.", "dropped"),
            ("detector_camera_reconnects", "Times that it was opened again.", "reconnects"),
        )
        for name, text, field in counters:
            counter = CounterMetricFamily(name, text, labels=["source"])
            for each in cameras:
                counter.add_metric([path_to_text(each.name)], getattr(each.counts, field))
            yield counter
        rate = GaugeMetricFamily(
            "detector_camera_frames_per_second", "Frames labelled a second.", labels=["source"]
        )
        age = GaugeMetricFamily(
            "detector_camera_frame_age_seconds",
            "Seconds since its newest labelled frame left the camera.",
            labels=["source"],
        )
        live = GaugeMetricFamily(
            "detector_camera_live", "1 while pictures come, else 0.", labels=["source"]
        )
        for each in cameras:
            name = path_to_text(each.name)
            rate.add_metric([name], each.fps or 0.0)
            live.add_metric([name], each.phase is CameraPhase.LIVE)
            if each.age_ms is not None:
                age.add_metric([name], each.age_ms / 1000)
        yield from (rate, age, live)
