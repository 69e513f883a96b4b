"""What a photo's file tells of places and people stays in the dataset: pictures alone go on."""

import base64
import io
import re
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from curation.build.materialise import materialise_plan
from curation.cli import main
from curation.plan.planning import make_plan
from curation.settings import CurationSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.privacy.derived_copies import find_derived_copies
from maskage.dataset.privacy.sought_photos import SoughtPhotos
from maskage.formats.curated.curated_set import read_curated
from maskage.formats.curated.plan_file import read_plan
from maskage.pictures.images import decode_image, encode_jpeg, read_image
from tests.conftest import draw_noise

SECRET = "Anna, Lindenstrasse 5"
KINDS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF"}
SIDEWAYS = "mask_old/sideways.jpg"


def telling(seed: int, kind: str) -> bytes:
    """A picture whose file tells where it was taken, in every way that its format has."""
    exif = Image.Exif()
    exif[0x010E] = SECRET
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[29] = SECRET
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET)
    file = io.BytesIO()
    image = Image.fromarray(draw_noise(seed))
    options = {"pnginfo": text} if kind == "PNG" else {"xmp": SECRET.encode()}
    image.save(file, kind, exif=exif, **({} if kind == "TIFF" else options))
    return file.getvalue()


@pytest.fixture
def phone_photos(four_folders: Callable[..., Path]) -> Path:
    """Four folders without a manifest, as they come from phones, and one photo on its side."""
    root = four_folders(4, "photos")
    for number, label in enumerate(MASK_AGE.labels):
        for place, (suffix, kind) in enumerate(KINDS.items()):
            path = root / label / f"phone_{place}{suffix}"
            path.write_bytes(telling(50 + 10 * number + place, kind))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SECRET
    file = io.BytesIO()
    pixels = np.rot90(draw_noise(99)[:, :72])
    Image.fromarray(pixels).save(file, "JPEG", exif=exif, quality=95)
    (root / SIDEWAYS).write_bytes(file.getvalue())
    return root


def place_of(path: str, out: Path) -> Path:
    return next(out / row.place for row in read_plan(out) if row.path == path)


def test_no_place_and_no_name_reaches_what_is_trained_on(
    phone_photos: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in phone_photos.rglob("*.*")}
    out = tmp_path / "curated"
    assert main([str(phone_photos), "--balance", "--expand", "16", "--out", str(out)]) == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert sum(SECRET.encode() in data for data in before.values()) == 17
    told = [path for path in files if SECRET.encode() in path.read_bytes()]
    assert told == []
    # The page shows photos too.
    page = (out / "report.html").read_text()
    shown = re.findall(r"base64,([A-Za-z0-9+/=]+)", page)
    assert not any(SECRET.encode() in base64.b64decode(data) for data in shown)
    # The dataset is as it was.
    assert {path: path.read_bytes() for path in phone_photos.rglob("*.*")} == before


def test_what_is_trained_on_shows_what_the_photo_showed(phone_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "curated"
    assert main([str(phone_photos), "--out", str(out)]) == 0
    for label in MASK_AGE.labels:
        for path in sorted((phone_photos / label).iterdir()):
            name = f"{label}/{path.name}"
            copy, photo = read_image(place_of(name, out)), read_image(path)
            if path.suffix == ".webp":  # with loss, and so is the JPEG that was made of it
                assert np.abs(copy.astype(int) - photo).mean() < 3, name
            elif name != SIDEWAYS:
                assert np.array_equal(copy, photo), name
    with Image.open(place_of(SIDEWAYS, out)) as image:
        upright = np.asarray(image).astype(int)
    assert upright.shape == (96, 72, 3)
    assert np.abs(upright - decode_image((phone_photos / SIDEWAYS).read_bytes())).mean() < 3
    assert len(read_curated(out).photos("train")) > 8


def test_a_photo_of_the_collector_is_copied_byte_for_byte(
    four_folders: Callable[..., Path], tmp_path: Path
) -> None:
    root, out = four_folders(4), tmp_path / "curated"
    assert main([str(root), "--out", str(out)]) == 0
    for path in root.rglob("*.jpg"):
        assert place_of(f"{path.parent.name}/{path.name}", out).read_bytes() == path.read_bytes()


def test_a_result_is_closed_to_others_though_no_command_made_it(
    four_folders: Callable[..., Path], tmp_path: Path
) -> None:
    """As from a script, whose umask is its own; photos that all may read make no copies as open."""
    root, out = four_folders(4), tmp_path / "curated"
    plan = make_plan(root, CurationSettings(expand=12))
    materialise_plan(plan, out, "a page")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [out, *out.rglob("*")]}
    assert modes[out] == 0o700
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_what_was_made_of_a_photo_with_metadata_is_still_found(
    phone_photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "curated"
    assert main([str(phone_photos), "--out", str(out)]) == 0
    paths = {SIDEWAYS, "mask_old/phone_0.jpg", "nomask_old/phone_3.tif"}
    found = find_derived_copies(
        SoughtPhotos(phone_photos.resolve(), "p01", paths=paths), [tmp_path]
    )
    assert [(trace.folder, trace.photos) for trace in found.curated] == [(out, 3)]


def test_a_former_result_with_metadata_is_replaced_by_one_without(
    phone_photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "curated"
    assert main([str(phone_photos), "--out", str(out)]) == 0
    copy = place_of("mask_old/phone_0.jpg", out)
    copy.write_bytes(telling(50, "JPEG"))
    (phone_photos / "mask_old" / "late.jpg").write_bytes(encode_jpeg(draw_noise(7)))
    assert main([str(phone_photos), "--out", str(out)]) == 0
    assert SECRET.encode() not in place_of("mask_old/phone_0.jpg", out).read_bytes()
