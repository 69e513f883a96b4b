"""Nobody else can look into a dataset, photos tell nothing but their picture, nothing is sent."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from collector.cli import main
from maskage.dataset.edits import trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import FACE_MODEL_URL
from maskage.inference.imagenet_weights import KERAS_HOST
from maskage.pictures.images import encode_jpeg, read_image, without_metadata
from tests.conftest import draw_noise

SECRET = b"taken at home by a person of this name"
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes_of(root: Path) -> dict[str, int]:
    paths = [root, *root.rglob("*")]
    return {path.relative_to(root).as_posix(): path.stat().st_mode & 0o7777 for path in paths}


def test_folders_are_0700_and_files_0600(tmp_path: Path, umask: int) -> None:
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        store.add(draw_noise(1), "mask_old", subject="p07")
        store.apply([trashing(store.add(draw_noise(2), "nomask_young"))])
        modes = modes_of(root)
        assert {".dataset/manifest.db-wal", ".dataset/manifest.db-shm", ".dataset/lock"} <= set(
            modes
        )
    for path, mode in {**modes, **modes_of(root)}.items():
        assert mode == (0o700 if (root / path).is_dir() or path == "." else 0o600), path
    assert sum(path.is_file() for path in root.rglob("*.jpg")) == 2


def test_imported_photos_are_as_private(
    tmp_path: Path, umask: int, four_folders: Callable[..., Path]
) -> None:
    root = tmp_path / "data"
    source = four_folders(1)
    for path in source.rglob("*.jpg"):
        path.chmod(0o666)
    assert main(["import", str(source), str(root)]) == 0
    assert {mode for path, mode in modes_of(root).items() if path.endswith(".jpg")} == {0o600}


def jpeg_with_metadata(seed: int, orientation: int) -> bytes:
    """EXIF with GPS, a thumbnail's worth of text, XMP, a comment and an orientation."""
    picture = Image.fromarray(draw_noise(seed))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)}
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, exif=exif, comment=SECRET, xmp=XMP)
    return file.getvalue()


def two_pictures_in_one(seed: int) -> bytes:
    """As phones save them: a second JPEG, with EXIF of its own, behind the first."""
    second = Image.fromarray(draw_noise(seed + 1))
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    second.encoderinfo = {"exif": exif, "quality": 95}
    file = io.BytesIO()
    Image.fromarray(draw_noise(seed)).save(
        file, "MPO", save_all=True, append_images=[second], quality=95, exif=exif
    )
    return file.getvalue()


def progressive_with_comment(seed: int) -> bytes:
    """A comment between the scans, where the format allows one too."""
    file = io.BytesIO()
    Image.fromarray(draw_noise(seed)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    second_scan = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    comment = b"\xff\xfe" + (len(SECRET) + 2).to_bytes(2, "big") + SECRET
    return data[:second_scan] + comment + data[second_scan:]


def with_thumbnail(seed: int) -> bytes:
    """An extension of JFIF that holds a small picture: here a text."""
    data = encode_jpeg(draw_noise(seed))
    body = b"JFXX\0\x10" + SECRET
    return data[:2] + b"\xff\xe0" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def png_with_text(seed: int) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    file = io.BytesIO()
    Image.fromarray(draw_noise(seed)).save(file, "PNG", pnginfo=text, exif=exif)
    return file.getvalue()


SOURCES: dict[str, Callable[[], bytes]] = {
    "upright.jpg": lambda: jpeg_with_metadata(1, 1),
    "turned.jpg": lambda: jpeg_with_metadata(2, 6),
    "mirrored.jpg": lambda: jpeg_with_metadata(3, 2),
    "two.jpg": lambda: two_pictures_in_one(4),
    "progressive.jpg": lambda: progressive_with_comment(6),
    "thumbnail.jpg": lambda: with_thumbnail(7),
    "video_behind.jpg": lambda: encode_jpeg(draw_noise(8)) + b"ftypmp4" + SECRET + b"\xff\xd9",
    "text.png": lambda: png_with_text(9),
}


def assert_bare(data: bytes) -> None:
    """Only what tells how to decode a JPEG is in it."""
    assert SECRET not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert not image.getexif()
        assert set(image.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform",
            "progressive", "progression",
        }  # fmt: skip
    for word in (b"Exif", b"http", b"XMP", b"ICC_PROFILE", b"Photoshop", b"MPF\0", b"JFXX"):
        assert word not in data, word
    assert data.count(b"\xff\xd8\xff") == 1


def test_a_saved_photo_tells_nothing_but_its_picture(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photo = store.add(draw_noise(1), "mask_old", subject="p07", source="0")
    assert_bare((tmp_path / photo.path).read_bytes())


@pytest.mark.parametrize("name", SOURCES)
def test_an_imported_photo_tells_nothing_but_its_picture(tmp_path: Path, name: str) -> None:
    source = tmp_path / "mask_old" / name
    source.parent.mkdir()
    source.write_bytes(SOURCES[name]())
    assert SECRET in source.read_bytes()
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    (photo,) = list_photos(tmp_path / "data")
    saved = tmp_path / "data" / photo.path
    assert_bare(saved.read_bytes())
    assert abs(read_image(saved).astype(int) - read_image(source).astype(int)).mean() < 3


@pytest.mark.parametrize("name", ["upright.jpg", "two.jpg", "progressive.jpg", "thumbnail.jpg"])
def test_taking_metadata_out_leaves_the_pixels(tmp_path: Path, name: str) -> None:
    source, bare = tmp_path / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(SOURCES[name]())
    data = without_metadata(source.read_bytes())
    assert data is not None
    bare.write_bytes(data)
    assert (read_image(bare) == read_image(source)).all()


OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        raise RuntimeError(f"the network was asked for: {event} {arguments}")

sys.addaudithook(refuse)
"""

SESSION = """
from pathlib import Path
from maskage.dataset.edits import trashing
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from tests.conftest import draw_noise

with PhotoStore(Path("data")) as store:
    photo = store.add(draw_noise(1), "mask_old", subject="p07", session="s")
    store.apply([trashing(photo)])
"""

COMMANDS = [
    ["import", "source", "data"],
    ["status", "data"],
    ["consent", "p07", "--self", "--data", "data"],
    ["consent", "--data", "data"],
    ["doctor", "data"],
    ["forget", "p07", "--data", "data", "--yes"],
]


def run_offline(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    checkout = str(Path(__file__).parents[4])
    return subprocess.run(
        [sys.executable, "-c", OFFLINE + script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": checkout},
        capture_output=True,
        text=True,
    )


def test_nothing_asks_for_the_network(tmp_path: Path, four_folders: Callable[..., Path]) -> None:
    four_folders(1)
    commands = [
        f"from collector.cli import main\nassert main({words!r}) == 0" for words in COMMANDS
    ]
    answer = run_offline("\n".join([SESSION, *commands]), tmp_path)
    assert answer.returncode == 0, answer.stderr


def test_the_test_would_notice(tmp_path: Path) -> None:
    ask = "from urllib.request import urlopen\nurlopen('http://127.0.0.1:9')"
    assert "the network was asked for" in run_offline(ask, tmp_path).stderr


def test_the_face_model_and_the_weights_are_all_that_is_ever_fetched() -> None:
    fetching = re.compile(
        r"\b(urlopen|urlretrieve|urllib\.request|http\.client|requests|httpx|aiohttp|ftplib|"
        r"smtplib|socket)\b"
    )
    url = re.compile(r"https?://[^\s\"'`)]{3,}")
    root = Path(__file__).parents[4]
    texts = {
        path.relative_to(root).as_posix(): path.read_text()
        for package in ("maskage", "collector")
        for path in sorted((root / package).rglob("*.py"))
    }
    modules = {name for name, text in texts.items() if fetching.search(text)}
    # A stream is opened where the user names one.
    cameras = {"maskage/cameras/camera_transport.py", "maskage/cameras/http_address.py"}
    face_model, weights = "maskage/faces/finder.py", "maskage/inference/imagenet_weights.py"
    assert modules - cameras == {face_model, weights}
    assert [FACE_MODEL_URL.startswith(found) for found in url.findall(texts[face_model])] == [True]
    assert url.findall(texts[weights]) == [KERAS_HOST]
