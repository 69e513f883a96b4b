"""The web server, in a thread of its own beside the live loop in the main thread."""

import asyncio
import errno
import socket
import ssl
import threading

import uvicorn
from uvicorn.config import Config

from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command, CommandDesk
from detector.web.access.connections import Connection, ConnectionLimits, accept_connections
from detector.web.access.protocol import TimedProtocol
from detector.web.access.rules import Access
from detector.web.app import WebParts, build_app
from detector.web.classify import PictureClassifier
from detector.web.history.routes import History
from detector.web.options import Address, WebOptions, resolve_address
from detector.web.threshold_costs import ThresholdCosts
from detector.web.views.hub import ViewHub
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError

START_TIMEOUT_S = 15.0
_GRACE_S = 1
_HEADER_BYTES = 16_384
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
        self, server: "_Server", listener: socket.socket, parts: WebParts, url: str
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

    def show(self, view: LiveView) -> None:
        """Hand the view to whoever watches; this costs microseconds."""
        if self._parts.hub is not None:
            self._parts.hub.put(view)

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


class _Server(uvicorn.Server):
    """uvicorn's server, which counts connections and reports when it is ready.

    Args:
        config: uvicorn's configuration.
        listener: The bound socket; closed by the caller.
        tls: For HTTPS.

    Attributes:
        ready: Set once it accepts connections.
    """

    def __init__(self, config: Config, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._listener, self._tls = listener, tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        accepting = accept_connections(
            self._listener, ConnectionLimits(), self._make_protocol, self._tls
        )
        self._accepting = asyncio.create_task(accepting)
        self._accepting.add_done_callback(self._note_end)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._accepting.cancel()
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
    history: History | None = None,
    costs: ThresholdCosts | None = None,
) -> WebScreen:
    """Start to serve the page.

    Args:
        options: Where it is served, and what protects it.
        classifier: For pictures that are sent; closed with the screen.
        scheme: The classes of the model.
        desk: Where commands go; None without a camera.
        history: What the page lists as kept; None for no such list.
        costs: What the page says a threshold costs; None if unknown.

    Raises:
        UsageError: Other machines could reach it without TLS and a password.
        EnvironmentProblemError: The port is taken, the address is not this machine's, or the
            certificate cannot be used.
    """
    address = resolve_address(options)
    tls = _load_certificate(options)
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
        history=history,
        costs=costs,
    )
    config = Config(
        build_app(parts),
        http="h11",
        ws="none",
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
    return WebScreen(
        _Server(config, listener, tls), listener, parts, _url(options, address, port, access.token)
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
