"""The photos of a page: each is embedded once, as a style, however often it is shown."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from maskage.errors import UnreadableImageError
from maskage.pages.parts import escape
from maskage.pictures.images import read_image
from maskage.records import RgbImage

SIDE_PX = 128
QUALITY = 76


class PictureShelf:
    """Gathers the pictures that a page shows, small, and writes their style.

    Backgrounds need no script and no network, and a browser decodes those that are in sight.
    """

    def __init__(self) -> None:
        self._names: dict[Path, str] = {}
        self._known: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._known)

    def show(self, path: Path, title: str) -> str:
        """The element of a photo; its title shows on hovering. One that is gone stays blank."""
        name = self._names.get(path)
        if name is None:
            try:
                name = self._add(shrink(read_image(path)))
            except UnreadableImageError:
                name = "gone"
            self._names[path] = name
        return _element(name, title)

    def show_pixels(self, pixels: RgbImage, title: str) -> str:
        """The element of a picture that was made."""
        return _element(self._add(pixels), title)

    @property
    def style(self) -> str:
        """The rules of all pictures so far."""
        return "\n".join(
            f".{name}{{background-image:url(data:image/jpeg;base64,"
            f"{base64.b64encode(data).decode()})}}"
            for data, name in self._known.items()
        )

    def _add(self, pixels: RgbImage) -> str:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY, optimize=True)
        return self._known.setdefault(file.getvalue(), f"p{len(self._known)}")


def shrink(pixels: RgbImage) -> RgbImage:
    """RGB uint8 (H, W, 3) as the page shows it: in its proportions, `SIDE_PX` at most."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX))
    return np.asarray(image)


def _element(name: str, title: str) -> str:
    told = escape(title)
    return f'<i class="photo {name}" role="img" aria-label="{told}" title="{told}"></i>'
