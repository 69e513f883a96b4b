"""`POST /classify`: pictures are classified, everything else is refused, and nobody waits long."""

import asyncio
import io
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from detector.web.classify import MOST_WAITING, BusyError, PictureClassifier
from detector.web.options import WebOptions
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, RgbImage
from tests.detector.web.web_server import TOKEN, Served, serving

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def served(bundle: ModelBundle) -> Iterator[Served]:
    options = WebOptions(port=0, token=TOKEN, upload_bytes=200_000)
    with serving(bundle, options, has_camera=False) as opened:
        yield opened


@pytest.mark.parametrize("label", MASK_AGE.labels)
def test_a_picture_is_classified(
    served: Served, paint: Callable[..., RgbImage], label: str
) -> None:
    answer = served.client.post("/classify", content=encode_jpeg(paint(label)), headers=JPEG)
    assert answer.status_code == 200
    result = answer.json()
    (face,) = result["faces"]
    assert face["label"] == label
    assert face["box"] == [20, 12, 24, 24]
    assert face["unsure"] is False
    assert (face["unsure_reason"], face["strangeness"]) == (None, None)
    assert face["confidence"] == face["probabilities"][label]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert (result["width"], result["height"]) == (64, 48)
    assert result["notice"] == "nobody looked"
    assert "estimated" in result["age_notice"]


def test_a_form_field_works_as_a_plain_body_does(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old"))
    plain = served.client.post("/classify", content=data)
    # What `curl --data-binary` says of itself.
    told = {"Content-Type": "application/x-www-form-urlencoded"}
    assert served.client.post("/classify", content=data, headers=told).json() == plain.json()
    form = served.client.post("/classify", files={"image": ("a.jpg", data, "image/jpeg")})
    assert plain.status_code == form.status_code == 200
    assert plain.json() == form.json()


def test_a_picture_on_its_side_is_turned(served: Served, paint: Callable[..., RgbImage]) -> None:
    image = Image.fromarray(paint("mask_old"))
    exif = image.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    result = served.client.post("/classify", content=file.getvalue(), headers=JPEG).json()
    assert (result["width"], result["height"]) == (48, 64)


def make_bomb() -> bytes:
    """A PNG of a few kilobytes that claims 20,000 x 20,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + crc.to_bytes(4, "big")

    side = (20_000).to_bytes(4, "big")
    body = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", side + side + b"\x08\x02\0\0\0"), chunk(b"IDAT", body), chunk(b"IEND", b""))
    )


def test_what_is_no_picture_is_refused_with_its_reason(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    whole = encode_jpeg(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    cases = [
        (b"", 400, "empty"),
        (b"just text", 415, "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", 415, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not a picture"),
        (whole[: len(whole) // 2], 400, "cut short"),
        (make_bomb(), 400, "25 megapixels"),
    ]
    for data, status, words in cases:
        answer = served.client.post("/classify", content=data, headers=JPEG)
        assert answer.status_code == status, (data[:20], answer.text)
        assert words in answer.json()["detail"]
    # It goes on after all of them.
    answer = served.client.post("/classify", content=encode_jpeg(paint("mask_old")))
    assert answer.status_code == 200


def test_other_kinds_of_body_are_refused(served: Served) -> None:
    post = served.client.post
    assert post("/classify", json={"image": "x"}).status_code == 415
    assert post("/classify", content=b"x", headers={"Content-Type": "text/html"}).status_code == 415
    assert post("/classify", files={"other": ("a", b"x")}).status_code == 400
    assert post("/classify", files=[("image", b"a"), ("image", b"b")]).status_code == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = post("/classify", content=b"no form", headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert answer.json()["detail"]
    assert served.client.get("/classify").status_code == 405


def test_too_large_a_picture_is_refused_by_its_length(served: Served) -> None:
    answer = served.client.post("/classify", content=b"x" * 300_000, headers=JPEG)
    assert answer.status_code == 413
    assert "200,000" in answer.json()["detail"] or "204,096" in answer.json()["detail"]
    # Even just above the limit, where a form's lines would still fit.
    answer = served.client.post("/classify", content=b"x" * 200_001, headers=JPEG)
    assert answer.status_code == 413


def test_too_large_a_picture_is_refused_while_it_comes_in(served: Served) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(40):
            sent += 50_000
            yield b"x" * 50_000

    answer = served.client.post("/classify", content=pieces(), headers=JPEG)
    assert answer.status_code == 413
    answer = served.client.post("/classify", files={"image": ("a.jpg", b"x" * 300_000)})
    assert answer.status_code == 413


def test_pictures_wait_in_a_short_line_and_then_are_sent_away(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    go_on = threading.Event()

    class SlowFinder(GuideFinder):
        def find(self, pixels: RgbImage) -> list[FaceBox]:
            go_on.wait(10)
            return super().find(pixels)

    async def fill() -> list[object]:
        classifier = PictureClassifier(SlowFinder, lambda: Classifier(bundle, threads=1))
        data = encode_jpeg(paint("mask_old"))

        async def one() -> object:
            try:
                with classifier.take_seat():
                    return len((await classifier.classify(data)).faces)
            except BusyError:
                return "busy"

        waiting = [asyncio.create_task(one()) for _ in range(MOST_WAITING + 4)]
        await asyncio.sleep(0.1)
        refused = [task.result() for task in waiting if task.done()]
        go_on.set()
        results = await asyncio.gather(*waiting)
        assert refused == ["busy"] * 3
        # The seats are free again.
        assert await one() == 1
        classifier.close()
        return list(results)

    results = asyncio.run(fill())
    assert results.count(1) == MOST_WAITING + 1


def test_many_pictures_at_once_are_each_answered_or_sent_away(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old", 1600, 1200))
    statuses: list[int] = []

    def send() -> None:
        with served.stranger(Authorization=f"Bearer {TOKEN}") as client:
            for _ in range(5):
                answer = client.post("/classify", content=data, headers=JPEG)
                statuses.append(answer.status_code)
                if answer.status_code == 503:
                    assert answer.headers["retry-after"] == "1"

    threads = [threading.Thread(target=send) for _ in range(12)]
    started_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 60
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 5
    assert time.monotonic() - started_s < 30


def test_a_phone_s_large_photo_is_classified_and_its_boxes_are_in_its_own_pixels(
    served: Served,
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (5_200, 5_000), (0, 200, 0)).save(file, "JPEG", optimize=True)
    answer = served.client.post("/classify", content=file.getvalue(), headers=JPEG)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["width"], result["height"]) == (5_200, 5_000)
    # The guide box of this size, as found at half of it.
    assert result["faces"][0]["box"] == [1_350, 1_250, 2_500, 2_500]


def test_without_its_decoder_a_heic_is_a_kind_that_is_not_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x08free"
    answer = served.client.post("/classify", content=data, headers={"Content-Type": "image/heic"})
    assert answer.status_code == 415
    assert "pip install pi-heif" in answer.json()["detail"]
