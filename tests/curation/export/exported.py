"""A project whose people agreed, or not, and the files of an export."""

import hashlib
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.store import PhotoStore
from tests.conftest import draw_noise

TODAY = date.today()
AGREED = tuple(f"anna-{number}" for number in range(6))
ENDED, LATER, NEVER = "bert-ended", "cora-later", "dora-never"
OWN_FILES = {"README.md", "classes.toml", "croissant.json", "export_record.json", "metadata.jsonl"}


def make_dataset(root: Path, *, with_consents: bool = True) -> Path:
    """Nine people and a stranger, each with two photos in every class; six agreed."""
    year = timedelta(days=365)
    with PhotoStore(root) as store:
        if with_consents:
            for agreed in AGREED:
                store.record_consent(Consent(agreed, "form 1", TODAY - year))
            store.record_consent(Consent(ENDED, "form 2", TODAY - year, TODAY - timedelta(days=1)))
            store.record_consent(Consent(LATER, "form 3", TODAY + timedelta(days=3)))
        seed = 0
        people: tuple[str | None, ...] = (*AGREED, ENDED, LATER, NEVER, None)
        for subject in people:
            for label in MASK_AGE.labels:
                for _ in range(2):
                    seed += 1
                    store.add(draw_noise(seed, 64), label, subject=subject, session=f"s-{subject}")
    return root


def files_in(place: Path) -> dict[str, bytes]:
    """Every file of an export, folder or zip, by its path."""
    if place.is_dir():
        return {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file()
        }
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def digest_of(place: Path) -> str:
    """One digest over a file, or over all names and files of a folder."""
    if place.is_file():
        return hashlib.sha256(place.read_bytes()).hexdigest()
    found = hashlib.sha256()
    for name, data in files_in(place).items():
        found.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    return found.hexdigest()


def metadata_of(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files_in(place)["metadata.jsonl"].decode().splitlines()]
