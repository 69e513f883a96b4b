"""An export is read by the libraries that it is made for."""

from collections import Counter
from pathlib import Path

import pytest

from curation.cli import main
from maskage.formats.curated.plan_file import read_plan
from tests.conftest import make_once
from tests.curation.export.exported import make_dataset
from tests.curation.loaders import load_with

SCRIPT = Path(__file__).with_name("load_export.py")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curated set, and its exports in three formats."""

    def make(root: Path) -> None:
        make_dataset(root / "data", with_consents=False)
        assert main([str(root / "data"), "--out", str(root / "curated")]) == 0
        for to in ("folder", "parquet", "coco"):
            words = ["--to", to, "--license", "cc-by-4.0", "--title", "Masks & ages"]
            assert main(["export", str(root / "curated"), "--out", str(root / to), *words]) == 0

    return make_once(tmp_path_factory, "loaded-exports", make)


def kept_in(project: Path) -> Counter[str]:
    rows = read_plan(project / "curated")
    return Counter(f"{row.split}/{row.label}" for row in rows if row.is_kept)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["folder", "parquet"])
def test_hugging_face_reads_an_export_whole(exports: Path, tmp_path: Path, to: str) -> None:
    assert load_with("datasets", SCRIPT, exports / to, tmp_path) == kept_in(exports)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["folder", "parquet", "coco"])
def test_croissant_describes_an_export_whole(exports: Path, tmp_path: Path, to: str) -> None:
    found = load_with("mlcroissant", SCRIPT, exports / to, tmp_path)
    assert found["photos"] == kept_in(exports).total()
    if to != "parquet":
        assert found["pictures"] == found["photos"]
