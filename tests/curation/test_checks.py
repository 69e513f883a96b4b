from dataclasses import fields

import pytest

from curation.checks import find_flaws
from curation.limits import FLAWS, CheckLimits
from maskage.dataset.photo_scan import FileScan
from maskage.errors import UsageError
from maskage.records import Quality

LIMITS = CheckLimits()


def file_scan(
    width: int = 200,
    height: int = 200,
    *,
    sharpness: float = 100.0,
    brightness: float = 120.0,
    clipped: float = 0.0,
    face_px: int = 0,
    faces: int | None = None,
) -> FileScan:
    quality = Quality(sharpness, brightness, clipped, face_px)
    return FileScan("s", 0, 0, quality, width, height, faces)


@pytest.mark.parametrize(
    ("flawed", "reason"),
    [
        (file_scan(40, 300), "tiny: 40x300 px, under 48"),
        (file_scan(face_px=30, faces=1), "tiny: its face has 30 px, under 48"),
        (file_scan(100, 240), "odd aspect: 100x240 px, over 2 to 1"),
        (file_scan(240, 100), "odd aspect: 240x100 px, over 2 to 1"),
        (file_scan(brightness=20), "dark: brightness 20, under 40"),
        (file_scan(brightness=240, clipped=0.9), "blown out: brightness 240, over 225"),
        (file_scan(clipped=0.8), "blown out: 80% black or white, over 70%"),
        (file_scan(sharpness=4.2), "blurred: sharpness 4.2, under 15"),
        (file_scan(faces=0), "no face: the face finder found none"),
        (file_scan(faces=3, face_px=90), "several faces: 3 of similar size"),
    ],
)
def test_each_flaw_says_what_was_found_and_where_the_limit_is(
    flawed: FileScan, reason: str
) -> None:
    assert find_flaws(flawed, LIMITS)[0] == reason
    kind = reason.partition(":")[0]
    assert kind in FLAWS
    allowed = CheckLimits(allowed=frozenset({kind}))
    assert not [flaw for flaw in find_flaws(flawed, allowed) if flaw.startswith(kind)]


def test_a_good_photo_has_no_flaw_whoever_looked() -> None:
    assert find_flaws(file_scan(), LIMITS) == []
    assert find_flaws(file_scan(faces=1, face_px=90), LIMITS) == []


def test_the_gravest_flaw_comes_first() -> None:
    found = find_flaws(file_scan(30, 90, sharpness=1, brightness=5), LIMITS)
    assert [flaw.partition(":")[0] for flaw in found] == ["tiny", "odd aspect", "dark", "blurred"]


def test_every_limit_moves_what_it_names() -> None:
    borderline = {
        "min_sharpness": (file_scan(sharpness=50), 60.0),
        "min_brightness": (file_scan(brightness=50), 60.0),
        "max_brightness": (file_scan(brightness=200), 190.0),
        "max_clipped": (file_scan(clipped=0.3), 0.2),
        "min_side": (file_scan(100, 100), 120),
        "max_aspect": (file_scan(100, 150), 1.2),
    }
    assert {field.name for field in fields(CheckLimits)} == {*borderline, "allowed"}
    for name, (photo, value) in borderline.items():
        assert find_flaws(photo, LIMITS) == []
        assert len(find_flaws(photo, CheckLimits(**{name: value}))) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"min_sharpness": -1.0}, "--min-sharpness must be 0 or more"),
        ({"min_brightness": float("nan")}, "--min-brightness must be 0 or more"),
        ({"max_clipped": 1.5}, "--max-clipped must be a share, 0 to 1"),
        ({"max_aspect": 0.5}, "--max-aspect"),
        ({"allowed": frozenset({"ugly"})}, "No check is named ugly"),
    ],
)
def test_an_impossible_limit_is_refused(wish: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CheckLimits(**wish)  # type: ignore[arg-type]
