"""What an import says of files that it takes in part, or not as they were meant."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, Photo
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


def put(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(draw_noise(seed)))
    return path


@pytest.mark.parametrize("suffix", ["gif", "tif", "png", "webp", "mpo"])
def test_a_file_of_several_pictures_is_counted(
    suffix: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "in" / "mask_old" / f"a.{suffix}"
    path.parent.mkdir(parents=True)
    first, second = (Image.fromarray(draw_noise(seed)) for seed in (1, 2))
    first.save(path, save_all=True, append_images=[second])
    put(path.with_name("b.jpg"), 3)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "data")]) == 0
    out = capsys.readouterr().out
    assert (
        f"1 file holds several pictures (pages, frames), of which the first was taken: "
        f"mask_old/a.{suffix}" in out
    )
    assert "     2 photos saved" in out


def test_a_tiff_that_is_not_read_is_called_one(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "in" / "mask_old" / "f32.tif"
    put(path.with_name("a.jpg"))
    cv2.imwrite(str(path), draw_noise(1).astype(np.float32) / 255)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "data")]) == 0
    answer = capsys.readouterr()
    assert "a TIFF of a kind that is not read, such as one with 32 bits a channel" in answer.err
    assert "     1 photo saved" in answer.out


def test_json_is_one_object_also_where_an_import_is_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    put(tmp_path / "in" / "hats" / "a.jpg")
    for source in ("in", "gone"):
        assert main(["import", str(tmp_path / source), str(tmp_path / "data"), "--json"]) == 4
        answer = capsys.readouterr()
        (line,) = answer.out.splitlines()
        assert json.loads(line)["error"] in answer.err
    put(tmp_path / "in" / "mask_old" / "b.jpg", 1)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "data"), "--json"]) == 4
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["photos"] == 1


def test_a_picture_that_is_there_only_as_a_face_is_said(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "in" / "mask_old" / "a.jpg")
    data = tmp_path / "data"
    assert main(["import", str(source), str(data), "--label", "mask_old"]) == 0
    (photo,) = list_photos(data)
    digest = photo.sha256
    other = tmp_path / "other"
    with PhotoStore(other) as store:
        crop = Photo("mask_old/a.jpg", "mask_old", box=FaceBox(1, 1, 40, 40))
        store.add_encoded(encode_jpeg(draw_noise(5)), crop, digest)
    capsys.readouterr()
    assert main(["import", str(tmp_path / "in"), str(other)]) == 0
    assert "1 of them as a face that was cut out" in capsys.readouterr().out


def test_tables_that_are_not_used_are_named(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path / "in" / "mask_old" / "a.jpg")
    (tmp_path / "in" / "notes.csv").write_text("a,b\n1,2\n")
    (tmp_path / "in" / "people.csv").write_text("path,subject\nmask_old/a.jpg,p1\n")
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "data")]) == 0
    error = capsys.readouterr().err
    assert "tables lie in it, which are not used: notes.csv, people.csv" in error
    table = str(tmp_path / "in" / "people.csv")
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "data"), "--metadata", table]) == 0
    assert "1 table that lies in it not used: notes.csv" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "utf-8"])
def test_names_in_an_archive_are_read_as_they_were_written(encoding: str, tmp_path: Path) -> None:
    name = "Zoë naïve José"
    data = encode_jpeg(draw_noise(1))
    archive = tmp_path / "a.zip"
    raw = name.encode(encoding)
    plain = "".join(chr(byte) if byte < 128 else "\x01" for byte in raw)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"mask_old/{plain}.jpg", data)
    archive.write_bytes(archive.read_bytes().replace(plain.encode(), raw))
    assert main(["import", str(archive), str(tmp_path / "data")]) == 0
    assert [photo.path for photo in list_photos(tmp_path / "data")] == [f"mask_old/{name}.jpg"]
