"""The exported page in a real browser: as exact as this toolchain, offline, plain about faults."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from maskage.errors import ModelRefusedError
from maskage.faces.finder import YuNetFinder, guide_box, whole_cells
from maskage.formats.bundle import golden_images
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import encode_jpeg, read_image, resize_square
from tests.conftest import draw_noise
from tests.trainer.exports.odd_schemes import SCHEMES
from tests.trainer.exports.scheme_runs import SIZE
from trainer.exports.exporter import ExportFigures
from trainer.exports.web.browser import FolderServer, Page
from trainer.exports.web.check import PageClassifier, lay_out_frame

READY = "!document.getElementById('camera').disabled"
FAULT = "!document.getElementById('fault').hidden && document.getElementById('fault').textContent"
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def opened(folder: Path, switches: tuple[str, ...] = ()) -> Iterator[tuple[Page, FolderServer]]:
    with FolderServer(folder) as server, Page("about:blank", switches) as page:
        yield page, server


def test_it_answers_as_the_keras_model_and_names_what_is_missing(
    exported: tuple[Path, ExportFigures],
) -> None:
    folder, figures = exported
    assert figures.largest_difference < 1e-4
    assert figures.accuracy == figures.keras_accuracy
    assert "without a face finder" in figures.note
    assert "resized within" in figures.note
    told = json.loads((folder / "export.json").read_text())
    assert told["labels"] == list(SCHEMES[3].labels)
    assert told["titles"] == [each.title for each in SCHEMES[3]]
    assert told["factors"] == {"mask": ["worn", "misworn", "none"]}
    assert (folder / "labels.txt").read_text().split("\n") == [*SCHEMES[3].labels, ""]
    assert {path.name for path in folder.iterdir()} == {*told["files"], "export.json", "labels.txt"}
    assert "Microsoft Corporation" in (folder / "LICENSES.txt").read_text()
    assert "Shiqi Yu" not in (folder / "LICENSES.txt").read_text()


def test_the_page_runs_the_network(page: PageClassifier, folder: Path) -> None:
    images = golden_images(SIZE)
    expected = OnnxEngine(folder / "model.onnx").run(images)
    assert np.abs(page(images) - expected).max() < 1e-4


@pytest.mark.parametrize("side", [8, 31, 32, 33, 47, 64, 96, 101, 160, 333])
def test_pictures_are_resized_as_in_the_training(page: PageClassifier, side: int) -> None:
    pixels = draw_noise(3, side)
    off = np.abs(page.resize(pixels, SIZE).astype(int) - resize_square(pixels, SIZE))
    assert off.max() <= 1
    assert (off > 0).mean() < 0.05


def test_without_a_finder_the_guide_is_classified(page: PageClassifier) -> None:
    assert page.find(np.zeros((51, 90, 3), np.uint8), 40) == [guide_box(90, 51)]


def test_faces_are_looked_for_at_the_same_sides_as_here(folder: Path) -> None:
    given = [(side, longest) for longest in (200, 330, 500, 640, 1000) for side in (90, 333, 660)]
    script = f"import('./faces.js').then(({{ wholeCells }}) => {json.dumps(given)}.map((each) =>"
    with opened(folder) as (page, server):
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        assert page.run(f"{script} wholeCells(...each)))") == [whole_cells(*each) for each in given]


def test_real_faces_are_found_where_opencv_finds_them(
    copied_folder: Path, shared: Path, face_model: Path
) -> None:
    about = json.loads((copied_folder / "model.json").read_text())
    about["files"]["faces"] = {"name": "face_finder.onnx"}
    (copied_folder / "model.json").write_text(json.dumps(about))
    (copied_folder / "face_finder.onnx").write_bytes(face_model.read_bytes())
    page, finder = PageClassifier(copied_folder), YuNetFinder(face_model, 30)
    try:
        faces = alike = extra = 0
        for path in sorted((shared / "groups_photos").glob("*.jpg"))[:4]:
            pixels = read_image(path)
            expected, found = finder.find(pixels), page.find(pixels, 30)
            faces += len(expected)
            alike += sum(any(each.iou(own) > 0.9 for own in found) for each in expected)
            extra += max(0, len(found) - len(expected))
    finally:
        page.close()
    assert faces > 4
    assert alike >= faces - 1
    assert extra <= 1


def test_the_camera_shows_a_label_and_the_page_opens_without_its_server(folder: Path) -> None:
    with opened(folder, FAKE_CAMERA) as (page, server):
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        page.wait_for("document.getElementById('facts').textContent.includes('without a network')")
        server.close()
        page.call("Page.navigate", url=server.url + "?again")
        page.wait_for(f"location.search === '?again' && {READY}")
        page.run("document.getElementById('camera').click()")
        text = page.wait_for("(document.querySelector('#faces .face b') || {}).textContent")
        assert "%" in text
        assert page.run("document.getElementById('boxes').width") > 0
        page.run("document.getElementById('camera').click()")
        assert page.run("document.getElementById('stage').hidden")


def test_a_camera_that_is_started_twice_is_held_once(folder: Path) -> None:
    with opened(folder, FAKE_CAMERA) as (page, server):
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        page.run(
            "(() => { const devices = navigator.mediaDevices; window.tracks = [];"
            "const open = devices.getUserMedia.bind(devices);"
            "devices.getUserMedia = async (wanted) => { const stream = await open(wanted);"
            "window.tracks.push(...stream.getTracks()); return stream; };"
            "for (let turn = 0; turn < 3; turn++) document.getElementById('camera').click(); })()"
        )
        page.wait_for("window.tracks.length === 3 && !!document.querySelector('#faces .face b')")
        assert page.run("window.tracks.filter((each) => each.readyState === 'live').length") == 1
        assert not page.run(FAULT)
        page.run("document.getElementById('camera').click()")
        page.wait_for("window.tracks.every((each) => each.readyState === 'ended')")


def test_nothing_can_be_sent_elsewhere(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as (page, server), FolderServer(tmp_path) as other:
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        blocked = (
            "new Promise((done) => document.addEventListener('securitypolicyviolation', done))"
        )
        script = f"(() => {{ const seen = {blocked}; fetch('{other.url}').catch(() => 0);"
        assert page.run(script + "return seen.then((event) => event.blockedURI); })()")


def test_a_proxy_is_not_asked_for_the_browser_beside(
    browser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        # Nobody answers there.
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Page("about:blank") as page:
        assert page.run("1 + 1") == 2


def test_a_refused_camera_is_explained(folder: Path) -> None:
    with opened(folder, FAKE_CAMERA[:1]) as (page, server):
        page.call(
            "Browser.setPermission", permission={"name": "camera"}, setting="denied",
            origin=server.url.rstrip("/"),
        )  # fmt: skip
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        page.run("document.getElementById('camera').click()")
        assert "The camera is not permitted" in page.wait_for(FAULT)


def test_a_damaged_model_is_explained_and_not_run(copied_folder: Path) -> None:
    data = bytearray((copied_folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copied_folder / "model.onnx").write_bytes(data)
    with pytest.raises(ModelRefusedError, match=r"model\.onnx is damaged.*Copy the whole folder"):
        PageClassifier(copied_folder)
    (copied_folder / "model.onnx").unlink()
    with pytest.raises(ModelRefusedError, match=r"model\.onnx cannot be loaded \(HTTP 404\)"):
        PageClassifier(copied_folder)


def test_other_answers_than_the_trained_model_are_not_shown(copied_folder: Path) -> None:
    about = json.loads((copied_folder / "model.json").read_text())
    about["golden"] = [row[::-1] for row in about["golden"]]
    (copied_folder / "model.json").write_text(json.dumps(about))
    with pytest.raises(ModelRefusedError, match="computes other answers"):
        PageClassifier(copied_folder)


def test_a_browser_without_simd_and_a_page_from_a_file_are_explained(folder: Path) -> None:
    with opened(folder) as (page, server):
        page.call("Page.navigate", url=(folder / "index.html").as_uri())
        assert "python3 -m http.server" in page.wait_for(FAULT)
        page.call("Page.enable")
        page.call(
            "Page.addScriptToEvaluateOnNewDocument", source="WebAssembly.validate = () => false"
        )
        page.call("Page.navigate", url=server.url)
        assert "has no WebAssembly with SIMD" in page.wait_for(f"location.port && {FAULT}")
        assert page.run("document.getElementById('camera').disabled")


def test_a_chosen_picture_is_shown_upright_with_its_answer(folder: Path, tmp_path: Path) -> None:
    from PIL import Image

    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw_noise(5, 90)[:60]).save(turned, exif=exif)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(encode_jpeg(draw_noise(5, 60))[:60])
    with opened(folder) as (page, server):
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        node = page.call("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
        page.call("DOM.setFileInputFiles", nodeId=node, files=[str(turned), str(broken)])
        page.wait_for("document.querySelectorAll('.picture .faces, .picture .fault').length === 2")
        assert page.run(
            "(({width, height}) => [width, height])(document.querySelector('.picture canvas'))"
        ) == [60, 90]
        assert "cannot read it as a picture" in page.run(
            "document.querySelector('.picture .fault').textContent"
        )


def test_a_frame_of_photos_is_filled(folder: Path) -> None:
    photos = np.stack([np.full((8, 8, 3), 20 * number, np.uint8) for number in range(3)])
    frame = lay_out_frame(photos, 80, 60)
    assert frame.shape == (60, 80, 3)
    assert frame[10, 30].tolist() == [20, 20, 20]
