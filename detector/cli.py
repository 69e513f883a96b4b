"""The `detector` command: watch live, label recordings, measure, take the guided tour."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from collector.console import CommandParser, run_command, say
from collector.errors import UsageError

_DESCRIPTION = """Run a trained model on faces.

  detector live     watch a camera, video or stream: window, terminal or headless
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
    parser.add_argument("command", choices=list(_COMMANDS), help="what to do")
    parser.parse_args(words)
    raise UsageError(f"No command given. Use one of {', '.join(_COMMANDS)}.")


def _live(words: list[str]) -> int:
    parser = CommandParser(
        prog="detector live",
        description="Label every face of a live source. Keys: q quit, p pause, m mirror, "
        "s snapshot, n next picture. Age is estimated from appearance and may be wrong.",
    )
    parser.add_argument(
        "--source",
        default="0",
        help="webcam number, video file, stream URL, folder of pictures, or 'demo' (default: 0)",
    )
    _add_models(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--window", action="store_true", help="show it in a window")
    where.add_argument("--terminal", action="store_true", help="show it in this terminal")
    where.add_argument(
        "--headless", action="store_true", help="show nothing, tell of changes line by line"
    )
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds")
    parser.add_argument("--frames", type=int, metavar="N", help="stop after N labelled frames")
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="one JSON object a frame; '-' is stdout"
    )
    parser.add_argument(
        "--snapshots",
        type=Path,
        default=Path("snapshots"),
        metavar="DIR",
        help="where the key s saves pictures (default: snapshots)",
    )
    parser.add_argument("--mirror", action="store_true", help="begin mirrored")
    _add_seed(parser)
    arguments = parser.parse_args(words)
    _require_positive("--seconds", arguments.seconds)
    _require_positive("--frames", arguments.frames)
    is_stdout = str(arguments.json) == "-"
    if is_stdout and arguments.terminal:
        raise UsageError("--json - and --terminal both write to stdout. Name a file for --json.")
    from detector.live import LiveRequest, run_live
    from detector.live_loop import LoopOptions
    from detector.screens import ScreenKind

    kinds = [kind for kind in ScreenKind if getattr(arguments, kind, False)]
    summary = run_live(
        LiveRequest(
            source=arguments.source,
            model=arguments.model,
            face_model=arguments.face_model,
            screen=kinds[0] if kinds else ScreenKind.AUTO,
            json_out=arguments.json,
            options=LoopOptions(
                seconds=arguments.seconds,
                frames=arguments.frames,
                snapshots=arguments.snapshots,
                is_mirrored=arguments.mirror,
            ),
            seed=arguments.seed,
        )
    )
    _tell(str(summary), is_stdout_taken=is_stdout)
    return 0


def _run(words: list[str]) -> int:
    parser = CommandParser(
        prog="detector run",
        description="Label every face of a video, a picture or a folder of pictures, without a "
        "screen.",
    )
    parser.add_argument("source", help="video, picture, folder of pictures, stream URL, or 'demo'")
    _add_models(parser)
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
        help="exit with 3 where less than this share of the faces, 0 to 1, wears a mask",
    )
    _add_seed(parser)
    arguments = parser.parse_args(words)
    _require_positive("--max-frames", arguments.max_frames)
    _require_positive("--every", arguments.every)
    if arguments.fail_under is not None and not 0 <= arguments.fail_under <= 1:
        raise UsageError(f"--fail-under is a share from 0 to 1; found {arguments.fail_under}.")
    taken = [out for out in (arguments.json, arguments.csv) if str(out) == "-"]
    if len(taken) > 1:
        raise UsageError("--json - and --csv - both write to stdout. Name a file for one of them.")
    from detector.run import RunRequest, check_gate, run_source

    summary = run_source(
        RunRequest(
            source=arguments.source,
            model=arguments.model,
            face_model=arguments.face_model,
            json_out=arguments.json,
            csv_out=arguments.csv,
            video_out=arguments.video,
            pictures_out=arguments.pictures,
            max_frames=arguments.max_frames,
            every=arguments.every,
            seed=arguments.seed,
        )
    )
    _tell(str(summary), is_stdout_taken=bool(taken))
    check_gate(summary, arguments.fail_under)
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

    print(suggest_labels(arguments.data, arguments.model))
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
    _add_models(parser)
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--threads", type=int, metavar="N", help="of the network (default: cores)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    _add_seed(parser)
    arguments = parser.parse_args(words)
    _require_positive("--frames", arguments.frames)
    _require_positive("--threads", arguments.threads)
    from detector.bench import BenchRequest, run_bench

    report = run_bench(
        BenchRequest(
            source=arguments.source,
            model=arguments.model,
            face_model=arguments.face_model,
            frames=arguments.frames,
            threads=arguments.threads,
            seed=arguments.seed,
        )
    )
    print(json.dumps(report.to_json()) if arguments.json else report)
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
    _add_seed(parser)
    arguments = parser.parse_args(words)
    _require_positive("--photos", arguments.photos)
    from detector.demo import run_demo

    return run_demo(arguments.out, arguments.seed, arguments.photos)


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", type=Path, metavar="RUN", help="run or bundle folder (default: the newest run)"
    )
    parser.add_argument(
        "--face-model",
        type=Path,
        metavar="ONNX",
        help="a copy of YuNet (default: $FACE_MODEL, else fetched once)",
    )


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="who the demo camera shows (default: 0)"
    )


def _require_positive(option: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{option} is a number above 0; found {value:g}.")


def _tell(summary: str, *, is_stdout_taken: bool) -> None:
    """A summary is a result, unless stdout carries another one."""
    if is_stdout_taken:
        say(summary)
    else:
        print(summary)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "live": _live,
    "run": _run,
    "suggest": _suggest,
    "bench": _bench,
    "demo": _demo,
}

if __name__ == "__main__":
    sys.exit(main())
