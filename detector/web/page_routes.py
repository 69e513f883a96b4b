"""The files of the page, as they lie in the package: no build, nothing from elsewhere."""

import html
from pathlib import Path

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_MESSAGE = "<!--message-->"


class PageFiles:
    """Read once, served from memory: a request never names a path on the disk."""

    def __init__(self) -> None:
        self._files = {
            path.name: path.read_bytes()
            for path in sorted(_FOLDER.iterdir())
            if path.suffix in _TYPES
        }

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            KeyError: There is none of that name.
        """
        return self._files[name]

    def read_with_message(self, name: str, message: str) -> bytes:
        """A page that says something at its place for messages."""
        return self._files[name].replace(_MESSAGE.encode(), html.escape(message).encode())

    @staticmethod
    def media_type(name: str) -> str:
        """For `Content-Type`."""
        return _TYPES[Path(name).suffix]
