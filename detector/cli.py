"""The `detector` command: watch live, label recordings, measure, take the guided tour."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from detector.options import (
    add_model_options,
    add_seed_option,
    require_one_stdout,
    require_positive,
    require_share,
    tell_summary,
)
from maskage.console import CommandParser, run_command, show_block
from maskage.errors import UsageError
from maskage.installation import ShowVersion

_DESCRIPTION = """Run a trained model on faces.

  detector live     watch a camera, video or stream: window, terminal, browser or headless
  detector serve    watch it in a browser, and classify pictures over HTTP
  detector run      label a video or a folder of pictures into JSON, CSV, a video
  detector suggest  tell the gallery what a model takes each photo of a dataset for
  detector bench    how fast this machine runs a model, stage by stage
  detector demo     the guided tour: collect, curate, train and detect, with no camera

Each has --help. Without --model the newest run of `trainer fit` is used.
"""


def main(argv: list[str] | None = None) -> int:
    """Run `detector` with these arguments (of the process, by default); returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: _dispatch(words))


def _dispatch(words: list[str]) -> int:
    command = _COMMANDS.get(words[0]) if words else None
    if command is not None:
        return command(words[1:])
    parser = CommandParser(
        prog="detector",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=ShowVersion)
    parser.add_argument("command", choices=list(_COMMANDS), help="what to do")
    parser.parse_args(words)
    raise UsageError(f"No command given. Use one of {', '.join(_COMMANDS)}.")


def _live(words: list[str]) -> int:
    from detector.live.command import run_live_command

    return run_live_command(words)


def _serve(words: list[str]) -> int:
    from detector.live.command import run_serve_command

    return run_serve_command(words)


def _run(words: list[str]) -> int:
    from detector.events.alarm_options import add_alarm_options, read_alarm_rules

    parser = CommandParser(
        prog="detector run",
        description="Label every face of a video, a picture or a folder of pictures, without a "
        "screen.",
    )
    parser.add_argument("source", help="video, picture, folder of pictures, stream URL, or 'demo'")
    add_model_options(parser)
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="one JSON object a frame; '-' is stdout"
    )
    parser.add_argument("--csv", type=Path, metavar="OUT", help="one row a face; '-' is stdout")
    parser.add_argument("--video", type=Path, metavar="OUT", help="annotated video (.mp4)")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="annotated pictures, as JPEG")
    parser.add_argument("--max-frames", type=int, metavar="N", help="stop after N labelled frames")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="label one frame in N (default: 1)"
    )
    parser.add_argument(
        "--fail-under",
        type=float,
        metavar="X",
        help="exit with 3 where less than this share of the faces, 0 to 1, wears a mask, or a part "
        "of the video is missing",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 3 where a picture or frame is unreadable"
    )
    add_seed_option(parser)
    add_alarm_options(parser)
    arguments = parser.parse_args(words)
    require_positive("--max-frames", arguments.max_frames)
    require_positive("--every", arguments.every)
    require_share("--fail-under", arguments.fail_under)
    is_stdout = require_one_stdout(arguments)
    alarms = read_alarm_rules(arguments)
    from detector.run import RunRequest, RunSource, check_folders, run_source
    from detector.run_outputs import RunOutputs
    from detector.run_summary import check_gates
    from detector.tracking.pipeline import ModelRequest

    request = RunRequest(
        source=RunSource(arguments.source, arguments.every, arguments.max_frames, arguments.seed),
        model=ModelRequest(arguments.model, arguments.face_model),
        outputs=RunOutputs(
            json_out=arguments.json,
            csv_out=arguments.csv,
            video_out=arguments.video,
            pictures_out=arguments.pictures,
            alarms=alarms,
        ),
    )
    summary = run_source(request)
    tell_summary(str(summary), is_stdout_taken=is_stdout)
    check_gates(summary, arguments.fail_under, is_strict=arguments.strict)
    check_folders(request, summary)
    if summary.alarms:
        from detector.events.alarms import require_all_done

        require_all_done(summary.alarms)
    return 0


def _suggest(words: list[str]) -> int:
    parser = CommandParser(
        prog="detector suggest",
        description="Let a model look at every photo of a dataset; what it suggests waits in "
        "`collector review` to be accepted or not. No label changes.",
    )
    parser.add_argument("data", type=Path, nargs="?", default=Path("data"), help="dataset folder")
    parser.add_argument(
        "--model", type=Path, metavar="RUN", help="run or bundle folder (default: the newest run)"
    )
    arguments = parser.parse_args(words)
    from detector.suggest import suggest_labels

    show_block(suggest_labels(arguments.data, arguments.model))
    return 0


def _bench(words: list[str]) -> int:
    parser = CommandParser(
        prog="detector bench",
        description="How fast this machine runs a model, stage by stage, frame after frame with "
        "none dropped.",
    )
    parser.add_argument(
        "source", nargs="?", default="demo", help="video, folder of pictures, or 'demo' (default)"
    )
    add_model_options(parser)
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--threads", type=int, metavar="N", help="of the network (default: cores)")
    parser.add_argument(
        "--formats", action="store_true", help="compare what `trainer export` made of the model too"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_seed_option(parser)
    arguments = parser.parse_args(words)
    require_positive("--frames", arguments.frames)
    require_positive("--threads", arguments.threads)
    from detector.bench import BenchRequest, run_bench

    report = run_bench(
        BenchRequest(
            source=arguments.source,
            model=arguments.model,
            face_model=arguments.face_model,
            frames=arguments.frames,
            threads=arguments.threads,
            compares_formats=arguments.formats,
            seed=arguments.seed,
        )
    )
    show_block(json.dumps(report.to_json()) if arguments.json else report)
    return 0


def _demo(words: list[str]) -> int:
    parser = CommandParser(
        prog="detector demo",
        description="The guided tour: collects photos of rendered people, curates them, trains a "
        "model and runs it on people it never saw. No camera, no download.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="default: demo"
    )
    parser.add_argument("--photos", type=int, default=250, metavar="N", help="default: 250")
    add_seed_option(parser)
    arguments = parser.parse_args(words)
    require_positive("--photos", arguments.photos)
    from detector.tour.tour import run_demo

    return run_demo(arguments.out, arguments.seed, arguments.photos)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "live": _live,
    "serve": _serve,
    "run": _run,
    "suggest": _suggest,
    "bench": _bench,
    "demo": _demo,
}

if __name__ == "__main__":
    sys.exit(main())
