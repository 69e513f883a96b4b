import io
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from maskage.dataset.importing.label_conflicts import find_conflicts
from maskage.dataset.importing.sources.source_labels import SourcePicture
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox
from tests.conftest import draw_noise


def picture(path: Path, label: str, region: FaceBox | None = None) -> SourcePicture:
    return SourcePicture(path, path.name, label, PhotoMetadata(), region)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_one_picture_under_two_labels_is_a_conflict_of_all_its_copies(tmp_path: Path) -> None:
    data = encode_jpeg(draw_noise(1))
    one, two, three = (write(tmp_path / f"{n}.jpg", data) for n in range(3))
    other = write(tmp_path / "x.jpg", encode_jpeg(draw_noise(2)))
    (conflict,) = find_conflicts(
        [picture(one, "a"), picture(other, "a"), picture(two, "b"), picture(three, "a")]
    )
    assert conflict.text == "0.jpg (a), 1.jpg (b), 2.jpg (a)"


def test_copies_under_one_label_are_none(tmp_path: Path) -> None:
    data = encode_jpeg(draw_noise(1))
    one, two = (write(tmp_path / f"{n}.jpg", data) for n in range(2))
    assert find_conflicts([picture(one, "a"), picture(two, "a")]) == ()
    assert find_conflicts([]) == ()


def test_metadata_alone_makes_no_other_picture(tmp_path: Path) -> None:
    image = Image.fromarray(draw_noise(1))
    exif, plain = io.BytesIO(), io.BytesIO()
    tags = Image.Exif()
    tags[0x010E] = "taken at home"
    image.save(plain, "JPEG", quality=90)
    image.save(exif, "JPEG", quality=90, exif=tags, comment=b"a comment")
    jpegs = [
        write(tmp_path / "1.jpg", plain.getvalue()),
        write(tmp_path / "2.jpg", exif.getvalue()),
    ]
    assert jpegs[0].read_bytes() != jpegs[1].read_bytes()
    notes = PngInfo()
    notes.add_text("Author", "anna")
    image.save(tmp_path / "1.png")
    image.save(tmp_path / "2.png", pnginfo=notes)
    pngs = [tmp_path / "1.png", tmp_path / "2.png"]
    listed = [picture(pair[n], "ab"[n]) for pair in (jpegs, pngs) for n in range(2)]
    assert [conflict.text for conflict in find_conflicts(listed)] == [
        "1.jpg (a), 2.jpg (b)",
        "1.png (a), 2.png (b)",
    ]


def test_pictures_that_end_alike_are_not_the_same(tmp_path: Path) -> None:
    pixels = draw_noise(1, 400)
    pixels[100:] = 200
    other = pixels.copy()
    other[:50] = draw_noise(2, 400)[:50]
    for name, each in (("1.bmp", pixels), ("2.bmp", other)):
        Image.fromarray(each[::-1]).save(tmp_path / name)
    listed = [picture(tmp_path / "1.bmp", "a"), picture(tmp_path / "2.bmp", "b")]
    assert find_conflicts(listed) == ()


def test_two_boxes_of_one_picture_are_two_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "1.jpg", encode_jpeg(draw_noise(1)))
    here, there = FaceBox(0, 0, 20, 20), FaceBox(40, 40, 20, 20)
    assert find_conflicts([picture(path, "a", here), picture(path, "b", there)]) == ()
    assert len(find_conflicts([picture(path, "a", here), picture(path, "b", here)])) == 1


def test_what_cannot_be_read_is_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()
    (tmp_path / "2.jpg").touch()
    gone = tmp_path / "3.jpg"
    listed = [picture(tmp_path / "1.jpg", "a"), picture(tmp_path / "2.jpg", "b")]
    assert find_conflicts([*listed, picture(gone, "a"), picture(gone, "b")]) == ()


def test_equal_files_that_are_no_pictures_are_no_conflict(tmp_path: Path) -> None:
    listed = [
        picture(write(tmp_path / f"{label}{n}.jpg", data), label)
        for n, data in enumerate((b"hello", b"<html>no picture here</html>" * 60))
        for label in "ab"
    ]
    assert find_conflicts(listed) == ()
