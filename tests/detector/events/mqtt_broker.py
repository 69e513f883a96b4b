"""A real MQTT broker on loopback, and a subscriber that keeps what it hears."""

import asyncio
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tests.detector.web.web_server import wait_until

USER, PASSWORD = "house", "a secret of the house"
_PLUGIN = "amqtt.plugins.authentication"


class RunningBroker:
    """A broker in a thread of its own, which only lets `USER` in.

    Args:
        folder: Where its password file is written.
        port: 0 takes a free one.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        file = folder / "passwords"
        file.write_text(f"{USER}:{PasswordHash((Argon2Hasher(),)).hash(PASSWORD)}\n")
        self._config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {f"{_PLUGIN}.FileAuthPlugin": {"password_file": str(file)}},
        }
        self.port = port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        """End it, as a crash does for those who are connected."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        broker: Any = Broker(self._config)
        await broker.start()
        self.port = broker._servers["default"].instance.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        await broker.shutdown()


class Heard:
    """What a subscriber to everything heard, newest last."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, bool]] = []

    def texts(self, topic: str) -> list[str]:
        """Return what came under a topic."""
        return [text for name, text, _ in list(self.messages) if name == topic]

    def last(self, topic: str) -> str | None:
        """Return what came last under a topic."""
        return next(iter(reversed(self.texts(topic))), None)

    def last_json(self, topic: str) -> Any:
        """Return the same, parsed; None where nothing came."""
        text = self.last(topic)
        return None if text is None else json.loads(text)

    def topics(self) -> set[str]:
        """Return all topics so far."""
        return {name for name, _, _ in list(self.messages)}


@contextmanager
def listening(port: int) -> Iterator[Heard]:
    """Subscribe to everything."""
    heard = Heard()
    ready = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, f"listener-{secrets.token_hex(4)}")
    client.username_pw_set(USER, PASSWORD)

    def note(_: Client, __: Any, message: MQTTMessage) -> None:
        heard.messages.append((message.topic, message.payload.decode(), message.retain))

    def subscribe(*_: Any) -> None:
        client.subscribe("#", 1)

    client.on_message = note
    client.on_connect = subscribe
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait_until(ready.is_set, 30)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()
