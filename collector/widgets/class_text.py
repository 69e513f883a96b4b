"""The name, key and colour of a class as cells of a terminal, whatever its name is."""

from collections.abc import Iterable, Mapping

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from maskage.classes.scheme import Scheme
from maskage.outside_text import shown_text

READABLE = 4.5
"""Least contrast of text to read: WCAG 2.2, success criterion 1.4.3."""

Rgb = tuple[int, int, int]


def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast of two colours, 1 to 21.

    Source:
        WCAG 2.2, relative luminance and contrast ratio.
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(color: Rgb) -> str:
    """Return "black" or "white", whichever is easier to read on a colour."""
    black, white = contrast(color, (0, 0, 0)), contrast(color, (255, 255, 255))
    return "black" if black >= white else "white"


def fit_cells(text: str, cells: int) -> str:
    """Return a text of exactly this many cells: padded, or cut with an ellipsis."""
    shown = shown_text(text)
    if cell_len(shown) > cells > 0:
        shown = set_cell_size(shown, cells - 1).rstrip() + "…"
    return set_cell_size(shown, max(0, cells))


def cut_apart(title: str, others: Iterable[str], cells: int) -> str:
    """Return a title of at most so many cells that is not cut to the same as another.

    It is cut at its end, or in its middle where that leaves the same: "pers… 01".
    """
    shown = shown_text(title)
    cut = fit_cells(shown, min(cells, cell_len(shown)))
    is_alike = any(fit_cells(other, cells) == fit_cells(shown, cells) for other in others)
    if cut == shown or not is_alike or cells < 5:
        return cut
    tail = shown[-(cells // 2) :]
    while cell_len(tail) > cells // 2:
        tail = tail[1:]
    return set_cell_size(shown, cells - 1 - cell_len(tail)) + "…" + tail


def split_title(title: str, first: int, second: int) -> tuple[str, str]:
    """Return a title as two lines of so many cells, parted at a comma or a blank where it can be.

    "mask, old" is parted although it would fit, so that what follows the comma stands by itself.
    """
    shown = shown_text(title)
    head, comma, tail = shown.partition(", ")
    if not (comma and cell_len(head) <= first):
        at = len(shown)
        while at > 0 and cell_len(shown[:at]) > first:
            at -= 1
        blank = shown.rfind(" ", 0, at + 1)
        at = blank if at < len(shown) and blank > 0 else at
        head, tail = shown[:at], shown[at:].strip()
    return fit_cells(head, first), fit_cells(tail, second)


def class_title(scheme: Scheme, label: str) -> str:
    """Return the title of a class as it is shown; a label of another scheme stands as it is."""
    return shown_text(scheme.title(label) if label in scheme else label)


def class_rgb(scheme: Scheme, label: str) -> Rgb:
    """Return the colour of a class; grey for a label of another scheme."""
    return scheme[label].rgb if label in scheme else (168, 168, 168)


def draw_chip(scheme: Scheme, label: str, keys: Mapping[str, str]) -> Content:
    """Draw the key of a class on its colour; as wide for a class without a key."""
    rgb = class_rgb(scheme, label)
    room = max([1, *map(cell_len, keys.values())])
    style = f"bold {ink_on(rgb)} on {to_hex(rgb)}"
    return Content.styled(f" {fit_cells(keys.get(label, '·'), room)} ", style)


def name_style(color: Rgb, background: Rgb) -> str:
    """Return the colour as a style for text, or the plain one where it cannot be read."""
    return to_hex(color) if contrast(color, background) >= READABLE else "$foreground"


def to_hex(color: Rgb) -> str:
    """Return a colour as "#rrggbb"."""
    return f"#{bytes(color).hex()}"


def _luminance(color: Rgb) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
