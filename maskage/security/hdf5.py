"""Check that an HDF5 file holds plain weights, before any of its arrays is read.

HDF5 can link to other files, compose arrays from others, and expand one from a few bytes. Weights
that Keras writes use none of that: they are groups, plain arrays in one piece, and a few names.
"""

import io
from typing import Any

from maskage.security.files import UnsafeFileError

MOST_OBJECTS, DEEPEST = 20_000, 24
"""Limits of the number and depth of objects. EfficientNetV2-S has about 3,000, in five levels."""

LARGEST_ATTRIBUTE = 1 << 20
"""Largest size of an attribute, bytes; Keras lists the names of layers and weights in them."""


def check_hdf5(data: bytes) -> None:
    """Refuse anything but a plain HDF5 weights file.

    Args:
        data: Bytes of the file, from which it must then be loaded.

    Raises:
        UnsafeFileError: It is not HDF5, links to other files, or its arrays are incomplete.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _Walk(len(data)).visit(file, 0)
    except UnsafeFileError:
        raise
    # h5py raises many kinds of exceptions for errors of its C library.
    except Exception as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0][:120]
        raise UnsafeFileError(
            f"it is not an HDF5 file, or is truncated or damaged ({reason})"
        ) from fault


class _Walk:
    """A walk through every object of a file of `size` bytes."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._seen: set[Any] = set()

    def visit(self, group: Any, depth: int) -> None:
        import h5py

        _require(depth <= DEEPEST, f"its groups are nested over {DEEPEST} deep")
        self._check_attributes(group)
        for name in group:
            # Checked before it is opened, because a link may lead to another file.
            link = group.get(name, getlink=True)
            _require(
                type(link) is h5py.HardLink, f"'{_printable(name)}' is a link to another place"
            )
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            _require(address not in self._seen, f"'{_printable(name)}' occurs twice")
            self._seen.add(address)
            _require(len(self._seen) <= MOST_OBJECTS, f"it holds over {MOST_OBJECTS:,} objects")
            if isinstance(item, h5py.Group):
                self.visit(item, depth + 1)
            else:
                _require(isinstance(item, h5py.Dataset), f"'{_printable(name)}' is not an array")
                self._check_array(item)
                self._check_attributes(item)

    def _check_array(self, array: Any) -> None:
        import h5py

        name = _printable(array.name)
        layout = array.id.get_create_plist()
        kind = array.id.get_type().get_class()
        _require(kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT), f"'{name}' does not hold numbers")
        _require(array.dtype.itemsize <= 8, f"'{name}' has numbers of {array.dtype.itemsize} bytes")
        _require(layout.get_external_count() == 0, f"'{name}' lies in another file")
        asked = array.size * array.dtype.itemsize if array.shape is not None else 0
        _require(
            layout.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT),
            f"'{name}' asks for {asked:,} bytes of memory and is compressed, chunked or composed "
            "of others, which Keras never writes",
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
            _require(start is not None and start + asked <= self._size, f"'{name}' is incomplete")

    def _check_attributes(self, item: Any) -> None:
        import h5py

        for name in item.attrs:
            found = item.attrs.get_id(name)
            kind = found.get_type()
            is_plain = kind.get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING)
            _require(is_plain, f"its attribute '{_printable(name)}' is neither text nor numbers")
            asked = found.get_space().get_simple_extent_npoints() * kind.get_size()
            # Even an empty attribute takes some bytes, so their number is limited too.
            self._left -= max(1, asked)
            _require(
                asked <= LARGEST_ATTRIBUTE and self._left >= 0,
                f"its attribute '{_printable(name)}' is too long",
            )


def _printable(name: str) -> str:
    return name[-60:].encode("unicode_escape").decode()


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise UnsafeFileError(reason)
