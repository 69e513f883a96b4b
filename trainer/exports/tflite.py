"""Convert a Keras model to TFLite, in floats or integers, and run it one image at a time."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ToolchainError
from maskage.system.process import suppress_native_output
from trainer.data.pixels import worker_count
from trainer.exports.ends import INPUT, OUTPUT

SIGNATURE = "serving_default"


class TfliteEngine:
    """A TFLite network, run by LiteRT.

    Args:
        path: Path of the file.
    """

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with suppress_native_output():
            interpreter = Interpreter(model_content=path.read_bytes(), num_threads=worker_count())
            interpreter.allocate_tensors()
        given = interpreter.get_input_details()[0]
        # The input takes pixels unchanged only where it has no scale.
        if given["dtype"] != np.uint8 or given["quantization"] not in ((0.0, 0), (1.0, 0)):
            raise ToolchainError(
                f"The TFLite network expects {given['dtype'].__name__} at {given['quantization']}, "
                f"not pixels of uint8. Please report this with the versions in environment.json."
            )
        # Kept, because the signature points into it.
        self._interpreter = interpreter
        self._run = interpreter.get_signature_runner(SIGNATURE)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, C), of images, uint8 (N, size, size, 3)."""
        rows = [np.array(self._run(**{INPUT: image[None]})[OUTPUT][0]) for image in images]
        return np.stack(rows)


def convert_floats(model: Any) -> bytes:
    """Convert a Keras model to float32, and return the file's bytes."""
    return _convert(model, "uint8", lambda converter: None)


def convert_weights(model: Any) -> bytes:
    """Convert a Keras model to weights of int8; it computes in floats between the layers."""
    import tensorflow

    def set_up(converter: Any) -> None:
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]

    return _convert(model, "uint8", set_up)


def convert_integers(model: Any, photos: NDArray[np.uint8]) -> bytes:
    """Convert a Keras model to integers throughout, except for the probabilities.

    Args:
        model: Keras model with one uint8 input.
        photos: A few hundred photos of all classes, uint8 (N, size, size, 3), that show the range
            of the numbers between the layers. One of them must hold both 0 and 255.

    Returns:
        Bytes of the file.
    """
    import tensorflow

    def samples() -> Iterator[list[NDArray[np.float32]]]:
        for photo in photos:
            yield [photo[None].astype(np.float32)]

    def set_up(converter: Any) -> None:
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tensorflow.uint8

    # From floats, so that the converter itself makes the input uint8. With uint8 in the graph it
    # keeps a cast and floats at the beginning (15 ms where this took 7).
    return _convert(model, "float32", set_up)


def _convert(model: Any, dtype: str, set_up: Any) -> bytes:
    import tensorflow

    from trainer.network.backend import keras

    size = int(model.input_shape[1])
    images = keras.InputSpec(shape=(1, size, size, 3), dtype=dtype, name=INPUT)
    with (
        tempfile.TemporaryDirectory() as folder,
        suppress_native_output(),
        warnings.catch_warnings(),
    ):
        # TensorFlow's converter warns about its own outdated calls.
        warnings.simplefilter("ignore")
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            SIGNATURE,
            lambda given: {OUTPUT: model(given, training=False)},
            input_signature=[images],
        )
        archive.write_out(folder, verbose=False)
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(folder)
        set_up(converter)
        return bytes(converter.convert())
