"""The 8-bit export is made from a real run, with its record, and its refusal names its own way."""

import json
import shutil
from pathlib import Path

from maskage.formats.bundle import load_bundle
from maskage.formats.int8_export import read_int8
from maskage.inference.classifier import Classifier
from trainer.cli import main
from trainer.exports.exporter import explain_refusal


def test_a_run_is_exported_in_8_bits_with_its_figures(small_run: Path, tmp_path: Path) -> None:
    copied_run = Path(shutil.copytree(small_run, tmp_path / "run"))
    code = main(["export", str(copied_run), "--to", "onnx-int8"])
    bundle = load_bundle(copied_run / "bundle")
    # A network that hardly learned may lose more than half a point; then nothing is left.
    assert code in (0, 3)
    export = read_int8(bundle)
    assert (export is not None) == (code == 0)
    if export is not None:
        described = json.loads(
            (copied_run / "exports/onnx-int8/export.json").read_text(encoding="utf-8")
        )
        assert f"{export.photos} validation photos: accuracy" in described["note"]
        Classifier(bundle, int8=export)


def test_a_loss_of_accuracy_names_the_same_format_in_floats() -> None:
    reason = explain_refusal(True, 0.0, 0.9, 0.91, instead="onnx")
    assert reason is not None
    assert "use --to onnx," in reason
