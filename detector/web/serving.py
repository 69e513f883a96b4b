"""Serving without a camera: the pictures, and the cameras, of visitors."""

from collections.abc import Callable
from pathlib import Path

from detector.tracking.pipeline import ModelRequest, Thrift
from detector.web.device.labelling import device_cameras
from detector.web.options import WebOptions
from detector.web.pictures.classify import PictureClassifier
from detector.web.server import open_web
from maskage.console import say
from maskage.errors import EnvironmentProblemError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.formats.classes.classes_file import read_scheme
from maskage.inference.classifier import Classifier


def picture_classifier(bundle: ModelBundle, face_model: Path | None) -> PictureClassifier:
    """Return what classifies the pictures that visitors send."""
    # One thread: pictures that are sent must not take the cores from the live picture.
    return PictureClassifier(
        lambda: open_face_finder(face_model, SMALLEST_IN_PICTURE_PX),
        lambda: Classifier(bundle, threads=1),
    )


def serve_pictures(
    model: Path | None, face_model: Path | None, web: WebOptions, report: Callable[[str], None]
) -> None:
    """Classify pictures that are sent, without a camera, until Ctrl-C.

    Args:
        model: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        web: The server.
        report: Gets the address to open.

    Raises:
        ToolchainError: The model or the address is not usable.
        KeyboardInterrupt: Ctrl-C.
    """
    try:
        bundle = load_bundle(find_bundle(model))
    except EnvironmentProblemError as fault:
        if web.collect is None or model is not None:
            raise
        say(f"{fault} Until then the page only collects.")
        _serve_without_model(web, report)
        return
    pictures = picture_classifier(bundle, face_model)
    devices = device_cameras(bundle, ModelRequest(face_model=face_model, thrift=Thrift()))
    with open_web(web, pictures, bundle.scheme, None, devices=devices) as screen:
        report(screen.url)
        screen.wait()


def _serve_without_model(web: WebOptions, report: Callable[[str], None]) -> None:
    """Serve a page that collects the photos of the first model; a picture finds a later model."""
    pictures = PictureClassifier(
        lambda: open_face_finder(web.face_model, SMALLEST_IN_PICTURE_PX),
        lambda: Classifier(load_bundle(find_bundle(None)), threads=1),
    )
    with open_web(web, pictures, read_scheme(web.collect or Path()), None) as screen:
        report(screen.url)
        screen.wait()
