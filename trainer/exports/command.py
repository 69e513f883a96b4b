"""`trainer export`: its options, and what it prints at the end."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from maskage.commands.options import add_json, add_run
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import ProgressDisplay, say, show, show_block
from maskage.errors import GateFailedError, UsageError
from maskage.shell_words import join_words

FORMAT_NAMES = ("onnx", "onnx-int8", "tflite", "tflite-int8", "openvino", "keras", "web")


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
    parser.add_argument("--runtime", type=Path, metavar="FILE.tgz",
                        help="for --to web on a machine without a network: a copy of "
                        "onnxruntime-web (default: fetched once from npm's registry)")  # fmt: skip
    add_json(parser, "format")


def _run_export(arguments: argparse.Namespace) -> int:
    from maskage.formats.bundle import find_bundle
    from maskage.formats.output_log import Kind, Output, log_output
    from maskage.formats.run.datasets_behind import datasets_behind

    if arguments.runtime is not None and "web" not in arguments.to:
        raise UsageError("--runtime is only for --to web. Add --to web, or leave --runtime out.")
    bundle = find_bundle(arguments.run, arguments.runs)
    # TFLite is written from TensorFlow, whatever the network was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    say("Loading Keras ...")
    from trainer.exports.exporter import Exporter, format_exports
    from trainer.exports.formats import FORMATS, require_runtimes, web_format

    known = {**FORMATS, "web": web_format(arguments.runtime)}
    formats = [known[name] for name in dict.fromkeys(arguments.to)]
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
        _show_next_steps(exporter.out, kept)
    refused = [f"{each.format}: {each.refused}" for each in done if each.refused is not None]
    if refused:
        raise GateFailedError(f"Not exported: {'. '.join(refused)}.")
    return 0


def _show_next_steps(out: Path, kept: Sequence[str]) -> None:
    """Print how to try the exports that were kept."""
    if with_example := [name for name in kept if name != "web"]:
        example = str(out / with_example[0] / "example.py")
        show(f"Try it: {join_words(['python', example, 'face.jpg'])}")
    if "web" in kept:
        words = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "-d", str(out / "web")]
        show(f"Open the page: {join_words(words)}")
        show("then http://localhost:8000 in a browser. Elsewhere a camera needs https: put the "
             "folder on any server with https, and open it on a phone.")  # fmt: skip


EXPORT = Command(
    "export",
    "write a trained model in other formats",
    "Write a trained model in other formats. Each is run beside the Keras model on the run's own "
    "photos, and kept only where its answers are the same; the accuracy of onnx-int8 and "
    "tflite-int8 may fall by half a point. The class names are in the file where the format has a "
    "place for them, and in labels.txt beside it, with a short program that classifies a picture: "
    "example.py, and example.mjs for ONNX in Node.js. web is a page with camera and pictures that "
    "runs in the browser of a phone, also without a network; it is compared in headless Chromium.",
    _add_export_options,
    _run_export,
)
