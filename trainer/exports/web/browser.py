"""A page in headless Chromium, served from a folder: run scripts in it and read their values."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

from maskage.errors import EnvironmentProblemError

VARIABLE = "CHROME_BIN"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
          "microsoft-edge")  # fmt: skip
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_START_S, _ANSWER_S = 60.0, 300.0


def find_browser() -> str:
    """Return the path of Chromium or a browser made from it.

    Raises:
        EnvironmentProblemError: There is none.
    """
    if named := os.environ.get(VARIABLE):
        if found := shutil.which(named):
            return found
        raise EnvironmentProblemError(
            f"{VARIABLE} is {named!r}, and no program is there. Set it to the path of Chromium, or "
            f"remove it."
        )
    found = next((path for name in (*_NAMES, *_PLACES) if (path := shutil.which(name))), None)
    if found is None:
        raise EnvironmentProblemError(
            f"--to web needs Chromium or Chrome, in which the page is compared with the Keras "
            f"model, and none is installed. Install it (`apt install chromium`), or set {VARIABLE} "
            f"to its path."
        )
    return found


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class FolderServer:
    """A server of a folder on the loopback address; a context.

    Args:
        folder: Folder that is served.
        port: Port; 0 for any free one.

    Attributes:
        url: Its address, with a slash at the end.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        handler = functools.partial(_QuietHandler, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Page:
    """One page of a headless browser with a profile of its own; a context.

    Args:
        address: Address of the page.
        switches: Further switches of the browser.
    """

    def __init__(self, address: str, switches: Sequence[str] = ()) -> None:
        self._switches = switches
        self._held = ExitStack()
        self._number = 0
        try:
            self._profile = self._held.enter_context(
                tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            )
            self._process = self._start()
            self._held.callback(self._end)
            self._line = self._held.enter_context(self._connect())
            self.call("Page.navigate", url=address)
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and remove its profile."""
        self._held.close()

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for.

        Raises:
            EnvironmentProblemError: It threw, or the browser ended.
        """
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if fault := answer.get("exceptionDetails"):
            text = fault.get("exception", {}).get("description") or fault.get("text")
            raise _broken(str(text).splitlines()[0][:300])
        return answer["result"].get("value")

    def wait_for(self, script: str, timeout_s: float = _START_S) -> Any:
        """Return the value of an expression once it is true.

        Raises:
            EnvironmentProblemError: It stayed false.
        """
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            # While a page loads there is no document yet.
            with suppress(EnvironmentProblemError):
                if value := self.run(script):
                    return value
            time.sleep(0.05)
        raise _broken(f"it was not ready within {timeout_s:.0f} s")

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [
            find_browser(),
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            *self._switches,
            "about:blank",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Its sandbox does not start for the administrator, which is who containers run as.
            command.insert(1, "--no-sandbox")
        try:
            return subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as fault:
            raise _broken(f"it does not start: {fault.strerror}") from fault

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connect(self) -> Any:
        from websockets.sync.client import connect

        note = Path(self._profile, "DevToolsActivePort")
        # A proxy of the environment does not lead to this machine's own loopback address.
        direct = build_opener(ProxyHandler({}))
        until_s = time.monotonic() + _START_S
        while time.monotonic() < until_s and self._process.poll() is None:
            if note.exists() and (lines := note.read_text().splitlines()):
                with direct.open(f"http://127.0.0.1:{lines[0]}/json/list", timeout=10) as answer:
                    pages = [each for each in json.load(answer) if each["type"] == "page"]
                if pages:
                    return connect(pages[0]["webSocketDebuggerUrl"], max_size=None, proxy=None)
            time.sleep(0.05)
        raise _broken("it did not start")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol, and return its result.

        Raises:
            EnvironmentProblemError: The browser refused it, or ended.
        """
        from websockets.exceptions import WebSocketException

        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        try:
            self._line.send(json.dumps(message))
            while True:
                answer = json.loads(self._line.recv(timeout=_ANSWER_S))
                self._note(answer)
                if answer.get("id") == self._number:
                    break
        except (WebSocketException, TimeoutError, OSError) as fault:
            raise _broken(f"it stopped answering: {fault}") from fault
        if "error" in answer:
            raise _broken(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _note(self, message: dict[str, Any]) -> None:
        """Take in what the browser says, answers and events; here nothing more is done with it."""


def _broken(reason: str) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        f"The page could not be checked in the browser ({reason}). Try again, or set {VARIABLE} to "
        f"another Chromium or Chrome."
    )
