import io
import os
import random
import sqlite3
import time
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from curation.scan import job, scanning
from curation.scan.cache import ScanCache, open_scan_cache
from curation.scan.scanning import scan_photos
from curation.scan.workers import Workers
from maskage.dataset.photo_scan import PhotoScan, scan_file
from maskage.errors import UnreadableImageError, UsageError
from maskage.pictures.images import decode_grey, decode_image, encode_jpeg
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Photo
from maskage.system.paths import scan_cache_path
from tests.conftest import draw_noise

OLD_S = 1_700_000_000


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MASKAGE_CACHE", str(folder))
    return folder


def make_photos(root: Path, count: int) -> list[Photo]:
    (root / "mask_old").mkdir(parents=True)
    photos = []
    for number in range(count):
        path = f"mask_old/{number:02d}.jpg"
        (root / path).write_bytes(encode_jpeg(draw_noise(number)))
        os.utime(root / path, (OLD_S, OLD_S))
        photos.append(Photo(path, "mask_old"))
    return photos


def scan_all(root: Path, photos: list[Photo]) -> list[PhotoScan]:
    with open_scan_cache(root, None) as cache:
        return list(scan_photos(root, photos, Workers(2), cache=cache))


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked_at: list[str] = []

    def counted(path: Path, name: str, face_model: Path | None = None) -> object:
        looked_at.append(name)
        return scan_file(path, name, face_model)

    monkeypatch.setattr(job, "scan_file", counted)
    return looked_at


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1280, 720), (100, 90)])
def test_a_jpeg_at_a_fraction_of_its_size_has_nearly_the_hash_and_figures_of_the_whole(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    for seed in range(5):
        drawn = Image.fromarray(draw_noise(seed, 720)).resize(size)
        path = tmp_path / f"{seed}.jpg"
        drawn.save(path, quality=90)
        file_scan = scan_file(path, path.name)
        whole = imagehash.phash(Image.open(path))
        assert (file_scan.phash ^ int(str(whole), 16)).bit_count() <= 2
        assert (file_scan.width, file_scan.height) == size
        quality = measure_quality(np.asarray(Image.open(path)))
        assert file_scan.quality.brightness == pytest.approx(quality.brightness, abs=1)
        assert 0.7 < file_scan.quality.sharpness / quality.sharpness < 1.1


def test_a_grey_picture_is_turned_as_its_exif_says_and_tells_its_full_size() -> None:
    drawn = Image.fromarray(draw_noise(1, 800)).resize((800, 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    drawn.save(data, "JPEG", exif=exif)
    grey = decode_grey(data.getvalue(), min_side=100)
    assert (grey.width, grey.height) == (400, 800)
    assert grey.image.size == (100, 200)
    whole = Image.fromarray(decode_image(data.getvalue())).convert("L").resize((100, 200))
    assert np.abs(np.asarray(grey.image).astype(int) - np.asarray(whole)).mean() < 4
    assert decode_grey(data.getvalue()).image.size == (400, 800)


def test_a_cut_jpeg_is_refused_at_a_fraction_of_its_size_too() -> None:
    data = encode_jpeg(draw_noise(1, 900))
    assert decode_grey(data, min_side=100).image.size == (113, 113)
    for share in (0.3, 0.7, 0.95):
        with pytest.raises(UnreadableImageError, match="cut short"):
            decode_grey(data[: int(share * len(data))], min_side=100)


def test_what_has_not_changed_is_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 5)
    looked_at = count_looks(monkeypatch)
    first = scan_all(root, photos)
    assert sorted(looked_at) == [photo.path for photo in photos]
    looked_at.clear()
    assert scan_all(root, photos) == first
    assert looked_at == []
    # Another content of the same size at another time; another content and size at the old time.
    (root / photos[1].path).write_bytes((root / photos[0].path).read_bytes())
    os.utime(root / photos[1].path, (OLD_S + 9, OLD_S + 9))
    (root / photos[2].path).write_bytes((root / photos[0].path).read_bytes())
    os.utime(root / photos[2].path, (OLD_S, OLD_S))
    again = scan_all(root, photos)
    assert sorted(looked_at) == [photos[1].path, photos[2].path]
    assert {scan.file_scan.sha256 for scan in again[:3]} == {first[0].file_scan.sha256}


def test_a_file_that_changed_just_now_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 2)
    now = time.time()
    os.utime(root / photos[0].path, (now, now))
    scan_all(root, photos)
    looked_at = count_looks(monkeypatch)
    scan_all(root, photos)
    assert looked_at == [photos[0].path]


def test_an_interrupted_scan_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 40)
    monkeypatch.setattr(scanning, "CHUNK", 4)
    with open_scan_cache(root, None) as cache:
        scans = scan_photos(root, photos, Workers(1), cache=cache)
        for _ in range(11):
            next(scans)
        scans.close()
    looked_at = count_looks(monkeypatch)
    scan_all(root, photos)
    assert sorted(looked_at) == [photo.path for photo in photos[11:]]


def test_a_damaged_or_forbidden_cache_costs_a_look_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 3)
    first = scan_all(root, photos)
    scan_cache_path(root).write_bytes(b"no database at all" * 100)
    assert scan_all(root, photos) == first
    looked_at = count_looks(monkeypatch)
    assert scan_all(root, photos) == first
    assert looked_at == []
    monkeypatch.setenv("MASKAGE_CACHE", str(root / photos[0].path))
    assert scan_all(root, photos) == first


def test_the_cache_forgets_files_that_are_gone(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 3)
    scan_all(root, photos)
    scan_all(root, photos[1:])
    with sqlite3.connect(scan_cache_path(root)) as connection:
        rows = connection.execute("SELECT path FROM sights ORDER BY path").fetchall()
    connection.close()
    assert [path for (path,) in rows] == [photo.path for photo in photos[1:]]


def test_looks_with_and_without_a_face_model_are_kept_apart(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 1)
    scan_all(root, photos)
    state = scanning._state_of(root / photos[0].path)
    assert state is not None
    assert ScanCache(root).get(photos[0].path, state) is not None
    assert ScanCache(root, "another model").get(photos[0].path, state) is None


def test_the_manifest_knows_the_size_of_the_face(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (photo,) = make_photos(root, 1)
    known = Photo(photo.path, photo.label, box=FaceBox(5, 5, 70, 90, 0.9))
    guessed = Photo(photo.path, photo.label, box=FaceBox(5, 5, 70, 90, 0.0))
    assert [s.file_scan.quality.face_px for s in scan_photos(root, [known, guessed])] == [90, 0]


def test_threads_and_processes_see_the_same(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = make_photos(root, 40)
    (root / photos[7].path).write_bytes(b"hello")
    seen = [
        list(scan_photos(root, photos, workers))
        for workers in (Workers(1), Workers(3), Workers(2, use_processes=True))
    ]
    assert seen[0] == seen[1] == seen[2]
    assert [scan.photo for scan in seen[0]] == photos


def test_no_workers_and_two_places_for_them_are_refused() -> None:
    with pytest.raises(UsageError, match="--workers is 1 or more"):
        Workers(0)
    with pytest.raises(UsageError, match="its own workers"):
        Workers(2, scheduler="tcp://localhost:8786")


def test_the_face_alone_is_compared_where_it_is_found(shared: Path) -> None:
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    groups = sorted((shared / "groups_photos").glob("*.jpg"))
    several = scan_file(groups[0], groups[0].name, model)
    assert several.faces is not None
    single = next(
        path
        for path in sorted((shared / "faces" / "nomask_young").glob("*.jpg"))
        if scan_file(path, path.name, model).faces == 1
    )
    face = decode_image(single.read_bytes())
    seen = scan_file(single, single.name, model)
    assert seen.quality.face_px > 0
    # The same face in two rooms: alike by the face, and not by the whole.
    pasted = []
    for seed in (1, 2):
        room = draw_noise(seed, 700)
        height, width = face.shape[:2]
        top, left = random.Random(seed).randint(100, 300), 150
        room[top : top + height, left : left + width] = face
        path = Path(os.environ["MASKAGE_CACHE"]).parent / f"{seed}.jpg"
        path.write_bytes(encode_jpeg(room))
        pasted.append(path)
    by_face = [scan_file(path, path.name, model).phash for path in pasted]
    by_room = [scan_file(path, path.name).phash for path in pasted]
    assert (by_face[0] ^ by_face[1]).bit_count() < (by_room[0] ^ by_room[1]).bit_count()


def test_a_scan_tells_what_is_wrong_with_each_file_and_keeps_the_order(tmp_path: Path) -> None:
    good = encode_jpeg(draw_noise(1))
    files = {
        "mask_old/a.jpg": good,
        "mask_old/b.jpg": b"",
        "mask_old/c.jpg": b"hello",
        "mask_old/d.jpg": good[: len(good) // 2],
        "mask_old/e.jpg": encode_jpeg(draw_noise(2)),
    }
    (tmp_path / "mask_old").mkdir()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    photos = [Photo(name, "mask_old") for name in [*files, "mask_old/gone.jpg"]]
    scans = list(scan_photos(tmp_path, photos, Workers(2)))
    assert [scan.photo for scan in scans] == photos
    faults = [scan.file_scan.fault or "" for scan in scans]
    assert faults[0] == faults[4] == ""
    for fault, words in zip(
        [*faults[1:4], faults[5]], ["empty", "not a picture", "cut short", "No such"], strict=True
    ):
        assert words in fault
    assert scans[0].file_scan.sha256 != scans[4].file_scan.sha256
    assert scans[0].file_scan.quality.sharpness > 0
    assert scan_file(tmp_path / photos[0].path, photos[0].path) == scans[0].file_scan
