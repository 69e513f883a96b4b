import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskage.errors import EnvironmentProblemError
from trainer.fit.tensorboard import TensorBoardLog
from trainer.network.head import EpochFigures


def test_every_figure_of_every_epoch_is_there_for_tensorboard(tmp_path: Path) -> None:
    log = TensorBoardLog(tmp_path)
    log.add(
        "head",
        EpochFigures(
            epoch=1, loss=1.5, accuracy=0.25, val_loss=1.25, val_accuracy=0.5, learning_rate=0.01
        ),
    )
    log.add(
        "head",
        EpochFigures(
            epoch=2, loss=1.0, accuracy=0.5, val_loss=0.75, val_accuracy=0.625, learning_rate=0.005
        ),
    )
    log.close()
    # A training that goes on writes a file of its own beside the first.
    again = TensorBoardLog(tmp_path)
    again.add(
        "fine_tune",
        EpochFigures(
            epoch=1, loss=0.5, accuracy=0.75, val_loss=0.25, val_accuracy=0.875, learning_rate=0.001
        ),
    )
    again.close()
    found = set(read_scalars(tmp_path))
    assert ("head/loss/training", 1, 1.5) in found
    assert ("head/accuracy/validation", 2, 0.625) in found
    assert ("fine_tune/learning_rate", 1, 0.001) in found
    assert len(found) == 15


def test_without_tensorboard_what_to_install_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(EnvironmentProblemError, match=r"pip install .* '\.\[tensorboard\]'"):
        TensorBoardLog(tmp_path)


def read_scalars(folder: Path) -> Iterator[tuple[str, int, float]]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for file in sorted(folder.iterdir()):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                yield value.tag, event.step, round(float(value.tensor.float_val[0]), 4)
