"""The photos of a page: each is embedded once, as a style, however often it is shown."""

from pathlib import Path
from typing import TYPE_CHECKING

from maskage.errors import UnreadableImageError
from maskage.pages.page import fill
from maskage.pages.parts import data_address, encode_small
from maskage.pictures.images import read_image
from maskage.records import RgbImage

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "trainer/pages/photos.html"


class PictureShelf:
    """The pictures that a page shows, small, each with the class name that shows it.

    Backgrounds need no script and no network, and a browser decodes those that are in file_scan.
    """

    def __init__(self) -> None:
        self._names: dict[Path, str] = {}
        self._known: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._known)

    def show(self, path: Path, title: str) -> "Markup":
        """Return the element of a photo; a photo that cannot be read stays blank.

        Args:
            path: The file.
            title: Shown on hovering, and read aloud.
        """
        name = self._names.get(path)
        if name is None:
            try:
                name = self._add(read_image(path))
            except UnreadableImageError:
                name = "gone"
            self._names[path] = name
        return fill(TEMPLATE, "photo", name=name, title=title)

    def show_pixels(self, pixels: RgbImage, title: str) -> "Markup":
        """Return the element of a picture that was made, RGB uint8 (H, W, 3)."""
        return fill(TEMPLATE, "photo", name=self._add(pixels), title=title)

    @property
    def pictures(self) -> dict[str, str]:
        """The data address of each picture so far, by its class name."""
        return {name: data_address(data) for data, name in self._known.items()}

    def _add(self, pixels: RgbImage) -> str:
        return self._known.setdefault(encode_small(pixels), f"p{len(self._known)}")
