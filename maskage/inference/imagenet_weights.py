"""ImageNet weights of `keras.applications`: where Keras keeps them, and how they are fetched."""

import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from maskage.console import ProgressDisplay
from maskage.errors import MissingDownloadError
from maskage.inference.keras_setup import make_keras_home

KERAS_HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
DOWNLOAD_TIMEOUT_S = 15.0
"""Seconds without an answer after which the network counts as absent."""

_FOLDER = "models"
_CHUNK_BYTES = 1 << 18


def keras_cache() -> Path:
    """Return the folder of downloaded weights: `KERAS_HOME/models`, or `~/.keras/models`."""
    return make_keras_home() / _FOLDER


def fetch_weights(name: str, url: str, sha_or_md5: str | None = None) -> Path:
    """Download a file of weights to where Keras looks for it, and check its digest.

    Args:
        name: Name of the file.
        url: Folder on the host that holds it.
        sha_or_md5: Digest of the file, where it is known.

    Returns:
        Path of the file. If the cache cannot be written to, it is in another folder, as Keras
        would choose it.

    Raises:
        MissingDownloadError: It could not be fetched; the message is the reason alone.
    """
    folder = keras_cache()
    if not os.access(folder.parent, os.W_OK):
        folder = Path(tempfile.gettempdir(), ".keras", _FOLDER)
    path = folder / name
    partial = path.with_name(f"{name}.{os.getpid()}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(f"{url}/{name}", partial, name, sha_or_md5)
        partial.replace(path)
    except (OSError, ValueError, HTTPException) as fault:
        if isinstance(fault, HTTPError):
            fault.close()
        reason = (str(fault).splitlines() or ["no reason given"])[0][:200]
        raise MissingDownloadError(f"{url}/{name}: {reason}") from fault
    finally:
        partial.unlink(missing_ok=True)
    return path


def _download(address: str, path: Path, name: str, sha_or_md5: str | None) -> None:
    kind = "md5" if sha_or_md5 is not None and len(sha_or_md5) == 32 else "sha256"
    digest, done = hashlib.new(kind, usedforsecurity=False), 0
    with (
        urlopen(address, timeout=DOWNLOAD_TIMEOUT_S) as answer,
        path.open("wb") as file,
        ProgressDisplay() as display,
    ):
        total = int(answer.headers.get("Content-Length") or 0)
        total_kb = -(-total // 1000) or None
        while chunk := answer.read(_CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            kilobytes = done // 1000 if done != total else total_kb or 0
            display.update(f"downloading {name}", kilobytes, total_kb, unit="kB")
    if total and done != total:
        raise ValueError(f"the download broke off after {done:,} of {total:,} bytes")
    if sha_or_md5 is not None and digest.hexdigest() != sha_or_md5:
        raise ValueError(f"the file that came is not the one expected, by its {kind} digest")
