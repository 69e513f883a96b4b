"""Events, the state and alarms published to an MQTT broker, by threads that hold up no frame.

The frame loop leaves its newest frame here and goes on. A broker that is away is reported once and
tried again; what happened meanwhile is not made up for, except that an alarm waits for a while.
"""

import json
import math
import secrets
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from detector.events.alarm_actions import Alarm
from detector.events.alarm_options import AlarmSettings
from detector.events.events import event_of
from detector.events.mqtt_options import PASSWORD_VARIABLE, MqttOptions
from detector.events.mqtt_topics import OFFLINE, ONLINE, Message, Topics, describe_state
from detector.tracking.pipeline import FrameResult
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.installation import explain_install
from maskage.outside_text import shown_text

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

EVENT_PAUSE_S = 0.1
"""Least time between two events of a camera: ten a second, as in a browser."""
STATE_PAUSE_S = 0.5
"""Least time between two states of a camera."""
STATE_BEAT_S = 10.0
"""Longest time between two states of a camera that gives pictures."""
AWAY_AFTER_S = 10.0
"""Time without a picture after which a camera counts as away."""
ALARM_TIMEOUT_S = 30.0
"""Longest time that an alarm waits for the broker."""
CLOSE_S = 2.0

_CONNECT_TIMEOUT_S = 5.0
_KEEPALIVE_S = 30
_RECONNECT_S = (1, 30)
_POLL_S = 0.1


@dataclass
class _Source:
    """What one camera was last heard of, and what was published of it."""

    result: FrameResult | None = None
    taken_s: float = -math.inf
    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    is_new: bool = False
    is_greeted: bool = False
    is_available: bool | None = None
    event_s: float = -EVENT_PAUSE_S
    state_s: float = -STATE_BEAT_S
    state: dict[str, Any] | None = None

    @property
    def fps(self) -> float:
        """Frames a second lately; 0 for unknown."""
        if len(self.times_s) < 2 or self.times_s[-1] <= self.times_s[0]:
            return 0.0
        return (len(self.times_s) - 1) / (self.times_s[-1] - self.times_s[0])


class MqttPublisher(ClosingMixin):
    """A connection to a broker, which is kept up for as long as this is open.

    Args:
        options: The broker.
        scheme: The classes of the model.
        settings: The alarms; None for none.
        report: Gets a message when the broker goes and when it comes back, from another thread.

    Attributes:
        alarms: The action that publishes alarms.

    Raises:
        EnvironmentProblemError: The extra `mqtt` is not installed.
    """

    def __init__(
        self,
        options: MqttOptions,
        scheme: Scheme,
        settings: AlarmSettings | None = None,
        report: Callable[[str], None] = say,
    ) -> None:
        self._topics = Topics(options.prefix, scheme, settings)
        self._options = options
        self._report = report
        self._sources: dict[str, _Source] = {}
        self._lock = threading.Lock()
        self._connected = threading.Event()
        self._closing = threading.Event()
        self._needs_greeting = False
        self._is_reported = False
        self._client = self._make_client()
        self.alarms = MqttAlarms(self, settings)
        self._client.connect_async(options.host, options.port, _KEEPALIVE_S)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._work, name="mqtt", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The address of the broker as it may be shown."""
        return self._options.name

    @property
    def is_connected(self) -> bool:
        """True while the broker takes messages."""
        return self._connected.is_set()

    def announce(self, source: str) -> None:
        """Publish that there is a camera; it counts as away until its first frame."""
        with self._lock:
            self._sources.setdefault(source, _Source())

    def update(self, result: FrameResult, source: str) -> None:
        """Take in the next frame of a camera; never waits."""
        now_s = time.monotonic()
        with self._lock:
            entry = self._sources.setdefault(source, _Source())
            entry.result, entry.taken_s, entry.is_new = result, now_s, True
            entry.times_s.append(now_s)

    def send_alarm(
        self, alarm: Alarm, rule: str, until_s: float, stopping: threading.Event
    ) -> None:
        """Publish an alarm, and wait until the broker has it.

        Args:
            alarm: The alarm.
            rule: What raised it.
            until_s: When to give up, by `time.monotonic`.
            stopping: Set when to give up at once.

        Raises:
            EnvironmentProblemError: The broker is away, or the program ends.
        """
        with self._lock:
            messages = self._topics.alarm_messages(alarm.source, rule, alarm.to_json().decode())
        while not self._connected.wait(_POLL_S):
            if stopping.is_set() or time.monotonic() >= until_s:
                raise EnvironmentProblemError("the broker is away")
        sent = [self._publish(message, qos=1) for message in messages]
        while not all(info.is_published() for info in sent):
            if stopping.wait(_POLL_S / 10) or time.monotonic() >= until_s:
                raise EnvironmentProblemError("the broker does not confirm it")

    def close(self) -> None:
        """Say that the program has ended, and hang up."""
        self._closing.set()
        self._thread.join(CLOSE_S)
        if self._connected.is_set():
            self._say_farewell()
        self._client.disconnect()
        # It joins a thread that may still be looking a host's name up.
        stopper = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopper.start()
        stopper.join(CLOSE_S)

    def _make_client(self) -> "Client":
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
        except ImportError as fault:
            raise EnvironmentProblemError(
                f"--mqtt needs the package paho-mqtt. Install it with {explain_install('mqtt')}."
            ) from fault
        options = self._options
        client = Client(
            CallbackAPIVersion.VERSION2,
            f"maskage-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        if options.user is not None:
            client.username_pw_set(options.user, options.password)
        if options.has_tls:
            client.tls_set_context(ssl.create_default_context())
        client.will_set(self._topics.status, OFFLINE, qos=1, retain=True)
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.reconnect_delay_set(*_RECONNECT_S)
        client.on_connect = self._note_connect
        client.on_connect_fail = self._note_failure
        client.on_disconnect = self._note_disconnect
        return client

    def _note_connect(self, *given: Any) -> None:
        reason = given[3]
        if reason.is_failure:
            self._report_away(
                f"it refuses us ({shown_text(reason)}). Check the user in --mqtt, and the password "
                f"in --mqtt-password-file or {PASSWORD_VARIABLE}"
            )
            return
        with self._lock:
            self._needs_greeting = True
        self._connected.set()
        if self._is_reported:
            self._is_reported = False
            self._report(f"MQTT: {self.name} is back.")

    def _note_failure(self, *_: Any) -> None:
        # It is called where the fault is handled, and is not given it.
        fault = sys.exception()
        reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
        self._report_away(shown_text(reason))

    def _note_disconnect(self, *_: Any) -> None:
        was_connected = self._connected.is_set()
        self._connected.clear()
        if was_connected and not self._closing.is_set():
            self._report_away("the connection is lost")

    def _report_away(self, reason: str) -> None:
        """Report once that the broker is away."""
        if not self._is_reported and not self._closing.is_set():
            self._is_reported = True
            self._report(
                f"MQTT: {self.name} takes no messages: {reason}. All else goes on, and it is tried "
                f"again all the time."
            )

    def _publish(self, message: Message, qos: int = 0) -> "MQTTMessageInfo":
        from paho.mqtt.enums import MQTTErrorCode

        sent = self._client.publish(message.topic, message.text, qos, message.is_retained)
        if qos and sent.rc is MQTTErrorCode.MQTT_ERR_NO_CONN:
            # The connection was lost just before. The client keeps it until the broker is back, but
            # with this code `is_published` raises an error for ever.
            sent.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        return sent

    def _work(self) -> None:
        while not self._closing.wait(_POLL_S / 2):
            if self._connected.is_set():
                for message in self._due_messages(time.monotonic()):
                    self._publish(message)

    def _due_messages(self, now_s: float) -> list[Message]:
        """Return what is to be published now, and note that it is."""
        messages: list[Message] = []
        with self._lock:
            if self._needs_greeting:
                self._needs_greeting = False
                messages.append(Message(self._topics.status, ONLINE, is_retained=True))
                for entry in self._sources.values():
                    entry.is_greeted, entry.is_available, entry.state = False, None, None
            for source, entry in self._sources.items():
                messages += self._messages_of(source, entry, now_s)
        return messages

    def _messages_of(self, source: str, entry: _Source, now_s: float) -> list[Message]:
        messages: list[Message] = []
        if not entry.is_greeted:
            entry.is_greeted = True
            messages += self._topics.discovery_messages(source)
        is_available = now_s - entry.taken_s <= AWAY_AFTER_S
        if is_available is not entry.is_available:
            entry.is_available = is_available
            text = ONLINE if is_available else OFFLINE
            messages.append(
                Message(self._topics.of(source, "availability"), text, is_retained=True)
            )
        if entry.result is None or not entry.is_new:
            return messages
        if now_s - entry.event_s >= EVENT_PAUSE_S:
            entry.event_s, entry.is_new = now_s, False
            event = {"source": shown_text(source), **event_of(entry.result)}
            messages.append(Message(self._topics.of(source, "event"), json.dumps(event)))
        state = describe_state(entry.result)
        pause_s = STATE_BEAT_S if state == entry.state else STATE_PAUSE_S
        if now_s - entry.state_s >= pause_s or entry.state is None:
            entry.state_s, entry.state = now_s, state
            messages.append(self._topics.state_message(source, entry.result, entry.fps))
        return messages

    def _say_farewell(self) -> None:
        with self._lock:
            topics = [self._topics.of(source, "availability") for source in self._sources]
        until_s = time.monotonic() + CLOSE_S
        sent = [
            self._publish(Message(topic, OFFLINE, is_retained=True), qos=1)
            for topic in (*topics, self._topics.status)
        ]
        while not all(info.is_published() for info in sent) and time.monotonic() < until_s:
            time.sleep(_POLL_S / 10)


class MqttAlarms:
    """The action that publishes alarms; a `detector.events.alarm_actions.Action`.

    Args:
        publisher: Sends them.
        settings: The alarms; None for none.
        timeout_s: Longest time that one waits for the broker, in seconds.
    """

    def __init__(
        self,
        publisher: MqttPublisher,
        settings: AlarmSettings | None,
        timeout_s: float = ALARM_TIMEOUT_S,
    ) -> None:
        self.name = f"--mqtt {publisher.name}"
        self._publisher = publisher
        self._settings = settings
        self._timeout_s = timeout_s
        self._stopping = threading.Event()

    def carry_out(self, alarm: Alarm) -> None:
        """See `Action`."""
        rule = self._settings.rule_of(alarm.label) if self._settings else alarm.label
        until_s = time.monotonic() + self._timeout_s
        self._publisher.send_alarm(alarm, rule, until_s, self._stopping)

    def stop(self) -> None:
        """See `Action`."""
        self._stopping.set()
