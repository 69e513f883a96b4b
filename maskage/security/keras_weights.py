"""Load a file of weights into a Keras model, from bytes that were checked before.

Keras is not imported here; the caller passes a model.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.security.hdf5 import check_hdf5


def largest_weights(model: Any) -> int:
    """Return the largest size of a file of a model's weights, bytes: float64 and some names."""
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
        model: Keras model.
        data: Bytes of an .h5 file, checked by `check_hdf5`.
        name: Name of the file; ".weights.h5" tells Keras which of its two layouts it has.

    Raises:
        UnsafeFileError: They belong to another model; some of them may have been loaded.
    """
    suffix = ".weights.h5" if name.endswith(".weights.h5") else ".h5"
    # Keras takes a path only; in a folder of our own nobody changes the checked bytes.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / f"model{suffix}"
        path.write_bytes(data)
        # Keras only warns when a part is missing in the file, and leaves that part random.
        warnings.filterwarnings("error", "Skipping nested container", UserWarning)
        try:
            model.load_weights(str(path))
        # Keras raises many kinds of exceptions for an odd file.
        except Exception as fault:
            reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
            raise UnsafeFileError(reason) from fault
