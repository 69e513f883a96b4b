"""The page itself: its files as they lie in the package, and the way in by token or password."""

import html
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request, Response

from detector.web.access.rules import Access, Refusal

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_MESSAGE = "<!--message-->"


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

    def read_with_message(self, name: str, message: str) -> bytes:
        """Return a page with a message at its place for one."""
        return self._files[name].replace(_MESSAGE.encode(), html.escape(message).encode())

    @staticmethod
    def media_type(name: str) -> str:
        """Return the `Content-Type` of a file."""
        return _TYPES[Path(name).suffix]


def page_routes(access: Access) -> APIRouter:
    """Build the routes of the page, its files and its log-in."""
    router = APIRouter(include_in_schema=False)
    files = PageFiles()

    def page(name: str, status: int = 200, message: str = "") -> Response:
        content = files.read_with_message(name, message)
        return Response(content, status, media_type=files.media_type(name))

    def send_in() -> Response:
        return Response(None, 303, {"Location": "/", "Set-Cookie": access.cookie})

    def ask_again(refusal: Refusal) -> Response:
        name = "login.html" if access.has_password else "locked.html"
        answer = page(name, refusal.status, refusal.detail)
        if refusal.retry_s is not None:
            answer.headers["Retry-After"] = str(refusal.retry_s)
        return answer

    @router.get("/")
    async def index(request: Request, token: str | None = None) -> Response:
        if token is not None and access.is_token(token):
            return send_in()
        refusal = access.refuse_visitor(request.headers, _caller(request))
        if refusal is None:
            return page("index.html")
        if access.has_password and token is None:
            return Response(None, 303, {"Location": "/login"})
        return ask_again(refusal)

    @router.get("/login")
    async def ask_password() -> Response:
        return page("login.html") if access.has_password else page("locked.html", 404)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if not access.has_password:
            raise HTTPException(
                404, "This server has no password. Open the address with the token."
            )
        body = (await request.body()).decode("utf-8", errors="replace")
        given = parse_qs(body, keep_blank_values=True, max_num_fields=4).get("password", [""])[0]
        refusal = access.refuse_password(given, _caller(request))
        return send_in() if refusal is None else ask_again(refusal)

    @router.get("/page/{name}")
    async def file(name: str) -> Response:
        if name not in files or name.endswith(".html"):
            raise HTTPException(404, "No such file.")
        return Response(files.read(name), media_type=files.media_type(name))

    return router


def _caller(request: Request) -> str:
    return request.client.host if request.client else ""
