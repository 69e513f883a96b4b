"""The `detector` program: the table of its commands, and those without a live view."""

import argparse
import json
import sys
from pathlib import Path

from detector.events.alarm_options import add_alarm_options, read_alarm_rules
from detector.live.command import LIVE, SERVE
from detector.options import (
    add_event_options,
    add_frames_option,
    add_strange_above,
    print_summary,
    require_one_stdout,
    require_strange_above,
)
from maskage.classes.ready_made import READY_MADE
from maskage.commands.options import (
    add_data,
    add_demo_seed,
    add_face_model,
    add_json,
    add_model,
    require_positive,
    require_share,
)
from maskage.commands.parser import CommandParser, offer_words
from maskage.commands.program import Command, Program
from maskage.console import show_block
from maskage.errors import UsageError


def _add_run_options(parser: CommandParser) -> None:
    parser.add_word(
        "--source",
        ["demo"],
        nargs=None,
        metavar="SOURCE",
        help="video, picture, folder of pictures, stream URL, 'demo' or 'demo:CLASSES'",
    )
    add_demo_seed(parser)
    add_model(parser)
    add_face_model(parser)
    add_strange_above(parser)
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="label one frame in N (default: 1)"
    )
    add_frames_option(parser)
    parser.add_argument(
        "--fail-under",
        type=float,
        metavar="X",
        help="exit with 3 where less than this share of the faces, 0 to 1, wears a mask (is of a "
        "class with mask=worn), or a part of the video is missing",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 3 where a photo, video or frame of the source could not be read",
    )
    written = parser.add_argument_group("what is written")
    add_event_options(written)
    written.add_argument(
        "--video", type=Path, metavar="FILE", help="write the annotated video (.mp4)"
    )
    written.add_argument(
        "--keep-sound", action="store_true", help="give that video the sound of its source"
    )
    written.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="write the annotated pictures, as JPEG"
    )
    add_alarm_options(parser)


def _run_recording(arguments: argparse.Namespace) -> int:
    require_positive("--frames", arguments.frames)
    require_positive("--every", arguments.every)
    require_share("--fail-under", arguments.fail_under)
    require_strange_above(arguments.strange_above)
    is_stdout = require_one_stdout(arguments)
    if arguments.keep_sound and arguments.video is None:
        raise UsageError("--keep-sound is about the annotated video. Add --video FILE.")
    alarms = read_alarm_rules(arguments)
    from detector.run import RunRequest, RunSource, check_folders, run_source
    from detector.run_outputs import RunOutputs
    from detector.run_summary import check_gates
    from detector.tracking.pipeline import ModelRequest

    request = RunRequest(
        source=RunSource(arguments.source, arguments.every, arguments.frames, arguments.seed),
        model=ModelRequest(
            arguments.model, arguments.face_model, strange_above=arguments.strange_above
        ),
        outputs=RunOutputs(
            json_out=arguments.json,
            csv_out=arguments.csv,
            video_out=arguments.video,
            keeps_sound=arguments.keep_sound,
            pictures_out=arguments.pictures,
            alarms=alarms,
        ),
        needs_mask=arguments.fail_under is not None,
    )
    summary = run_source(request)
    print_summary(str(summary), is_stdout_taken=is_stdout)
    check_gates(summary, arguments.fail_under, is_strict=arguments.strict)
    check_folders(request, summary)
    if summary.alarms:
        from detector.events.alarms import require_all_done

        require_all_done(summary.alarms)
    return 0


def _run_suggest(arguments: argparse.Namespace) -> int:
    from detector.suggest import suggest_labels

    show_block(suggest_labels(arguments.data, arguments.model))
    return 0


def _add_suggest_options(parser: CommandParser) -> None:
    add_data(parser)
    add_model(parser)


def _add_bench_options(parser: CommandParser) -> None:
    parser.add_word(
        "--source",
        ["demo"],
        default="demo",
        metavar="SOURCE",
        help="video, folder of pictures, 'demo' or 'demo:CLASSES' (default: demo)",
    )
    add_demo_seed(parser)
    add_model(parser)
    add_face_model(parser)
    parser.add_argument(
        "--frames", type=int, default=200, metavar="N", help="frames to measure (default: 200)"
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads of the network (default: all cores)"
    )
    parser.add_argument(
        "--formats", action="store_true", help="also compare the formats of `trainer export`"
    )
    parser.add_argument(
        "--choose",
        action="store_true",
        help="only measure the network in 32 bits and in 8 (`trainer export --to onnx-int8`), and "
        "keep for this machine which one `detector live` runs",
    )
    add_json(parser)


def _run_bench_command(arguments: argparse.Namespace) -> int:
    require_positive("--frames", arguments.frames)
    require_positive("--threads", arguments.threads)
    if arguments.choose:
        return _choose_engine(arguments)
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


def _choose_engine(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from maskage.formats.bundle import find_bundle, load_bundle
    from maskage.inference.engine_choice import choose_engine

    choice = choose_engine(load_bundle(find_bundle(arguments.model)), arguments.threads)
    show_block(json.dumps(asdict(choice)) if arguments.json else choice)
    return 0


def _add_demo_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="FOLDER",
        help="folder of the result (default: demo)",
    )
    parser.add_argument(
        "--photos",
        type=int,
        metavar="N",
        help="photos to take (default: 250, or 400 where misworn masks are a class)",
    )
    classes = parser.add_argument(
        "--classes",
        default="mask-age",
        metavar="NAME",
        help=f"classes to learn: {', '.join(READY_MADE)} (default: mask-age)",
    )
    offer_words(classes, READY_MADE)
    add_demo_seed(parser)


def _run_demo_command(arguments: argparse.Namespace) -> int:
    if arguments.photos is not None:
        require_positive("--photos", arguments.photos)
    from detector.tour.tour import run_demo

    return run_demo(arguments.out, arguments.seed, arguments.photos, arguments.classes)


PROGRAM = Program(
    "detector",
    "Run a trained model on faces. Without --model it is the newest run of `trainer fit`.",
    (
        LIVE,
        SERVE,
        Command(
            "run",
            "label a video or a folder of pictures",
            "Label every face of a video, a picture or a folder of pictures with all folders in "
            "it, without a screen. What cannot be read has a line with its `error` in --json.",
            _add_run_options,
            _run_recording,
        ),
        Command(
            "suggest",
            "let a model suggest a label for each photo of a dataset",
            "Let a model classify every photo of a dataset. Its suggestions wait in `collector "
            "review` to be accepted or not. No label changes.",
            _add_suggest_options,
            _run_suggest,
        ),
        Command(
            "bench",
            "measure how fast this machine runs a model",
            "Measure how fast this machine runs a model, stage by stage, frame after frame with "
            "none dropped.",
            _add_bench_options,
            _run_bench_command,
        ),
        Command(
            "demo",
            "take the guided tour: collect, curate, train, detect",
            "Take the guided tour: it photographs rendered people, curates the photos, trains a "
            "model and runs it on people it never saw. No camera, no download.",
            _add_demo_options,
            _run_demo_command,
        ),
    ),
)

main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
