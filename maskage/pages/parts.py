"""What the report is made of: tables, and pictures as data addresses, so that it is one file."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from maskage.errors import UnreadableImageError
from maskage.outside_text import shown_text
from maskage.pictures.images import read_image
from maskage.records import RgbImage

THUMBNAIL_PX = 104


def escape(text: str) -> str:
    """Return a text from outside as it may stand in a page or an attribute of it."""
    return html.escape(shown_text(text), quote=True)


def section(title: str, body: str) -> str:
    """One card of the page."""
    return f"<section><h2>{title}</h2>{body}</section>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of ready HTML cells."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def row_of(figures: Iterable[str]) -> str:
    """Pictures side by side."""
    return f'<div class="twins">{"".join(figures)}</div>'


def figure(root: Path, path: str, caption: str, kind: str = "") -> str:
    """A photo of the dataset with a caption; its name shows on hovering."""
    try:
        return captioned(read_image(root / path), path, caption, kind)
    except UnreadableImageError:
        return f'<figure class="{kind}"><figcaption>{escape(path)}: gone</figcaption></figure>'


def captioned(pixels: RgbImage, path: str, caption: str, kind: str = "") -> str:
    """A picture with a caption."""
    name = escape(path)
    return (
        f'<figure class="{kind}"><img src="{_address(pixels)}" alt="{name}" title="{name}" '
        f'loading="lazy"><figcaption>{escape(caption)}</figcaption></figure>'
    )


def more(count: int, what: str) -> str:
    """A line for what is left out; nothing where nothing is."""
    return f"<p>and {count:,} more {what}: see plan.csv.</p>" if count > 0 else ""


def _address(pixels: RgbImage) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
