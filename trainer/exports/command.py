"""`trainer export`: its options, and what it says at the end."""

import argparse
import json
import os
from pathlib import Path

from maskage.console import say, show, show_block
from maskage.errors import GateFailedError

FORMAT_NAMES = ("onnx", "tflite", "tflite-int8", "openvino", "keras")


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """The options of `trainer export`."""
    parser.description = (
        "A trained model in other formats. Each is run beside the Keras model on the run's own "
        "photos, and kept only where it answers the same; of tflite-int8 the accuracy may fall by "
        "half a point."
    )
    parser.add_argument("run", type=Path, nargs="?", help="run folder (default: newest)")
    parser.add_argument("--to", action="append", required=True, choices=FORMAT_NAMES,
                        metavar="FORMAT", help=f"{', '.join(FORMAT_NAMES)}; may be given several "
                        "times")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="for one folder a format (default: RUN/exports)")  # fmt: skip
    parser.add_argument("--data", type=Path, metavar="CURATED",
                        help="photos to compare on (default: what the run was trained "
                        "on)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object a format")


def run_export(arguments: argparse.Namespace) -> int:
    """Export; returns the exit code.

    Raises:
        GateFailedError: A format answered otherwise than the Keras model and was not kept.
    """
    from maskage.formats.bundle import find_bundle
    from maskage.formats.datasets_behind import datasets_behind
    from maskage.formats.output_log import Kind, Output, log_output

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
    for number, each in enumerate(formats, 1):
        say(f"{each.name} ({number} of {len(formats)}) ...")
        done.append(exporter.export(each))
        if arguments.json:
            show(json.dumps(done[-1].as_dict()))
    if not arguments.json:
        show_block(format_exports(done))
        show(f"Look at {exporter.out}")
    refused = [f"{each.format}: {each.refused}" for each in done if each.refused is not None]
    if refused:
        raise GateFailedError(f"Not exported: {'. '.join(refused)}.")
    return 0
