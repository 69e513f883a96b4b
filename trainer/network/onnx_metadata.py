"""The text in an ONNX file that says what its numbers mean, which viewers and other programs show.

classes       class folders in the order of the outputs, a JSON list
titles        their names for people, a JSON list
factors       value of each class by the name of the factor, a JSON object of lists
names         the class folders again, as the dict that Ultralytics writes: {0: 'mask', 1: 'nomask'}
input_size    side of the input, px
color_order   RGB
crop_margin   border around a face in the training photos, as a share of the box's longer side
version       version of maskage that trained the model
strange_above strangeness above which a face is unlike those that were learned; only in files with
              the output `strangeness`

ONNX Runtime gives it as `session.get_modelmeta().custom_metadata_map`.
"""

import json
from collections.abc import Mapping

import onnx

from maskage.classes.scheme import Scheme
from maskage.security.onnx import METADATA_KEYS

LIMIT_KEY = "strange_above"


def factor_values(scheme: Scheme) -> dict[str, list[str]]:
    """Return the value that each class has of each factor, in class order, by the factor's name."""
    return {name: [each.factors[name] for each in scheme] for name in scheme.factors}


def describe_network(
    scheme: Scheme,
    *,
    input_size: int,
    crop_margin: float,
    version: str,
    strange_above: float | None = None,
) -> dict[str, str]:
    """Return the text for an ONNX file, by its keys.

    Args:
        scheme: Classes, in the order of the outputs.
        input_size: Side of the input, px.
        crop_margin: Border around a face box in the training photos, a share of its longer side.
        version: Version of maskage that trained the model.
        strange_above: Limit of the output `strangeness`; None where there is no such output.
    """
    limit = {} if strange_above is None else {LIMIT_KEY: str(strange_above)}
    return {
        "classes": _as_json(list(scheme.labels)),
        "titles": _as_json([each.title for each in scheme]),
        "factors": _as_json(factor_values(scheme)),
        "names": str(dict(enumerate(scheme.labels))),
        "input_size": str(input_size),
        "color_order": "RGB",
        "crop_margin": str(crop_margin),
        "version": version,
        **limit,
    }


def write_metadata(network: bytes, values: Mapping[str, str]) -> bytes:
    """Return an ONNX file with this text in it, in place of any that it has.

    A file that has exactly this text is returned as it is.

    Raises:
        ValueError: A key is not in `METADATA_KEYS`, so that no bundle with it could be opened.
    """
    if unknown := set(values) - METADATA_KEYS:
        raise ValueError(f"not keys of the metadata: {', '.join(sorted(unknown))}")
    model = onnx.load_model_from_string(network)
    if {entry.key: entry.value for entry in model.metadata_props} == dict(values):
        return network
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(values))
    return bytes(model.SerializeToString())


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
