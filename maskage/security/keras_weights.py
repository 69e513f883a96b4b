"""Loading a file of weights into a Keras model, from bytes that were looked at before.

Keras itself is not imported here: the model comes with it.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.security.hdf5 import check_hdf5


def largest_weights(model: Any) -> int:
    """Bytes that a file of the model's weights may have: float64 at most, and some names."""
    return 8 * int(model.count_params()) + (16 << 20)


def read_weights_file(path: Path, model: Any) -> bytes:
    """Read an .h5 file that is to be loaded into a model, and check it.

    Raises:
        UnsafeFileError: It is missing, too large for the model, or not a plain weights file.
    """
    data = read_regular_file(path.resolve(), largest_weights(model))
    check_hdf5(data)
    return data


def load_checked_weights(model: Any, data: bytes, name: str) -> None:
    """Load weights into a model that our own code built.

    Args:
        model: Of Keras.
        data: Bytes of an .h5 file that `check_hdf5` passed.
        name: Of the file; Keras tells by ".weights.h5" which of its two layouts it has.

    Raises:
        UnsafeFileError: They are of another model. Some of them may have been loaded.
    """
    suffix = ".weights.h5" if name.endswith(".weights.h5") else ".h5"
    # Keras takes a path alone; in a folder of our own nobody changes what was checked.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / f"model{suffix}"
        path.write_bytes(data)
        # Keras only warns where a file lacks a part, and leaves that part random.
        warnings.filterwarnings("error", "Skipping nested container", UserWarning)
        try:
            model.load_weights(str(path))
        # Keras stumbles over an odd file in many ways.
        except Exception as fault:
            reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
            raise UnsafeFileError(reason) from fault
