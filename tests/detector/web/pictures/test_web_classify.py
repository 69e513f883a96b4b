"""`POST /classify`: pictures are classified, all else is refused, and everybody has a turn."""

import asyncio
import base64
import io
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence

import httpx
import numpy as np
import pytest
from PIL import Image

from detector.web.options import WebOptions
from detector.web.pictures.classify import PictureClassifier
from detector.web.pictures.fair_queue import QueueLimits
from detector.web.server import open_web
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.pictures.images import encode_jpeg
from maskage.records import FaceBox, RgbImage
from tests.detector.web.web_server import TOKEN, Served, serving, wait_until

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


def test_a_batch_answers_each_picture_in_order_with_its_faces_or_its_reason(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    good = {label: encode_jpeg(paint(label)) for label in MASK_AGE.labels}
    sent = [
        ("images", ("a.jpg", good["mask_old"], "image/jpeg")),
        ("images", ("notes.txt", b"just text", "text/plain")),
        ("images", ("huge.jpg", b"x" * 200_001, "image/jpeg")),
        ("images", ("b.jpg", good["nomask_young"], "image/jpeg")),
        ("images", ("empty.jpg", b"", "image/jpeg")),
        ("images", ("half.jpg", good["mask_old"][:300], "image/jpeg")),
        ("images", ("c.jpg", good["mask_young"], "image/jpeg")),
    ]
    answer = served.client.post("/classify", files=sent)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    entries = result["pictures"]
    assert result["classified"] == 3
    assert [each["name"] for each in entries] == [file[0] for _, file in sent]
    assert [each["status"] for each in entries] == [200, 415, 413, 200, 400, 400, 200]
    assert "not a picture" in entries[1]["detail"]
    assert entries[1]["detail"].startswith("notes.txt")
    assert "200,000" in entries[2]["detail"]
    for at, label in ((0, "mask_old"), (3, "nomask_young"), (6, "mask_young")):
        alone = served.client.post("/classify", content=good[label], headers=JPEG).json()
        assert entries[at]["picture"] == alone
        assert alone["faces"][0]["label"] == label
        assert entries[at]["detail"] is None


def test_a_preview_comes_back_upright_and_small_if_asked_for(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old", 640, 480))
    plain = served.client.post("/classify", content=data).json()
    assert plain["preview"] is None
    answer = served.client.post("/classify?preview=64", content=data).json()
    with Image.open(io.BytesIO(base64.b64decode(answer["preview"]))) as preview:
        assert (preview.format, preview.size) == ("JPEG", (64, 48))
    assert answer | {"preview": None} == plain
    sent = [("images", ("a.jpg", data)), ("images", ("b.jpg", b"x"))]
    batch = served.client.post("/classify?preview=64", files=sent).json()["pictures"]
    assert batch[0]["picture"]["preview"] == answer["preview"]
    assert served.client.post("/classify?preview=9999", content=data).status_code == 422


def test_a_batch_of_one_is_a_list_and_several_files_called_image_are_a_batch(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old"))
    for field, count in (("images", 1), ("image", 3)):
        sent = [(field, (f"{n}.jpg", data, "image/jpeg")) for n in range(count)]
        result = served.client.post("/classify", files=sent).json()
        assert result["classified"] == len(result["pictures"]) == count


def test_more_than_32_pictures_are_refused_and_32_are_not(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old"))
    sent = [("images", (f"{n}.jpg", data, "image/jpeg")) for n in range(33)]
    answer = served.client.post("/classify", files=sent)
    assert answer.status_code == 422
    assert "up to 32" in answer.json()["detail"]
    answer = served.client.post("/classify", files=sent[:32])
    assert answer.json()["classified"] == 32


def test_too_large_a_batch_is_refused_as_a_whole(served: Served) -> None:
    sent = [("images", (f"{n}.jpg", b"x" * 190_000, "image/jpeg")) for n in range(4)]
    answer = served.client.post("/classify", files=sent)
    assert answer.status_code == 413
    assert "731,072" in answer.json()["detail"]


def test_the_faces_of_a_batch_go_through_the_network_together(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    sizes: list[int] = []

    class Counting(Classifier):
        def answer(self, crops: Sequence[RgbImage]) -> Answers:
            sizes.append(len(crops))
            return super().answer(crops)

    async def classify() -> int:
        classifier = PictureClassifier(GuideFinder, lambda: Counting(bundle, threads=1))
        data = encode_jpeg(paint("mask_old"))
        answers = await classifier.classify_all([(str(n), data) for n in range(20)])
        classifier.close()
        return len(answers)

    assert asyncio.run(classify()) == 20
    assert sizes == [8, 8, 4]


def test_a_batch_lets_another_request_in_between(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    ended: list[str] = []

    async def classify() -> None:
        classifier = PictureClassifier(GuideFinder, lambda: Classifier(bundle, threads=1))
        data = encode_jpeg(paint("mask_old"))

        async def send(name: str, count: int) -> None:
            async with classifier.take_place(name, 1):
                await classifier.classify_all([(name, data)] * count)
            ended.append(name)

        await asyncio.gather(send("batch", 32), send("one", 1))
        classifier.close()

    asyncio.run(classify())
    assert ended == ["one", "batch"]


def test_twenty_clients_at_once_all_get_their_answer(
    served: Served, paint: Callable[..., RgbImage]
) -> None:
    data = encode_jpeg(paint("mask_old", 800, 600))
    statuses: list[int] = []

    def send() -> None:
        with served.stranger(Authorization=f"Bearer {TOKEN}") as client:
            for _ in range(3):
                statuses.append(
                    client.post("/classify", content=data, headers=JPEG, timeout=60).status_code
                )

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 60


def held_classifier(
    bundle: ModelBundle, go_on: threading.Event, *, most_waiting: int
) -> PictureClassifier:
    """A classifier that works on one picture at a time, and on none until it may go on."""

    class HeldFinder(GuideFinder):
        def find(self, pixels: RgbImage) -> list[FaceBox]:
            go_on.wait(30)
            return super().find(pixels)

    limits = QueueLimits(
        most_inside=1, most_bytes=10**9, most_waiting=most_waiting, longest_wait_s=60
    )
    return PictureClassifier(HeldFinder, lambda: Classifier(bundle, threads=1), limits)


def test_beyond_the_queue_a_request_is_sent_away_and_may_come_again(
    bundle: ModelBundle, paint: Callable[..., RgbImage]
) -> None:
    go_on = threading.Event()
    classifier = held_classifier(bundle, go_on, most_waiting=2)
    data = encode_jpeg(paint("mask_old"))
    statuses: list[int] = []
    options = WebOptions(port=0, token=TOKEN)
    with open_web(options, classifier, bundle.scheme, None) as screen:
        base = screen.url.partition("/?")[0]
        headers = {"Authorization": f"Bearer {TOKEN}", **JPEG}

        def post() -> httpx.Response:
            return httpx.post(f"{base}/classify", content=data, headers=headers, timeout=60)

        threads = [
            threading.Thread(target=lambda: statuses.append(post().status_code)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: classifier.queue.inside + classifier.queue.waiting == 3, 30)
        refused = post()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "2 requests are waiting" in refused.json()["detail"]
        go_on.set()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 3
        assert post().status_code == 200


def test_who_gives_up_in_the_queue_leaves_no_trace(
    bundle: ModelBundle, paint: Callable[..., RgbImage], capsys: pytest.CaptureFixture[str]
) -> None:
    go_on = threading.Event()
    classifier = held_classifier(bundle, go_on, most_waiting=5)
    data = encode_jpeg(paint("mask_old"))
    with open_web(WebOptions(port=0, token=TOKEN), classifier, bundle.scheme, None) as screen:
        base = screen.url.partition("/?")[0]
        headers = {"Authorization": f"Bearer {TOKEN}", **JPEG}
        first = threading.Thread(
            target=lambda: httpx.post(f"{base}/classify", content=data, headers=headers, timeout=60)
        )
        first.start()
        wait_until(lambda: classifier.queue.inside == 1, 30)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{base}/classify", content=data, headers=headers, timeout=0.5)
        go_on.set()
        first.join()
        wait_until(lambda: classifier.queue.inside + classifier.queue.waiting == 0, 30)
    assert "bug" not in capsys.readouterr().err


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
