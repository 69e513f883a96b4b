"""The application: the page, its streams, and the REST interface for other programs."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Body, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from detector.drawing.styles import age_notice
from detector.screens.commands import CommandDesk
from detector.web.about import describe_classes, describe_costs, describe_keys
from detector.web.access.middleware import AccessMiddleware
from detector.web.access.rules import Access
from detector.web.access.throttle import Throttle
from detector.web.classify import PictureClassifier
from detector.web.history.routes import History, history_routes
from detector.web.page_routes import page_routes
from detector.web.requests import (
    AboutAnswer,
    AcceptedAnswer,
    CommandRequest,
    CorrectLabelRequest,
    HealthAnswer,
    UseCameraRequest,
)
from detector.web.threshold_costs import ThresholdCosts
from detector.web.uploads import picture_routes
from detector.web.views.counting import KEPT_S
from detector.web.views.events import stream_events, stream_lines
from detector.web.views.hub import ViewHub
from detector.web.views.monitoring import CONTENT_TYPE, HEALTHY, Metrics, judge_health
from detector.web.views.stream import BOUNDARY, SeatedStream, Seats, stream_pictures, take_picture
from maskage.classes.scheme import Scheme

MOST_WATCHERS = 8
MOST_LISTENERS = 16
# A slider sends some ten a second; thirty in a row, then ten a second.
_MOST_COMMANDS, _COMMAND_REFILL_S = 30, 0.1
_SNAPSHOT_TIMEOUT_S = 3.0
# Multipart lines around the picture itself.
_MULTIPART_BYTES = 4096
_OPEN_PATHS = frozenset(("/health", "/login", "/page/style.css", "/page/icon.svg"))
_PAGE_PATHS = frozenset(("/", "/login"))


@dataclass(frozen=True, eq=False, kw_only=True)
class WebParts:
    """The parts that the routes work with.

    Attributes:
        access: The rules on who may come in.
        classifier: Classifies the pictures that clients send.
        scheme: The classes of the model.
        upload_bytes: Size of the largest of these pictures.
        hub: Where the views are; None without a camera.
        desk: Where commands go; None without a camera.
        history: What was kept; None where nothing is.
        costs: How many test photos each threshold leaves unanswered; None if unknown.
        watchers, listeners: Limits on the clients of pictures and of events.
    """

    access: Access
    classifier: PictureClassifier
    scheme: Scheme
    upload_bytes: int
    hub: ViewHub | None = None
    desk: CommandDesk | None = None
    history: History | None = None
    costs: ThresholdCosts | None = None
    watchers: Seats = field(default_factory=lambda: Seats(MOST_WATCHERS))
    listeners: Seats = field(default_factory=lambda: Seats(MOST_LISTENERS))


def build_app(parts: WebParts) -> ASGIApp:
    """Build the whole application, behind its middleware."""
    metrics = Metrics(parts.hub, {"pictures": parts.watchers, "events": parts.listeners})
    app = FastAPI(
        title="maskage detector",
        description="Labels the live picture, and pictures that you send. Send the token "
        f"as `Authorization: Bearer`. {age_notice(parts.scheme)}".rstrip(),
        docs_url=None,
        redoc_url=None,
        exception_handlers={RequestValidationError: _explain_validation},
    )
    app.include_router(page_routes(parts.access))
    app.include_router(_live_routes(parts))
    app.include_router(picture_routes(parts.classifier, parts.scheme, parts.upload_bytes))
    app.include_router(history_routes(parts.history, parts.hub))
    app.include_router(_monitoring_routes(parts, metrics))
    return AccessMiddleware(
        app,
        access=parts.access,
        open_paths=_OPEN_PATHS,
        page_paths=_PAGE_PATHS,
        body_bytes={"/classify": parts.upload_bytes + _MULTIPART_BYTES},
        on_answer=metrics.count_request,
    )


async def _explain_validation(_: Request, fault: Exception) -> Response:
    """Answer what is wrong with a body, without repeating it."""
    first = fault.errors()[0] if isinstance(fault, RequestValidationError) else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return JSONResponse({"detail": f"{where}: {first.get('msg', 'not valid')}".lstrip(": ")}, 422)


def _live_routes(parts: WebParts) -> APIRouter:
    router = APIRouter(tags=["live"])
    throttle = Throttle(_MOST_COMMANDS, _COMMAND_REFILL_S)

    def hub() -> ViewHub:
        if parts.hub is None:
            raise HTTPException(404, "This server watches no camera; only /classify works.")
        return parts.hub

    @router.get("/stream.mjpg", response_class=Response)
    async def stream() -> Response:
        """Stream the live picture with its labels, as MJPEG: the newest each time."""
        media_type = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return SeatedStream(stream_pictures(hub()), media_type, parts.watchers)

    @router.get("/snapshot.jpg", response_class=Response)
    async def snapshot() -> Response:
        """Return the newest picture with its labels, as a JPEG."""
        jpeg = await take_picture(hub(), _SNAPSHOT_TIMEOUT_S)
        if jpeg is None:
            raise HTTPException(
                503, "There is no picture yet. Try again in a second.", {"Retry-After": "1"}
            )
        return Response(jpeg, media_type="image/jpeg")

    @router.get("/events", response_class=Response)
    async def events(format: str = "sse") -> Response:
        """Stream views, at most ten a second: server-sent events, or JSON lines (`jsonl`)."""
        if format == "jsonl":
            return SeatedStream(stream_lines(hub()), "application/x-ndjson", parts.listeners)
        if format == "sse":
            return SeatedStream(stream_events(hub()), "text/event-stream", parts.listeners)
        raise HTTPException(422, f"The format is sse or jsonl; found {format!r}.")

    @router.post("/commands", status_code=202)
    async def command(
        request: Request, wanted: Annotated[CommandRequest, Body()]
    ) -> AcceptedAnswer:
        """Change what is shown, save, or correct a label."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "A command needs the content type application/json.")
        newest = hub().newest
        if parts.desk is None or newest is None:
            raise HTTPException(409, "There is no live view yet. Try again in a second.")
        sources = newest.view.controls.sources
        if isinstance(wanted, UseCameraRequest) and wanted.index >= len(sources):
            raise HTTPException(
                422, f"There are {len(sources)} sources, numbered from 0; found {wanted.index}."
            )
        if isinstance(wanted, CorrectLabelRequest) and wanted.label not in parts.scheme:
            raise HTTPException(422, f"The label is one of {', '.join(parts.scheme.labels)}.")
        wait_s = throttle.wait_s("")
        if wait_s > 0:
            raise HTTPException(
                429, "Too many commands at once. Try again in a second.", {"Retry-After": "1"}
            )
        throttle.use("")
        parts.desk.ask(wanted.to_command())
        return AcceptedAnswer(accepted=wanted.command)

    return router


def _monitoring_routes(parts: WebParts, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["monitoring"])

    @router.head("/health", include_in_schema=False)
    @router.get("/health", responses={503: {"model": HealthAnswer}})
    async def health(response: Response) -> HealthAnswer:
        """Return the state in one word; needs no token."""
        status = judge_health(parts.hub)
        if status not in HEALTHY:
            response.status_code = 503
        return HealthAnswer(status=status)

    @router.get("/metrics", response_class=Response)
    async def collect() -> Response:
        """Return figures for Prometheus."""
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    @router.get("/about")
    async def about() -> AboutAnswer:
        """Return the classes and limits, as the page needs them."""
        return AboutAnswer(
            has_camera=parts.hub is not None,
            **describe_classes(parts.scheme),
            upload_bytes=parts.upload_bytes,
            counted_s=KEPT_S,
            keys=describe_keys(parts.scheme),
            threshold_costs=describe_costs(parts.costs),
            has_history=parts.history is not None,
        )

    return router
