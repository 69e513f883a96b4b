"""Text on pictures: its size, its width, and its lines."""

from functools import lru_cache

import cv2

from maskage.records import RgbImage

Color = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


def text_height(canvas: RgbImage) -> int:
    """Return the height of text on a picture, RGB uint8 (H, W, 3), in pixels."""
    return min(40, max(15, len(canvas) // 28))


def wrap(text: str, text_px: int, width_px: int) -> list[str]:
    """Break a text at spaces into lines that fit `width_px`."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, text_px) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@lru_cache(maxsize=512)
def shorten(text: str, text_px: int, width_px: int) -> str:
    """Return a text that fits `width_px`: whole, or with "…" for its middle.

    The end stays, where a tag has its percentage.
    """
    if text_width(text, text_px) <= width_px:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = f"{text[: kept - kept // 3]}…{text[len(text) - kept // 3 :]}"
        if text_width(shorter, text_px) <= width_px:
            return shorter
    return "…"


@lru_cache(maxsize=1)
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


@lru_cache(maxsize=512)
def text_width(text: str, text_px: int) -> int:
    """Return the width of text of a height, both in pixels."""
    _, _, width, _ = cv2.getTextSize((10_000, 10_000), text, (0, 0), _font(), text_px, 500)
    return int(width)


def write(canvas: RgbImage, text: str, at: tuple[int, int], color: Color, text_px: int) -> None:
    """Write onto a picture, RGB uint8 (H, W, 3), with the left end of the base line `at` x, y."""
    cv2.putText(canvas, text, at, color, _font(), text_px, 500)
