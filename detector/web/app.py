"""The application: the page, its streams, and the REST interface for other programs."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from detector.drawing.styles import age_notice
from detector.events.alarm_counts import AlarmCounts
from detector.screens.commands import CommandDesk
from detector.web.about import describe_classes, describe_costs, describe_keys
from detector.web.access.middleware import AccessMiddleware
from detector.web.access.rules import Access
from detector.web.access.throttle import Throttle
from detector.web.api_docs import DescribedApp, docs_routes
from detector.web.collecting.dataset import CollectingDataset
from detector.web.collecting.routes import collecting_routes
from detector.web.device.labelling import DeviceCameras
from detector.web.device.routes import device_routes
from detector.web.history.routes import History, history_routes
from detector.web.login_routes import session_routes
from detector.web.page_routes import page_routes
from detector.web.pictures.classify import PictureClassifier
from detector.web.pictures.picture_forms import most_request_bytes
from detector.web.pictures.uploads import picture_routes
from detector.web.requests import (
    AboutAnswer,
    AcceptedAnswer,
    CommandRequest,
    CorrectLabelRequest,
    HealthAnswer,
    UseCameraRequest,
)
from detector.web.threshold_costs import ThresholdCosts
from detector.web.views.counting import KEPT_S
from detector.web.views.events import stream_events, stream_lines
from detector.web.views.hub import Shown, ViewHub
from detector.web.views.monitoring import CONTENT_TYPE, HEALTHY, Metrics, judge_health
from detector.web.views.stream import (
    BOUNDARY,
    SeatedStream,
    Seats,
    find_shown,
    stream_pictures,
    take_picture,
)
from maskage.classes.scheme import Scheme

MOST_WATCHERS = 8
MOST_LISTENERS = 16
# A slider sends some ten a second; thirty in a row, then ten a second.
_MOST_COMMANDS, _COMMAND_REFILL_S = 30, 0.1
_SNAPSHOT_TIMEOUT_S = 3.0
# Logging out is open, because it ends every answer of its session that needs one.
_OPEN_PATHS = frozenset(("/health", "/login", "/logout", "/page/style.css", "/page/icon.svg"))
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
        devices: Labels the cameras of visitors; None where they are not offered.
        alarms: Counts of alarms; None where none can be raised.
        collecting: The dataset that visitors photograph into; None for none.
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
    devices: DeviceCameras | None = None
    alarms: AlarmCounts | None = None
    collecting: CollectingDataset | None = None
    history: History | None = None
    costs: ThresholdCosts | None = None
    watchers: Seats = field(default_factory=lambda: Seats(MOST_WATCHERS))
    listeners: Seats = field(default_factory=lambda: Seats(MOST_LISTENERS))


def build_app(parts: WebParts) -> ASGIApp:
    """Build the whole application, behind its middleware."""
    seats = {"pictures": parts.watchers, "events": parts.listeners}
    metrics = Metrics(parts.hub, seats, parts.classifier, parts.alarms)
    app = DescribedApp(
        cookie_name=parts.access.cookie_name,
        has_password=parts.access.has_password,
        title="maskage detector",
        description="Labels the live picture, and pictures that you send. Send the token "
        f"as `Authorization: Bearer`. {age_notice(parts.scheme)}".rstrip(),
        exception_handlers={RequestValidationError: _explain_validation},
    )
    app.include_router(page_routes(parts.access))
    app.include_router(session_routes(parts.access))
    app.include_router(docs_routes(app))
    app.include_router(_live_routes(parts))
    app.include_router(picture_routes(parts.classifier, parts.scheme, parts.upload_bytes))
    if parts.devices is not None:
        app.include_router(device_routes(parts.devices))
    if parts.collecting is not None:
        app.include_router(collecting_routes(parts.collecting))
    app.include_router(history_routes(parts.history, parts.hub))
    app.include_router(_monitoring_routes(parts, metrics))
    return AccessMiddleware(
        app,
        access=parts.access,
        open_paths=_OPEN_PATHS,
        page_paths=_PAGE_PATHS,
        body_bytes={"/classify": most_request_bytes(parts.upload_bytes)},
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

    def find(source: str | None) -> Shown:
        shown = find_shown(hub(), source)
        if shown is None:
            raise HTTPException(
                404, f"The source is all, or a number under {len(hub().cameras)}; found {source!r}."
            )
        return shown

    @router.get("/stream.mjpg", response_class=Response)
    async def stream(source: str | None = None) -> Response:
        """Stream a picture with its labels, as MJPEG: of a camera's number, of `all`, or shown."""
        media_type = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        pictures = stream_pictures(hub(), find(source))
        return SeatedStream(pictures, media_type, parts.watchers)

    @router.get("/snapshot.jpg", response_class=Response)
    async def snapshot(source: str | None = None) -> Response:
        """Return the newest picture with its labels, as a JPEG; `source` as for the stream."""
        jpeg = await take_picture(hub(), _SNAPSHOT_TIMEOUT_S, find(source))
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
            has_device_camera=parts.devices is not None,
            collects=parts.collecting is not None,
            **describe_classes(parts.scheme),
            upload_bytes=parts.upload_bytes,
            counted_s=KEPT_S,
            keys=describe_keys(parts.scheme),
            threshold_costs=describe_costs(parts.costs),
            has_history=parts.history is not None,
        )

    return router
