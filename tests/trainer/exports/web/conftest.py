"""A page exported from a small run, which the tests share; they skip what this machine lacks."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskage.errors import EnvironmentProblemError, MissingDownloadError
from maskage.faces.finder import FACE_MODEL_NAME, FACE_MODEL_VARIABLE
from maskage.system.paths import CACHE_VARIABLE, user_cache
from tests.conftest import SHARED, make_once
from tests.trainer.exports.scheme_runs import Exports
from trainer.exports.exporter import Exporter, ExportFigures
from trainer.exports.formats import web_format
from trainer.exports.web.browser import find_browser
from trainer.exports.web.check import PageClassifier
from trainer.exports.web.runtime import FILE_NAME, obtain_runtime


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime's package: the user's own copy, or one fetched for this run of the tests."""
    if (kept := user_cache() / FILE_NAME).is_file():
        return kept

    def fetch(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(CACHE_VARIABLE, str(folder))
            try:
                obtain_runtime()
            except MissingDownloadError as fault:
                pytest.skip(str(fault))

    return make_once(tmp_path_factory, "npm", fetch) / FILE_NAME


@pytest.fixture(scope="session")
def browser() -> str:
    """The path of a browser."""
    try:
        return find_browser()
    except EnvironmentProblemError as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="session")
def exported(
    exports: Exports, package: Path, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ExportFigures]:
    """A page without a face finder, and its figures; read only."""
    exporter = Exporter(exports.run(3).bundle, None, tmp_path_factory.mktemp("pages"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(FACE_MODEL_VARIABLE, raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("no-cache")))
        figures = exporter.export(web_format(package))
    assert figures.refused is None
    return exporter.out / "web", figures


@pytest.fixture(scope="session")
def folder(exported: tuple[Path, ExportFigures]) -> Path:
    """The folder of the page; read only."""
    return exported[0]


@pytest.fixture
def copied_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy of the page that may be damaged."""
    return Path(shutil.copytree(folder, tmp_path / "page"))


@pytest.fixture(scope="session")
def page(folder: Path) -> Iterator[PageClassifier]:
    """The page in a browser."""
    page = PageClassifier(folder)
    yield page
    page.close()


@pytest.fixture
def face_model() -> Path:
    """A copy of YuNet, where this machine has one."""
    named = os.environ.get(FACE_MODEL_VARIABLE)
    path = Path(named) if named else SHARED / "weights" / FACE_MODEL_NAME
    if not path.is_file():
        pytest.skip("needs a copy of YuNet")
    return path
