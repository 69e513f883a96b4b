"""The options of the web server on the command line."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import require_positive
from maskage.errors import UsageError

if TYPE_CHECKING:
    from detector.web.options import WebOptions

NAMES = frozenset(("host", "port", "lan", "tls_cert", "tls_key", "password_file", "host_name",
                   "allow_frame", "session_hours"))  # fmt: skip
"""Names of the options, as `argparse` keeps them."""

_ANY = "0.0.0.0"
_DEFAULT_HOST = "127.0.0.1"


def add_web_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the web server to a command."""
    group = parser.add_argument_group("in a browser (--web, serve)")
    group.add_argument("--lan", action="store_true",
                       help="serve phones and computers of this network over HTTPS, with a "
                       "password: makes a certificate, shows a QR code")  # fmt: skip
    group.add_argument("--host", default=_DEFAULT_HOST, metavar="ADDRESS",
                       help="where to listen (default: 127.0.0.1); another one needs TLS and a "
                       "password")  # fmt: skip
    group.add_argument("--port", type=int, default=8000, metavar="N",
                       help="0 takes a free one (default: 8000)")  # fmt: skip
    group.add_argument("--tls-cert", type=Path, metavar="PEM", help="certificate")
    group.add_argument("--tls-key", type=Path, metavar="PEM", help="its private key")
    group.add_argument("--password-file", type=Path, metavar="FILE",
                       help="its first line is the password; or set DETECTOR_PASSWORD")  # fmt: skip
    group.add_argument("--host-name", action="append", default=[], metavar="NAME",
                       help="another name that this machine is called by")  # fmt: skip
    group.add_argument("--allow-frame", action="append", default=[], metavar="ORIGIN",
                       help="a page that may show this one in a frame, such as "
                       "https://home.example:8123; repeatable")  # fmt: skip
    group.add_argument("--session-hours", type=float, default=168.0, metavar="N",
                       help="hours after which a visitor logs in again (default: 168)")  # fmt: skip


def read_web_options(arguments: argparse.Namespace) -> "WebOptions":
    """Return the settings of the web server; with --lan a password is asked for, or made.

    Raises:
        UsageError: An option that does not go with the others, or a value that cannot be.
    """
    from detector.web.options import MOST_SESSION_HOURS, WebOptions, read_password

    require_positive("--session-hours", arguments.session_hours)
    if arguments.session_hours > MOST_SESSION_HOURS:
        raise UsageError(
            f"--session-hours is {MOST_SESSION_HOURS} at most, which is a year; found "
            f"{arguments.session_hours:g}."
        )
    if arguments.lan:
        _check_lan(arguments)
    collect = getattr(arguments, "collect", None)
    if collect is not None and collect.exists() and not collect.is_dir():
        raise UsageError(f"--collect takes the folder of a dataset; {collect} is no folder.")
    password, is_made = read_password(arguments.password_file), False
    if arguments.lan and password is None:
        from detector.web.lan.password import ask_password, make_password

        password = ask_password()
        is_made = password is None
        password = password or make_password()
    return WebOptions(
        host=_ANY if arguments.lan else arguments.host,
        port=arguments.port,
        certificate=arguments.tls_cert,
        key=arguments.tls_key,
        password=password,
        is_password_made=is_made,
        token=os.environ.get("DETECTOR_TOKEN") or None,
        names=tuple(arguments.host_name),
        session_s=arguments.session_hours * 3600,
        frame_origins=tuple(arguments.allow_frame),
        is_lan=arguments.lan,
        collect=collect,
        face_model=arguments.face_model,
    )


def _check_lan(arguments: argparse.Namespace) -> None:
    if not arguments.web:
        raise UsageError("--lan serves a page, which needs --web. Add it, or leave --lan out.")
    if arguments.host != _DEFAULT_HOST:
        raise UsageError(
            f"--lan listens on every address of this machine, and --host {arguments.host} on one. "
            f"Leave one of them out."
        )
