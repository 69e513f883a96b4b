"""A photo whose name is not UTF-8 ends no training, and is told by its name."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from maskage.formats.run.predictions_file import count_predicted, read_right_answers
from maskage.formats.run.run_folder import RunFolder
from maskage.outside_text import path_to_text
from trainer.cli import main

pytestmark = pytest.mark.skipif(
    sys.platform == "darwin", reason="its file systems refuse such names"
)

NAME = os.fsdecode(b"f\xfcr.jpg")


@pytest.mark.slow
def test_a_training_takes_every_name_to_its_bundle(curated: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"c\xfcrated")
    shutil.copytree(curated, folder)
    for split in ("train", "val", "test"):
        (folder / split / "mask_old" / "000.jpg").rename(folder / split / "mask_old" / NAME)
    runs = tmp_path / os.fsdecode(b"r\xfcns")
    words = ["fit", str(folder), "--runs", str(runs), "--name", "n", "--weights", "none"]
    words += ["--alpha", "0.35", "--image-size", "32", "--epochs", "1"]
    assert main(words) == 0
    assert (runs / "n" / "bundle" / "bundle.json").is_file()
    assert f"test/mask_old/{path_to_text(NAME)}" in read_right_answers(runs / "n")
    assert RunFolder(runs / "n").read_args()["curated"] == str(folder)

    assert count_predicted(runs / "n", {f"mask_old/{NAME}"}) == 1
    assert main(["fit", "--resume", str(runs / "n")]) == 0
    assert main(["compare", str(runs / "n")]) == 0
