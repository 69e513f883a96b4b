"""Marks of a forgotten person, kept until nothing that shows them is left; no name is kept.

<dataset>/.dataset/forgotten.json    a salt; the marks and the searched folders of each person

A mark is a keyed digest of something known of a photo: its content, its name, its path. The key is
derived from the subject, which is not stored. With the subject's name the search can be repeated;
without it the marks say nothing. A pseudonym can be guessed: a slow derivation makes guessing
expensive, and even then no photo and no name can be computed from the marks.
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
from maskage.system.faults import explain_fault
from maskage.system.files import save_new_file, sync_folder, temporary_of

_MARK_BYTES = 16
_ITSELF = "subject"
_FIELDS = ("marks", "look_in", "caches", "links")


@dataclass(frozen=True)
class Tombstone:
    """The marks of one forgotten person.

    Attributes:
        salt: Salt of the dataset.
        key: Key derived from the subject and the salt; not stored.
        marks: Marks of everything known of the photos, in hex.
        look_in: Absolute paths of the folders that were searched.
        caches: Absolute paths of the caches of features that were searched.
        links: Absolute paths of files behind links, which stay where they are.
    """

    salt: bytes
    key: bytes = field(repr=False)
    marks: frozenset[str] = frozenset()
    look_in: tuple[Path, ...] = ()
    caches: tuple[Path, ...] = ()
    links: tuple[Path, ...] = ()

    def of(self, kind: str) -> "Marked":
        """Return the marked values of one kind, to test values against."""
        return Marked(self, kind)

    def add(self, kind: str, values: Iterable[str]) -> "Tombstone":
        """Return the tombstone with marks of more values of one kind."""
        more = {_mark(self.key, kind, value) for value in values}
        return replace(self, marks=self.marks | more)


@dataclass(frozen=True)
class Marked(Container[str]):
    """The marked values of one kind; they can be tested, not listed."""

    stone: Tombstone
    kind: str

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return _mark(self.stone.key, self.kind, value) in self.stone.marks


def tombstones_path(root: Path) -> Path:
    """Return the path of the tombstones of the dataset at `root`."""
    return manifest_path(root).with_name("forgotten.json")


def open_tombstone(root: Path, subject: str) -> Tombstone:
    """Read the tombstone of a subject; it has no marks if none are stored.

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
    """Write a tombstone in place of the subject's former one.

    Raises:
        EnvironmentProblemError: The disk refused; the file is as it was.
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
    """Remove the tombstone of a subject, if there is one: nothing that shows them is left.

    Raises:
        EnvironmentProblemError: The disk refused; the file is as it was.
    """
    stored = _read(root)
    if stored and stored["people"].pop(_mark(stone.key, _ITSELF, subject), None) is not None:
        _write(root, stored)


def _derive(subject: str, salt: bytes) -> bytes:
    """Derive the key of a subject in about 50 ms, the price of a guess.

    Source:
        OWASP, Password Storage Cheat Sheet: scrypt with 16 MB.
    """
    return hashlib.scrypt(subject.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26, dklen=32)


def _mark(key: bytes, kind: str, value: str) -> str:
    text = f"{kind}:{value}".encode("utf-8", "surrogateescape")
    return hmac.digest(key, text, "sha256")[:_MARK_BYTES].hex()


def _read(root: Path) -> dict[str, Any]:
    """Read the file; empty if there is none."""
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
            f"{path}: the marks of forgotten people cannot be read ({fault}). Check the "
            f"permissions of the file. If it is damaged, remove it: what still shows these people "
            f"is not listed any more then."
        ) from fault
    return dict(stored)


def _write(root: Path, stored: dict[str, Any]) -> None:
    path = tombstones_path(root)
    temporary = temporary_of(path)
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
            f"{path}: cannot be written {explain_fault(fault)} Then run the same command again."
        ) from fault
