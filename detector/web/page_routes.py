"""The page itself: its files as they lie in the package."""

import html
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

from detector.web.access.rules import Access
from detector.web.login_routes import login_routes

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class PageFiles:
    """The files, read once and served from memory: a request never names a path on the disk."""

    def __init__(self) -> None:
        self._files = {
            path.name: path.read_bytes()
            for path in sorted(_FOLDER.iterdir())
            if path.suffix in _TYPES
        }

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            KeyError: No file has this name.
        """
        return self._files[name]

    def read_with(self, name: str, **texts: str) -> bytes:
        """Return a page with texts at their places: `message` at `<!--message-->`."""
        page = self._files[name]
        for place, text in texts.items():
            page = page.replace(f"<!--{place}-->".encode(), html.escape(text).encode())
        return page

    @staticmethod
    def media_type(name: str) -> str:
        """Return the `Content-Type` of a file."""
        return _TYPES[Path(name).suffix]


def page_routes(access: Access) -> APIRouter:
    """Build the routes of the page, its files and its log-in."""
    router = APIRouter(include_in_schema=False)
    files = PageFiles()
    router.include_router(login_routes(access, files))

    @router.get("/page/{name}")
    async def file(name: str) -> Response:
        if name not in files or name.endswith(".html"):
            raise HTTPException(404, "No such file.")
        return Response(files.read(name), media_type=files.media_type(name))

    return router
