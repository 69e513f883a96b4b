"""Text snapshots of screens, kept beside the tests; `pytest --update-snapshots` writes them again.

The ready-made plugin for Textual's SVG snapshots holds pytest below 9; text needs none, and its
differences can be read.
"""

import re
from pathlib import Path

from textual.app import App

FOLDER = Path(__file__).parent / "collector" / "snapshots"

_VARYING = {
    r"\d{8}-\d{6}-[0-9a-f]{4}": "20260101-120000-abcd",  # a session is named by time and chance
    r"\b\d+ fps": "0 fps",
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


def check_snapshot(text: str, name: str, *, update: bool) -> None:
    """Compare with the snapshot of that name, or write it."""
    path = FOLDER / f"{name}.txt"
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.is_file(), f"no snapshot {path}: look at the screen, then --update-snapshots"
    expected = path.read_text(encoding="utf-8")
    assert text == expected, f"{name} differs from its snapshot: look, then --update-snapshots"
