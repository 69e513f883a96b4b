"""The parts of several pages: tables, and pictures as data addresses, so a page is one file."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from maskage.errors import UnreadableImageError
from maskage.pages.page import fill
from maskage.pictures.images import read_image
from maskage.records import RgbImage

if TYPE_CHECKING:
    from markupsafe import Markup

SIDE_PX = 128
"""Longer side of a photo in a page; it is shown smaller, sharp on screens of double density too."""

QUALITY = 78


@dataclass(frozen=True)
class Figure:
    """A photo with a caption.

    Attributes:
        path: Its name in the dataset.
        caption: Plain text.
        address: Data address of the picture; empty where the file is gone.
        kind: "kept" for one that is marked as such.
    """

    path: str
    caption: str
    address: str
    kind: str = ""


def table(
    columns: Sequence[str], rows: Iterable[Sequence["str | Markup"]], kind: str = ""
) -> "Markup":
    """Return a table; the first cell of a row is its heading.

    Args:
        columns: Headings, plain text.
        rows: Cells, plain text or HTML from a template.
        kind: Classes of the stylesheet.
    """
    return fill("maskage/pages/parts.html", "table", columns=columns, rows=list(rows), kind=kind)


def load_figure(root: Path, path: str, caption: str, kind: str = "") -> Figure:
    """Return the figure of a photo of the dataset at `root`."""
    try:
        address = data_address(encode_small(read_image(root / path)))
    except UnreadableImageError:
        address = ""
    return Figure(path, caption, address, kind)


def shrink(pixels: RgbImage) -> RgbImage:
    """Shrink RGB uint8 (H, W, 3) to what a page shows: `SIDE_PX` at most, in its proportions."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX))
    return np.asarray(image)


def encode_small(pixels: RgbImage) -> bytes:
    """Return RGB uint8 (H, W, 3) as a small JPEG file."""
    file = io.BytesIO()
    Image.fromarray(shrink(pixels)).save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def data_address(picture: bytes, kind: str = "jpeg") -> str:
    """Return a picture file as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
