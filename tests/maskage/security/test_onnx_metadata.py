"""An ONNX file may carry the text that we write beside the network, and no other text."""

import json

import numpy as np
import pytest

from maskage.inference.onnx_engine import OnnxEngine
from maskage.security.files import UnsafeFileError
from maskage.security.onnx import LARGEST_METADATA, METADATA_KEYS, check_onnx
from tests.maskage.security.hostile_models import make_network


def _with_text(*entries: tuple[str, str]) -> bytes:
    model = make_network()
    for key, value in entries:
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(model.SerializeToString())


def test_the_text_that_we_write_is_taken_and_changes_no_answer() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    data = _with_text(*((key, "öß 😀 'x'") for key in sorted(METADATA_KEYS)))
    assert check_onnx(data) == 32
    plain = OnnxEngine(make_network().SerializeToString()).run(images)
    assert np.array_equal(OnnxEngine(data).run(images), plain)


def test_a_file_without_text_is_taken_as_before() -> None:
    assert check_onnx(_with_text()) == 32


def test_settings_for_the_runtime_are_refused() -> None:
    settings = json.dumps({"session_options": {"optimized_model_filepath": "/tmp/x"}})
    with pytest.raises(UnsafeFileError, match="under the key 'ort_config'"):
        check_onnx(_with_text(("ort_config", settings)))


def test_an_unknown_key_is_shown_without_its_control_characters() -> None:
    with pytest.raises(UnsafeFileError, match=r"under the key 'a\\x1b\[2J'"):
        check_onnx(_with_text(("a\x1b[2J", "")))


def test_a_key_stands_once() -> None:
    with pytest.raises(UnsafeFileError, match="key 'classes' twice"):
        check_onnx(_with_text(("classes", "[]"), ("classes", "[]")))


def test_the_text_is_not_long() -> None:
    half = "x" * (LARGEST_METADATA // 2)
    assert check_onnx(_with_text(("classes", half), ("names", half))) == 32
    with pytest.raises(UnsafeFileError, match=r"its metadata has 1,048,577 characters"):
        check_onnx(_with_text(("classes", half), ("names", half), ("titles", "x")))


def test_bytes_that_are_no_text_are_refused() -> None:
    data = _with_text(("classes", "ABCD"))
    assert data.count(b"ABCD") == 1
    broken = data.replace(b"ABCD", b"\xff\xfe\xfd\xfc")
    with pytest.raises(UnsafeFileError):
        check_onnx(broken)
