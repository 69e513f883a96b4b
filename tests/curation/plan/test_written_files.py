"""The names of files that are changed for their readers: free on every disk, and found again."""

from dataclasses import replace
from pathlib import Path

from curation.plan.plan import PlannedPhoto
from curation.plan.written_files import name_written_files
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.curation.odd_pictures import saved


def written_of(root: Path, *names: str, **changes: object) -> dict[str, str]:
    """The name of each file in its split, for photos that are WebP by suffix or else JPEG."""
    (root / "mask_old").mkdir()
    for number, name in enumerate(names):
        pixels = draw_noise(number)
        is_webp = name.lower().endswith(".webp")
        data = saved(pixels, "WEBP", quality=90) if is_webp else encode_jpeg(pixels)
        (root / "mask_old" / name).write_bytes(data)
    photos = [PlannedPhoto(f"mask_old/{name}", "mask_old", True, split="train") for name in names]
    if changes:
        photos[0] = replace(photos[0], **changes)  # type: ignore[arg-type]
    named = name_written_files(root, photos)
    return {Path(each.path).name: Path(each.place).name for each in named}


def test_a_new_name_is_free_in_its_class_on_every_disk(tmp_path: Path) -> None:
    assert written_of(tmp_path, "A.JPG", "a.webp", "b.webp", "b.WebP", "b__webp1.jpg") == {
        "A.JPG": "A.JPG",
        "a.webp": "a__webp1.jpg",
        "b.webp": "b.jpg",
        "b.WebP": "b__webp2.jpg",
        "b__webp1.jpg": "b__webp1.jpg",
    }


def test_the_name_of_a_photo_that_is_set_aside_is_not_given_to_another(tmp_path: Path) -> None:
    assert written_of(tmp_path, "a.jpg", "a.webp", kept=False)["a.webp"] == "a__webp1.jpg"


def test_a_photo_that_is_set_aside_and_a_variant_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "mask_old").mkdir()
    aside = PlannedPhoto("mask_old/missing.webp", "mask_old", False)
    variant = PlannedPhoto("mask_old/a__aug1.jpg", "mask_old", True, parent="mask_old/a.jpg")
    assert name_written_files(tmp_path, [aside, variant]) == [aside, variant]


def test_a_name_without_a_suffix_gets_one_and_a_long_one_is_shortened(tmp_path: Path) -> None:
    long = "é" * 127  # 254 bytes
    found = written_of(tmp_path, "IMG", f"{long}", "a.b.jfif", ".webp.jfif")
    assert found == {
        "IMG": "IMG.jpg",
        long: f"{'é' * 125}.jpg",
        "a.b.jfif": "a.b.jpg",
        ".webp.jfif": ".webp.jpg",
    }
