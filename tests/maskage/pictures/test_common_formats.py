from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskage.pictures.common_formats import FormatChange, apply_format_change, find_format_change
from maskage.pictures.images import MAX_PIXELS, decode_image
from tests.conftest import draw_noise
from tests.curation.odd_pictures import AS_THEY_ARE, CHANGED, saved


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_picture_that_some_reader_shows_otherwise_is_changed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(CHANGED[name](draw_noise(1)))
    change = find_format_change(path)
    assert change is not None
    assert change.suffix in (".jpg", ".png")
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / f"{path.stem}{change.suffix}"
    if name in ("moving.gif", "new.avif"):  # the decoder says which it reads
        return
    new.write_bytes(apply_format_change(path.read_bytes(), change))
    assert find_format_change(new) is None
    was, now = decode_image(path.read_bytes()).astype(int), decode_image(new.read_bytes())
    assert np.abs(now - was).mean() < (0.01 if change.suffix == ".png" else 3)


@pytest.mark.parametrize("name", sorted(AS_THEY_ARE))
def test_a_picture_that_every_reader_shows_alike_is_not(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(AS_THEY_ARE[name](draw_noise(1)))
    assert find_format_change(tmp_path / name) is None


def test_what_is_no_picture_or_is_missing_needs_no_change(tmp_path: Path) -> None:
    for name, data in {"empty.jpg": b"", "cut.jpg": b"\xff\xd8\xff", "text.webp": b"hello"}.items():
        (tmp_path / name).write_bytes(data)
        assert find_format_change(tmp_path / name) is None
    assert find_format_change(tmp_path / "missing.jpg") is None


def test_a_picture_with_too_many_pixels_is_scaled_down(tmp_path: Path) -> None:
    side = int(MAX_PIXELS**0.5) + 8
    (tmp_path / "large.png").write_bytes(saved(np.zeros((side, side, 3), np.uint8), "PNG"))
    assert find_format_change(tmp_path / "large.png") == FormatChange(".png", "scaled down")


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp"])
def test_a_picture_of_several_says_that_only_the_first_is_kept(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.fromarray(draw_noise(seed)) for seed in (1, 2))
    several, one = tmp_path / f"several{suffix}", tmp_path / f"one{suffix}"
    first.save(several, save_all=True, append_images=[second], quality=90)
    first.save(one, quality=90)
    changes = [find_format_change(path) for path in (several, one)]
    told = ["(the first of several pictures)" in change.reason for change in changes if change]
    assert told == [True, False]
