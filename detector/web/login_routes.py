"""The way in and out: by the token in the address, by the password, and the end of a session."""

from typing import Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request, Response

from detector.web.access.rules import Access, Refusal, local_address, login_address
from detector.web.access.signed_addresses import SIGNABLE_PATHS
from detector.web.requests import SessionAnswer, SignedAddressAnswer, SignedAddressRequest

_HTML = "text/html; charset=utf-8"
_MOST_FIELDS = 4


class Pages(Protocol):
    """The pages in the package."""

    def read_with(self, name: str, **texts: str) -> bytes:
        """Return a page with texts at their places."""


def login_routes(access: Access, pages: Pages) -> APIRouter:
    """Build the routes of the page itself, of logging in and of logging out."""
    router = APIRouter(include_in_schema=False)

    def page(name: str, status: int = 200, **texts: str) -> Response:
        return Response(pages.read_with(name, **texts), status, media_type=_HTML)

    def ask_password(wanted: str, status: int = 200, message: str = "") -> Response:
        return page("login.html", status, message=message, next=local_address(wanted))

    def ask_again(refusal: Refusal, wanted: str = "/") -> Response:
        if access.has_password:
            answer = ask_password(wanted, refusal.status, refusal.detail)
        else:
            answer = page("locked.html", refusal.status, message=refusal.detail)
        if refusal.retry_s is not None:
            answer.headers["Retry-After"] = str(refusal.retry_s)
        return answer

    @router.get("/")
    async def index(request: Request, token: str | None = None) -> Response:
        if token is not None and access.is_token(token):
            return _go("/", access.new_cookie())
        refusal = access.refuse_visitor(request.headers, _caller(request))
        if refusal is None:
            return page("index.html")
        if access.has_password and token is None and refusal.retry_s is None:
            return _go(login_address("/"))
        return ask_again(refusal)

    @router.get("/login")
    async def show_login(request: Request, next: str = "/") -> Response:
        if not access.has_password:
            return page("locked.html", 404)
        # The browser would drop the cookie, and ask for the password for ever.
        is_foreign_frame = (
            request.headers.get("sec-fetch-dest") in ("iframe", "frame")
            and request.headers.get("sec-fetch-site") == "cross-site"
            and request.url.scheme == "http"
        )
        message = (
            "A page of another site can show this one only over HTTPS: start the program with "
            "--lan, or with --tls-cert and --tls-key."
            if is_foreign_frame
            else access.find_end(request.headers) or ""
        )
        return ask_password(next, message=message)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if not access.has_password:
            raise HTTPException(
                404, "This server has no password. Open the address with the token."
            )
        body = (await request.body()).decode("utf-8", errors="replace")
        try:
            fields = parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise HTTPException(422, "The form has too many fields.") from None
        wanted = local_address(fields.get("next", ["/"])[0])
        given = fields.get("password", [""])[0]
        refusal = access.refuse_password(given, _caller(request))
        return _go(wanted, access.new_cookie()) if refusal is None else ask_again(refusal, wanted)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        session = access.find_session(request.headers)
        if session is not None:
            access.sessions.log_out(session)
        return _go("/login" if access.has_password else "/", access.no_cookie())

    return router


def session_routes(access: Access) -> APIRouter:
    """Build the routes that tell of a session, and that sign addresses."""
    router = APIRouter(tags=["access"])

    @router.get("/session")
    async def session(request: Request) -> SessionAnswer:
        """Return how long this visitor's session lasts; nulls for the bearer of the token."""
        found = access.find_session(request.headers)
        if found is None:
            return SessionAnswer(ends_at=None, left_s=None, has_password=access.has_password)
        left_s = found.period.ends_at - access.now()
        return SessionAnswer(
            ends_at=found.period.ends_at, left_s=max(0.0, left_s), has_password=access.has_password
        )

    @router.post("/signed-addresses", status_code=201)
    async def sign(request: Request, wanted: SignedAddressRequest) -> SignedAddressAnswer:
        """Make an address of a picture that a page of another site may embed, until it ends."""
        try:
            path, period = access.addresses.sign(wanted.address, wanted.hours * 3600)
        except ValueError as fault:
            raise HTTPException(422, f"{fault} An example is {SIGNABLE_PATHS[0]}.") from fault
        note = (
            "It is valid until then, also after a restart with the same token and password."
            if access.is_token_fixed
            else "It ends with the program. Set DETECTOR_TOKEN to have it survive a restart."
        )
        base = f"{request.url.scheme}://{request.headers['host']}"
        return SignedAddressAnswer(address=f"{base}{path}", ends_at=period.ends_at, note=note)

    return router


def _go(address: str, cookie: str | None = None) -> Response:
    answer = Response(None, 303, {"Location": address})
    if cookie is not None:
        answer.headers["Set-Cookie"] = cookie
    return answer


def _caller(request: Request) -> str:
    return request.client.host if request.client else ""
