"""Loading a file of weights into a Keras model, from bytes that were looked at before.

Keras itself is not imported here: the model comes with it.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from maskage.security.files import UnsafeFileError


def largest_weights(model: Any) -> int:
    """Bytes that a file of the model's weights may have: float64 at most, and some names."""
    return 8 * int(model.count_params()) + (16 << 20)


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
