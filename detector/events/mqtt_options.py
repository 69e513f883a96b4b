"""The options for MQTT: where the broker is, and how to log in there."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from maskage.addresses import split_address
from maskage.errors import CameraError, UsageError
from maskage.security.secret_file import read_secret

PASSWORD_VARIABLE = "DETECTOR_MQTT_PASSWORD"
DEFAULT_PREFIX = "maskage"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_WRITE_IT_LIKE = "Write it like mqtt://USER@HOST:1883/PREFIX, or mqtts:// for TLS."
_MOST_PREFIX = 100


@dataclass(frozen=True)
class MqttOptions:
    """A broker, and the place of everything that is published there.

    Attributes:
        host: Its name or address.
        port: Its port.
        has_tls: It is reached by TLS, with a certificate that this machine trusts.
        user: Name to log in with; None for nobody's.
        password: Password of that user, or None.
        prefix: Beginning of every topic, such as "maskage" or "house/door".
    """

    host: str
    port: int
    has_tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str = DEFAULT_PREFIX

    @property
    def name(self) -> str:
        """The address as it may be shown: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.has_tls else ''}://{host}:{self.port}/{self.prefix}"


def add_mqtt_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; `read_mqtt_options` reads them."""
    group = parser.add_argument_group(
        "MQTT", "Publish events, the state and alarms to a broker, where Home Assistant finds them."
    )
    group.add_argument(
        "--mqtt",
        metavar="URL",
        help="mqtt://USER@HOST/PREFIX, or mqtts:// for TLS; PREFIX begins every topic (default: "
        f"{DEFAULT_PREFIX}); the password is never part of it",
    )
    group.add_argument(
        "--mqtt-password-file",
        type=Path,
        metavar="FILE",
        help=f"its first line is the password; or set {PASSWORD_VARIABLE}",
    )


def read_mqtt_options(
    arguments: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> MqttOptions | None:
    """Return what the options of `add_mqtt_options` ask for, or None without `--mqtt`.

    Raises:
        UsageError: The address or the password file is not usable.
    """
    file: Path | None = arguments.mqtt_password_file
    if arguments.mqtt is None:
        if file is not None:
            raise UsageError(f"--mqtt-password-file is for --mqtt. Add it. {_WRITE_IT_LIKE}")
        return None
    environment = os.environ if environment is None else environment
    password = read_secret("MQTT password", file, PASSWORD_VARIABLE, environment)
    return parse_mqtt_url(arguments.mqtt, password)


def parse_mqtt_url(url: str, password: str | None = None) -> MqttOptions:
    """Return the broker that an address names.

    Raises:
        UsageError: It is not valid, or holds a password. The message does not repeat the address.
    """
    try:
        parts = split_address(url)
    except CameraError:
        # Its message is about cameras; what was given may hold a password.
        raise UsageError(f"--mqtt: the address cannot be read. {_WRITE_IT_LIKE}") from None
    if parts.scheme not in _PORTS:
        raise UsageError(f"--mqtt takes mqtt:// or mqtts://, not {parts.scheme}://.")
    if parts.password is not None:
        raise UsageError(
            f"--mqtt: every user of this machine can read a password that stands in the address. "
            f"Write it into a file for --mqtt-password-file, or set {PASSWORD_VARIABLE}."
        )
    if parts.port == 0:
        raise UsageError(f"--mqtt: there is no port 0. {_WRITE_IT_LIKE}")
    if parts.query or parts.fragment:
        raise UsageError(f"--mqtt takes no '?' and no '#'. {_WRITE_IT_LIKE}")
    user = None if parts.username is None else unquote(parts.username)
    if password is not None and not user:
        raise UsageError(
            f"--mqtt: there is a password, and the address names no user. {_WRITE_IT_LIKE}"
        )
    return MqttOptions(
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        has_tls=parts.scheme == "mqtts",
        user=user or None,
        password=password,
        prefix=_check_prefix(unquote(parts.path).strip("/") or DEFAULT_PREFIX),
    )


def _check_prefix(prefix: str) -> str:
    bad = sorted({letter for letter in prefix if letter in "+#" or not letter.isprintable()})
    if bad or prefix.startswith("$") or "//" in prefix or len(prefix) > _MOST_PREFIX:
        raise UsageError(
            f"--mqtt: the prefix {prefix[:_MOST_PREFIX]!r} cannot begin a topic. Use up to "
            f"{_MOST_PREFIX} letters and digits, with single '/' between them."
        )
    return prefix
