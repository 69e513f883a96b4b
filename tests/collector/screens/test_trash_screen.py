"""The trash in the gallery: seen, restored, undone, deleted for good; every key on a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Static

from collector.app import run_review
from collector.keys import show_keys, trash_commands
from collector.review.gallery import Gallery
from collector.screens.review_screen import ReviewScreen
from collector.screens.trash_screen import TrashScreen
from collector.widgets.dialogs import ConfirmDialog, HelpPage
from collector.widgets.tone_line import ToneLine
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import trashing
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.pictures.images import encode_jpeg
from tests.collector.screens.test_review_screen import (
    BARE_YOUNG,
    OLD,
    Gallerist,
    fill,
    looking_through,
)
from tests.conftest import draw_noise


class TrashDesk(Gallerist):
    """A running trash screen with what a test looks at."""

    @property
    def trash(self) -> TrashScreen:
        return next(each for each in self.app.screen_stack if isinstance(each, TrashScreen))

    def answer(self) -> str:
        screens = [each for each in self.app.screen_stack if isinstance(each, TrashScreen)]
        screen = screens[0] if screens else self.screen
        return str(screen.query_one("#answer", ToneLine).content)

    def names(self) -> list[str]:
        return [Path(photo.path).name for photo in self.trash.photos.slice(0, 99)]


def trash_some(root: Path, count: int = 3) -> None:
    fill(root)
    with PhotoStore(root) as store:
        by_name = {Path(photo.path).name: photo for photo in store.photos()}
        for number in range(count):
            store.apply([trashing(by_name[f"p{number:02d}.jpg"])])


@asynccontextmanager
async def seeing_trash(
    root: Path, count: int = 3, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[TrashDesk]:
    if not (root / OLD).exists():
        trash_some(root, count)
    async with looking_through(root, size) as desk:
        trash_desk = TrashDesk(desk.app, desk.pilot, root)
        await desk.press("t")
        await desk.wait(lambda: isinstance(desk.app.screen, TrashScreen))
        await desk.wait(lambda: "reading" not in trash_desk.trash._gallery.empty_text)
        yield trash_desk


async def test_the_photo_removed_last_comes_first_with_the_time_of_its_removal(
    tmp_path: Path,
) -> None:
    async with seeing_trash(tmp_path) as desk:
        assert desk.names() == ["p02.jpg", "p01.jpg", "p00.jpg"]
        assert "removed photos   1 of 3" in desk.text()
        assert "removed 20" in desk.text()
        assert "subject p0" in desk.text()
        thumbs = desk.trash.query_one(Gallery).thumbs
        await desk.wait(lambda: thumbs is not None and thumbs.get(f"{OLD}/p00.jpg") is not None)
        await desk.press("t")
        await desk.wait(lambda: isinstance(desk.app.screen, ReviewScreen))


async def test_r_restores_and_u_puts_it_back(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        await desk.press("r")
        await desk.wait(lambda: desk.names() == ["p01.jpg", "p00.jpg"])
        assert 2 in desk.labels()
        await desk.wait_for_answer("brought back")
        await desk.press("u")
        await desk.wait(lambda: desk.names() == ["p02.jpg", "p01.jpg", "p00.jpg"])
        assert 2 not in desk.labels()
        await desk.press("ctrl+y")
        await desk.wait(lambda: len(desk.names()) == 2)
        await desk.press("q")
        # The gallery below has followed.
        await desk.wait(lambda: len(desk.screen.photos) == 10)


async def test_keys_faster_than_the_disk_restore_each_photo_once(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        for _ in range(5):
            desk.trash.action_restore()
        await desk.wait(lambda: desk.names() == [])
        assert len(list_photos(tmp_path)) == 12
        assert "the trash is empty" in desk.text()


async def test_a_class_key_restores_into_that_class(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        await desk.press("4")
        await desk.wait(lambda: desk.labels().get(2) == BARE_YOUNG)


async def test_u_puts_a_photo_restored_as_another_class_back_under_its_own(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        before = {
            each.photo.path for each in desk.trash.photos.trashed(desk.trash.photos.slice(0, 3))
        }
        await desk.press("4")
        await desk.wait(lambda: len(desk.names()) == 2)
        await desk.press("u")
        await desk.wait(lambda: len(desk.names()) == 3)
        now = {each.photo.path for each in desk.trash.photos.trashed(desk.trash.photos.slice(0, 3))}
        assert now == before


async def test_the_palette_restores_into_a_class(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        await desk.press("slash", *"no y", "enter")
        await desk.wait(lambda: desk.labels().get(2) == BARE_YOUNG)


async def test_a_range_and_all_are_restored_as_one_step(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path, count=4) as desk:
        await desk.press("v", "right", "r")
        await desk.wait(lambda: len(desk.names()) == 2)
        await desk.press("u")
        await desk.wait(lambda: len(desk.names()) == 4)
        await desk.press("R")
        await desk.wait(lambda: desk.names() == [])
        assert len(list_photos(tmp_path)) == 12


async def test_a_photo_of_a_former_class_asks_for_a_class(tmp_path: Path) -> None:
    trash_some(tmp_path, 1)
    former = tmp_path / TRASH / "scarf"
    former.mkdir()
    (former / "p50.jpg").write_bytes(encode_jpeg(draw_noise(50)))
    async with seeing_trash(tmp_path) as desk:
        await desk.press("R")
        await desk.wait_for_answer("no class scarf any more: press the key of a class")
        assert len(desk.names()) == 2
        await desk.press("end", "1")
        await desk.wait(lambda: desk.labels().get(50) == OLD)


async def test_x_asks_and_deletes_the_chosen_for_good(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path) as desk:
        await desk.press("x")
        await desk.wait(lambda: isinstance(desk.app.screen, ConfirmDialog))
        title = str(desk.app.screen.query_one("#dialog-title", Static).content)
        assert title == "Delete 1 photo for good?"
        # Neither enter nor a key that goes on deletes anything.
        await desk.press("enter", "space", "n")
        await desk.wait(lambda: isinstance(desk.app.screen, TrashScreen))
        assert len(desk.names()) == 3
        await desk.press("x")
        await desk.wait(lambda: isinstance(desk.app.screen, ConfirmDialog))
        await desk.press("y")
        await desk.wait(lambda: desk.names() == ["p01.jpg", "p00.jpg"])
        await desk.wait_for_answer("deleted for good: 1 photo")
    assert not list((tmp_path / TRASH).rglob("p02.jpg"))


async def test_emptying_says_the_count_and_leaves_no_undo_of_what_is_gone(tmp_path: Path) -> None:
    fill(tmp_path)
    async with looking_through(tmp_path) as gallery:
        desk = TrashDesk(gallery.app, gallery.pilot, tmp_path)
        await desk.press("f", "x", "x")
        await desk.wait(lambda: len(desk.screen.photos) == 10)
        await desk.press("t")
        await desk.wait(lambda: isinstance(desk.app.screen, TrashScreen))
        await desk.wait(lambda: len(desk.names()) == 2)
        await desk.press("E")
        await desk.wait(lambda: isinstance(desk.app.screen, ConfirmDialog))
        title = str(desk.app.screen.query_one("#dialog-title", Static).content)
        assert title == "Empty the trash: delete 2 photos for good?"
        await desk.press("y")
        await desk.wait(lambda: desk.names() == [])
        await desk.wait_for_answer("deleted for good: 2 photos")
        await desk.press("u")
        await desk.wait_for_answer("Nothing to undo.")
    assert len(list_photos(tmp_path)) == 10


async def test_keys_do_nothing_in_an_empty_trash(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path, count=0) as desk:
        assert "the trash is empty" in desk.text()
        await desk.press("r", "R", "x", "E", "1", "v", "ctrl+a", "enter", "enter", "j")
        assert isinstance(desk.app.screen, TrashScreen)
        assert len(list_photos(tmp_path)) == 12


async def test_what_the_disk_refuses_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    async with seeing_trash(tmp_path, count=1) as desk:
        file = tmp_path / TRASH / OLD / "p00.jpg"
        aside = file.rename(tmp_path / "aside.jpg")
        await desk.press("r")
        await desk.wait_for_answer("not in the trash")
        aside.rename(file)
        await desk.pilot.pause(0.3)
        desk.trash._list()
        await desk.wait(lambda: desk.names() == ["p00.jpg"])
        await desk.press("r")
        await desk.wait(lambda: len(list_photos(tmp_path)) == 12)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_every_key_is_in_footer_and_help(tmp_path: Path, size: tuple[int, int]) -> None:
    async with seeing_trash(tmp_path, size=size) as desk:
        text = desk.text()
        for command in trash_commands(MASK_AGE):
            if command.short:
                assert f"{show_keys(command.keys.split(',')[0])} {command.short}" in text
        assert desk.trash.query_one(Gallery).size.height >= size[1] // 2
        await desk.press("question_mark")
        await desk.wait(lambda: isinstance(desk.app.screen, HelpPage))
        await desk.wait(lambda: trash_commands(MASK_AGE)[0].text in desk.text())


def test_with_photos_in_the_trash_alone_the_gallery_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("collector.app.require_terminal", lambda: None)
    monkeypatch.setattr("collector.app.ReviewApp.run", lambda app: opened.append(app))
    with PhotoStore(tmp_path) as store:
        store.apply([trashing(store.add(draw_noise(1), OLD))])
    assert run_review(tmp_path) == 0
    assert len(opened) == 1
    next((tmp_path / TRASH).rglob("*.jpg")).unlink()
    with pytest.raises(DatasetError, match="no photo in it yet"):
        run_review(tmp_path)
