"""The weights inside a .keras file, and nothing else of it.

A .keras file is a zip of the weights and of a description from which Keras would build whatever
layers it names. The description is never read: networks are built by our own code.
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

    A file under a name would be written through the HDF5 library, which ends the process with
    signal 11 where the disk is full (seen with HDF5 1.14.6 through h5py 3.14).
    """
    # `model.save` takes paths alone; this is what it calls.
    from keras.src.saving.saving_lib import save_model

    file = io.BytesIO()
    save_model(model, file)
    return file.getvalue()


def save_checkpoint(model: Any, path: Path) -> None:
    """Write a Keras model's weights as a .weights.h5 file in the place of the last one.

    Raises:
        OSError: The disk refused; the last file is as it was.
    """
    replace_file(path, read_archived_weights(archive_model(model), largest_weights(model)))


def read_archived_weights(data: bytes, largest: int) -> bytes:
    """Take the weights out of a .keras file.

    Args:
        data: The file's bytes.
        largest: Bytes that the weights may have.

    Returns:
        The bytes of an .h5 file that `check_hdf5` passed.

    Raises:
        UnsafeFileError: It is no such file, holds anything else, or the weights are larger.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if sorted(names) != sorted(ENTRIES):
                told = ", ".join(repr(name[:60]) for name in names[:5])
                raise UnsafeFileError(f"it holds {told}, where {', '.join(sorted(ENTRIES))} belong")
            entry = archive.getinfo(WEIGHTS_ENTRY)
            if entry.file_size > largest:
                raise UnsafeFileError(
                    f"its weights have {entry.file_size:,} bytes, the network at most {largest:,}"
                )
            with archive.open(entry) as file:
                weights = file.read(largest + 1)
    # What a damaged zip raises, by part; encrypted is a RuntimeError.
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as fault:
        raise UnsafeFileError(f"it is not a .keras file, or cut short ({fault})") from fault
    if len(weights) > largest:
        raise UnsafeFileError(f"its weights are larger than {largest:,} bytes")
    check_hdf5(weights)
    return weights
