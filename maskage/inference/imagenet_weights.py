"""ImageNet weights of `keras.applications`: where Keras keeps them, and how they are fetched."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from maskage.errors import MissingDownloadError
from maskage.inference.keras_setup import make_keras_home

KERAS_HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
DOWNLOAD_TIMEOUT_S = 15.0
"""Seconds without an answer after which the network counts as absent."""

_FOLDER = "models"


def keras_cache() -> Path:
    """Return the folder of downloaded weights: `KERAS_HOME/models`, or `~/.keras/models`."""
    return make_keras_home() / _FOLDER


def fetch_weights(keras: Any, name: str, url: str, sha_or_md5: str | None = None) -> Path:
    """Download a file of weights through Keras, which checks its digest and keeps it.

    Args:
        keras: The Keras module.
        name: Name of the file.
        url: Folder on the host that holds it.
        sha_or_md5: Digest of the file, where it is known.

    Returns:
        Path of the file. Where the cache cannot be written to, Keras keeps it in another folder.

    Raises:
        MissingDownloadError: It could not be fetched; the message is the reason alone.
    """
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT_S), redirect_stdout(sys.stderr):
            return Path(
                keras.utils.get_file(
                    name,
                    f"{url}/{name}",
                    cache_dir=str(make_keras_home()),
                    cache_subdir=_FOLDER,
                    file_hash=sha_or_md5,
                )
            )
    # get_file wraps network faults in a bare Exception.
    except Exception as fault:
        reason = (str(fault).splitlines() or ["no reason given"])[0][:200]
        raise MissingDownloadError(reason) from fault


@contextmanager
def _socket_timeout(timeout_s: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_s)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
