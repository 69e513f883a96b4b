"""A browser for the tests of pages."""

from collections.abc import Iterator

import pytest

from tests.detector.web.chromium import Chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """One page of a headless Chromium, for the tests of a module."""
    with Chromium() as opened:
        yield opened
