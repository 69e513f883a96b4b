"""Exports of schemes with 2, 3 and 40 classes, which the tests share."""

import pytest

from tests.trainer.exports.scheme_runs import Exports


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """Read only; the name of their folder is as odd as those of the classes."""
    return Exports(tmp_path_factory.mktemp("odd 'place' 😀"))
