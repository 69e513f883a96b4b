"""`trainer export`: its options, and what it prints at the end."""

import argparse
import json
import os
from pathlib import Path

from maskage.commands.options import add_json, add_run
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import ProgressDisplay, say, show, show_block
from maskage.errors import GateFailedError
from maskage.shell_words import join_words

FORMAT_NAMES = ("onnx", "onnx-int8", "tflite", "tflite-int8", "openvino", "keras")


def _add_export_options(parser: CommandParser) -> None:
    add_run(parser)
    parser.add_argument("--to", action="append", required=True, choices=FORMAT_NAMES,
                        metavar="FORMAT",
                        help=f"{', '.join(FORMAT_NAMES)}; repeatable")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="folder of the result, with a folder for each format (default: "
                        "RUN/exports)")  # fmt: skip
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help="curated folder to compare on (default: the photos that the run was "
                        "trained on)")  # fmt: skip
    add_json(parser, "format")


def _run_export(arguments: argparse.Namespace) -> int:
    from maskage.formats.bundle import find_bundle
    from maskage.formats.output_log import Kind, Output, log_output
    from maskage.formats.run.datasets_behind import datasets_behind

    bundle = find_bundle(arguments.run, arguments.runs)
    # TFLite is written from TensorFlow, whatever the network was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    say("Loading Keras ...")
    from trainer.exports.exporter import Exporter, format_exports
    from trainer.exports.formats import FORMATS, require_runtimes

    formats = [FORMATS[name] for name in dict.fromkeys(arguments.to)]
    require_runtimes(formats)
    exporter = Exporter(bundle, arguments.data, arguments.out)
    log_output(datasets_behind([bundle, arguments.data]), Output(exporter.out, Kind.MODEL))
    done = []
    with ProgressDisplay() as display:
        for number, each in enumerate(formats):
            display.update("exporting", number, len(formats), note=each.name)
            done.append(exporter.export(each))
            if arguments.json:
                show(json.dumps(done[-1].as_dict()))
        display.update("exporting", len(formats), len(formats))
    if not arguments.json:
        show_block(format_exports(done))
        show(f"Look at {exporter.out}")
        kept = [each.format for each in done if each.refused is None]
        if kept:
            example = str(exporter.out / kept[0] / "example.py")
            show(f"Try it: {join_words(['python', example, 'face.jpg'])}")
    refused = [f"{each.format}: {each.refused}" for each in done if each.refused is not None]
    if refused:
        raise GateFailedError(f"Not exported: {'. '.join(refused)}.")
    return 0


EXPORT = Command(
    "export",
    "write a trained model in other formats",
    "Write a trained model in other formats. Each is run beside the Keras model on the run's own "
    "photos, and kept only where its answers are the same; the accuracy of onnx-int8 and "
    "tflite-int8 may fall by half a point. The class names are in the file where the format has a "
    "place for them, and in labels.txt beside it, with a short program that classifies a picture: "
    "example.py, and example.mjs for ONNX in Node.js.",
    _add_export_options,
    _run_export,
)
