"""Every key of the gallery, pressed through Textual's Pilot on a real store."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.geometry import Size
from textual.pilot import Pilot

from collector.app import ReviewApp, run_review
from collector.keys import review_commands, show_keys
from collector.review.gallery import Gallery
from collector.screens.review_screen import ReviewScreen
from collector.widgets.dialogs import ChoiceDialog
from collector.widgets.tone_line import ToneLine
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import flagging
from maskage.dataset.photo_files import TRASH
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, Quality, Suggestion
from tests.conftest import draw_noise

WAIT_S = 60.0
OLD, YOUNG, BARE_OLD, BARE_YOUNG = MASK_AGE.labels


class Gallerist:
    """A running gallery with what a test looks at."""

    def __init__(self, app: ReviewApp, pilot: Pilot[None], root: Path) -> None:
        self.app, self.pilot, self.root = app, pilot, root

    @property
    def screen(self) -> ReviewScreen:
        return self.app.review

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def wait(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not happened():
            assert time.monotonic() < deadline_s, f"did not happen; answer: {self.answer()!r}"
            await self.pilot.pause(0.02)

    async def wait_for_answer(self, text: str) -> None:
        await self.wait(lambda: text in self.answer())

    def answer(self) -> str:
        return str(self.screen.query_one("#answer", ToneLine).content)

    def text(self) -> str:
        """All text of the screen, as a person sees it."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    def number(self) -> int:
        """The number that is in the name of the photo at the cursor."""
        assert self.screen.current is not None
        return int(Path(self.screen.current.path).stem[1:3])

    def labels(self) -> dict[int, str]:
        """The folder of each photo on disk, by its number."""
        return {int(Path(p.path).stem[1:3]): p.label for p in list_photos(self.root)}


def fill(root: Path, count: int = 12) -> None:
    """`p00.jpg` and so on: the newest is p00; labels go round; half of them `p1`."""
    with PhotoStore(root) as store:
        for number in range(count):
            label = MASK_AGE.labels[number % 4]
            store.add_encoded(
                encode_jpeg(draw_noise(number)),
                Photo(
                    f"{label}/p{number:02d}.jpg",
                    label,
                    subject=f"p{number % 2}",
                    session=f"s{number % 3}",
                    taken_at=f"2026-01-01T00:00:{59 - number:02d}.000+00:00",
                    quality=Quality(100.0 + (number * 5) % 7, 100, 0, 90),
                    fingerprint=(number // 3) * 0x0F0F0F0F,
                ),
            )


@asynccontextmanager
async def looking_through(
    root: Path,
    size: tuple[int, int] = (120, 40),
    suggestions: dict[int, Suggestion] | None = None,
) -> AsyncIterator[Gallerist]:
    if not root.joinpath("mask_old").exists():
        fill(root)
    with PhotoStore(root) as store:
        by_number = {int(Path(p.path).stem[1:3]): p for p in store.photos()}
        store.suggest([(by_number[n], s) for n, s in (suggestions or {}).items()])
        app = ReviewApp(store)
        try:
            async with app.run_test(size=size) as pilot:
                gallerist = Gallerist(app, pilot, root)
                await gallerist.wait(lambda: isinstance(app.screen, ReviewScreen))
                await gallerist.wait(lambda: app.review.current is not None)
                yield gallerist
        finally:
            app.writer.close()


@pytest.mark.parametrize(("key", "label"), list(zip("1234", MASK_AGE.labels, strict=True)))
async def test_a_number_relabels_and_goes_on(tmp_path: Path, key: str, label: str) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("right")
        await desk.press(key)
        assert desk.number() == 2
        await desk.wait(lambda: desk.labels()[1] is label)
        assert desk.screen.photos[1].label == label
    (moved,) = [p for p in list_photos(tmp_path) if p.path.endswith("p01.jpg")]
    assert (moved.label, moved.subject, moved.session) == (label, "p1", "s1")
    assert (tmp_path / label / "p01.jpg").is_file()


async def test_typing_faster_than_the_disk_loses_no_key(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        # The same photo three times, before the first move is reported.
        desk.screen.action_relabel(1)
        desk.screen.action_step(-1, 0)
        desk.screen.action_relabel(2)
        desk.screen.action_step(-1, 0)
        desk.screen.action_relabel(3)
        await desk.wait(lambda: desk.labels()[0] == BARE_YOUNG)
        for earlier in (BARE_OLD, YOUNG, OLD):
            await desk.press("u")
            await desk.wait(lambda wanted=earlier: desk.labels()[0] is wanted)  # type: ignore[misc]
            assert desk.number() == 0


async def test_undo_and_redo_go_through_the_whole_history(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        before = desk.labels()
        await desk.press("2", "x", "f")
        await desk.wait_for_answer("flagged")
        assert desk.labels() == {**{n: v for n, v in before.items() if n != 1}, 0: YOUNG}
        await desk.press("backspace", "u", "u")
        await desk.wait_for_answer("undone: relabelled mask, young")
        assert desk.labels() == before
        assert not any(photo.is_flagged for photo in list_photos(tmp_path))
        await desk.press("u")
        await desk.wait_for_answer("Nothing to undo")
        await desk.press("ctrl+y", "ctrl+y", "ctrl+y")
        await desk.wait_for_answer("redone: flagged")
        assert desk.labels()[0] == YOUNG
        assert 1 not in desk.labels()


async def test_x_moves_to_the_trash_and_shows_the_next(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("x")
        await desk.wait_for_answer("to the trash")
        assert desk.number() == 1
        assert len(desk.screen.photos) == 11
        assert (tmp_path / TRASH / "mask_old" / "p00.jpg").is_file()
        await desk.press("end", "delete")
        await desk.wait(lambda: len(desk.screen.photos) == 10)
        assert desk.number() == 10


async def test_a_accepts_what_the_model_suggests(tmp_path: Path) -> None:
    says = {0: Suggestion(BARE_OLD, 0.8), 1: Suggestion(YOUNG, 0.9)}
    async with looking_through(tmp_path, suggestions=says) as desk:
        assert "≠ model: no mask, old 80%" in desk.text()
        assert "no mask, old 80%" in desk.text()
        await desk.press("a")
        await desk.wait(lambda: desk.labels()[0] == BARE_OLD)
        assert desk.number() == 1
        await desk.press("a")
        assert desk.number() == 2
        await desk.press("a")
        await desk.wait_for_answer("no suggestion here")
        assert desk.number() == 2
    assert (tmp_path / "mask_young" / "p01.jpg").is_file()


async def test_f_flags_and_takes_the_flag_away(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("f")
        await desk.wait_for_answer("flagged")
        assert desk.number() == 0
        assert "⚑ flagged" in desk.text()
        assert [p.is_flagged for p in list_photos(tmp_path)].count(True) == 1
        await desk.press("f")
        await desk.wait_for_answer("flag taken away")
    assert not any(p.is_flagged for p in list_photos(tmp_path))


async def test_a_range_is_one_step(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        before = desk.labels()
        await desk.press("v", "l", "l", "j")
        grid = desk.screen.query_one(Gallery).grid
        count = 3 + grid.across
        assert f"range of {count}" in desk.text()
        await desk.press("4")
        assert desk.number() == count
        await desk.wait_for_answer("relabelled no mask, young")
        assert all(desk.labels()[number] == BARE_YOUNG for number in range(count))
        assert all(desk.labels()[number] is before[number] for number in range(count, 12))
        await desk.press("u")
        await desk.wait_for_answer("undone")
        assert desk.labels() == before


async def test_a_range_backwards_can_be_trashed_flagged_or_left(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("right", "right", "v", "left", "left", "f")
        await desk.wait_for_answer("flagged: 3 photos")
        await desk.press("v", "escape")
        assert "range of" not in desk.text()
        assert isinstance(desk.app.screen, ReviewScreen)
        await desk.press("home", "v", "right", "x")
        await desk.wait_for_answer("to the trash: 2 photos")
        assert desk.number() == 2


async def test_h_j_k_l_arrows_pages_and_ends_move(tmp_path: Path) -> None:
    async with looking_through(tmp_path, size=(80, 24)) as desk:
        across = desk.screen.query_one(Gallery).grid.across
        for key, at in [
            ("l", 1), ("right", 2), ("h", 1), ("left", 0), ("j", across), ("down", 2 * across),
            ("k", across), ("up", 0), ("end", 11), ("home", 0), ("pagedown", 2 * across),
            ("pageup", 0), ("space", 2 * across),
        ]:  # fmt: skip
            await desk.press(key)
            assert desk.number() == at, key


async def test_enter_enlarges_and_steps_stay_large(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("enter")
        large = desk.screen.query_one("#large")

        def is_large() -> bool:
            return bool(large.display)

        assert is_large()
        assert not desk.screen.query_one(Gallery).display
        assert large.size.height > 25
        await desk.press("j")
        assert desk.number() == 1
        await desk.press("enter")
        assert not is_large()
        await desk.press("enter", "escape")
        assert not is_large()


async def test_c_goes_round_the_classes_and_zero_shows_all(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        for label in MASK_AGE.labels:
            await desk.press("c")
            shown = desk.screen.photos.slice(0, 99)
            assert {photo.label for photo in shown} == {label}
            assert MASK_AGE.title(label) in desk.text().splitlines()[0]
        await desk.press("c")
        assert len(desk.screen.photos) == 12
        await desk.press("c", "0")
        assert len(desk.screen.photos) == 12


async def test_in_a_class_a_relabelled_photo_leaves_and_the_next_is_at_the_cursor(
    tmp_path: Path,
) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("c")
        assert desk.number() == 0
        await desk.press("2")
        await desk.wait(lambda: len(desk.screen.photos) == 2)
        assert desk.number() == 4


@pytest.mark.parametrize(
    ("key", "field", "value"), [("s", "subject", "p0"), ("n", "session", "s2")]
)
async def test_a_person_or_a_sitting_is_chosen_from_a_list(
    tmp_path: Path, key: str, field: str, value: str
) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press(key)
        await desk.wait(lambda: isinstance(desk.app.screen, ChoiceDialog))
        await desk.press("j", "enter")
        await desk.wait(lambda: isinstance(desk.app.screen, ReviewScreen))
        shown = desk.screen.photos.slice(0, 99)
        assert {getattr(photo, field) for photo in shown} == {value}
        await desk.press(key)
        await desk.wait(lambda: isinstance(desk.app.screen, ChoiceDialog))
        await desk.press("escape")
        await desk.wait(lambda: isinstance(desk.app.screen, ReviewScreen))
        assert len(desk.screen.photos) == len(shown)
        await desk.press(key)
        await desk.wait(lambda: isinstance(desk.app.screen, ChoiceDialog))
        await desk.press("enter")
        await desk.wait(lambda: len(desk.screen.photos) == 12)


async def test_m_and_d_show_only_the_flagged_and_the_disputed(tmp_path: Path) -> None:
    says = {3: Suggestion(OLD, 0.6), 5: Suggestion(YOUNG, 0.7)}
    async with looking_through(tmp_path, suggestions=says) as desk:
        await desk.press("d")
        assert [photo.path for photo in desk.screen.photos.slice(0, 9)] == ["nomask_young/p03.jpg"]
        await desk.press("d", "m")
        assert "no photo matches" in desk.text()
        # Keys do nothing where there is no photo.
        await desk.press("1", "x", "f", "a", "enter", "enter", "j")
        await desk.press("m", "f")
        await desk.wait_for_answer("flagged")
        await desk.press("m")
        assert len(desk.screen.photos) == 1
    assert len(list_photos(tmp_path)) == 12


async def test_o_goes_round_the_orders(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        seen = []
        for turn in range(6):
            if turn == 3:
                await desk.wait(lambda: "look-alikes" in desk.text().splitlines()[0])
            seen.append([int(p.path[-6:-4]) for p in desk.screen.photos.slice(0, 99)])
            await desk.press("o")
        newest, dull, _, alike, _, again = seen
        assert newest == again == list(range(12))
        assert dull == sorted(range(12), key=lambda n: ((n * 5) % 7, n))
        assert {frozenset(alike[i : i + 3]) for i in (0, 3, 6, 9)} == {
            frozenset(range(i, i + 3)) for i in (0, 3, 6, 9)
        }


async def test_plus_and_minus_change_the_size_of_tiles(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        gallery = desk.screen.query_one(Gallery)
        side = gallery.grid.side
        await desk.press("plus")
        larger = gallery.grid.side
        assert larger > side
        await desk.press("minus", "minus")
        assert gallery.grid.side < side


async def test_tiles_show_the_photos(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        red = np.zeros((90, 90, 3), np.uint8)
        red[..., 0] = 220
        store.add_encoded(encode_jpeg(red), Photo("mask_old/p00.jpg", OLD, taken_at="2026"))
        (tmp_path / "mask_young" / "p01.jpg").write_bytes(b"no picture")
    async with looking_through(tmp_path) as desk:
        gallery = desk.screen.query_one(Gallery)

        def color(column: int) -> tuple[int, ...]:
            at = 0
            for segment in gallery.render_line(4):
                at += len(segment.text)
                if at > column and segment.style and segment.style.color:
                    triplet = segment.style.color.triplet
                    return tuple(triplet) if triplet else ()
            return ()

        await desk.wait(lambda: color(6) == (220, 0, 0) or color(6)[0] > 200)
        # A broken file has a tile of its own, and says so at the cursor.
        await desk.wait(lambda: color(gallery.grid.tile_columns + 6) == (96, 28, 24))
        await desk.press("right")
        await desk.wait(lambda: "this file is damaged" in desk.text())


async def test_the_help_names_every_key_and_q_leads_back(tmp_path: Path) -> None:
    async with looking_through(tmp_path, size=(120, 50)) as desk:
        await desk.press("question_mark")
        await desk.pilot.pause(0.3)
        for command in review_commands(MASK_AGE):
            assert command.text in desk.text()
        await desk.press("escape")
        await desk.wait(lambda: isinstance(desk.app.screen, ReviewScreen))
        await desk.press("q")
        await desk.wait(lambda: not desk.app.is_running)


async def test_the_help_can_be_read_to_its_end_in_a_low_terminal(tmp_path: Path) -> None:
    async with looking_through(tmp_path, size=(80, 24)) as desk:
        await desk.press("question_mark")
        await desk.wait(lambda: review_commands(MASK_AGE)[0].text in desk.text())
        assert "esc  back" not in desk.text()
        await desk.press("end")
        await desk.wait(lambda: "esc  back" in desk.text())


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_all_keys_are_in_the_footer_and_photos_have_room(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with looking_through(tmp_path, size=size) as desk:
        text = desk.text()
        assert "1 2 3 4 label" in text
        for command in review_commands(MASK_AGE):
            if command.short:
                assert f"{show_keys(command.keys.split(',')[0])} {command.short}" in text
        assert desk.screen.query_one(Gallery).size.height >= size[1] // 2
        assert "subject" in text


async def test_a_terminal_too_small_says_so(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.pilot.resize_terminal(50, 19)
        await desk.wait(lambda: "The terminal is 50x19." in desk.text())
        await desk.pilot.resize_terminal(100, 40)
        await desk.wait(lambda: "1 of 12" in desk.text())


async def test_what_the_disk_refuses_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        (tmp_path / "mask_young" / "p00.jpg").mkdir()
        trash = tmp_path / TRASH / "mask_old"
        trash.rmdir()
        await desk.press("x")
        await desk.wait_for_answer("cannot be moved to the trash")
        assert (tmp_path / "mask_old" / "p00.jpg").is_file()
        assert len(desk.screen.photos) == 12


async def test_a_flag_of_the_camera_is_found_in_the_gallery(tmp_path: Path) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        store.apply([flagging(store.photos()[0], is_flagged=True)])
    async with looking_through(tmp_path) as desk:
        await desk.press("m")
        assert len(desk.screen.photos) == 1


def test_without_photos_or_a_terminal_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvironmentProblemError, match="needs a terminal"):
        run_review(tmp_path)
    monkeypatch.setattr("collector.app.require_terminal", lambda: None)
    PhotoStore(tmp_path).close()
    with pytest.raises(DatasetError, match="no photo in it yet"):
        run_review(tmp_path)


async def test_resizing_to_and_fro_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with looking_through(tmp_path) as desk:
        gallery = desk.screen.query_one(Gallery)
        for size in ((80, 24), (120, 40), (60, 20), (110, 36), (81, 24), (200, 60), (120, 40)):
            await desk.pilot.resize_terminal(*size)
            # As the compositor asks, also before the widget has heard of its size.
            for y in range(gallery.size.height):
                assert gallery.render_line(y).cell_length == gallery.size.width
        # A size that no message has told of yet.
        monkeypatch.setattr(Gallery, "size", property(lambda _: Size(64, 18)))
        for y in range(18):
            assert gallery.render_line(y).cell_length == 64
