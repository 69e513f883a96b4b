"""Datasets with faults in them, and what the doctor's tests look at."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Diagnosis, Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import trashing
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, Photo, Quality
from maskage.system.files import TEMPORARY_PREFIX
from tests.conftest import draw_noise

SESSION = "20260101-120000-abcd"
QUALITY = Quality(120.0, 128.0, 0.0, 40)


def fill(root: Path, photos: int = 4) -> list[Photo]:
    """A dataset of distinct photos, of three people, one class after the other."""
    with PhotoStore(root) as store:
        return [
            store.add(
                draw_noise(number),
                MASK_AGE.labels[number % 4],
                subject=f"p{number % 3}",
                session=SESSION,
                source="demo",
                box=FaceBox(1, 2, 30, 40, 0.9),
                quality=QUALITY,
            )
            for number in range(photos)
        ]


def found(diagnosis: Diagnosis) -> dict[Kind, list[str]]:
    kinds: dict[Kind, list[str]] = {}
    for finding in diagnosis.findings:
        kinds.setdefault(finding.kind, []).append(finding.path)
    return kinds


def assert_repaired(root: Path, expected: dict[Kind, list[str]]) -> None:
    """Exactly this is found, all of it is mended, and nothing is found the second time."""
    assert found(examine(root)) == expected
    mended = repair_dataset(root)
    assert found(mended.diagnosis) == expected
    assert mended.left == []
    assert found(examine(root)) == {}


def events(root: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(manifest_path(root))) as db:
        return list(db.execute("SELECT action, path FROM events ORDER BY id"))


def tree(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder: when it was changed, its mode, and all its bytes."""
    return {
        path.relative_to(root).as_posix(): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [root, *root.rglob("*")]
    }


def picture_contents(root: Path) -> Counter[bytes]:
    return Counter(
        path.read_bytes()
        for path in root.rglob("*.jpg")
        if not path.name.startswith(TEMPORARY_PREFIX)
    )


def put(root: Path, path: str, data: bytes) -> str:
    """Drop a file in by hand, for nobody else to look into."""
    (root / path).write_bytes(data)
    (root / path).chmod(0o600)
    return path


def make_mess(root: Path) -> None:
    """A dataset with everything wrong at once, but for its manifest."""
    photos = fill(root, 40)
    with PhotoStore(root) as store:
        store.apply([trashing(photo) for photo in photos[:4]])
    (root / ".trash" / photos[0].path).rename(root / photos[0].path)
    put(root, photos[1].path, encode_jpeg(draw_noise(900)))
    (root / photos[4].path).rename(root / "mask_young" / Path(photos[4].path).name)
    (root / photos[5].path).rename(root / "mask_old/renamed.jpg")
    (root / photos[6].path).rename(root / "x")
    (root / photos[7].path).rename(root / photos[6].path)
    (root / "x").rename(root / photos[7].path)
    (root / photos[8].path).write_bytes(b"")
    (root / photos[9].path).write_bytes((root / photos[9].path).read_bytes()[:600])
    (root / photos[10].path).write_bytes(encode_jpeg(draw_noise(901)))
    (root / photos[11].path).rename(root / ".trash" / photos[11].path)
    (root / photos[12].path).unlink()
    (root / "mask_old/hand.jpg").write_bytes(encode_jpeg(draw_noise(902)))
    (root / ".trash/mask_old/stray.jpg").write_bytes(encode_jpeg(draw_noise(903)))
    (root / f"mask_old/{TEMPORARY_PREFIX}1-x.jpg").write_bytes(b"half")
    (root / "nomask_young/copy.jpg").write_bytes((root / photos[13].path).read_bytes())
    (root / "outside").mkdir()
    (root / "outside/o.jpg").write_bytes(encode_jpeg(draw_noise(904)))
    (root / photos[14].path).chmod(0o644)
    root.chmod(0o755)


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def truncate_to_nothing_whole(data: bytes) -> bytes:
    return data[:1000]


def garble_the_middle(data: bytes) -> bytes:
    third = len(data) // 3
    return data[:third] + os.urandom(third) + data[2 * third :]


def garble_the_header(data: bytes) -> bytes:
    return os.urandom(100) + data[100:]


def garble_the_first_page(data: bytes) -> bytes:
    return os.urandom(4096) + data[4096:]


def garble_all(data: bytes) -> bytes:
    return os.urandom(len(data))


def write_text(data: bytes) -> bytes:
    return b"not a database" * 100


def damage_manifest(root: Path, damage: Callable[[bytes], bytes]) -> None:
    path = manifest_path(root)
    path.write_bytes(damage(path.read_bytes()))
