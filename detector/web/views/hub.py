"""The newest view, handed from the live loop to the server's clients.

The live loop puts a view and goes on; each client takes the newest when ready. Nothing queues.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

from detector.drawing.overlay import draw_result
from detector.screens.base import CameraFigures, LiveView
from detector.screens.camera_grid import compose_grid, empty_result
from detector.web.low_priority import lower_priority
from detector.web.views.counting import CountedSecond, FaceCounts
from maskage.classes.scheme import Scheme
from maskage.pictures.images import encode_jpeg

JPEG_QUALITY = 80
MOST_PICTURES_S = 30.0
"""A second; the eye needs no more, and each costs the live loop time."""


@dataclass(frozen=True, eq=False)
class NumberedView:
    """A view in the order of arrival.

    Attributes:
        number: Counts from 1.
        view: The view itself.
        put_s: When it was put, by `time.monotonic`.
    """

    number: int
    view: LiveView
    put_s: float


@dataclass(frozen=True, eq=False)
class LivePicture:
    """A drawn view, encoded.

    Attributes:
        number: The number of its view.
        jpeg: The encoded picture.
    """

    number: int
    jpeg: bytes


@dataclass(frozen=True)
class Totals:
    """Faces labelled since the start, frame by frame.

    Attributes:
        by_label: Faces with a sure label.
        unsure: Faces without one.
    """

    by_label: dict[str, int]
    unsure: int


Numbered = TypeVar("Numbered", NumberedView, LivePicture)

Shown = Literal["shown", "all"] | int
"""What a client watches: what the live view shows, all cameras, or the number of one."""


@dataclass(eq=False)
class _Channel:
    """What can be watched by itself.

    Attributes:
        newest: Its newest view; of all cameras one of them, which stands for the others.
        picture: The last one that was drawn.
        watchers: Clients that watch it.
    """

    newest: NumberedView | None = None
    picture: LivePicture | None = None
    watchers: int = 0

    @property
    def is_undrawn(self) -> bool:
        """True where somebody watches and the newest view has no picture yet."""
        if self.newest is None or not self.watchers:
            return False
        return self.picture is None or self.picture.number < self.newest.number


class ViewHub:
    """The newest view and its picture, and the clients that wait for the next.

    Args:
        scheme: The classes of the model.
        wall_clock: Seconds since the epoch, for the counts.

    Attributes:
        scheme: As given.
        on_result: Called with each view that has a new result, in the live loop's thread.
    """

    def __init__(self, scheme: Scheme, wall_clock: Callable[[], float] = time.time) -> None:
        self.scheme = scheme
        self.on_result: Callable[[LiveView], None] = lambda view: None
        self._changed = threading.Condition()
        self._channels: dict[Shown, _Channel] = {"shown": _Channel(), "all": _Channel()}
        self._waiting = 0
        self._announced = 0
        self._is_closed = False
        self._counts = FaceCounts(scheme, wall_clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self._encoder = threading.Thread(target=self._serve_views, name="web-pictures", daemon=True)
        self._encoder.start()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop whose clients are to be woken; before any of them waits."""
        with self._changed:
            self._loop = loop

    @property
    def is_closed(self) -> bool:
        """True once the program ends, and with it every stream."""
        return self._is_closed

    @property
    def has_clients(self) -> bool:
        """True while somebody waits for the next view or picture."""
        return self._waiting > 0

    @property
    def newest(self) -> NumberedView | None:
        """The last view that was put; None before the first."""
        return self._channels["shown"].newest

    @property
    def picture(self) -> LivePicture | None:
        """The last picture of what is shown; None before the first."""
        return self._channels["shown"].picture

    @property
    def cameras(self) -> tuple[CameraFigures, ...]:
        """The figures of every watched camera; empty before the first view."""
        return self.newest.view.cameras if self.newest else ()

    def put(self, view: LiveView) -> None:
        """Store the newest view; called in the live loop's thread.

        It costs microseconds: nothing here calls the operating system, which would let another
        thread take Python's lock for 5 ms. The hub's own thread wakes the server's clients.
        """
        with self._changed:
            last = self.newest
            # Of several cameras `keep` counts the faces, shown or not.
            if len(view.cameras) <= 1 and (last is None or last.view.result is not view.result):
                self._counts.add(view.result.faces)
                self.on_result(view)
            self._store(self._channels["shown"], view)

    def keep(self, view: LiveView) -> None:
        """Store the newest view of one of several cameras, shown or not; costs as little."""
        with self._changed:
            channel = self._channels.setdefault(view.result.camera, _Channel())
            is_new = channel.newest is None or channel.newest.view.result is not view.result
            if is_new and view.counts.frames:
                self._counts.add(view.result.faces)
                self.on_result(view)
            self._store(channel, view)
            self._store(self._channels["all"], view)

    def _store(self, channel: _Channel, view: LiveView) -> None:
        number = channel.newest.number + 1 if channel.newest else 1
        channel.newest = NumberedView(number, view, time.monotonic())
        if channel.watchers or self._waiting:
            self._changed.notify_all()

    def close(self) -> None:
        """End every stream."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._wake()
        self._encoder.join(timeout=5)

    def seconds(self) -> list[CountedSecond]:
        """Return the faces of the last minutes, second by second."""
        with self._changed:
            return self._counts.seconds()

    def totals(self) -> Totals:
        """Return the number of faces labelled so far."""
        with self._changed:
            return Totals(dict(self._counts.by_label), self._counts.unsure)

    @contextmanager
    def watching(self, shown: Shown = "shown") -> Iterator[None]:
        """Draw and encode views for as long as the context is open."""
        with self._changed:
            channel = self._channels.setdefault(shown, _Channel())
            if not channel.watchers:
                # It was drawn when somebody last watched, which may be long ago.
                channel.picture = None
            channel.watchers += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                channel.watchers -= 1

    def newest_of(self, shown: Shown) -> NumberedView | None:
        """Return the newest view of what a client watches; None before the first."""
        return self._channels.setdefault(shown, _Channel()).newest

    async def wait_for_view(self, after: int, timeout_s: float) -> NumberedView | None:
        """Return a view newer than number `after`; None after the timeout or at the end."""
        return await self._wait(lambda: self.newest, after, timeout_s)

    async def wait_for_picture(
        self, after: int, timeout_s: float, shown: Shown = "shown"
    ) -> LivePicture | None:
        """Return a picture newer than number `after`, like `wait_for_view`; inside `watching`."""
        channel = self._channels[shown]
        return await self._wait(lambda: channel.picture, after, timeout_s)

    async def _wait(
        self, newest: Callable[[], Numbered | None], after: int, timeout_s: float
    ) -> Numbered | None:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    # Taken before `newest()`: a view that comes in between sets this very event.
                    event = self._event
                    # Read before `newest()` too, which may return the last view of all.
                    is_closed, found = self._is_closed, newest()
                    if found is not None and found.number > after:
                        return found
                    if is_closed:
                        return None
                    await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._changed:
                self._waiting -= 1
        return None

    def _wake(self) -> None:
        """Have the event loop wake its clients."""
        loop = self._loop
        if loop is not None:
            # A loop that is closed has no clients left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake_clients)

    def _wake_clients(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    def _serve_views(self) -> None:
        """Wake clients for new views, and draw the views where somebody watches."""
        lower_priority()
        while (channels := self._take_next()) is not None:
            started_s = time.monotonic()
            self._wake()
            if not channels:
                continue
            for channel in channels:
                self._draw(channel)
            rest_s = started_s + 1 / MOST_PICTURES_S - time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, max(0.0, rest_s))

    def _draw(self, channel: _Channel) -> None:
        taken = channel.newest
        assert taken is not None
        view = self._compose_all(taken.view) if channel is self._channels["all"] else taken.view
        drawn = draw_result(view.result, view.readout, is_mirrored=view.is_mirrored)
        channel.picture = LivePicture(taken.number, encode_jpeg(drawn, JPEG_QUALITY))
        self._wake()

    def _compose_all(self, base: LiveView) -> LiveView:
        """Return a view of all cameras from the newest of each."""
        with self._changed:
            kept = [self._channels.get(each.number, _Channel()).newest for each in base.cameras]
        results = [numbered.view.result if numbered else None for numbered in kept]
        return compose_grid(
            [
                result or empty_result(self.scheme, each.number, each.name)
                for result, each in zip(results, base.cameras, strict=True)
            ],
            base,
        )

    def _take_next(self) -> list[_Channel] | None:
        """Return what is to be drawn, once a client waits or watches; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._has_news())
            if self._is_closed:
                return None
            self._announced = self.newest.number if self.newest else 0
            return self._undrawn()

    def _has_news(self) -> bool:
        newest = self.newest
        is_announced = newest is None or newest.number <= self._announced
        return (self._waiting > 0 and not is_announced) or bool(self._undrawn())

    def _undrawn(self) -> list[_Channel]:
        return [channel for channel in self._channels.values() if channel.is_undrawn]
