"""The topics and messages of MQTT, and what Home Assistant is told of them.

PREFIX/status                    online or offline (also when the program is killed); retained
PREFIX/SOURCE/availability       the same of one camera; retained
PREFIX/SOURCE/state              faces in its newest picture, by class; retained
PREFIX/SOURCE/event              each frame as in `--json`, ten a second at most
PREFIX/SOURCE/alarm              each alarm as JSON
PREFIX/SOURCE/alarm/RULE         ON for each alarm of that rule
homeassistant/.../config         discovery of all this; retained
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from detector.events.alarm_options import AlarmSettings
from detector.tracking.pipeline import FrameResult
from maskage.classes.scheme import Scheme
from maskage.installation import installed_version
from maskage.outside_text import shown_text

ONLINE, OFFLINE, ALARM_ON = "online", "offline", "ON"
DISCOVERY_PREFIX = "homeassistant"
"""Where Home Assistant looks for discovery, unless it was told otherwise."""

_NOT_IN_TOPIC = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Message:
    """A message to publish.

    Attributes:
        topic: Its topic.
        text: Its payload.
        is_retained: The broker keeps it for those who subscribe later.
    """

    topic: str
    text: str
    is_retained: bool = False


def topic_part(name: str, taken: Sequence[str] = ()) -> str:
    """Return a name as a part of a topic: lower case, digits and "_", and unlike `taken`."""
    part = _NOT_IN_TOPIC.sub("_", name.lower()).strip("_") or "x"
    unique, number = part, 2
    while unique in taken:
        unique, number = f"{part}_{number}", number + 1
    return unique


class Topics:
    """The topics of one program.

    Args:
        prefix: Beginning of every topic.
        scheme: The classes of the model.
        settings: The alarms; None for none.
    """

    def __init__(self, prefix: str, scheme: Scheme, settings: AlarmSettings | None) -> None:
        self.status = f"{prefix}/status"
        self._prefix = prefix
        self._scheme = scheme
        self._sources: dict[str, str] = {}
        self._cool_down_s = settings.cool_down_s if settings else 0.0
        self._rules: dict[str, str] = {}
        for _, rule in settings.rules if settings else ():
            if rule not in self._rules:
                self._rules[rule] = topic_part(rule, list(self._rules.values()))

    def of(self, source: str, *parts: str) -> str:
        """Return the topic of a camera, which keeps the part that it got first."""
        if source not in self._sources:
            self._sources[source] = topic_part(source, list(self._sources.values()))
        return "/".join((self._prefix, self._sources[source], *parts))

    def alarm_messages(self, source: str, rule: str, text: str) -> tuple[Message, Message]:
        """Return the two messages of an alarm: its JSON, and that its rule is on."""
        part = self._rules.get(rule) or topic_part(rule)
        return (
            Message(self.of(source, "alarm"), text),
            Message(self.of(source, "alarm", part), ALARM_ON),
        )

    def state_message(self, source: str, result: FrameResult, fps: float) -> Message:
        """Return the message of the faces in the newest picture."""
        return Message(
            self.of(source, "state"),
            json.dumps({**describe_state(result), "fps": round(fps, 1)}),
            is_retained=True,
        )

    def discovery_messages(self, source: str) -> Iterator[Message]:
        """Yield what Home Assistant is told of a camera: its counts, its alarms, its presence."""
        labels = self._scheme.labels
        state = {"state_topic": self.of(source, "state"), "state_class": "measurement"}
        parts: list[str] = []
        for at, label in enumerate(labels):
            # By number: a class may be called anything, and a template is code.
            template = {"value_template": f"{{{{ value_json.in_class_order[{at}] }}}}"}
            part = topic_part(label, parts)
            parts.append(part)
            named = {"name": shown_text(self._scheme.title(label)), "icon": "mdi:face-recognition"}
            yield self._discover(source, "sensor", part, {**state, **template, **named})
        for key, name in (("total", "faces"), ("unsure", "unsure faces")):
            template = {"value_template": f"{{{{ value_json.{key} }}}}", "name": name}
            yield self._discover(source, "sensor", topic_part(key, parts), {**state, **template})
        for rule, part in self._rules.items():
            alarm = {
                "name": f"alarm {shown_text(rule)}",
                "state_topic": self.of(source, "alarm", part),
                "json_attributes_topic": self.of(source, "alarm"),
                # Nothing says that it is over; a face that stays raises it again by then.
                "off_delay": max(1, round(self._cool_down_s)),
            }
            yield self._discover(source, "binary_sensor", f"alarm_{part}", alarm)
        camera = {
            "name": "camera",
            "device_class": "connectivity",
            "state_topic": self.of(source, "availability"),
            "payload_on": ONLINE,
            "payload_off": OFFLINE,
            "availability": [{"topic": self.status}],
        }
        yield self._discover(source, "binary_sensor", "camera", camera)

    def _discover(self, source: str, kind: str, part: str, fields: dict[str, Any]) -> Message:
        device = topic_part(f"{self._prefix} {self._sources[source]}")
        available = [{"topic": self.status}, {"topic": self.of(source, "availability")}]
        config = {
            "unique_id": f"{device}_{part}",
            "availability": available,
            "availability_mode": "all",
            "device": {"identifiers": [device], "name": shown_text(source), "model": "maskage"},
            "origin": {"name": "maskage", "sw_version": installed_version()},
            **fields,
        }
        topic = f"{DISCOVERY_PREFIX}/{kind}/{device}/{part}/config"
        return Message(topic, json.dumps(config), is_retained=True)


def describe_state(result: FrameResult) -> dict[str, Any]:
    """Return the faces of a picture, counted: in all, unsure, and by the label of the sure ones."""
    sure = [face.label for face in result.faces if face.is_sure]
    counts = [sure.count(label) for label in result.scheme.labels]
    return {
        "total": len(result.faces),
        "unsure": len(result.faces) - len(sure),
        "counts": dict(zip(result.scheme.labels, counts, strict=True)),
        "in_class_order": counts,
    }
