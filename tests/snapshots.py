"""Text snapshots of screens, kept beside the tests; `pytest --update-snapshots` writes them again.

The ready-made plugin for Textual's SVG snapshots holds pytest below 9; text needs none, and its
differences can be read.
"""

import difflib
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.app import App

SETTLE_S = 20.0
"""Seconds in which a screen must come to what its snapshot shows."""
FOLDER = Path(__file__).parent / "collector" / "snapshots"

_VARYING = {
    r"\d{8}-\d{6}-[0-9a-f]{4}": "20260101-120000-abcd",  # a session is named by time and chance
    r"\b\d+ fps": "0 fps",
    r"(?<=frames dropped )\d+": "0",  # a busy machine drops some
    r"(?<=removed )\d{4}-\d\d-\d\d \d\d:\d\d": "2026-01-01 12:00",
    r"(?<=removed 2026-01-01 12:00):\d\d": ":00",
}


def screen_text(app: App[None]) -> str:
    """Return the text of the screen, line by line, with what varies between runs made equal."""
    lines = app.screen._compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)
    for pattern, stand_in in _VARYING.items():
        text = re.sub(pattern, stand_in, text)
    return text + "\n"


async def check_snapshot(
    read: Callable[[], str], name: str, pause: Callable[[float], Awaitable[None]], *, update: bool
) -> None:
    """Wait until the screen shows the snapshot of that name, or write it.

    A screen is drawn in steps, which take longer on a busy machine.

    Args:
        read: Gives the text of the screen as it is now.
        name: Name of the snapshot.
        pause: Lets the app go on for these seconds.
        update: Write the snapshot instead.

    Raises:
        AssertionError: The screen still shows something else; the message has the difference.
    """
    path = FOLDER / f"{name}.txt"
    if update:
        await pause(1.0)
        path.parent.mkdir(exist_ok=True)
        path.write_text(read(), encoding="utf-8")
        return
    assert path.is_file(), f"no snapshot {path}: look at the screen, then --update-snapshots"
    expected = path.read_text(encoding="utf-8")
    deadline_s = time.monotonic() + SETTLE_S
    while (text := read()) != expected and time.monotonic() < deadline_s:
        await pause(0.05)
    changes = "\n".join(
        difflib.unified_diff(expected.splitlines(), text.splitlines(), "snapshot", "screen", n=0)
    )
    assert not changes, f"{name} differs: look, then --update-snapshots\n{changes}"
