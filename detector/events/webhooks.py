"""Alarms posted to an address on the network."""

import base64
import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from detector.events.alarm_actions import Alarm
from maskage.addresses import find_port, find_target, public_url, split_address
from maskage.errors import EnvironmentProblemError

TIMEOUT_S = 5.0
"""Longest time from connecting to the whole answer."""

BACKOFF_S = (0.5, 2.0, 5.0)
"""Pauses before further tries: a server that is started anew is back by then."""
MOST_PAUSE_S = 30.0
"""Longest pause, even if a server asks for a longer one."""

_LATER = frozenset((408, 425, 429))
"""Answers of 400 and more that may be others a moment later (RFC 9110, 8470, 6585)."""


class _RefusedError(EnvironmentProblemError):
    """An answer that is no success.

    Attributes:
        is_final: Another try would get the same answer.
        pause_s: Pause that the server asks for, in seconds.
    """

    def __init__(self, status: int, retry_after: str | None) -> None:
        answer = f"HTTP {status} ({http.client.responses.get(status, 'unknown')})"
        hint = ", which sends on elsewhere: name that address" if 300 <= status < 400 else ""
        super().__init__(f"the answer is {answer}{hint}")
        self.is_final = status < 500 and status not in _LATER
        self.pause_s = read_retry_after(retry_after)


class WebhookAction:
    """An address that gets each alarm as JSON: straight, past proxies, without redirects.

    Args:
        url: http:// or https://, checked by `alarm_options`; may hold name and password.
        timeout_s: Longest time of each try, in seconds.
        backoff_s: Pauses before further tries, in seconds.
    """

    def __init__(
        self, url: str, timeout_s: float = TIMEOUT_S, backoff_s: tuple[float, ...] = BACKOFF_S
    ) -> None:
        shown = urlsplit(public_url(url))
        # Many services put the secret into the path.
        self.name = f"--webhook {shown.scheme}://{shown.netloc}/..."
        self._parts = split_address(url)
        self._timeout_s = timeout_s
        self._backoff_s = backoff_s
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def carry_out(self, alarm: Alarm) -> None:
        """See `Action`."""
        for pause_s in self._backoff_s:
            try:
                return self._post(alarm.to_json())
            except _RefusedError as fault:
                if fault.is_final or self._stopping.wait(max(pause_s, fault.pause_s)):
                    raise
            except EnvironmentProblemError:
                if self._stopping.wait(pause_s):
                    raise
        return self._post(alarm.to_json())

    def stop(self) -> None:
        """See `Action`."""
        self._stopping.set()
        self._hang_up()

    def _post(self, body: bytes) -> None:
        until_s = time.monotonic() + self._timeout_s
        connection = self._connection = self._connect()
        # The time-out of a socket begins anew with every byte that trickles in.
        deadline = threading.Timer(self._timeout_s, self._hang_up)
        deadline.daemon = True
        deadline.start()
        try:
            connection.connect()
            # `_hang_up` may have come before there was a socket.
            if self._stopping.is_set() or time.monotonic() >= until_s:
                raise TimeoutError
            connection.request("POST", find_target(self._parts), body, self._headers())
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as fault:
            if self._stopping.is_set():
                reason = "no answer until the end"
            elif time.monotonic() >= until_s:
                reason = f"no answer within {self._timeout_s:g} s"
            else:
                reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
            raise EnvironmentProblemError(reason) from fault
        finally:
            deadline.cancel()
            connection.close()
        if not 200 <= answer.status < 300:
            raise _RefusedError(answer.status, answer.headers.get("Retry-After"))

    def _connect(self) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        host, port = self._parts.hostname or "", find_port(self._parts)
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "maskage"}
        if self._parts.username is not None:
            pair = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return headers

    def _hang_up(self) -> None:
        """End the present try, from another thread."""
        line = self._connection.sock if self._connection else None
        if line is not None:
            # Not `line.shutdown`: on TLS that takes the cipher from under the thread that reads.
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


def read_retry_after(text: str | None, now: datetime | None = None) -> float:
    """Return the seconds that a `Retry-After` header asks for, at most `MOST_PAUSE_S`.

    Args:
        text: The header: seconds or a date (RFC 9110, 10.2.3); None or another text gives 0.
        now: The present moment, by default that of the clock.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        return min(MOST_PAUSE_S, float(text))
    try:
        at = parsedate_to_datetime(text)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError):
        # No date, or one without its time zone.
        return 0.0
    return min(MOST_PAUSE_S, max(0.0, seconds))
