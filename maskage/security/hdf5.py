"""Whether an HDF5 file is plain weights, told before an array of it is read.

HDF5 can point at other files, compose arrays of others, and blow one up from a few bytes. Weights
as Keras writes them do none of it: groups, plain numbers in one piece each, and a few names.
"""

import io
from typing import Any

from maskage.security.files import UnsafeFileError

MOST_OBJECTS, DEEPEST = 20_000, 24
"""EfficientNetV2-S has some 3,000 groups and arrays, in five levels."""

LARGEST_ATTRIBUTE = 1 << 20
"""Bytes. Keras lists the names of layers and weights there."""


def check_hdf5(data: bytes) -> None:
    """Refuse what is not a plain HDF5 weights file.

    Args:
        data: The file's bytes. Load from the same.

    Raises:
        UnsafeFileError: It is none, points outside itself, or its arrays are not whole in it.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _Walk(len(data)).visit(file, 0)
    except UnsafeFileError:
        raise
    # h5py hands on whatever its C library answers, in many classes.
    except Exception as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0][:120]
        raise UnsafeFileError(
            f"it is not an HDF5 file, or cut short or damaged ({reason})"
        ) from fault


class _Walk:
    """Goes once through every object of a file of so many bytes."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._seen: set[Any] = set()

    def visit(self, group: Any, depth: int) -> None:
        import h5py

        _require(depth <= DEEPEST, f"its groups are nested over {DEEPEST} deep")
        self._check_attributes(group)
        for name in group:
            # Before it is opened: a link may lead to another file.
            link = group.get(name, getlink=True)
            _require(type(link) is h5py.HardLink, f"'{_say(name)}' points somewhere else")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            _require(address not in self._seen, f"'{_say(name)}' is in it twice")
            self._seen.add(address)
            _require(len(self._seen) <= MOST_OBJECTS, f"it holds over {MOST_OBJECTS:,} objects")
            if isinstance(item, h5py.Group):
                self.visit(item, depth + 1)
            else:
                _require(isinstance(item, h5py.Dataset), f"'{_say(name)}' is no array")
                self._check_array(item)
                self._check_attributes(item)

    def _check_array(self, array: Any) -> None:
        import h5py

        name = _say(array.name)
        layout = array.id.get_create_plist()
        kind = array.id.get_type().get_class()
        _require(kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT), f"'{name}' is not of numbers")
        _require(array.dtype.itemsize <= 8, f"'{name}' has numbers of {array.dtype.itemsize} bytes")
        _require(layout.get_external_count() == 0, f"'{name}' lies in another file")
        asked = array.size * array.dtype.itemsize if array.shape is not None else 0
        _require(
            layout.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT),
            f"'{name}' asks for {asked:,} bytes of memory and is compressed, in chunks or composed "
            f"of others, as Keras writes none",
        )
        if asked == 0:
            return
        self._left -= asked
        _require(
            array.id.get_storage_size() == asked and self._left >= 0,
            f"its arrays ask for more memory than the file has bytes ('{name}': {asked:,} of "
            f"{self._size:,})",
        )
        if layout.get_layout() == h5py.h5d.CONTIGUOUS:
            start = array.id.get_offset()
            _require(
                start is not None and start + asked <= self._size, f"'{name}' is not whole in it"
            )

    def _check_attributes(self, item: Any) -> None:
        import h5py

        for name in item.attrs:
            found = item.attrs.get_id(name)
            kind = found.get_type()
            is_plain = kind.get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING)
            _require(is_plain, f"its note '{_say(name)}' is neither text nor numbers")
            asked = found.get_space().get_simple_extent_npoints() * kind.get_size()
            # Even an empty one costs some bytes, so their number is bounded too.
            self._left -= max(1, asked)
            _require(
                asked <= LARGEST_ATTRIBUTE and self._left >= 0,
                f"its note '{_say(name)}' is too long",
            )


def _say(name: str) -> str:
    return name[-60:].encode("unicode_escape").decode()


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise UnsafeFileError(reason)
