import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.system import archives
from maskage.system.archives import Skipped, find_other_archive, is_zip, unpack_zip


def pack(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries:
            packed.writestr(name, data, zipfile.ZIP_DEFLATED)
    return path


def unpack(archive: Path) -> tuple[list[str], list[Skipped]]:
    folder = archive.parent / "unpacked"
    folder.mkdir()
    skipped = unpack_zip(archive, folder)
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files), skipped


def test_files_come_out_with_their_folders_and_content(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", ("set/a/1.jpg", b"one"), ("set\\b\\2.jpg", b"two"))
    assert is_zip(archive)
    assert unpack(archive) == (["set/a/1.jpg", "set/b/2.jpg"], [])
    assert (tmp_path / "unpacked/set/b/2.jpg").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "unpacked/set/a/1.jpg").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "a/../../evil.jpg", "/evil.jpg", "C:\\evil.jpg", "a\\..\\..\\evil.jpg"]
)
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / "a.zip", ("good.jpg", b"1"), (name, b"2"))
    with pytest.raises(DatasetError, match="outside of the folder"):
        unpack(archive)
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("mask_old")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DatasetError, match="mask_old: it is a link"):
        unpack(pack(tmp_path / "a.zip", (link, b"/etc")))


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", ("1.jpg", b"1" * 20))
    data = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match=r"1\.jpg: it is encrypted"):
        unpack(archive)


def test_a_bomb_is_refused_also_where_it_lies_about_its_size(tmp_path: Path) -> None:
    size = 40 << 20
    archive = pack(tmp_path / "a.zip", ("bomb.jpg", bytes(size)))
    with pytest.raises(DatasetError, match="ZIP bomb"):
        unpack(archive)
    data = archive.read_bytes().replace(struct.pack("<L", size), struct.pack("<L", 1000))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "liar.zip").write_bytes(data)
    files, skipped = unpack(tmp_path / "b" / "liar.zip")
    assert files == []
    assert skipped == [Skipped("bomb.jpg", "damaged in the archive; copy or download it again")]


def test_entries_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", ("1.jpg", bytes(range(256)) * 400))
    data = archive.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry, tail = data[start:end], bytearray(data[end:])
    many = b"".join(entry.replace(b"1.jpg", b"%d.jpg" % (n % 10)) for n in range(50))
    tail[8:12] = struct.pack("<HH", 50, 50)
    tail[12:16] = struct.pack("<L", len(many))
    archive.write_bytes(data[:start] + many + tail)
    with pytest.raises(DatasetError, match=r"ZIP bomb|Overlapped|whole ZIP"):
        unpack(archive)


def test_a_damaged_entry_is_counted_and_the_others_come_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("1.jpg", b"first file")
        packed.writestr("2.jpg", b"other file")
    data = (tmp_path / "a.zip").read_bytes().replace(b"first file", b"FIRST file")
    (tmp_path / "a.zip").write_bytes(data)
    files, skipped = unpack(tmp_path / "a.zip")
    assert files == ["2.jpg"]
    assert [each.name for each in skipped] == ["1.jpg"]


def test_names_are_read_as_utf8_or_as_the_letters_of_the_first_pcs(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", ("xx_1.jpg", b"1"), ("yy_2.jpg", b"2"))
    data = archive.read_bytes().replace(b"xx_1", "é_1".encode()).replace(b"yy_2", b"\x81\x82_2")
    archive.write_bytes(data)
    assert unpack(archive)[0] == ["é_1.jpg", "üé_2.jpg"]


def test_a_second_file_of_one_name_is_counted(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with pytest.warns(UserWarning, match="Duplicate name"):
        pack(archive, ("1.jpg", b"one"), ("1.jpg", b"two"), ("1.jpg/2.jpg", b"three"))
    files, skipped = unpack(archive)
    assert files == ["1.jpg"]
    assert (tmp_path / "unpacked/1.jpg").read_bytes() == b"one"
    assert {each.reason for each in skipped} == {"a second file of this name in the archive"}


def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", ("1.jpg", b"1" * 2000), ("2.jpg", b"2" * 2000))
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DatasetError, match="not a whole ZIP archive"):
        unpack(archive)


def test_too_much_for_the_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_SPARE", 1 << 60)
    with pytest.raises(EnvironmentProblemError, match="Make room"):
        unpack(pack(tmp_path / "a.zip", ("1.jpg", b"1")))
    assert not list((tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07\x01", "a RAR archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (bytes(257) + b"ustar\x0000", "a tar archive"),
    ],
)
def test_other_archives_are_recognised_by_content(tmp_path: Path, head: bytes, kind: str) -> None:
    (tmp_path / "a.zip").write_bytes(head)
    found = find_other_archive(tmp_path / "a.zip")
    assert found is not None
    assert found[0] == kind
    assert not is_zip(tmp_path / "a.zip")


def test_what_is_no_archive_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(io.BytesIO(b"hello").getvalue())
    assert find_other_archive(tmp_path / "a") is None
    assert not is_zip(tmp_path)
