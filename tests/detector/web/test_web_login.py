"""Visitors log in and out by the forms of the page, in a real browser, as a person does."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from detector.web.options import WebOptions
from maskage.formats.bundle import ModelBundle
from tests.detector.web.chromium import Chromium, find_chromium
from tests.detector.web.web_server import TOKEN, Served, make_view, serving

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as opened:
        opened.call("Security.enable")
        # The certificate is nobody's but ours; a person clicks the warning away.
        opened.call("Security.setIgnoreCertificateErrors", ignore=True)
        opened.show_as(900, 700)
        yield opened


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Chromium]:
    chromium.call("Network.enable")
    chromium.call("Network.clearBrowserCookies")
    yield chromium
    chromium.open("about:blank")


def protected(certificate: tuple[Path, Path] | None, session_s: float = 3600) -> WebOptions:
    files = certificate or (None, None)
    return WebOptions(
        port=0,
        certificate=files[0],
        key=files[1],
        password=PASSWORD,
        token=TOKEN,
        session_s=session_s,
    )


def address(served: Served, path: str = "/") -> str:
    return str(httpx.URL(served.screen.url).join(path))


def log_in(browser: Chromium, password: str) -> None:
    """Type a password and press Enter, as a person does."""
    browser.wait_for("document.querySelector('#password') !== null")
    browser.run("document.querySelector('#password').focus()")
    browser.call("Input.insertText", text=password)
    browser.press("Enter", 13)


def wait_for_fault(browser: Chromium, words: str) -> None:
    browser.wait_for(f"(document.querySelector('#fault') || {{}}).textContent?.includes('{words}')")


@pytest.fixture(params=["http", "https"])
def options(request: pytest.FixtureRequest) -> WebOptions:
    has_tls = request.param == "https"
    return protected(request.getfixturevalue("certificate") if has_tls else None)


def test_a_visitor_logs_in_by_the_form_and_out_by_the_button(
    bundle: ModelBundle, browser: Chromium, options: WebOptions
) -> None:
    with serving(bundle, options) as served:
        served.screen.show(make_view())
        browser.open(address(served))
        log_in(browser, WRONG)
        wait_for_fault(browser, "The password is wrong. Try again.")
        assert browser.run("location.pathname") == "/login"
        log_in(browser, PASSWORD)
        browser.wait_for("document.querySelectorAll('#faces .face').length === 1")
        assert browser.run("location.href") == address(served)
        browser.wait_for("document.querySelector('#session-text').textContent.length > 20")
        browser.click("#logout")
        browser.wait_for("location.pathname === '/login'")
        assert browser.run("fetch('/about').then((answer) => answer.status)") == 401
        # And in again, as somebody else at the same machine would.
        log_in(browser, PASSWORD)
        browser.wait_for("document.querySelectorAll('#faces .face').length === 1")


def test_the_form_leads_to_the_address_that_was_asked_for(
    bundle: ModelBundle, browser: Chromium, options: WebOptions
) -> None:
    with serving(bundle, options) as served:
        browser.open(address(served, "/openapi.json?from=a%20link"))
        browser.wait_for("location.pathname === '/login'")
        log_in(browser, WRONG)
        wait_for_fault(browser, "is wrong")
        log_in(browser, PASSWORD)
        browser.wait_for("location.pathname === '/openapi.json'")
        assert browser.run("location.search") == "?from=a%20link"
        assert "maskage detector" in browser.run("document.body.innerText")


def test_the_form_says_how_long_to_wait_after_too_many_guesses(
    bundle: ModelBundle, browser: Chromium, options: WebOptions
) -> None:
    with serving(bundle, options) as served:
        browser.open(address(served, "/login"))
        for number in range(5):
            browser.wait_for("document.querySelector('#password') !== null")
            browser.run("document.body.dataset.old = 'yes'")
            log_in(browser, f"a guess of number {number}")
            browser.wait_for("!document.body.dataset.old")
            wait_for_fault(browser, "is wrong")
        log_in(browser, PASSWORD)
        wait_for_fault(browser, "Too many wrong passwords. Wait ")
        assert browser.run("fetch('/about').then((answer) => answer.status)") == 401


def test_a_page_left_open_says_that_its_session_has_ended(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with serving(bundle, protected(None, session_s=4)) as served:
        browser.open(address(served))
        log_in(browser, PASSWORD)
        browser.wait_for("!document.querySelector('#session-notice').hidden")
        browser.wait_for(
            "document.querySelector('#session-words').textContent.includes('Your session ended on')"
        )
        browser.click("#session-again")
        wait_for_fault(browser, "Your session ended on")
        log_in(browser, PASSWORD)
        browser.wait_for("location.pathname === '/'")


def test_a_form_of_another_site_logs_nobody_in(bundle: ModelBundle, browser: Chromium) -> None:
    with serving(bundle, protected(None)) as served:
        target = f"http://localhost:{served.port}"
        browser.open(address(served, "/login"))
        browser.wait_for("document.querySelector('#password') !== null")
        # The same form, sent to this server under its other name, is a foreign one.
        browser.run(
            "(() => { const form = document.createElement('form'); form.method = 'post';"
            f"form.action = '{target}/login';"
            "const field = document.createElement('input'); field.name = 'password';"
            f"field.value = '{PASSWORD}'; form.append(field);"
            "document.body.append(form); form.submit(); })()"
        )
        assert not browser.call("Network.getCookies", urls=[target])["cookies"]
        with served.stranger(Origin="http://evil.example") as client:
            answer = client.post("/login", data={"password": PASSWORD})
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
