"""A page of another site shows this one in a frame, and its picture by a signed address."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from detector.web.options import WebOptions
from maskage.formats.bundle import ModelBundle
from tests.detector.web.chromium import Chromium, find_chromium
from tests.detector.web.web_server import TOKEN, Served, make_view, serving, wait_until

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")


@contextmanager
def other_site(pages: dict[str, str]) -> Iterator[str]:
    """Serve pages from another site until the end of the block; yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    # To a browser "localhost" is another site than "127.0.0.1".
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as opened:
        opened.call("Security.enable")
        opened.call("Security.setIgnoreCertificateErrors", ignore=True)
        opened.show_as(900, 700)
        yield opened


def test_a_signed_picture_is_shown_on_a_page_of_another_site(
    bundle: ModelBundle, browser: Chromium
) -> None:
    pages: dict[str, str] = {}
    with serving(bundle) as served, other_site(pages) as site:
        served.screen.show(make_view())
        for address in ("/stream.mjpg", "/snapshot.jpg"):
            signed = served.client.post("/signed-addresses", json={"address": address}).json()
            pages["/signed"] = f'<img src="{signed["address"]}">'
            browser.open(f"{site}/signed")
            # Chromium shows a picture of a stream once the next one begins.
            wait_until(lambda: is_shown(browser, served), 30)
            # Without the signature it is not shown.
            pages["/bare"] = f'<img src="http://127.0.0.1:{served.port}{address}">'
            browser.open(f"{site}/bare")
            browser.wait_for(
                "document.querySelector('img')?.complete && location.pathname==='/bare'"
            )
            assert browser.run("document.querySelector('img').naturalWidth") == 0
        browser.open("about:blank")


def is_shown(browser: Chromium, served: Served) -> bool:
    """Show one more view, and look whether the page has a picture."""
    served.screen.show(make_view(int(10 * time.monotonic())))
    return bool(browser.run("document.querySelector('img')?.naturalWidth === 640"))


def has_listener(metrics: str) -> bool:
    return any(line.endswith(" 1.0") and 'stream="events"' in line for line in metrics.splitlines())


@pytest.mark.parametrize("is_allowed", [True, False])
def test_only_an_allowed_page_shows_the_live_view_in_a_frame(
    bundle: ModelBundle,
    browser: Chromium,
    certificate: tuple[Path, Path],
    *,
    is_allowed: bool,
) -> None:
    pages: dict[str, str] = {}
    browser.complaints.clear()
    with other_site(pages) as site:
        options = WebOptions(
            port=0,
            certificate=certificate[0],
            key=certificate[1],
            token=TOKEN,
            frame_origins=(site,) if is_allowed else ("https://elsewhere.example",),
        )
        with serving(bundle, options) as served:
            served.screen.show(make_view())
            pages["/"] = f'<iframe src="{served.screen.url}" width="800" height="600"></iframe>'
            browser.open(f"{site}/")
            if is_allowed:
                # The page inside the frame was let in by its cookie, and follows the events.
                wait_until(lambda: has_listener(served.client.get("/metrics").text), 30)
            else:
                wait_until(lambda: "frame-ancestors" in refusals(browser), 30)
                assert not has_listener(served.client.get("/metrics").text)
            browser.open("about:blank")


def refusals(browser: Chromium) -> str:
    browser.run("1")
    return " ".join(browser.complaints)
