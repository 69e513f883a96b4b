"""Fixtures that tests of the ground share with those of the tools."""

from tests.detector.conftest import bundle, film, no_face_model, paint, reseal
from tests.trainer.conftest import backbone_weights, copied_bundle, curated, small_run

__all__ = [
    "backbone_weights",
    "bundle",
    "copied_bundle",
    "curated",
    "film",
    "no_face_model",
    "paint",
    "reseal",
    "small_run",
]
