"""What the cameras that can be chosen are called."""

import pytest

from detector.live.sources import CameraChoice


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("0", "webcam 0"),
        ("demo", "demo"),
        ("/home/somebody/clips/walk.mp4", "walk.mp4"),
        ("clips/", "clips"),
        (".", "."),
        ("rtsp://me:secret@10.0.0.7/live", "rtsp://10.0.0.7/live"),
    ],
)
def test_a_source_is_named_without_passwords_and_without_the_way_to_it(
    source: str, name: str
) -> None:
    def refuse(_: str) -> None:
        raise AssertionError("naming opens nothing")

    assert CameraChoice([source], refuse).names == (name,)  # type: ignore[arg-type]
