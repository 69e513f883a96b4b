"""A folder of pictures that is labelled: each press counts for the picture that was on screen."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from textual.events import Key

from collector.capture.picture_opener import PictureOpener
from maskage.cameras.sources import PictureFolder, open_camera
from maskage.dataset.manifest.reading import read_imports
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.photo_names import digest_of
from maskage.dataset.store import PhotoStore
from maskage.formats.set_aside_file import PassedOver, read_set_aside, set_aside_path
from maskage.pictures.images import encode_jpeg, read_image
from tests.collector.screens.test_app import Bench, FixedFinder, running, shown_file
from tests.conftest import draw_noise


def draw_folder(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        pixels = np.kron(draw_noise(number, 32), np.ones((8, 8, 1), np.uint8))
        (folder / f"{number:02}.jpg").write_bytes(encode_jpeg(pixels))
    return folder


def labels_of(root: Path) -> dict[str, str]:
    """The label of each picture, by its name."""
    return {Path(photo.source or "").name: photo.label for photo in list_photos(root)}


def key_at(key: str, at_s: float) -> Key:
    event = Key(key, key)
    event.time = at_s
    return event


def drawn_s(bench: Bench) -> float:
    seen_s = bench.app.capture._drawn_s
    assert seen_s is not None
    return seen_s


async def test_48_quick_presses_label_48_pictures_each_its_own(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 48)
    keys = [str(1 + (7 * number // 3) % 4) for number in range(48)]
    expected: dict[str, str] = {}
    async with running(tmp_path / "data", camera=open_camera(str(pictures))) as bench:
        for key in keys:
            name = shown_file(bench)
            assert name is not None
            await bench.wait(lambda: bench.app.capture._drawn_s is not None)
            expected[name] = bench.app.capture._scheme.labels[int(key) - 1]
            await bench.press(key)
        await bench.wait_for_answer("is dealt with. 48 labelled")
    assert len(expected) == 48
    assert labels_of(tmp_path / "data") == expected
    assert {photo.session for photo in list_photos(tmp_path / "data")} == {None}


async def test_presses_before_the_next_picture_is_drawn_count_for_none(tmp_path: Path) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 4)))
    async with running(tmp_path / "data", camera=camera) as bench:
        at_s = drawn_s(bench) + 0.1
        for key in "1234":
            bench.app.capture.post_message(key_at(key, at_s))
        await bench.wait_for_answer("not counted")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.wait_for_answer("number 1")
        assert bench.app.capture._desk.uncounted == 3
        assert "Presses that counted for no picture: 3." in bench.app.capture.summarise()
    assert labels_of(tmp_path / "data") == {"00.jpg": "mask_old"}


@pytest.mark.parametrize(("delay_s", "repeat_s"), [(0.5, 0.033), (0.25, 0.09), (0.66, 0.04)])
async def test_a_held_key_labels_one_picture(
    tmp_path: Path, delay_s: float, repeat_s: float
) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 9)))
    async with running(tmp_path / "data", camera=camera) as bench:
        at_s = drawn_s(bench) + 1.0
        bench.app.capture.post_message(key_at("2", at_s))
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        for number in range(12):
            event = key_at("2", at_s + delay_s + number * repeat_s)
            bench.app.capture.post_message(event)
            await bench.pilot.pause()
        await bench.wait_for_answer("the key is held")
        await bench.wait(lambda: len(list_photos(tmp_path / "data")) == 1)
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        # Once it is let go, it counts again.
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        bench.app.capture.post_message(key_at("2", at_s + 60))
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
    assert labels_of(tmp_path / "data") == {"00.jpg": "mask_young", "01.jpg": "mask_young"}


async def test_a_held_space_and_a_burst_label_nothing_unseen(tmp_path: Path) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 9)))
    async with running(tmp_path / "data", camera=camera) as bench:
        await bench.press("3")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("b")
        await bench.wait_for_answer("no burst at a folder")
        await bench.press("t")
        await bench.wait_for_answer("no timer at a folder")
        await bench.pilot.pause(0.5)
        assert shown_file(bench) == "01.jpg"
        at_s = drawn_s(bench) + 1.0
        for number in range(20):
            bench.app.capture.post_message(key_at("space", at_s + number * 0.03))
        await bench.wait_for_answer("the key is held")
        await bench.pilot.pause(0.3)
    assert labels_of(tmp_path / "data") == {"00.jpg": "nomask_old", "01.jpg": "nomask_old"}


async def test_skipped_and_rejected_pictures_are_remembered_and_undone(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 4)
    root = tmp_path / "data"
    async with running(root, camera=open_camera(str(pictures))) as bench:
        await bench.press("right")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("x")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        await bench.press("x")
        await bench.wait(lambda: shown_file(bench) == "03.jpg")
        await bench.wait(lambda: "1 skipped, 2 rejected" in bench.text())
        await bench.press("u")
        await bench.wait_for_answer("undone: rejected: 02.jpg")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "03.jpg")
        await bench.wait_for_answer("number 1")
        assert (
            "Of 4 pictures in "
            f"{pictures}: 1 labelled, 1 skipped, 1 rejected, 1 left for the next time."
            in bench.app.capture.summarise()
        )
    assert read_set_aside(root) == {
        pictures / "00.jpg": PassedOver.SKIPPED,
        pictures / "01.jpg": PassedOver.REJECTED,
    }
    with PhotoStore(root) as store:
        opener = PictureOpener(open_camera, store)
        assert first_of(opener(str(pictures))) == "03.jpg"
        assert opener.known.describe() == (
            "1 have a label already, 1 were rejected before, 1 were skipped before"
        )
        # Opened again, or by wish, a folder shows what was skipped.
        assert first_of(opener(str(pictures))) == "00.jpg"
        rejected = PictureOpener(open_camera, store, [PassedOver.REJECTED])
        assert first_of(rejected(str(pictures))) == "01.jpg"


def first_of(camera: object) -> str | None:
    assert isinstance(camera, PictureFolder)
    frame = camera.read()
    assert frame is not None
    return frame.file


async def test_undo_goes_back_one_picture_after_the_other_and_redo_forward(tmp_path: Path) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 3)))
    async with running(tmp_path / "data", camera=camera) as bench:
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("right")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        await bench.press("u", "u")
        await bench.wait(lambda: shown_file(bench) == "00.jpg")
        await bench.press("ctrl+y")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("ctrl+y")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
    assert labels_of(tmp_path / "data") == {"00.jpg": "mask_old"}
    assert list(read_set_aside(tmp_path / "data")) == [tmp_path / "pictures" / "01.jpg"]


async def test_a_picture_without_a_face_names_the_way_on(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 2)
    camera = open_camera(str(pictures))
    async with running(tmp_path / "data", FixedFinder(), camera=camera) as bench:
        way = "no face. ⏎: all of the picture, →: skip, x: reject"
        await bench.wait(lambda: way in bench.advice())
        await bench.press("4")
        await bench.wait_for_answer(f"refused: {way}")
        assert shown_file(bench) == "00.jpg"
        await bench.press("enter")
        await bench.wait(lambda: "all of the picture" in bench.advice())
        await bench.press("4")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.wait(lambda: way in bench.advice())
    (photo,) = list_photos(tmp_path / "data")
    saved, given = read_image(tmp_path / "data" / photo.path), read_image(pictures / "00.jpg")
    assert saved.shape == given.shape


async def test_a_picture_that_was_not_saved_is_asked_for_again(tmp_path: Path) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 3)))
    async with running(tmp_path / "data", camera=camera) as bench:
        (tmp_path / "data" / "mask_old").rmdir()
        await bench.press("1")
        await bench.wait_for_answer("not saved!")
        await bench.wait(lambda: shown_file(bench) == "00.jpg")
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        await bench.press("2")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
    assert labels_of(tmp_path / "data") == {"00.jpg": "mask_young"}


async def test_a_narrow_screen_shows_which_picture_it_is_and_how_to_end(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 6)
    for number in range(6):
        (pictures / f"{number:02}.jpg").rename(pictures / f"holiday_{number:04}.jpg")
    camera = open_camera(str(pictures))
    async with running(tmp_path / "a data set", camera=camera, size=(80, 24)) as bench:
        for key, name in (("1", "_0001"), ("1", "_0002"), ("x", "_0003"), ("right", "_0004")):
            await bench.press(key)
            await bench.wait(lambda name=name: name in (shown_file(bench) or ""))  # type: ignore[misc]
            await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        header = "holiday_0004.jpg · 5 of 6 · 2 labelled · gate warn"
        await bench.wait(lambda: header in bench.text().split("\n")[0])
        await bench.press("1")
        await bench.wait(lambda: "_0005" in (shown_file(bench) or ""))
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        await bench.press("1")
        await bench.wait(lambda: "no more pictures: q ends, c starts again" in bench.text())


async def test_a_copy_of_a_labelled_picture_gets_no_second_label(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 4)
    shutil.copy(pictures / "00.jpg", pictures / "01.jpg")
    root = tmp_path / "data"
    async with running(root, camera=open_camera(str(pictures))) as bench:
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        copy = "01.jpg: the same picture as 00.jpg, which is mask, old"
        await bench.wait_for_answer(copy)
        assert bench.app.capture._desk.describe_counts() == "1 labelled, 1 in the dataset already"
        summary = bench.app.capture.summarise()
        assert "1 labelled, 1 in the dataset already, 2 left for the next time." in summary
        assert f"{copy}; passed over." in summary
        # Where the label is taken back, the copy is asked for too.
        await bench.press("u")
        await bench.wait(lambda: shown_file(bench) == "00.jpg")
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        await bench.press("right")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.wait(lambda: bench.app.capture._drawn_s is not None)
        await bench.press("3")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
    assert labels_of(root) == {"01.jpg": "nomask_old"}


async def test_a_copy_of_a_picture_of_an_earlier_session_is_known_by_its_content(
    tmp_path: Path,
) -> None:
    pictures = draw_folder(tmp_path / "pictures", 2)
    root = tmp_path / "data"
    async with running(root, camera=open_camera(str(pictures))) as bench:
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
    copies = draw_folder(tmp_path / "copies", 3)
    async with running(root, camera=open_camera(str(copies))) as bench:
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("2")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        assert "1 labelled, 1 in the dataset already" in bench.app.capture.summarise()
    assert labels_of(root) == {"00.jpg": "mask_old", "01.jpg": "mask_young"}


async def test_an_import_knows_what_the_queue_labelled(tmp_path: Path) -> None:
    pictures = draw_folder(tmp_path / "pictures", 2)
    root = tmp_path / "data"
    async with running(root, camera=open_camera(str(pictures))) as bench:
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
    digests = {row.digest: row.label for row in read_imports(root)}
    assert digests == {digest_of((pictures / "00.jpg").read_bytes()): "mask_old"}


async def test_a_chosen_session_and_subject_hold(tmp_path: Path) -> None:
    camera = open_camera(str(draw_folder(tmp_path / "pictures", 3)))
    async with running(tmp_path / "data", camera=camera, subject="p07") as bench:
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "01.jpg")
        await bench.press("n")
        await bench.wait_for_answer("new session")
        await bench.press("1")
        await bench.wait(lambda: shown_file(bench) == "02.jpg")
        session = bench.app.capture._photographer.session
    photos = list_photos(tmp_path / "data")
    assert {photo.subject for photo in photos} == {"p07"}
    assert {photo.session for photo in photos} == {None, session}


def test_a_line_that_was_cut_short_is_skipped(tmp_path: Path) -> None:
    from maskage.formats.set_aside_file import SetAside, append_set_aside

    path = set_aside_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b'{"path": "/a.jpg", "how": "skipped"}\n{"path": "/b')
    append_set_aside(tmp_path, SetAside(Path("/c\udce9.jpg"), PassedOver.REJECTED))
    assert read_set_aside(tmp_path) == {
        Path("/a.jpg"): PassedOver.SKIPPED,
        Path("/c\udce9.jpg"): PassedOver.REJECTED,
    }


async def test_a_folder_of_which_nothing_can_be_read_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no picture")
    camera = open_camera(str(folder))
    with PhotoStore(tmp_path / "data"):
        pass
    assert camera.read() is None
    from collector.capture.folder_summary import describe_unread
    from collector.capture.picture_opener import KnownPictures

    text = describe_unread(camera, KnownPictures())
    assert text is not None
    assert "none of its 1 pictures can be read" in text
