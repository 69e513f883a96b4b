"""The upright boxes around shapes that are drawn otherwise: outlines, and boxes that are turned."""

import math
from collections.abc import Sequence

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom."""

UNKNOWN: Edges = (math.nan,) * 4
"""The edges of a shape without the numbers that it needs."""


def edges_of_points(numbers: Sequence[float]) -> Edges:
    """Return the edges of an outline of x and y in turn."""
    if len(numbers) < 4 or len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        return UNKNOWN
    across, down = numbers[::2], numbers[1::2]
    return min(across), min(down), max(across), max(down)


def edges_of_corners(one: Sequence[float]) -> Edges:
    """Return the edges of a box by two opposite corners, in any order."""
    if not all(map(math.isfinite, one)):
        return UNKNOWN
    left, top, right, bottom = one
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def edges_of_size(box: Sequence[float]) -> Edges:
    """Return the edges of a box by left, top, width and height."""
    if len(box) != 4:
        return UNKNOWN
    left, top, width, height = box
    return left, top, left + width, top + height


def turn_edges(edges: Edges, degrees: float, pivot: tuple[float, float]) -> Edges:
    """Return the edges around a box that is turned.

    Args:
        edges: The box before it is turned; both axes in one unit.
        degrees: Angle, clockwise as people see it.
        pivot: Point around which it is turned, x and y.
    """
    if not degrees or not all(map(math.isfinite, (*edges, degrees))):
        return edges
    left, top, right, bottom = edges
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned = []
    for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)):
        across, down = x - pivot[0], y - pivot[1]
        turned += [
            pivot[0] + across * cosine - down * sine,
            pivot[1] + across * sine + down * cosine,
        ]
    return edges_of_points(turned)
