"""The live view as server-sent events for the page, and as JSON lines for other programs."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from detector.events.events import event_of
from detector.web.views.cameras import describe_cameras
from detector.web.views.hub import NumberedView, ViewHub

LEAST_PAUSE_S = 0.1
"""Between two events: the eye can follow ten a second."""

BEAT_S = 2.0
"""Between two signs of life while there is no new view, so that a dead line is noticed."""


def describe_view(numbered: NumberedView) -> dict[str, Any]:
    """Return a view as JSON: the event of `detector run --json`, with status and controls."""
    view = numbered.view
    readout, controls, counts = view.readout, view.controls, view.counts
    return {
        "view": numbered.number,
        **event_of(view.result),
        "width": view.result.frame.width,
        "height": view.result.frame.height,
        "is_over": view.is_over,
        **describe_cameras(view),
        "status": {
            "fps": _rounded(readout.fps),
            "age_ms": _rounded(readout.age_ms),
            "stale_s": _rounded(readout.stale_s),
            "is_paused": readout.is_paused,
            "is_mirrored": view.is_mirrored or controls.is_mirrored,
            "message": readout.message,
            "notice": readout.notice,
        },
        "controls": {
            "threshold": controls.threshold,
            "recording": controls.recording.name if controls.recording else None,
            "selected": controls.selected,
            "source": controls.source,
            "sources": list(controls.sources),
            "correcting": controls.correcting,
        },
        "counts": {
            "frames": counts.frames,
            "dropped": counts.dropped,
            "reconnects": counts.reconnects,
        },
    }


async def stream_events(hub: ViewHub) -> AsyncIterator[str]:
    """Yield server-sent events: `view` (see `describe_view`), `counts` and `beat`.

    The newest view each time, at most one in `LEAST_PAUSE_S`: a slow client misses some. `counts`
    holds finished seconds as [time, one mean for each `series` of /about, unsure]: all that are
    remembered at first, then the new ones.
    """
    yield "retry: 1000\n\n"
    seen, counted_s = 0, -1
    while True:
        seconds = [second for second in hub.seconds() if second.at_s > counted_s]
        if seconds or counted_s < 0:
            counted_s = seconds[-1].at_s if seconds else 0
            yield _sse("counts", [second.row for second in seconds])
        numbered = await hub.wait_for_view(seen, BEAT_S)
        if numbered is None:
            if hub.is_closed:
                return
            yield _sse("beat", {})
            continue
        seen = numbered.number
        yield _sse("view", describe_view(numbered))
        await asyncio.sleep(LEAST_PAUSE_S)


async def stream_lines(hub: ViewHub) -> AsyncIterator[str]:
    """Yield the same views, one JSON object a line; an empty line is a sign of life."""
    seen = 0
    while True:
        numbered = await hub.wait_for_view(seen, BEAT_S)
        if numbered is None:
            if hub.is_closed:
                return
            yield "\n"
            continue
        seen = numbered.number
        yield json.dumps(describe_view(numbered)) + "\n"
        await asyncio.sleep(LEAST_PAUSE_S)


def _sse(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
