"""An export is read by the libraries that it is made for.

They are tried where MASKAGE_LOADERS_PYTHON names a Python with `datasets` and `mlcroissant`.
"""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from curation.cli import main
from maskage.formats.curated.plan_file import read_plan
from tests.curation.export.exported import make_dataset

PYTHON = os.environ.get("MASKAGE_LOADERS_PYTHON")
SCRIPT = Path(__file__).with_name("load_export.py")


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="MASKAGE_LOADERS_PYTHON names no Python")
@pytest.mark.parametrize("to", ["folder", "parquet", "coco"])
def test_an_export_is_read_whole(tmp_path: Path, to: str) -> None:
    make_dataset(tmp_path / "data", with_consents=False)
    curated, out = tmp_path / "curated", tmp_path / "out"
    assert main([str(tmp_path / "data"), "--out", str(curated)]) == 0
    words = ["--to", to, "--license", "cc-by-4.0", "--title", "Masks & ages"]
    assert main(["export", str(curated), "--out", str(out), *words]) == 0
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [PYTHON or "", str(SCRIPT), str(out)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    kept = Counter(f"{row.split}/{row.label}" for row in read_plan(curated) if row.is_kept)
    assert found["croissant"]["photos"] == kept.total()
    if to != "coco":
        assert found["datasets"] == kept
    if to != "parquet":
        assert found["croissant"]["pictures"] == kept.total()
