"""Whether the live view is well, in one word, as monitoring asks for it."""

import time
from typing import Literal

from detector.web.views.hub import ViewHub

STUCK_AFTER_S = 5.0
"""The live loop shows a view several times a second even when nothing changes."""

Health = Literal["live", "paused", "ready", "starting", "stale", "stuck"]

WELL: frozenset[Health] = frozenset(("live", "paused", "ready"))


def judge_health(hub: ViewHub | None, now_s: float | None = None) -> Health:
    """How it goes.

    Args:
        hub: Where the views are; None without a camera.
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
