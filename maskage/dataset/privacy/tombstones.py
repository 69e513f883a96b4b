"""What is kept of a forgotten person until nothing that shows them is left: marks, and no name.

<dataset>/.dataset/forgotten.json    a salt, and of each person marks and the folders looked in

A mark is a keyed digest of what is known of a photo: its content, its name, its path. The key is
derived from the subject, which is not kept. So who names the subject again can search again, and
who does not learns nothing from the marks. A pseudonym can be guessed: a slow derivation makes
that dear, and even then the marks give no photo and no name back.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.dataset_folder import manifest_path
from maskage.system.files import TEMPORARY_PREFIX, save_new_file, sync_folder

_MARK_BYTES = 16
_ITSELF = "subject"
_FIELDS = ("marks", "look_in", "caches", "links")


@dataclass(frozen=True)
class Tombstone:
    """What is kept of one forgotten person.

    Attributes:
        salt: Of the dataset.
        key: Made of the subject and the salt; not kept.
        marks: Of all that is known of the photos, in hex.
        look_in: Folders that were looked through, absolute.
        caches: Caches of features that were looked into, absolute.
        links: Files behind links, which are left where they are, absolute.
    """

    salt: bytes
    key: bytes = field(repr=False)
    marks: frozenset[str] = frozenset()
    look_in: tuple[Path, ...] = ()
    caches: tuple[Path, ...] = ()
    links: tuple[Path, ...] = ()

    def of(self, kind: str) -> "Marked":
        """Return what is marked of one kind, to ask whether something is in it."""
        return Marked(self, kind)

    def add(self, kind: str, values: Iterable[str]) -> "Tombstone":
        """Return the tombstone with marks of more values."""
        more = {_mark(self.key, kind, value) for value in values}
        return replace(self, marks=self.marks | more)


@dataclass(frozen=True)
class Marked(Container[str]):
    """The values of one kind that a tombstone has marks of; they can be asked for, not listed."""

    stone: Tombstone
    kind: str

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return _mark(self.stone.key, self.kind, value) in self.stone.marks


def tombstones_path(root: Path) -> Path:
    """Return where the tombstones of the dataset at `root` lie."""
    return manifest_path(root).with_name("forgotten.json")


def open_tombstone(root: Path, subject: str) -> Tombstone:
    """Return what is kept of a subject; without marks where nothing is.

    Raises:
        DatasetError: The file is damaged.
    """
    stored = _read(root)
    salt = bytes.fromhex(stored["salt"]) if stored else secrets.token_bytes(16)
    key = _derive(subject, salt)
    person = stored["people"].get(_mark(key, _ITSELF, subject)) if stored else None
    if person is None:
        return Tombstone(salt, key)
    look_in, caches, links = (tuple(map(Path, person[name])) for name in _FIELDS[1:])
    return Tombstone(salt, key, frozenset(person["marks"]), look_in, caches, links)


def keep_tombstone(root: Path, subject: str, stone: Tombstone) -> None:
    """Write a tombstone, in the place of a former one of the subject.

    Raises:
        EnvironmentProblemError: The disk refused; the former ones are as they were.
    """
    people = _read(root).get("people", {})
    people[_mark(stone.key, _ITSELF, subject)] = {
        "marks": sorted(stone.marks),
        "look_in": [str(path) for path in stone.look_in],
        "caches": [str(path) for path in stone.caches],
        "links": [str(path) for path in stone.links],
    }
    _write(root, {"salt": stone.salt.hex(), "people": people})


def remove_tombstone(root: Path, subject: str, stone: Tombstone) -> None:
    """Remove what is kept of a subject, if anything is: nothing that shows them is left.

    Raises:
        EnvironmentProblemError: The disk refused; it is as it was.
    """
    stored = _read(root)
    if stored and stored["people"].pop(_mark(stone.key, _ITSELF, subject), None) is not None:
        _write(root, stored)


def _derive(subject: str, salt: bytes) -> bytes:
    """Derive the key of a subject: 50 ms a guess.

    Source:
        OWASP, Password Storage Cheat Sheet: scrypt with 16 MB.
    """
    return hashlib.scrypt(subject.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26, dklen=32)


def _mark(key: bytes, kind: str, value: str) -> str:
    text = f"{kind}:{value}".encode("utf-8", "surrogateescape")
    return hmac.digest(key, text, "sha256")[:_MARK_BYTES].hex()


def _read(root: Path) -> dict[str, Any]:
    """Read the file; empty where there is none."""
    path = tombstones_path(root)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        bytes.fromhex(stored["salt"])
        for person in stored["people"].values():
            if not all(isinstance(person[name], list) for name in _FIELDS):
                raise ValueError("a list was expected")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise DatasetError(
            f"{path}: what is kept of people who were forgotten cannot be read ({fault}). Check "
            f"its permissions; where it is damaged, remove it: what still shows them is then not "
            f"listed any more."
        ) from fault
    return dict(stored)


def _write(root: Path, stored: dict[str, Any]) -> None:
    path = tombstones_path(root)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        if stored["people"]:
            temporary.unlink(missing_ok=True)
            save_new_file(temporary, json.dumps(stored).encode())
            temporary.replace(path)
        else:
            path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{path}: cannot be written ({fault.strerror or fault}). Check the disk's space and "
            f"permissions, then run the same command again."
        ) from fault
