"""Fixtures of all tests: small real pictures, and the folder of photographs for measuring."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.permissions import heeding_permissions

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

LONGEST_FILES = (
    "test_forty_classes.py",
    "trainer/exports/test_class_names.py",
    "test_benchmarks.py",
    "trainer/fit/test_resume.py",
    "trainer/network/test_networks.py",
    # In CI the demo runs beside the tests so far. Those that follow watch a demo of their own, or
    # wait for screens.
    "test_nothing_leaves.py",
    "test_private_files.py",
    "collector/screens/test_classes.py",
    "collector/screens/test_app.py",
    "collector/screens/test_gallery_facts.py",
    "trainer/fit/test_from_run.py",
    "trainer/search/test_search_command.py",
    "trainer/exports/test_exports.py",
    "maskage/dataset/test_odd_rows.py",
    "trainer/network/test_backends.py",
    "trainer/test_forgetting_everywhere.py",
    "curation/labels/test_wearing.py",
    "trainer/network/test_devices.py",
)
"""Files of the longest tests, by `pytest --durations=0`, about the longest first."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the snapshots of screens anew"
    )
    parser.addoption(
        "--thorough", action="store_true", help="try every case of those that take many minutes"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest files: one that came last would leave the other worker idle."""
    order = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
    if not config.getoption("--thorough"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip("needs --thorough: its like is tested"))


@pytest.fixture(scope="session")
def is_thorough(request: pytest.FixtureRequest) -> bool:
    """Whether every case is to be tried, where there are very many."""
    return bool(request.config.getoption("--thorough"))


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder that all workers of a test run share, in whichever needs it first.

    Args:
        factory: Knows where the folders of this run are.
        name: Name of the folder.
        make: Fills it; nobody may change it afterwards.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / f"{name}.done").exists():
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir()
            make(root / name)
            (root / f"{name}.done").touch()
    return root / name


@pytest.fixture
def shared() -> Path:
    """The folder of real photographs, videos and weights, beside the checkout; never in it."""
    if not (SHARED / "faces").is_dir():
        pytest.skip("needs the photographs for measuring in ../shared, which are not published")
    return SHARED


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give tests, and the commands that they start, a cache of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("FACE_MODEL", raising=False)


def draw_noise(seed: int, size: int = 96) -> RgbImage:
    """A coloured pattern: distinct for each seed, stable under JPEG, sharp by its fine checks."""
    import cv2

    small = np.random.default_rng(seed).integers(40, 216, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    rows, columns = np.indices((size, size)) * 24 // size
    checks = np.where((rows + columns) % 2, 10, -10)[..., None]
    return (smooth + checks).clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Give each test the umask that users have: a command that runs in the test leaves its own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def heeded_permissions() -> Iterator[None]:
    """Keep a test out of what its user may not open, also as root."""
    with heeding_permissions():
        yield


@pytest.fixture
def four_folders(tmp_path: Path) -> Callable[..., Path]:
    """Make `photos` distinct pictures in each of the four class folders."""

    def make(photos: int = 3, name: str = "source") -> Path:
        root = tmp_path / name
        for class_number, label in enumerate(MASK_AGE.labels):
            (root / label).mkdir(parents=True)
            for number in range(photos):
                pixels = draw_noise(1000 * class_number + number)
                (root / label / f"{label}_{number:03d}.jpg").write_bytes(encode_jpeg(pixels))
        return root

    return make
