"""Drives a headless Chromium over its DevTools protocol: real clicks, real keys, real pictures."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from websockets.sync.client import connect

START_TIMEOUT_S = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Its path, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One page of a browser with a profile of its own; a context.

    Args:
        options: More options of its command line.

    Attributes:
        complaints: What the page or the browser said of faults so far.
    """

    def __init__(self, *options: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [
            find_chromium() or NAMES[0],
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile.name}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            *options,
            "about:blank",
        ]
        if os.geteuid() == 0:
            # Its sandbox does not work for the administrator, which is whom containers run as.
            command.insert(1, "--no-sandbox")
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self.complaints: list[str] = []
        self._number = 0
        self._held = ExitStack()
        self._held.callback(self._end)
        try:
            self._line = self._held.enter_context(connect(self._find_page(), max_size=None))
            for domain in ("Page", "Runtime", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and wait for its answer."""
        self._number += 1
        self._line.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv(timeout=30))
            self._note(message)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        """Go to an address; `wait_for` tells when it is there."""
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, script: str, timeout_s: float = 15.0) -> Any:
        """The value of an expression once it is true.

        Raises:
            TimeoutError: It stayed false; the message says what the page showed.
        """
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            # While a page loads there is no document yet.
            with suppress(RuntimeError):
                if value := self.run(script):
                    return value
            time.sleep(0.05)
        raise TimeoutError(f"{script}\n{self.complaints}\n{self.run('document.body.innerText')}")

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

    def _find_page(self) -> str:
        """Address of the page's DevTools."""
        until_s = time.monotonic() + START_TIMEOUT_S
        note = Path(self._profile.name, "DevToolsActivePort")
        while time.monotonic() < until_s:
            if note.exists() and (lines := note.read_text().splitlines()):
                with urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=10) as answer:
                    pages = [entry for entry in json.load(answer) if entry["type"] == "page"]
                if pages:
                    return str(pages[0]["webSocketDebuggerUrl"])
            time.sleep(0.1)
        raise TimeoutError("Chromium did not start.")

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(
                f"{parameters['entry']['text']} {parameters['entry'].get('url')}"
            )
