"""`detector live` and `detector serve`: their options, and the request that they make."""

import argparse
from pathlib import Path

from detector.events.alarm_options import add_alarm_options, read_alarm_rules
from detector.events.mqtt_options import add_mqtt_options, read_mqtt_options
from detector.options import (
    add_event_options,
    add_frames_option,
    add_strange_above,
    print_summary,
    require_one_stdout,
    require_strange_above,
)
from detector.web.arguments import NAMES as WEB_OPTIONS
from detector.web.arguments import add_web_options, read_web_options
from maskage.commands.options import (
    add_demo_seed,
    add_face_model,
    add_model,
    add_source,
    add_who,
    require_positive,
    require_share,
)
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say
from maskage.dataset.consent import SELF_SUBJECT, check_subject
from maskage.defaults import DEFAULT_DATA
from maskage.errors import UsageError

_WITHOUT_CAMERA = {"no_camera", "web", "model", "face_model", "collect", *WEB_OPTIONS}


def _add_live_options(parser: CommandParser) -> None:
    from detector.screens.commands import PLAIN_KEYS

    parser.epilog = (
        f"Keys: {PLAIN_KEYS}, and a class's own key (1-4 for the four classes): its right label. "
        f"The key ? shows those of the model."
    )
    where = parser.add_argument_group("where it is shown").add_mutually_exclusive_group()
    where.add_argument("--window", action="store_true", help="show it in a window")
    where.add_argument("--terminal", action="store_true", help="show it in this terminal")
    where.add_argument("--web", action="store_true", help="show it in a browser")
    where.add_argument(
        "--headless", action="store_true", help="show no picture, print changes line by line"
    )
    _add_watch_options(parser)


def _add_serve_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--no-camera", action="store_true", help="classify posted pictures, watch nothing"
    )
    parser.add_argument(
        "--collect",
        type=Path,
        nargs="?",
        const=DEFAULT_DATA,
        metavar="DATA",
        help="let visitors photograph into a dataset, at /collect; without --source it watches no "
        f"camera, and needs no model (default: {DEFAULT_DATA})",
    )
    parser.set_defaults(web=True)
    _add_watch_options(parser)


def _run_serve(arguments: argparse.Namespace) -> int:
    if not arguments.no_camera and not (arguments.collect and not arguments.source):
        return _watch(arguments)
    parser = SERVE.make_parser("detector serve")
    _refuse_with_no_camera(arguments, parser)
    from detector.web.serving import serve_pictures

    web = read_web_options(arguments)
    serve_pictures(
        arguments.model, arguments.face_model, web, lambda url: say(f"Open {url} (Ctrl-C ends it)")
    )
    return 0


def _refuse_with_no_camera(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options that have no meaning without a camera.

    Raises:
        UsageError: One is given.
    """
    for name, value in vars(arguments).items():
        if name not in _WITHOUT_CAMERA and value != parser.get_default(name):
            option = "--self" if name == "is_self" else f"--{name.replace('_', '-')}"
            if arguments.no_camera:
                raise UsageError(
                    f"{option} needs a camera, and --no-camera opens none. Leave one of them out."
                )
            raise UsageError(
                f"{option} needs a camera, and --collect without --source opens none. Add "
                f"--source, or leave {option} out."
            )


def _add_watch_options(parser: CommandParser) -> None:
    _add_source_options(parser.add_argument_group("what is watched"))
    _add_model_options(parser.add_argument_group("how it is labelled"))
    add_event_options(parser.add_argument_group("what is written"))
    _add_keeping_options(parser)
    add_web_options(parser)
    add_alarm_options(parser)
    add_mqtt_options(parser)


def _add_source_options(group: argparse._ArgumentGroup) -> None:
    more = (
        "; repeatable: all are watched at once, the key c shows the next one, the key g all of them"
    )
    add_source(group, more, action="append", default=None)
    add_demo_seed(group)
    group.add_argument("--grid", action="store_true",
                       help="begin with all of several cameras in one picture")  # fmt: skip
    group.add_argument("--mirror", action="store_true", help="begin mirrored")
    group.add_argument("--full-speed", action="store_true",
                       help="show every frame of a video, as fast as possible")  # fmt: skip
    group.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds")
    add_frames_option(group)


def _add_model_options(group: argparse._ArgumentGroup) -> None:
    add_model(group)
    add_face_model(group)
    group.add_argument("--threshold", type=float, metavar="X",
                       help="a face is called unsure below this confidence, 0 to 1 (default: the "
                       "model's)")  # fmt: skip
    add_strange_above(group)
    group.add_argument("--thorough", action="store_true",
                       help="run finder and network on every frame")  # fmt: skip


def _add_keeping_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "pictures that are kept", "Nothing is kept unless you ask for it."
    )
    group.add_argument("--snapshots", type=Path, default=Path("snapshots"), metavar="FOLDER",
                       help="folder for pictures that the key s saves (default: "
                       "snapshots)")  # fmt: skip
    group.add_argument("--record", action="store_true",
                       help="record from the start; the key r does so later")  # fmt: skip
    group.add_argument("--recordings", type=Path, default=Path("recordings"), metavar="FOLDER",
                       help="folder for recordings (default: recordings)")  # fmt: skip
    group.add_argument("--no-blur", action="store_true",
                       help="record faces as they are, not made unrecognisable")  # fmt: skip
    group.add_argument("--record-status", action="store_true",
                       help="record the status line and messages too, as they are "
                       "shown")  # fmt: skip
    group.add_argument("--data", type=Path, metavar="DATA",
                       help="dataset folder that a class's key, such as 1, sends a wrongly "
                       "labelled face to, with its right label; it must have the model's classes "
                       f"(default: {DEFAULT_DATA})")  # fmt: skip
    add_who(group.add_mutually_exclusive_group())


def _watch(arguments: argparse.Namespace) -> int:
    require_positive("--seconds", arguments.seconds)
    require_positive("--frames", arguments.frames)
    require_share("--threshold", arguments.threshold)
    require_strange_above(arguments.strange_above)
    if arguments.grid and len(arguments.source or ()) < 2:
        raise UsageError(
            "--grid shows several cameras in one picture; found one. Give one more --source, or "
            "leave --grid out."
        )
    is_stdout = require_one_stdout(arguments)
    if is_stdout and getattr(arguments, "terminal", False):
        raise UsageError(
            "--json - (or --csv -) and --terminal both write to stdout. Name a file for it."
        )
    subject = SELF_SUBJECT if arguments.is_self else arguments.subject
    alarms = read_alarm_rules(arguments)
    mqtt = read_mqtt_options(arguments)
    from detector.live.corrections import CorrectionStore
    from detector.live.loop import LiveLimits
    from detector.live.requests import LiveRequest, OutputRequest, SourceRequest
    from detector.live.session import run_live
    from detector.screens.display import ScreenKind
    from detector.tracking.pipeline import EVERYTHING, ModelRequest, Thrift

    kinds = [kind for kind in ScreenKind if getattr(arguments, kind, False)]
    summary = run_live(
        LiveRequest(
            source=SourceRequest(
                names=tuple(arguments.source or ("0",)),
                is_paced=not arguments.full_speed,
                is_mirrored=arguments.mirror,
                seed=arguments.seed,
                is_all=arguments.grid,
            ),
            model=ModelRequest(
                folder=arguments.model,
                face_model=arguments.face_model,
                threshold=arguments.threshold,
                strange_above=arguments.strange_above,
                thrift=EVERYTHING if arguments.thorough else Thrift(),
            ),
            outputs=OutputRequest(
                json_out=arguments.json,
                csv_out=arguments.csv,
                alarms=alarms,
                mqtt=mqtt,
                corrections=CorrectionStore(
                    arguments.data or DEFAULT_DATA,
                    check_subject(subject) if subject else None,
                    is_self=arguments.is_self,
                    is_named=arguments.data is not None,
                ),
                snapshots=arguments.snapshots,
                recordings=arguments.recordings,
                is_recording=arguments.record,
                is_blurred=not arguments.no_blur,
                has_status=arguments.record_status,
            ),
            web=read_web_options(arguments),
            screen=kinds[0] if kinds else ScreenKind.AUTO,
            limits=LiveLimits(seconds=arguments.seconds, frames=arguments.frames),
        )
    )
    print_summary(str(summary), is_stdout_taken=is_stdout)
    return 0


LIVE = Command(
    "live",
    "watch a camera, video or stream",
    "Label every face of a live source: in a window, this terminal, a browser, or headless. "
    "An age is estimated from appearance and may be wrong.",
    _add_live_options,
    _watch,
)

SERVE = Command(
    "serve",
    "watch in a browser, and classify pictures over HTTP",
    "Show the live picture in a browser, and classify pictures that are posted (POST /classify; "
    "/openapi.json describes all of it). The address that is printed holds the key to it. An age "
    "is estimated from appearance and may be wrong.",
    _add_serve_options,
    _run_serve,
)
