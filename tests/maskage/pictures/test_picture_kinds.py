import io
import os
from pathlib import Path

import pytest
from PIL import Image

from maskage.pictures.picture_kinds import (
    is_picture_file,
    is_system_name,
    sniff_picture,
    walk_pictures,
)
from tests.conftest import draw_noise


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_noise(1, 32)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "AVIF"])
def test_a_picture_is_told_by_its_first_bytes(kind: str, tmp_path: Path) -> None:
    data = picture(kind)
    assert sniff_picture(data[:64]) == kind
    for name in ("noext", "photo.bak", "IMG_1.jpg_original", "x.dat"):
        (tmp_path / name).write_bytes(data)
        assert is_picture_file(tmp_path / name), name


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", "HEIF"),
        (b"mif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"mif1\0\0\0\0mif1heicmiaf", "HEIF"),
        (b"mif1\0\0\0\0", "HEIF"),
        (b"MiHE\0\0\0\0mif1MiHEheic", "HEIF"),
        (b"isom\0\0\x02\0isomiso2avc1mp41", None),
        (b"qt  \0\0\0\0qt  ", None),
        (b"crx \0\0\0\x01crx isom", None),
    ],
)
def test_heic_avif_and_videos_are_told_apart_by_their_brands(
    brands: bytes, kind: str | None
) -> None:
    size = (len(brands) + 8).to_bytes(4, "big")
    assert sniff_picture((size + b"ftyp" + brands + b"\0\0\0\x08mdatheic")[:64]) == kind


def test_a_file_whose_name_says_what_it_is_is_not_opened(tmp_path: Path) -> None:
    """A pipe would wait for its other end, and 100,000 files for the disk."""
    os.mkfifo(tmp_path / "noext")
    assert not is_picture_file(tmp_path / "noext")
    for name in ("notes.txt", "labels.csv", "clip.MOV", "IMG_1.CR2", "paper.pdf", ".hidden"):
        (tmp_path / name).write_bytes(picture("PNG"))
        assert not is_picture_file(tmp_path / name), name
    (tmp_path / "text.jpg").write_text("no picture, but its name says so")
    assert is_picture_file(tmp_path / "text.jpg")
    assert not is_picture_file(tmp_path / "missing")


@pytest.mark.parametrize(
    "name", ["@eaDir", ".DS_Store", "Thumbs.db", "._a.jpg", "__MACOSX", "#recycle", "desktop.ini"]
)
def test_what_disks_and_file_managers_leave_is_known(name: str) -> None:
    assert is_system_name(name)
    assert not is_system_name(f"my {name.lstrip('.@#_$')}")


def test_pictures_below_a_folder_are_found_without_hidden_and_system_folders(
    tmp_path: Path,
) -> None:
    for name in ("b/c", "a.jpg", "@eaDir/a.jpg/M.jpg", ".trash/d.jpg", "b/@eaDir/c.png", "b/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture("PNG"))
    found = [path.relative_to(tmp_path).as_posix() for path in walk_pictures(tmp_path)]
    assert found == ["a.jpg", "b/c"]
