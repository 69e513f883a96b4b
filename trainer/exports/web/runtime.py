"""Get ONNX Runtime for browsers from the npm registry: one version, checked, kept in the cache."""

import base64
import hashlib
import io
import os
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from maskage.console import say
from maskage.errors import EnvironmentProblemError, MissingDownloadError
from maskage.system.files import replace_file
from maskage.system.paths import named_cache, user_cache

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-" + (
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
"""Digest of the package as the npm registry lists it."""

REGISTRY = "https://registry.npmjs.org"
REGISTRY_VARIABLE = "npm_config_registry"
FILE_NAME = f"{PACKAGE}-{VERSION}.tgz"

SCRIPT, WASM = "onnxruntime-web.mjs", "ort-wasm-simd-threaded.wasm"
"""Names in the exported folder. The build for WebAssembly alone; it runs in one thread too, which
needs no special headers from the server."""

_MEMBERS = {
    SCRIPT: "package/dist/ort.wasm.bundle.min.mjs",
    WASM: "package/dist/ort-wasm-simd-threaded.wasm",
}
_LARGEST = 200_000_000
_TIMEOUT_S = 30.0
_HELP = (
    f"On a machine with a network, `npm pack {PACKAGE}@{VERSION}` writes {FILE_NAME}: copy it "
    f"here, and name it with --runtime."
)


def obtain_runtime(named: Path | None = None) -> bytes:
    """Return the package: the file named, the one in the cache, or one fetched now and kept.

    Args:
        named: A copy of the package's .tgz; None to look in the cache and the registry.

    Raises:
        EnvironmentProblemError: The named file is missing, or is not this package.
        MissingDownloadError: It is not in the cache and cannot be fetched.
    """
    if named is not None:
        return _read_named(named)
    kept = (named_cache(os.environ) or user_cache()) / FILE_NAME
    if kept.is_file() and _is_right(data := kept.read_bytes()):
        return data
    data = _fetch(_address())
    kept.parent.mkdir(parents=True, exist_ok=True)
    replace_file(kept, data)
    return data


def unpack_runtime(package: bytes) -> dict[str, bytes]:
    """Return the files that a page needs, by their name in the exported folder."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        for name, member in _MEMBERS.items():
            file = archive.extractfile(member)
            assert file is not None  # its digest says what is in it
            found[name] = file.read()
    return found


def _read_named(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise EnvironmentProblemError(
            f"--runtime {path}: cannot be read ({fault.strerror}). {_HELP}"
        ) from fault
    if not _is_right(data):
        raise EnvironmentProblemError(
            f"--runtime {path}: not {PACKAGE} {VERSION} as the npm registry has it (its sha512 is "
            f"another). {_HELP}"
        )
    return data


def _address() -> str:
    named = os.environ.get(REGISTRY_VARIABLE) or os.environ.get(REGISTRY_VARIABLE.upper())
    registry = (named or REGISTRY).rstrip("/")
    if urlsplit(registry).scheme not in ("https", "http"):
        raise EnvironmentProblemError(
            f"{REGISTRY_VARIABLE} is {registry!r}, which is no address of a registry. Set it to "
            f"one that begins with https://, or remove it."
        )
    return f"{registry}/{PACKAGE}/-/{FILE_NAME}"


def _fetch(address: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import urlopen

    host = urlsplit(address).hostname
    say(f"Fetching {PACKAGE} {VERSION} from {host} (33 MB, once) ...")
    try:
        with urlopen(address, timeout=_TIMEOUT_S) as answer:
            data = bytes(answer.read(_LARGEST))
    except (OSError, HTTPException, ValueError) as fault:
        raise MissingDownloadError(
            f"--to web needs {PACKAGE} {VERSION}, and it cannot be fetched from {host} ({fault}). "
            f"{_HELP}"
        ) from fault
    if not _is_right(data):
        raise MissingDownloadError(
            f"What {host} gave is not {PACKAGE} {VERSION} (its sha512 is another); it was thrown "
            f"away. Try again, or set {REGISTRY_VARIABLE} to another registry. {_HELP}"
        )
    return data


def _is_right(data: bytes) -> bool:
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    return f"sha512-{digest}" == INTEGRITY
