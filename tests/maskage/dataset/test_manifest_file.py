"""The file of the manifest: of a newer version, read-only, deleted while it is open."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.manifest.file import read_file
from maskage.dataset.manifest.reading import read_consents, read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import ManifestGoneError
from maskage.formats.dataset_folder import manifest_path
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import fill, found, tree
from tests.read_only import read_only


def test_a_manifest_of_a_newer_version_is_refused_by_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    fill(root)
    source = tmp_path / "source" / "mask_old"
    shutil.copytree(root / "mask_old", source)
    with closing(sqlite3.connect(manifest_path(root))) as db, db:
        db.execute("PRAGMA user_version = 99")
    where = ["--data", str(root)]
    commands: list[Callable[[], int]] = [
        lambda: collector(["status", str(root)]),
        lambda: collector(["consent", *where]),
        lambda: collector(["consent", "p9", "--self", *where]),
        lambda: collector(["forget", "p1", "--yes", *where]),
        lambda: collector(["doctor", str(root)]),
        lambda: collector(["doctor", str(root), "--fix"]),
        lambda: collector(["import", str(source), str(root)]),
        lambda: curate([str(root), "--dry-run"]),
    ]
    for command in commands:
        assert command() == 4
        said = capsys.readouterr().err
        assert "newer version" in said
        assert "Upgrade" in said
    assert len(list((root / "mask_old").iterdir())) == 1


def delete(manifest: Path) -> None:
    manifest.unlink()


def delete_folder(manifest: Path) -> None:
    for name in list(manifest.parent.iterdir()):
        name.unlink()


def delete_log(manifest: Path) -> None:
    manifest.with_name(f"{manifest.name}-wal").unlink()


def replace_by_a_copy(manifest: Path) -> None:
    copy = manifest.with_name("copy.db")
    shutil.copyfile(manifest, copy)
    copy.replace(manifest)


@pytest.mark.parametrize("harm", [delete, delete_folder, delete_log, replace_by_a_copy])
def test_a_manifest_that_goes_while_it_is_open_is_noticed_before_the_next_saved(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        kept = store.add(draw_noise(500), "mask_old", subject="p0")
        harm(manifest_path(tmp_path))
        with pytest.raises(ManifestGoneError, match=r"doctor .* --fix"):
            store.add(draw_noise(501), "mask_young", subject="p0")
        with pytest.raises(ManifestGoneError):
            store.record_consent(Consent("p0", "form 1", date(2026, 1, 1)))
        with pytest.raises(ManifestGoneError):
            store.apply([store.relabelling(kept, "nomask_old")])
        assert len(store.photos()) == 5
    assert len(list((tmp_path / "mask_young").glob("*.jpg"))) == 2
    assert (tmp_path / kept.path).is_file()
    repair_dataset(tmp_path)
    assert examine(tmp_path).is_clean
    assert len(list_photos(tmp_path)) == 6


def test_a_dataset_that_is_moved_away_while_it_is_open_saves_nothing_elsewhere(
    tmp_path: Path,
) -> None:
    root, moved = tmp_path / "data", tmp_path / "moved"
    fill(root)
    with PhotoStore(root) as store:
        root.rename(moved)
        fill(root)
        with pytest.raises(ManifestGoneError):
            store.add(draw_noise(501), "mask_old")
    assert found(examine(root)).keys() == {Kind.UNKNOWN}
    assert examine(moved).is_clean


@pytest.mark.parametrize("left", ["db", "db db-wal", "db db-wal db-shm"])
def test_a_dataset_that_cannot_be_written_can_be_read(tmp_path: Path, left: str) -> None:
    """Also with what a crash left beside its manifest: the log holds the newest photo."""
    root = tmp_path / "data"
    fill(root)
    with PhotoStore(root) as store:
        last = store.add(draw_noise(500), "mask_old", subject="p0")
        folder = manifest_path(root).parent
        names = [f"manifest.{ending}" for ending in left.split()]
        crashed = {name: (folder / name).read_bytes() for name in names}
    for path in folder.glob("manifest.*"):
        path.unlink()
    for name, data in crashed.items():
        (folder / name).write_bytes(data)
    before = tree(root)
    with read_only(root) as view:
        assert (last.path in read_rows(view).present) == ("wal" in left)
        assert read_consents(view) == {}
        assert len(list_photos(view)) == 5
        assert collector(["status", str(view)]) == 0
        assert collector(["doctor", str(view)]) == 0
    assert tree(root) == before


def test_a_manifest_that_is_changed_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    fill(tmp_path)
    counts: list[int] = []

    def count(db: sqlite3.Connection) -> int:
        (rows,) = db.execute("SELECT count(*) FROM photos").fetchone()
        if not counts:
            fill(tmp_path)
        counts.append(rows)
        return int(rows)

    assert read_file(manifest_path(tmp_path), count) == 8
    assert counts == [4, 8]
