"""One picture under two labels, whatever the format; and names that a disk refuses."""

import errno
from pathlib import Path

import pytest
from PIL import Image

from collector.cli import main
from maskage.dataset import store
from maskage.dataset.photo_listing import list_photos
from maskage.outside_text import portable_name
from maskage.pictures.images import encode_jpeg, read_image
from maskage.system import files
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


def put(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(draw_noise(seed)))
    return path


def put_same(jpeg: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(read_image(jpeg)).save(path, lossless=True)


def test_the_same_pixels_in_other_formats_are_a_label_conflict(
    tmp_path: Path, capsys: Capture
) -> None:
    source, data = tmp_path / "source", tmp_path / "data"
    first = put(source / "mask_old" / "p000.jpg", 1)
    put(source / "mask_old" / "p001.jpg", 2)
    put_same(first, source / "nomask_old" / "zz.png")
    put_same(first, source / "nomask_young" / "zz.webp")
    assert main(["import", str(source), str(data), "--list"]) == 4
    answer = capsys.readouterr()
    assert "1 photo saved" in answer.out
    assert "3 skipped: label conflict, the same picture under several labels" in answer.out
    assert "mask_old/p000.jpg (mask_old), nomask_old/zz.png (nomask_old)" in answer.err
    assert [photo.path for photo in list_photos(data)] == ["mask_old/p001.jpg"]
    assert [path.name for path in (data / "mask_old").iterdir()] == ["p001.jpg"]
    (source / "nomask_old" / "zz.png").unlink()
    (source / "nomask_young" / "zz.webp").unlink()
    assert main(["import", str(source), str(data)]) == 0
    assert len(list_photos(data)) == 2
    assert main(["doctor", str(data)]) == 0


def test_a_photo_that_comes_later_under_another_label_is_no_success(
    tmp_path: Path, capsys: Capture
) -> None:
    first = put(tmp_path / "one" / "mask_old" / "a.jpg", 1)
    again = tmp_path / "two" / "nomask_old" / "b.jpg"
    again.parent.mkdir(parents=True)
    again.write_bytes(first.read_bytes())
    data = tmp_path / "data"
    assert main(["import", str(tmp_path / "one"), str(data)]) == 0
    assert main(["import", str(tmp_path / "two"), str(data)]) == 4
    answer = capsys.readouterr()
    assert "1 picture is in" in answer.err
    assert "collector review" in answer.err
    assert [photo.label for photo in list_photos(data)] == ["mask_old"]


def test_a_photo_that_was_relabelled_since_is_as_somebody_wanted_it(tmp_path: Path) -> None:
    put(tmp_path / "one" / "mask_old" / "a.jpg", 1)
    data = tmp_path / "data"
    (data / "nomask_old").mkdir(parents=True)
    assert main(["import", str(tmp_path / "one"), str(data)]) == 0
    (data / "mask_old" / "a.jpg").rename(data / "nomask_old" / "a.jpg")
    assert main(["doctor", str(data), "--fix"]) == 0
    assert main(["import", str(tmp_path / "one"), str(data)]) == 0


@pytest.mark.parametrize(
    ("stem", "portable"),
    [
        ("WhatsApp Image 2024-05-01 at 10:00:00", "WhatsApp Image 2024-05-01 at 10_00_00"),
        ("who?", "who_"),
        ('a*b"c<d>e|f\\g', "a_b_c_d_e_f_g"),
        ("end. .", "end___"),
        ("CON", "_CON"),
        ("nul.tar", "_nul.tar"),
        ("console", "console"),
        ("Zoë 1, a.b (2)", "Zoë 1, a.b (2)"),
    ],
)
def test_a_new_photo_has_a_name_for_every_disk(stem: str, portable: str) -> None:
    assert portable_name(stem) == portable


def test_the_name_of_the_source_stays_known(tmp_path: Path) -> None:
    put(tmp_path / "one" / "mask_old" / "at 10:00?.jpg", 1)
    assert main(["import", str(tmp_path / "one"), str(tmp_path / "data")]) == 0
    (photo,) = list_photos(tmp_path / "data")
    assert (photo.path, photo.source) == ("mask_old/at 10_00_.jpg", "mask_old/at 10:00?.jpg")


@pytest.mark.parametrize(
    ("code", "saved"), [(errno.EINVAL, ["a", "c"]), (errno.ENOENT, ["a", "c"]), (errno.EIO, ["a"])]
)
def test_a_name_that_the_disk_refuses_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, code: int, saved: list[str]
) -> None:
    for number, name in enumerate("abc"):
        put(tmp_path / "one" / "mask_old" / f"{name}.jpg", number)
    save = files.save_new_file

    def refuse(path: Path, data: bytes) -> None:
        if path.name == "b.jpg":
            raise OSError(code, "refused", str(path))
        save(path, data)

    monkeypatch.setattr(store, "save_new_file", refuse)
    data = tmp_path / "data"
    assert main(["import", str(tmp_path / "one"), str(data), "--list"]) == 5
    assert [Path(photo.path).stem for photo in list_photos(data)] == saved
    assert "mask_old/b.jpg" in "".join(capsys.readouterr())
