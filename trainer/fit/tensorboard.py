"""Log the epochs of a training for TensorBoard: `tensorboard --logdir RUN/tensorboard`."""

from pathlib import Path

from maskage.errors import EnvironmentProblemError
from maskage.installation import explain_install
from maskage.outside_text import is_utf8
from trainer.network.head import EpochFigures


class TensorBoardLog:
    """A log of the figures of each epoch, on disk when `add` returns.

    Args:
        folder: Folder of the event files; a training that continues adds another file to it.

    Raises:
        EnvironmentProblemError: TensorBoard is not installed, or cannot write there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError as fault:
            raise EnvironmentProblemError(
                f"--tensorboard needs TensorBoard, which is not installed. Install it with "
                f"{explain_install('tensorboard')}, or leave the option out."
            ) from fault
        if not is_utf8(str(folder)):
            # TensorFlow writes the event files, and accepts only UTF-8 paths.
            raise EnvironmentProblemError(
                f"--tensorboard: the path {folder} is not UTF-8, so TensorBoard cannot write "
                "there. Choose another --runs, or leave the option out."
            )
        self._writer = Writer(str(folder))

    def add(self, phase: str, figures: EpochFigures) -> None:
        """Write one epoch of a phase."""
        values = {
            "loss/training": figures.loss,
            "loss/validation": figures.val_loss,
            "accuracy/training": figures.accuracy,
            "accuracy/validation": figures.val_accuracy,
            "learning_rate": figures.learning_rate,
        }
        for name, value in values.items():
            self._writer.add_scalar(f"{phase}/{name}", value, step=figures.epoch)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
