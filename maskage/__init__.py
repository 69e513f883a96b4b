"""The library behind collector, curate, trainer and detector, for your own scripts.

Frames, faces and crops:

    >>> import maskage
    >>> frame = next(maskage.read_frames("demo"))
    >>> finder = maskage.GuideFinder()
    >>> crops = [maskage.crop_face(frame.pixels, box) for box in finder.find(frame.pixels)]
    >>> crops[0].shape[2]
    3

A trained model on a picture file (or on an array, RGB uint8):

    model = maskage.FaceClassifier("runs/mine")
    for face in model.classify("photo.jpg"):
        print(face.label, f"{face.confidence:.0%}", face.box)

What the tools wrote: `list_photos("data")`, `read_curated("curated")`, `RunFolder("runs/mine")`.

What is named here is public, and stays for a minor version after a warning; every other module may
change. A name is loaded when it is first used, so the import itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from maskage.system.paths import keep_library_caches
from maskage.telemetry import switch_off_telemetry

# Before any library that a module of ours imports, in every command, worker process and script.
switch_off_telemetry()
keep_library_caches()

if TYPE_CHECKING:
    from maskage.cameras.sources import open_camera, read_frames
    from maskage.dataset.store import list_photos
    from maskage.errors import ToolchainError
    from maskage.faces.finder import GuideFinder, YuNetFinder, crop_face, open_face_finder
    from maskage.formats.curated_set import CuratedDataset, CuratedPhoto, read_curated
    from maskage.formats.run_folder import RunFolder
    from maskage.inference.picture_faces import ClassifiedFace, FaceClassifier
    from maskage.pictures.images import encode_jpeg, read_image
    from maskage.records import LABELS, FaceBox, Frame, Label, Photo

_HOMES = {
    "LABELS": "records",
    "ClassifiedFace": "inference.picture_faces",
    "CuratedDataset": "formats.curated_set",
    "CuratedPhoto": "formats.curated_set",
    "FaceBox": "records",
    "FaceClassifier": "inference.picture_faces",
    "Frame": "records",
    "GuideFinder": "faces.finder",
    "Label": "records",
    "Photo": "records",
    "RunFolder": "formats.run_folder",
    "ToolchainError": "errors",
    "YuNetFinder": "faces.finder",
    "crop_face": "faces.finder",
    "encode_jpeg": "pictures.images",
    "list_photos": "dataset.store",
    "open_camera": "cameras.sources",
    "open_face_finder": "faces.finder",
    "read_curated": "formats.curated_set",
    "read_frames": "cameras.sources",
    "read_image": "pictures.images",
}
"""The module of `maskage` that each public name lives in."""

__all__ = [
    "LABELS",
    "ClassifiedFace",
    "CuratedDataset",
    "CuratedPhoto",
    "FaceBox",
    "FaceClassifier",
    "Frame",
    "GuideFinder",
    "Label",
    "Photo",
    "RunFolder",
    "ToolchainError",
    "YuNetFinder",
    "crop_face",
    "encode_jpeg",
    "list_photos",
    "open_camera",
    "open_face_finder",
    "read_curated",
    "read_frames",
    "read_image",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'maskage' has no attribute {name!r}")
    return getattr(import_module(f"maskage.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*globals(), *__all__})
