"""The formats that a model can be exported to: how each is written and run."""

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import EnvironmentProblemError
from maskage.formats.bundle import ONNX_FILE, ModelBundle, read_file
from maskage.formats.int8_export import INT8_FORMAT, LARGEST_LOSS, write_int8
from maskage.installation import explain_install
from maskage.security.keras_archive import archive_model
from maskage.system.process import suppress_native_output
from trainer.exports.ends import (
    INPUT,
    OUTPUT,
    Ends,
    read_keras_ends,
    read_onnx_ends,
    read_openvino_ends,
    read_tflite_ends,
)
from trainer.exports.rebuild import RebuiltModel, load_archived_weights
from trainer.exports.tflite_metadata import TfliteDescription, describe_tflite
from trainer.network.onnx_metadata import describe_network, write_metadata

Images = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Predict = Callable[[Images], Probabilities]


@dataclass(frozen=True, eq=False)
class ExportSource:
    """The model and photos that a format is written from.

    Attributes:
        rebuilt: The model in Keras.
        calibration: Training photos of all classes, uint8 (N, size, size, 3).
        photos: Validation photos, uint8 (M, size, size, 3).
        labels: Class numbers of the validation photos, shape (M,).
        answers: Probabilities of the validation photos by Keras, float32 (M, C).
    """

    rebuilt: RebuiltModel
    calibration: Images
    photos: Images
    labels: NDArray[np.int64]
    answers: Probabilities


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportFormat:
    """A format.

    Attributes:
        name: Name, as `--to` takes it.
        file: Name of the file to open; files beside it belong to it.
        examples: Programs that run it, written beside it: their file here, by their name there.
        needs: Module that runs it, where it is not a dependency of the package.
        is_quantised: True if it may differ from the Keras model, as long as the accuracy stays.
        has_strangeness: True if it has the output `strangeness` where the bundle has it.
        write: Function that writes it into a folder and returns a note on what was chosen.
        open: Function that opens the file in a folder and returns how to run it.
        read_ends: Function that reads the names and shapes of its input and output from the file.
        prepare: Function that checks, before any work, what it needs of this machine.
    """

    name: str
    file: str
    examples: Mapping[str, str]
    needs: str | None = None
    is_quantised: bool = False
    has_strangeness: bool = False
    write: Callable[[ExportSource, Path], str]
    open: Callable[[RebuiltModel, Path], Predict]
    read_ends: Callable[[Path], Ends]
    prepare: Callable[[], object] | None = None


def require_runtimes(formats: list[ExportFormat]) -> None:
    """Check that the runtimes of formats are installed, before any work is done.

    Raises:
        EnvironmentProblemError: A format's runtime is not installed, or cannot be had.
    """
    for each in formats:
        if each.needs is not None and importlib.util.find_spec(each.needs) is None:
            raise EnvironmentProblemError(
                f"--to {each.name} needs {each.needs} to compare the result, and it is not "
                f"installed. Install it with {explain_install('export')}, or leave this format out."
            )
        if each.prepare is not None:
            each.prepare()


def _write_onnx(source: ExportSource, folder: Path) -> str:
    own = read_file(source.rebuilt.bundle, ONNX_FILE)
    described = write_metadata(own, _onnx_metadata(source.rebuilt.bundle))
    (folder / "model.onnx").write_bytes(described)
    return "the bundle's own file" if described == own else "the bundle's, with the class names"


def _onnx_metadata(bundle: ModelBundle) -> dict[str, str]:
    return describe_network(
        bundle.scheme,
        input_size=bundle.input_size,
        crop_margin=bundle.crop_margin,
        version=bundle.versions.get("maskage", ""),
        strange_above=bundle.strange_above,
    )


def _open_onnx(rebuilt: RebuiltModel, folder: Path) -> Predict:
    from maskage.inference.onnx_engine import OnnxEngine

    return OnnxEngine(folder / "model.onnx").run


def _write_onnx_int8(source: ExportSource, folder: Path) -> str:
    """Write the bundle's network in 8 bits, with the record that `detector bench --choose` reads.

    The bundle's own file is its measure, since that is what the detector would run.
    """
    from trainer.exports.quantised import compare_int8, quantise

    bundle = source.rebuilt.bundle
    own = read_file(bundle, ONNX_FILE)
    int8 = write_metadata(quantise(own, source.calibration), _onnx_metadata(bundle))
    (folder / ONNX_FILE).write_bytes(int8)
    export = compare_int8(bundle, own, int8, source.photos, source.labels)
    write_int8(folder, export)
    run_live = "`detector bench --choose` tries it for `detector live`"
    if export.disagreement is not None:
        run_live = f"not for `detector live`: {export.disagreement}"
    return f"{export}; {run_live}"


def _write_keras(source: ExportSource, folder: Path) -> str:
    (folder / "model.keras").write_bytes(archive_model(source.rebuilt.model))
    return "built by this version's code, with the bundle's weights"


def _open_keras(rebuilt: RebuiltModel, folder: Path) -> Predict:
    from trainer.network.backbones import build_deliverable, build_network

    bundle = rebuilt.bundle
    network = build_network(rebuilt.recipe, bundle.scheme)
    model = build_deliverable(network, bundle.temperature)
    load_archived_weights(model, (folder / "model.keras").read_bytes())
    return lambda images: np.asarray(model.predict_on_batch(images))


def _write_tflite(source: ExportSource, folder: Path) -> str:
    from trainer.exports.tflite import convert_floats

    _keep_tflite(source, folder, convert_floats(source.rebuilt.model))
    return "float32"


def _keep_tflite(source: ExportSource, folder: Path, data: bytes) -> None:
    """Write a TFLite file with the names of classes and tensors in it."""
    bundle = source.rebuilt.bundle
    description = TfliteDescription(
        name=source.rebuilt.recipe.backbone,
        description="Answers which class a picture of one face belongs to.",
        version=bundle.versions.get("maskage", ""),
        input=INPUT,
        output=OUTPUT,
        labels=bundle.labels,
        input_size=bundle.input_size,
    )
    (folder / "model.tflite").write_bytes(describe_tflite(data, description))


def _write_int8(source: ExportSource, folder: Path) -> str:
    """Write integers throughout where the validation photos allow it, else only for the weights.

    Source:
        Activations of 16 bits with weights of 8 were measured too: as far from the Keras model as 8
        and 8 (the weights make the difference), and a hundred times slower in LiteRT.
    """
    from trainer.exports.tflite import convert_integers, convert_weights

    model = source.rebuilt.model
    integers = convert_integers(model, source.calibration)
    lost = _loss(source, folder, integers)
    if lost <= LARGEST_LOSS:
        return f"integers throughout ({0 - 100 * lost:+.1f} points on validation photos)"
    weights = convert_weights(model)
    lost_by_weights = _loss(source, folder, weights)
    note = f"integers throughout {0 - 100 * lost:+.1f} points on validation photos"
    note_on_weights = f"int8 weights, computing in floats {0 - 100 * lost_by_weights:+.1f}"
    if lost_by_weights < lost:
        return f"{note_on_weights}; not {note}"
    _keep_tflite(source, folder, integers)
    return f"{note}; not {note_on_weights}"


def _loss(source: ExportSource, folder: Path, data: bytes) -> float:
    """Return the accuracy that a TFLite file loses on the validation photos, and keep the file."""
    _keep_tflite(source, folder, data)
    answers = _open_tflite(source.rebuilt, folder)(source.photos)
    right, kept = (
        float((rows.argmax(axis=1) == source.labels).mean()) for rows in (source.answers, answers)
    )
    return right - kept


def _open_tflite(rebuilt: RebuiltModel, folder: Path) -> Predict:
    from trainer.exports.tflite import TfliteEngine

    return TfliteEngine(folder / "model.tflite").run


def _write_openvino(source: ExportSource, folder: Path) -> str:
    import openvino

    with tempfile.TemporaryDirectory() as temporary, suppress_native_output():
        onnx = Path(temporary) / "model.onnx"
        onnx.write_bytes(read_file(source.rebuilt.bundle, ONNX_FILE))
        # Not openvino.convert_model, which reports its use to Intel.
        model = openvino.Core().read_model(onnx)
        for place, text in _openvino_info(source.rebuilt.bundle).items():
            model.set_rt_info(text, list(place))
        written = Path(temporary) / "model.xml"
        openvino.save_model(model, written, compress_to_fp16=False)
        # OpenVINO reports a full disk with an error of its own; copying names the reason.
        for file in (written, written.with_suffix(".bin")):
            shutil.copyfile(file, folder / file.name)
    by_itself = _run_openvino(folder, {})(source.photos)
    off = float(np.abs(by_itself - source.answers).max())
    return (
        f"float32; compile it with INFERENCE_PRECISION_HINT=f32: left to choose, OpenVINO is off "
        f"by {off:.2g} on this machine"
    )


def _openvino_info(bundle: ModelBundle) -> dict[tuple[str, str], str | list[str]]:
    """Return the text in the .xml file, by its place there.

    `model_info` is what Intel's Model API reads. Its labels end at a blank, so they have none;
    `maskage` has the class folders as they are.
    """
    ours = {("maskage", key): text for key, text in _onnx_metadata(bundle).items()}
    return {
        **ours,
        ("model_info", "model_type"): "Classification",
        ("model_info", "labels"): [re.sub(r"\s", "_", label) for label in bundle.labels],
    }


def _open_openvino(rebuilt: RebuiltModel, folder: Path) -> Predict:
    return _run_openvino(folder, {"INFERENCE_PRECISION_HINT": "f32"})


def _run_openvino(folder: Path, settings: dict[str, Any]) -> Predict:
    import openvino

    with suppress_native_output():
        core = openvino.Core()
        compiled = core.compile_model(core.read_model(folder / "model.xml"), "CPU", settings)
    request = compiled.create_infer_request()

    def run(images: Images) -> Probabilities:
        answers = request.infer({INPUT: images})
        return np.array(answers[compiled.output(OUTPUT)])

    return run


def web_format(runtime: Path | None = None) -> ExportFormat:
    """Return the format of a page for browsers.

    Args:
        runtime: A copy of the runtime's package; None for the cached or a fetched one.
    """

    def prepare() -> None:
        from trainer.exports.web.browser import find_browser
        from trainer.exports.web.runtime import obtain_runtime

        find_browser()
        obtain_runtime(runtime)

    def write(source: ExportSource, folder: Path) -> str:
        from trainer.exports.web.check import describe_checks
        from trainer.exports.web.folder import write_folder
        from trainer.exports.web.runtime import obtain_runtime

        network = read_file(source.rebuilt.bundle, ONNX_FILE)
        note = write_folder(source.rebuilt, network, obtain_runtime(runtime), folder)
        return f"{note}; {describe_checks(folder, source.photos)}"

    return ExportFormat(
        name="web",
        file="model.onnx",
        examples={},
        needs="websockets",
        has_strangeness=True,
        write=write,
        open=_open_web,
        read_ends=read_onnx_ends,
        prepare=prepare,
    )


def _open_web(rebuilt: RebuiltModel, folder: Path) -> Predict:
    from trainer.exports.web.check import PageClassifier

    return PageClassifier(folder)


_TFLITE = ExportFormat(
    name="tflite",
    file="model.tflite",
    examples={"example.py": "tflite.py.txt"},
    needs="ai_edge_litert",
    write=_write_tflite,
    open=_open_tflite,
    read_ends=read_tflite_ends,
)

FORMATS = {
    each.name: each
    for each in (
        ExportFormat(
            name="onnx",
            file="model.onnx",
            examples={"example.py": "onnx.py.txt", "example.mjs": "onnx.mjs.txt"},
            has_strangeness=True,
            write=_write_onnx,
            open=_open_onnx,
            read_ends=read_onnx_ends,
        ),
        ExportFormat(
            name=INT8_FORMAT,
            file="model.onnx",
            examples={"example.py": "onnx.py.txt", "example.mjs": "onnx.mjs.txt"},
            is_quantised=True,
            has_strangeness=True,
            write=_write_onnx_int8,
            open=_open_onnx,
            read_ends=read_onnx_ends,
        ),
        _TFLITE,
        replace(_TFLITE, name="tflite-int8", is_quantised=True, write=_write_int8),
        ExportFormat(
            name="openvino",
            file="model.xml",
            examples={"example.py": "openvino.py.txt"},
            needs="openvino",
            has_strangeness=True,
            write=_write_openvino,
            open=_open_openvino,
            read_ends=read_openvino_ends,
        ),
        ExportFormat(
            name="keras",
            file="model.keras",
            examples={"example.py": "keras.py.txt"},
            write=_write_keras,
            open=_open_keras,
            read_ends=read_keras_ends,
        ),
        web_format(),
    )
}
