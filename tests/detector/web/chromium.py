"""Drives a headless Chromium over its DevTools protocol: real clicks, real keys, real pictures."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from maskage.cameras.sources import open_camera
from maskage.errors import EnvironmentProblemError
from maskage.pictures.images import encode_jpeg
from trainer.exports.web.browser import Page, find_browser


def find_chromium() -> str | None:
    """Its path, or None where there is none."""
    try:
        return find_browser()
    except EnvironmentProblemError:
        return None


NEEDS_CHROMIUM = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed"),
]
"""The marks of a module whose tests look at pages."""


class Chromium(Page):
    """One page of a browser with a profile of its own; a context.

    Args:
        options: More options of its command line.

    Attributes:
        complaints: What the page or the browser said of faults so far.
    """

    def __init__(self, *options: str) -> None:
        self.complaints: list[str] = []
        super().__init__("about:blank", options)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Go to an address; `wait_for` tells when it is there."""
        self.call("Page.navigate", url=url)

    def wait_for(self, script: str, timeout_s: float = 15.0) -> Any:
        """The value of an expression once it is true.

        Raises:
            TimeoutError: It stayed false; the message says what the page showed.
        """
        try:
            return super().wait_for(script, timeout_s)
        except EnvironmentProblemError:
            shown = self.run("document.body.innerText")
            raise TimeoutError(f"{script}\n{self.complaints}\n{shown}") from None

    def click(self, selector: str) -> None:
        """Press the mouse on the middle of an element, as a person would."""
        middle = (
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        # Whoever aims waits until a picture that comes in has moved everything below it.
        found = self.run(middle)
        while (now := self.run(middle)) != found:
            found = now
            time.sleep(0.05)
        place = {"x": found[0], "y": found[1], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def press(self, key: str, code: int = 0) -> None:
        """Press a key by its DOM name; `code` is its Windows key code."""
        names = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **names, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **names)

    def show_as(self, width: int, height: int, *, dark: bool = False) -> None:
        """Size of the window in CSS pixels, and the system's theme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        theme = "dark" if dark else "light"
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": theme}],
        )

    def take_picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what is shown as a PNG; `whole` takes what lies below the window too."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(
                f"{parameters['entry']['text']} {parameters['entry'].get('url')}"
            )


def open_before_people(folder: Path, *options: str) -> Chromium:
    """Open a browser whose camera shows the people of the demo camera.

    Args:
        folder: Where the film of its camera is written.
        options: More options of its command line.
    """
    film = folder / "people.mjpeg"
    camera = open_camera("demo")
    frames = [camera.read() for _ in range(40)]
    camera.close()
    film.write_bytes(b"".join(encode_jpeg(frame.pixels, 85) for frame in frames if frame))
    return Chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
        *options,
    )
