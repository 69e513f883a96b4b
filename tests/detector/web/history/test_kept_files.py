"""Kept files: which ones are the program's, and that no name leads anywhere else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.live.recording import name_by_time
from detector.web.history.kept_files import GoneError, KeptFiles, KeptKind, NotKeptError

SNAPSHOT = "20261126T114501.123Z.jpg"
RECORDING = "20261126T114502.000Z.mp4"


@pytest.fixture
def folders(tmp_path: Path) -> dict[KeptKind, Path]:
    found = {kind: tmp_path / kind for kind in KeptKind}
    for folder in found.values():
        folder.mkdir()
    (found[KeptKind.SNAPSHOTS] / SNAPSHOT).write_bytes(b"picture")
    (found[KeptKind.RECORDINGS] / RECORDING).write_bytes(b"a longer recording")
    return found


def test_files_are_listed_newest_first_with_the_time_of_their_names(
    folders: dict[KeptKind, Path],
) -> None:
    files = KeptFiles(folders).list_files()
    assert [(each.kind, each.path.name, each.size) for each in files] == [
        ("recordings", RECORDING, 18),
        ("snapshots", SNAPSHOT, 7),
    ]
    assert files[1].at == datetime(2026, 11, 26, 11, 45, 1, 123000, UTC)


def test_a_name_that_the_program_gives_is_one_of_its_own(folders: dict[KeptKind, Path]) -> None:
    path = name_by_time(folders[KeptKind.SNAPSHOTS], ".jpg")
    path.write_bytes(b"new")
    assert path in [each.path for each in KeptFiles(folders).list_files()]


@pytest.mark.parametrize(
    "name",
    [
        "holiday.jpg",
        "20261126T114501.123Z.mp4",
        "20261126T114501.123Z.jpg.bak",
        "20269999T114501.123Z.jpg",
        "../recordings/20261126T114502.000Z.mp4",
        "..",
        "",
        "20261126T114501.123Z.jpg\n",
        "\N{FULLWIDTH DIGIT TWO}0261126T114501.123Z.jpg",
    ],
)
def test_what_the_program_did_not_make_is_neither_read_nor_deleted(
    folders: dict[KeptKind, Path], name: str
) -> None:
    if name == "holiday.jpg":
        (folders[KeptKind.SNAPSHOTS] / name).write_bytes(b"mine")
    kept = KeptFiles(folders)
    with pytest.raises(NotKeptError):
        kept.find(KeptKind.SNAPSHOTS, name)
    with pytest.raises(NotKeptError):
        kept.delete(KeptKind.SNAPSHOTS, name)
    assert len(kept.list_files()) == 2
    assert (folders[KeptKind.RECORDINGS] / RECORDING).exists()


def test_links_and_folders_of_such_a_name_are_left_alone(folders: dict[KeptKind, Path]) -> None:
    secret = folders[KeptKind.SNAPSHOTS].parent / "secret"
    secret.write_text("secret")
    link = folders[KeptKind.SNAPSHOTS] / "20261126T114503.000Z.jpg"
    link.symlink_to(secret)
    (folders[KeptKind.SNAPSHOTS] / "20261126T114504.000Z.jpg").mkdir()
    kept = KeptFiles(folders)
    assert len(kept.list_files()) == 2
    with pytest.raises(GoneError):
        kept.delete(KeptKind.SNAPSHOTS, link.name)
    assert link.is_symlink()


def test_a_file_that_is_gone_is_called_so(folders: dict[KeptKind, Path]) -> None:
    kept = KeptFiles(folders)
    kept.delete(KeptKind.SNAPSHOTS, SNAPSHOT)
    assert not (folders[KeptKind.SNAPSHOTS] / SNAPSHOT).exists()
    with pytest.raises(GoneError, match="deleted or moved meanwhile"):
        kept.delete(KeptKind.SNAPSHOTS, SNAPSHOT)


def test_folders_that_are_missing_have_no_files(tmp_path: Path) -> None:
    assert KeptFiles({KeptKind.SNAPSHOTS: tmp_path / "none"}).list_files() == []
