"""Read and write the weights inside .keras files, and nothing else of them.

A .keras file is a zip of weights and a description, from which Keras would build any layers that it
names. The description is never read: networks are built by our own code.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

from maskage.security.files import UnsafeFileError
from maskage.security.hdf5 import check_hdf5
from maskage.security.keras_weights import largest_weights
from maskage.system.files import replace_file

WEIGHTS_ENTRY = "model.weights.h5"
ENTRIES = {"metadata.json", "config.json", WEIGHTS_ENTRY}


def archive_model(model: Any) -> bytes:
    """Return a Keras model as the bytes of a .keras file, made in memory.

    A file on disk would be written through the HDF5 library, which ends the process with signal 11
    when the disk is full (seen with HDF5 1.14.6 through h5py 3.14).
    """
    # `model.save` takes paths only; this is the function that it calls.
    from keras.src.saving.saving_lib import save_model

    file = io.BytesIO()
    save_model(model, file)
    return file.getvalue()


def save_checkpoint(model: Any, path: Path) -> None:
    """Write a Keras model's weights as a .weights.h5 file that replaces the last one.

    Raises:
        OSError: The file cannot be written; the last one is unchanged.
    """
    replace_file(path, read_archived_weights(archive_model(model), largest_weights(model)))


def read_archived_weights(data: bytes, largest: int) -> bytes:
    """Read the weights in a .keras file.

    Args:
        data: Bytes of the file.
        largest: Largest accepted size of the weights, bytes.

    Returns:
        Bytes of an .h5 file, checked by `check_hdf5`.

    Raises:
        UnsafeFileError: It is not a .keras file, has other entries, or the weights are too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if sorted(names) != sorted(ENTRIES):
                found = ", ".join(repr(name[:60]) for name in names[:5])
                raise UnsafeFileError(
                    f"it holds {found}, and {', '.join(sorted(ENTRIES))} were expected"
                )
            entry = archive.getinfo(WEIGHTS_ENTRY)
            if entry.file_size > largest:
                raise UnsafeFileError(
                    f"its weights have {entry.file_size:,} bytes, and the network has at most "
                    f"{largest:,}"
                )
            with archive.open(entry) as file:
                weights = file.read(largest + 1)
    # A damaged zip raises one of these, depending on the part; an encrypted one a RuntimeError.
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as fault:
        raise UnsafeFileError(f"it is not a .keras file, or is truncated ({fault})") from fault
    if len(weights) > largest:
        raise UnsafeFileError(f"its weights are larger than {largest:,} bytes")
    check_hdf5(weights)
    return weights
