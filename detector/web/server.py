"""The web server, in a thread of its own beside the live loop in the main thread."""

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import Config

from detector.events.alarm_counts import AlarmCounts
from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command, CommandDesk
from detector.web.access.connections import Connection, ConnectionLimits, accept_connections
from detector.web.access.protocol import CountedSocket, TimedProtocol
from detector.web.access.rules import Access
from detector.web.access.tls_entry import TlsEntry
from detector.web.app import WebParts, build_app
from detector.web.collecting.dataset import CollectingDataset, open_collecting_finder
from detector.web.device.labelling import DeviceCameras
from detector.web.history.routes import History
from detector.web.lan.addresses import HostNames, find_host_names
from detector.web.lan.invitation import invite
from detector.web.options import Address, WebOptions, resolve_address
from detector.web.pictures.classify import PictureClassifier
from detector.web.threshold_costs import ThresholdCosts
from detector.web.views.hub import ViewHub
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError

START_TIMEOUT_S = 15.0
_GRACE_S = 1
_HEADER_BYTES = 16_384
_MESSAGE_BYTES = 4_000_000
"""Largest message of a WebSocket: a picture of a camera."""

_BACKLOG = 128
_SEND_BUFFER = 131_072
"""Bytes that the operating system keeps for a client: a few pictures, where its default is more."""


class WebScreen(ClosingMixin, Screen):
    """The live view in browsers; a `detector.screens.base.Screen`, and a context.

    Args:
        server: The server, ready to run.
        listener: The bound socket; closed with the screen.
        parts: The parts that the routes work with.
        url: The address to open, with the token.

    Attributes:
        url: The address to open, with the token.
        is_open: True until the server has ended.
    """

    def __init__(
        self, server: "CountingServer", listener: socket.socket, parts: WebParts, url: str
    ) -> None:
        self.url = url
        self._server = server
        self._parts = parts
        self._listener = listener
        self._is_closed = False
        self.is_open = True
        self._thread = threading.Thread(target=self._serve, name="web-server", daemon=True)
        self._thread.start()
        if not server.ready.wait(START_TIMEOUT_S) or not self._thread.is_alive():
            self.close()
            raise EnvironmentProblemError(
                f"The web server did not start within {START_TIMEOUT_S:.0f} s. Try another --port, "
                f"or --headless, which needs no page."
            )

    @property
    def has_viewer(self) -> bool:  # type: ignore[override]
        """True while a browser shows it."""
        return self._parts.hub is not None and self._parts.hub.has_clients

    def show(self, view: LiveView) -> None:
        """Hand the view to whoever watches; this costs microseconds."""
        if self._parts.hub is not None:
            self._parts.hub.put(view)

    def keep(self, view: LiveView) -> None:
        """Hand over the view of one of several cameras, shown or not; costs as little."""
        if self._parts.hub is not None:
            self._parts.hub.keep(view)

    def read_commands(self) -> list[Command]:
        """Return what was asked for in the browser since the last call, in order."""
        return self._parts.desk.take() if self._parts.desk is not None else []

    def wait(self) -> None:
        """Wait until the server ends by itself, or Ctrl-C."""
        while self._thread.is_alive():
            # In slices: on some systems Ctrl-C does not interrupt a wait without an end.
            self._thread.join(0.5)

    def close(self) -> None:
        """End every stream, then the server."""
        if self._is_closed:
            return
        self._is_closed = True
        self.is_open = False
        if self._parts.hub is not None:
            self._parts.hub.close()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()
        self._parts.classifier.close()
        if self._parts.devices is not None:
            self._parts.devices.close()
        if self._parts.collecting is not None:
            self._parts.collecting.close()

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        finally:
            self.is_open = False

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_report_fault)
        if self._parts.hub is not None:
            self._parts.hub.attach(loop)
        # Without sockets of uvicorn's own: `accept_connections` accepts, and counts.
        await self._server.serve([])
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


class CountingServer(uvicorn.Server):
    """uvicorn's server, which counts connections and reports when it is ready.

    Args:
        config: uvicorn's configuration.
        listener: The bound socket; closed by the caller.
        tls: For HTTPS.
        keep_certificate: Looks after a certificate of its own while the server runs.

    Attributes:
        ready: Set once it accepts connections.
    """

    def __init__(
        self,
        config: Config,
        listener: socket.socket,
        tls: TlsEntry | None,
        keep_certificate: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._listener, self._tls = listener, tls
        self._keep_certificate = keep_certificate
        self._keeping: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        await super().startup(sockets)
        accepting = accept_connections(
            self._listener, ConnectionLimits(), self._make_protocol, self._tls
        )
        self._accepting = asyncio.create_task(accepting)
        self._accepting.add_done_callback(self._note_end)
        if self._keep_certificate is not None:
            self._keeping = asyncio.create_task(self._keep_certificate())
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and end those that are open."""
        self._accepting.cancel()
        if self._keeping is not None:
            self._keeping.cancel()
        await super().shutdown(sockets)

    def _make_protocol(self, connection: Connection) -> TimedProtocol:
        return TimedProtocol(self.config, self.server_state, connection)

    def _note_end(self, accepting: "asyncio.Task[None]") -> None:
        """End the server if it accepts no connections any more, so that this shows."""
        if not accepting.cancelled():
            self.should_exit = True
            say(f"web: this is a bug in the toolchain: {accepting.exception()!r}")


def open_web(
    options: WebOptions,
    classifier: PictureClassifier,
    scheme: Scheme,
    desk: CommandDesk | None,
    *,
    devices: DeviceCameras | None = None,
    alarm_counts: AlarmCounts | None = None,
    history: History | None = None,
    costs: ThresholdCosts | None = None,
) -> WebScreen:
    """Start to serve the page.

    Args:
        options: Where it is served, and what protects it.
        classifier: For pictures that are sent; closed with the screen.
        scheme: The classes of the model.
        desk: Where commands go; None without a camera.
        devices: Labels the cameras of visitors; closed with the screen. None for none.
        alarm_counts: Counts of alarms, for /metrics; None where none can be raised.
        history: What the page lists as kept; None for no such list.
        costs: What the page says a threshold costs; None if unknown.

    Raises:
        UsageError: Other machines could reach it without TLS and a password.
        EnvironmentProblemError: The port is taken, the address is not this machine's, or the
            certificate cannot be used.
    """
    address = resolve_address(options)
    keeper = None
    if options.is_lan and options.certificate is None:
        from detector.web.lan.renewal import CertificateKeeper

        keeper = CertificateKeeper()
    context = keeper.context if keeper else _load_certificate(options)
    listener = _bind(options, address)
    port = listener.getsockname()[1]
    access = Access(options, address, port)
    hub = ViewHub(scheme) if desk is not None else None
    parts = WebParts(
        access=access,
        classifier=classifier,
        scheme=scheme,
        upload_bytes=options.upload_bytes,
        hub=hub,
        desk=desk,
        devices=devices,
        alarms=alarm_counts,
        collecting=None
        if options.collect is None
        else CollectingDataset(
            options.collect, partial(open_collecting_finder, options.face_model)
        ),
        history=history,
        costs=costs,
    )
    server = CountingServer(
        server_config(build_app(parts)),
        listener,
        TlsEntry(context, access.is_host) if context else None,
        partial(keeper.keep, partial(lan_url, port)) if keeper else None,
    )
    if not options.is_lan:
        return WebScreen(server, listener, parts, _url(options, address, port, access.token))
    url = lan_url(port, keeper.host if keeper else find_host_names())
    screen = WebScreen(server, listener, parts, url)
    password = options.password if options.is_password_made else None
    invite(url, keeper.certificate if keeper else None, password)
    return screen


def lan_url(port: int, host: HostNames) -> str:
    """Return the address that other devices open; it holds no key."""
    return f"https://{host.names[-1] if host.is_alone else host.addresses[0]}:{port}/"


def server_config(app: ASGIApp) -> Config:
    """Return uvicorn's configuration for an application behind its `AccessMiddleware`."""
    return Config(
        app,
        http="h11",
        ws=CountedSocket,
        ws_max_size=_MESSAGE_BYTES,
        # Pictures do not shrink, and what unpacks may unpack to anything.
        ws_per_message_deflate=False,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=_HEADER_BYTES,
    )


def _bind(options: WebOptions, address: Address) -> socket.socket:
    # With its protocol named, or asyncio would leave small answers waiting for more (Nagle).
    listener = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listener.bind((address.ip, options.port))
        listener.listen(_BACKLOG)
    except OSError as fault:
        listener.close()
        raise EnvironmentProblemError(_explain_bind(options, fault)) from fault
    return listener


def _explain_bind(options: WebOptions, fault: OSError) -> str:
    where = f"{options.host}:{options.port}"
    if fault.errno == errno.EADDRINUSE:
        return (
            f"Port {options.port} is in use by another program. Use --port 0 for a free one, or "
            f"name another."
        )
    if fault.errno == errno.EACCES:
        return f"{where}: only an administrator may use this port. Use --port 8000, or --port 0."
    if fault.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address. Use --host 127.0.0.1."
    return f"{where} cannot be used ({fault.strerror}). Use --host 127.0.0.1 --port 0."


def _load_certificate(options: WebOptions) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password of its own: OpenSSL would ask the terminal.
        context.load_cert_chain(options.certificate, options.key, password="")
    except (OSError, ValueError) as fault:
        raise EnvironmentProblemError(
            f"{options.certificate} and {options.key} cannot be used for TLS ({fault}). Give two "
            f"PEM files that belong together, the key without a password."
        ) from fault
    return context


def _url(options: WebOptions, address: Address, port: int, token: str) -> str:
    host = socket.gethostname() if address.is_any else address.ip
    if ":" in host:
        host = f"[{host}]"
    return f"{'https' if options.has_tls else 'http'}://{host}:{port}/?token={token}"


def _report_fault(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Report a fault outside of any request; lost and garbled connections are left out."""
    fault = context.get("exception")
    if not isinstance(fault, OSError):
        say(f"web: {context.get('message')}: {fault!r}")
