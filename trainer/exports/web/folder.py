"""Write the folder of a model for browsers.

index.html, *.js, style.css    the page
model.onnx, model.json         the network; its classes, thresholds, and digests of the files
face_finder.onnx               YuNet, where this machine has it
onnxruntime-web.mjs, *.wasm    the runtime
manifest.webmanifest, icon-*   for the home screen
sw.js                          keeps all of it in the browser
LICENSES.txt                   licences of what is not this project's
"""

import hashlib
import io
import json
import textwrap
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

from maskage.faces.finder import find_face_model
from maskage.formats.bundle import ModelBundle
from trainer.exports.rebuild import RebuiltModel
from trainer.exports.web.runtime import PACKAGE, VERSION, WASM, unpack_runtime

MODEL_FILE, FINDER_FILE = "model.onnx", "face_finder.onnx"
CLASSES_FILE, LICENSES_FILE = "model.json", "LICENSES.txt"
ICON_SIDES = (192, 512)

_YUNET_NOTICE = "Copyright (c) 2020 Shiqi Yu <shiqi.yu@gmail.com>"


def write_folder(rebuilt: RebuiltModel, network: bytes, package: bytes, folder: Path) -> str:
    """Write the page of a model into an empty folder.

    Args:
        rebuilt: The model that is exported.
        network: Bytes of its ONNX file.
        package: Bytes of the runtime's package.
        folder: Where it is written.

    Returns:
        A few words on what was written.
    """
    bundle = rebuilt.bundle
    runtime = unpack_runtime(package)
    finder = find_face_model()
    written = {MODEL_FILE: network, **runtime}
    if finder is not None:
        # By a fixed name, whatever the user's copy is called.
        written[FINDER_FILE] = finder.read_bytes()
    name = bundle.folder.parent.name
    about = _describe(bundle, name, rebuilt.recipe.backbone, written)
    written[CLASSES_FILE] = _json(about)
    written["manifest.webmanifest"] = _json(_manifest(name))
    written |= {f"icon-{side}.png": draw_icon(bundle, side) for side in ICON_SIDES}
    written[LICENSES_FILE] = _licenses(has_finder=finder is not None).encode()
    sources = (files("trainer") / "exports/web/page").iterdir()
    page = {each.name: each.read_bytes() for each in sources if each.is_file()}
    written |= page
    written["sw.js"] = _list_files(written) + page["sw.js"]
    for each, data in written.items():
        (folder / each).write_bytes(data)
    if finder is None:
        return "without a face finder ($FACE_MODEL names none): one face is held in a frame"
    return "with YuNet, which finds the faces"


def _describe(
    bundle: ModelBundle, name: str, network: str, written: dict[str, bytes]
) -> dict[str, Any]:
    """Return the values of `model.json`."""
    return {
        "name": name,
        "network": network,
        "classes": [
            {"label": each.folder, "title": each.title, "color": each.color}
            for each in bundle.scheme
        ],
        "inputSize": bundle.input_size,
        "cropMargin": bundle.crop_margin,
        "temperature": bundle.temperature,
        "unsureBelow": bundle.unsure_below,
        "strangeAbove": bundle.strange_above,
        "golden": bundle.golden,
        "runtime": VERSION,
        "files": {
            "model": _listed(MODEL_FILE, written),
            "faces": _listed(FINDER_FILE, written),
            "runtime": _listed(WASM, written),
        },
    }


def _listed(name: str, written: dict[str, bytes]) -> dict[str, Any] | None:
    if name not in written:
        return None
    data = written[name]
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _manifest(name: str) -> dict[str, Any]:
    return {
        "name": f"Face classifier {name}",
        "short_name": name[:12],
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#15171b",
        "theme_color": "#15171b",
        "icons": [
            {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png",
             "purpose": "any maskable"}
            for side in ICON_SIDES
        ],
    }  # fmt: skip


def draw_icon(bundle: ModelBundle, side: int) -> bytes:
    """Draw a face in a box with a ring in the colours of the classes; return a PNG."""
    from PIL import Image, ImageDraw

    large = 4 * side
    image = Image.new("RGB", (large, large), "#15171b")
    pen = ImageDraw.Draw(image)
    step = 360 / len(bundle.scheme)
    # A phone may cut a circle of four fifths out.
    ring = [round(0.16 * large), round(0.84 * large)]
    for number, each in enumerate(bundle.scheme):
        pen.arc((ring[0], ring[0], ring[1], ring[1]), number * step - 90, (number + 1) * step - 90,
                each.color, round(0.07 * large))  # fmt: skip
    for x, y, radius in ((0.41, 0.44, 0.035), (0.59, 0.44, 0.035)):
        pen.ellipse([round(each * large) for each in (x - radius, y - radius, x + radius,
                    y + radius)], "#e7e5df")  # fmt: skip
    pen.arc([round(each * large) for each in (0.38, 0.42, 0.62, 0.64)], 25, 155, "#e7e5df",
            round(0.03 * large))  # fmt: skip
    file = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()


def _list_files(written: dict[str, bytes]) -> bytes:
    """Return the line of `sw.js` that names the folder's files and their version."""
    digest = hashlib.sha256()
    for name, data in sorted(written.items()):
        digest.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    names = sorted(name for name in written if name != "sw.js")
    return (
        f"const VERSION = {json.dumps(digest.hexdigest()[:16])}, FILES = {json.dumps(names)};\n"
    ).encode()


def _licenses(*, has_finder: bool) -> str:
    """Return the licences of the runtime and of YuNet."""
    found = distribution("onnxruntime").locate_file("onnxruntime")
    text = Path(str(found), "LICENSE").read_text(encoding="utf-8")
    notices = Path(str(found), "ThirdPartyNotices.txt").read_text(encoding="utf-8")
    parts = [f"{PACKAGE} {VERSION} (onnxruntime-web.mjs, {WASM})\n\n{text}"]
    if has_finder:
        # Both are under the same licence; only its holder is another.
        own = text.replace("Copyright (c) Microsoft Corporation", _YUNET_NOTICE)
        parts.append(f"YuNet ({FINDER_FILE})\n\n{own}")
    parts.append(f"What is within {PACKAGE}\n\n{notices}")
    rule = "\n" + "=" * 78 + "\n\n"
    return textwrap.dedent(rule.join(parts))


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()
