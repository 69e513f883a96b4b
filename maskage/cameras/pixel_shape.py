"""Pixels that are not square: DVD, HDV and some phones and network cameras store squeezed pictures.

Players draw them wider or higher. A face finder and a network have learnt on faces as people see
them, so every reader of videos does as players do.
"""

from fractions import Fraction

ODDEST_ASPECT = 4
"""Beyond 4:1 it is a slip of the file, no shape of pixels; real ones end at 2:1."""


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size, in px, at which a picture's pixels are square; no side shrinks.

    Args:
        width: Width as stored, px.
        height: Height as stored, px.
        aspect: Width of a pixel by its height; None where the file does not say.
    """
    if aspect is None or not Fraction(1, ODDEST_ASPECT) <= aspect <= ODDEST_ASPECT:
        return width, height
    if aspect > 1:
        return max(width, round(width * aspect)), height
    return width, max(height, round(height / aspect))
