"""The capture time that a camera wrote into a picture."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from maskage.dataset.importing.photo_time import read_taken_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAKEN, DIGITISED, CHANGED, OFFSET, FRACTION = 36867, 36868, 306, 36881, 37521


def picture(kind: str = "JPEG", **tags: str) -> bytes:
    """Return a picture whose EXIF has these tags, by number: `t36867="2024:..."`."""
    exif = Image.Exif()
    exif[271] = "Camera"
    if value := tags.pop("changed", None):
        exif[CHANGED] = value
    numbers = {"taken": TAKEN, "digitised": DIGITISED, "offset": OFFSET, "fraction": FRACTION}
    exif.get_ifd(0x8769).update({numbers[name]: value for name, value in tags.items()})
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_capture_time_is_read_from_every_format(kind: str) -> None:
    data = picture(kind, taken="2024:05:06 07:08:09", offset="+02:00", fraction="25")
    assert read_taken_at(data, NOW) == "2024-05-06T05:08:09.250+00:00"


def test_a_time_without_an_offset_is_taken_as_utc() -> None:
    assert read_taken_at(picture(taken="2024:05:06 07:08:09")) == "2024-05-06T07:08:09.000+00:00"


def test_the_time_of_digitising_stands_in_and_that_of_a_change_does_not() -> None:
    data = picture(taken="0000:00:00 00:00:00", digitised="2023:01:02 03:04:05")
    assert read_taken_at(data, NOW) == "2023-01-02T03:04:05.000+00:00"
    assert read_taken_at(picture(changed="2024:05:06 07:08:09"), NOW) is None


@pytest.mark.parametrize(
    "taken",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:13:45 07:08:09",
        "2024:02:30 07:08:09",
        "yesterday",
        "",
        "2099:05:06 07:08:09",
        "1970:01:01 00:00:00",
        "1980:01:01 00:03:10",
        "2000:01:01 04:05:06",
        "2014:01:01 00:00:00",
    ],
)
def test_what_is_no_time_of_a_set_clock_is_none(taken: str) -> None:
    assert read_taken_at(picture(taken=taken), NOW) is None


@pytest.mark.parametrize("offset", ["", "local", "+99:00"])
def test_an_offset_that_is_none_is_left_out(offset: str) -> None:
    data = picture(taken="2024-05-06T07:08:09", offset=offset)
    assert read_taken_at(data, NOW) == "2024-05-06T07:08:09.000+00:00"


@pytest.mark.parametrize("data", [b"", b"Exif", b"\xff\xd8Exif\0\0", b"II*\0", b"\x89PNG eXIf"])
def test_broken_files_have_no_time(data: bytes) -> None:
    assert read_taken_at(data) is None


def test_a_picture_without_metadata_has_no_time() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    assert read_taken_at(buffer.getvalue()) is None
