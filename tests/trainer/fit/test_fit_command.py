import shutil
from pathlib import Path

import pytest

from trainer.cli import main


def test_what_is_not_trained_on_is_named_before_the_training(
    curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(curated, tmp_path / "curated")
    (data / "train" / "mask_old" / "IMG_1.CR2").write_bytes(b"ftypheic")
    shutil.copytree(data / "train" / "mask_old", data / "train" / "misworn")
    assert main(["fit", str(data), "--runs", str(tmp_path / "runs")]) == 4
    told = capsys.readouterr().err
    assert "Left out 1: train/mask_old/IMG_1.CR2: CR2 is not read; save it as JPEG" in told
    assert "Left out 1: train/misworn/ (12 pictures): none of mask_old" in told
    assert "12 pictures are not trained on" in told
    assert "Loading Keras" not in told
    assert not (tmp_path / "runs").exists()
