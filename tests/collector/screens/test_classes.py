"""Both screens with classes of one's own, through Textual's Pilot on real stores."""

import itertools
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.events import Key, Paste
from textual.widgets import Input, Static

from collector.app import ReviewApp
from collector.keys import PALETTE, capture_commands, review_commands
from collector.screens.capture_screen import CaptureScreen
from collector.screens.capture_view import fit_names
from collector.widgets.class_palette import ClassPalette
from collector.widgets.class_panel import ClassPanel
from collector.widgets.preview import Preview
from maskage.classes.ready_made import READY_MADE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo, Suggestion
from tests.collector.screens.test_app import Bench, MovingCamera, photos_of, running
from tests.collector.screens.test_review_screen import Gallerist
from tests.collector.screens.test_snapshots import FORTY, TWELVE, prepare
from tests.conftest import draw_noise

SIZES = [(80, 24), (100, 30), (160, 50)]
ODD = plain_scheme(
    [
        "it's", "a'); quit('", "CON", "Mask", "mask", "=1+1", "[bold]x[x]", "日本語の名前です",
        "🙂 emoji 🙃", "שלום עולם", "unsure", "path", "total", "$primary", "%s {x}", "n" * 80,
    ]
)  # fmt: skip


def type_at_once(bench: Bench, text: str) -> None:
    """Send keys as a fast typist or a script does: none waits for the one before."""
    names = {"/": "slash", "\n": "enter", " ": "space", "\x1b": "escape", "\x7f": "backspace"}
    for letter in text:
        bench.app.post_message(Key(names.get(letter, letter), letter))


def palette_of(bench: Bench) -> ClassPalette:
    return bench.app.capture.palette


def found_labels(palette: ClassPalette) -> list[str | None]:
    return [entry.label for entry in palette.found]


async def test_nine_classes_have_one_keystroke_each(tmp_path: Path) -> None:
    scheme = plain_scheme([f"class {number}" for number in range(9)])
    async with running(prepare(tmp_path / "data", scheme)) as bench:
        for number in range(9):
            await bench.press(str(number + 1))
            await bench.wait_for_answer(f"saved class {number}, number 1")
    counted = [photo.label for photo in photos_of(tmp_path / "data")]
    assert sorted(counted) == sorted(scheme.labels)


async def test_a_scheme_gives_letters(tmp_path: Path) -> None:
    scheme = Scheme(
        (PhotoClass("worn", "worn", "#7cc7f0", "w"), PhotoClass("bare", "bare", "#1fa884", "ä"))
    )
    async with running(prepare(tmp_path / "data", scheme)) as bench:
        await bench.press("space")
        await bench.wait_for_answer("press w or ä first")
        for key, label in (("w", "worn"), ("ä", "bare")):
            bench.app.post_message(Key(key, key))
            await bench.wait_for_answer(f"saved {label}, number 1")
        assert "w ä shoot" in bench.text()


async def test_the_palette_shoots_by_name_typed_at_once_and_space_shoots_again(
    tmp_path: Path,
) -> None:
    async with running(prepare(tmp_path / "data", TWELVE), size=(80, 24)) as bench:
        # "m" would mirror, "s" ask for the subject, "q" quit: none of them may be heard.
        type_at_once(bench, "/glas\n")
        await bench.wait_for_answer("saved glasses, dark, number 1")
        await bench.pilot.pause(0.3)
        type_at_once(bench, " ")
        await bench.wait_for_answer("saved glasses, dark, number 2")
        assert isinstance(bench.app.screen, CaptureScreen)
    assert [p.label for p in photos_of(tmp_path / "data")] == ["glasses, dark"] * 2


async def test_a_key_typed_right_after_the_choice_is_not_lost(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        type_at_once(bench, "/glas\nm")
        await bench.wait_for_answer("preview: as the camera sees it")


async def test_the_class_used_last_is_first_in_the_palette(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        for key in "35":
            await bench.press(key)
            await bench.wait_for_answer("number 1")
        await bench.press("slash")
        assert found_labels(palette_of(bench))[:4] == ["afraid", "angry", "happy", "sad"]
        await bench.press("enter")
        await bench.wait_for_answer("saved afraid, number 2")


async def test_escape_closes_the_palette_and_nothing_is_shot(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        panel = bench.app.capture.query_one("#classes")
        await bench.press("slash", "g", "l", "right", "tab", "backspace")
        palette = palette_of(bench)
        assert (palette.is_open, palette.query_text, panel.display) == (True, "g", False)
        await bench.press("escape")
        assert (palette.is_open, palette.display, panel.display) == (False, False, True)
        await bench.press("1")
        await bench.wait_for_answer("saved happy, number 1")
    assert len(photos_of(tmp_path / "data")) == 1


async def test_a_name_that_no_class_has_shoots_nothing_and_can_be_corrected(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        await bench.press("slash", *"zz", "enter")
        assert palette_of(bench).is_open
        assert "no class has such a name" in bench.text()
        await bench.press("ctrl+u", *"sad", "enter")
        await bench.wait_for_answer("saved sad, number 1")
    assert len(photos_of(tmp_path / "data")) == 1


async def test_arrows_pages_clicks_and_pastes_work_in_the_palette(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", FORTY), size=(80, 24)) as bench:
        await bench.press("slash", "down", "down", "up", "enter")
        await bench.wait_for_answer("saved sad, number 1")
        await bench.press("slash", "pagedown", "pagedown", "pagedown", "pagedown")
        assert "▸ ·  person 30" in bench.text()
        await bench.press("enter")
        await bench.wait_for_answer("saved person 30, number 1")
        await bench.press("slash")
        bench.app.post_message(Paste("person\n11"))
        await bench.wait(lambda: found_labels(palette_of(bench)) == ["person_11"])
        await bench.press("ctrl+w", "ctrl+w")
        assert palette_of(bench).query_text == ""
        await bench.pilot.click("#palette", offset=(6, 4))
        await bench.wait_for_answer("saved happy, number 1")


async def test_the_picture_goes_on_behind_the_palette(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", FORTY)) as bench:
        preview = bench.app.capture.query_one(Preview)
        await bench.press("slash")
        before = preview.drawn
        await bench.wait(lambda: preview.drawn >= before + 3)
        # Nothing covers the screen: in a terminal the picture keeps its raw, quick lines.
        assert bench.app.screen is preview.screen


async def test_the_palette_stays_closed_where_it_has_no_room(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        await bench.pilot.resize_terminal(50, 15)
        await bench.wait(lambda: "The terminal is 50x15." in bench.text())
        await bench.press("slash")
        assert not palette_of(bench).is_open


async def test_the_palette_serves_few_classes_too(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as bench:
        await bench.press("slash", *"no y", "enter")
        await bench.wait_for_answer("saved no mask, young, number 1")


async def test_a_dialog_keeps_the_key_of_the_palette(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", TWELVE)) as bench:
        await bench.press("s")
        await bench.wait(lambda: bool(bench.app.screen.query(Input)))
        await bench.pilot.pause(0.6)
        await bench.press("slash")
        assert bench.app.screen.query_one(Input).value == "/"
        assert not palette_of(bench).is_open


async def test_odd_names_are_shot_labelled_and_found(tmp_path: Path) -> None:
    root = prepare(tmp_path / "data", ODD)
    async with running(root) as bench:
        for number, label in enumerate(ODD.labels):
            bench.app.capture.action_shoot(number)
            await bench.wait(lambda count=number: len(list_photos(root)) == count + 1)  # type: ignore[misc]
            await bench.press("slash")
            bench.app.post_message(Paste(label))
            await bench.wait(lambda wanted=label: found_labels(palette_of(bench))[:1] == [wanted])  # type: ignore[misc]
            await bench.press("escape")
        for width, height in SIZES:
            await bench.pilot.resize_terminal(width, height)
            await bench.pilot.pause(0.3)
            assert {cell_len(line) for line in bench.text().split("\n")} == {width}
        assert "[bold]x[x]" in bench.text()
    assert sorted(photo.label for photo in photos_of(root)) == sorted(ODD.labels)


@pytest.mark.parametrize("count", [2, 3, 4, 9, 12, 40, 64])
async def test_many_classes_leave_room_for_all_that_is_needed(tmp_path: Path, count: int) -> None:
    scheme = plain_scheme([f"class {number:02d}" for number in range(count)])
    async with running(prepare(tmp_path / "data", scheme), subject="p07") as bench:
        bench.app.capture.action_shoot(count - 1)
        await bench.wait_for_answer("number 1")
        for width, height in SIZES:
            await bench.pilot.resize_terminal(width, height)
            await bench.wait(lambda: "frames dropped" in bench.text())
            await bench.pilot.pause(0.2)
            text = bench.text()
            for word in ("sharp", "light", "face", "saved 1", "refused 0", "p07", "◂", "/ find"):
                assert word in text, (word, width, height)
            # Titles are cut in a narrow panel; the chips are not.
            panel = bench.app.capture.query_one(ClassPanel).render().plain
            shown = len(re.findall(r" (?:[1-9]|·)  ?[a-z…]+ ?\d\d", panel))
            hidden = re.search(r"(\d+) more: press /", text)
            assert shown + (int(hidden[1]) if hidden else 0) == count, (shown, width, height)


async def test_a_target_of_a_class_beats_that_of_the_command(tmp_path: Path) -> None:
    scheme = Scheme(
        (
            PhotoClass("rare", "rare", "#7cc7f0", "1", target=1),
            PhotoClass("common", "common", "#1fa884", "2"),
        )
    )
    async with running(prepare(tmp_path / "data", scheme)) as bench:
        await bench.press("1")
        await bench.wait_for_answer("number 1")
        await bench.wait(lambda: "1 / 1 " in bench.text())
        text = bench.text()
        assert "0 / 735" in text
        assert "1 / 736" in text


async def test_the_first_line_keeps_what_matters_at_100_columns(tmp_path: Path) -> None:
    root = tmp_path / "a folder with a long name" / "photographs of the whole class" / "data"
    root.parent.mkdir(parents=True)
    camera = MovingCamera("rtsp://192.168.17.204:8554/front-door/substream-of-low-resolution")
    async with running(root, size=(100, 30), camera=camera) as bench:
        await bench.wait(lambda: "fps · gate warn" in bench.text())
        first = bench.text().split("\n")[0]
        assert "rtsp://192.168" in first
        assert "whole class/data" in first
        assert first.rstrip().endswith("gate warn")


@pytest.mark.parametrize(
    ("root", "name", "room", "expected"),
    [
        ("data", "webcam 0", 40, ("data", "webcam 0")),
        ("/home/me/photos/data", "webcam 0", 20, ("…photos/data", "webcam 0")),
        ("data", "a camera with a long name", 20, ("data", "a camera with a…")),
        ("/home/me/photos/data", "a camera with a long name", 20, ("…otos/data", "a camera…")),
        ("data", "x", 0, ("…", "x")),
    ],
)
def test_names_are_cut_to_the_first_line(
    root: str, name: str, room: int, expected: tuple[str, str]
) -> None:
    assert tuple(text.rstrip() for text in fit_names(root, name, room)) == expected


async def test_the_help_lists_the_palette_and_no_class_without_a_key(tmp_path: Path) -> None:
    async with running(prepare(tmp_path / "data", FORTY), size=(120, 60)) as bench:
        await bench.press("question_mark")
        await bench.pilot.pause(0.3)
        text = bench.text()
        assert next(c.text for c in capture_commands(FORTY) if c.action == PALETTE) in text
        assert "shoot into sleepy" in text
        assert "person 01" not in text.split("shoot into sleepy")[1]


def fill(root: Path, scheme: Scheme, count: int) -> None:
    """Photos of the classes in turn, `p00.jpg` the newest."""
    with PhotoStore(prepare(root, scheme)) as store:
        for number in range(count):
            label = scheme.labels[number % len(scheme)]
            taken = f"2026-01-01T00:00:{59 - number:02d}.000+00:00"
            photo = Photo(f"{label}/p{number:02d}.jpg", label, taken_at=taken)
            store.add_encoded(encode_jpeg(draw_noise(number)), photo)


class Review:
    """A gallery over a dataset of these classes."""

    def __init__(self, root: Path, scheme: Scheme, size: tuple[int, int] = (120, 40)) -> None:
        fill(root, scheme, 14)
        self._root, self._size = root, size

    async def __aenter__(self) -> Gallerist:
        self._store = PhotoStore(self._root)
        self._app = ReviewApp(self._store)
        self._run = self._app.run_test(size=self._size)
        desk = Gallerist(self._app, await self._run.__aenter__(), self._root)
        await desk.wait(lambda: self._app.review.current is not None)
        return desk

    async def __aexit__(self, *fault: object) -> None:
        await self._run.__aexit__(None, None, None)
        self._app.writer.close()
        self._store.close()


async def test_the_palette_labels_a_photo_and_a_range_in_the_gallery(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", FORTY) as desk:
        await desk.press("slash", *"on 30", "enter")
        await desk.wait_for_answer("relabelled person 30")
        assert desk.number() == 1
        # The class used last is first: one more key for the next.
        await desk.press("v", "right", "slash", "enter")
        await desk.wait_for_answer("relabelled person 30: 2 photos")
        assert [desk.labels()[number] for number in range(4)] == ["person_30"] * 3 + ["surprised"]
        await desk.press("u")
        await desk.wait_for_answer("undone: relabelled person 30: 2 photos")
        assert desk.labels()[1] == "sad"


async def test_keys_of_the_gallery_are_letters_while_the_palette_is_open(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", FORTY, (80, 24)) as desk:
        before = desk.labels()

        def has_facts() -> bool:
            return bool(desk.screen.query_one("#facts").display)

        await desk.press("slash", *"xgfa", "end", "delete")
        assert desk.screen.palette.query_text == "xgfa"
        assert not has_facts()
        await desk.press("escape")
        assert has_facts()
        assert desk.app.screen is desk.screen
        assert desk.labels() == before


async def test_c_asks_for_the_class_where_there_are_many(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", TWELVE) as desk:
        await desk.press("c", *"sad", "enter")
        assert {photo.label for photo in desk.screen.photos.slice(0, 99)} == {"sad"}
        assert "  sad " in desk.text().split("\n")[0]
        await desk.press("c")
        assert found_labels(desk.screen.palette)[0] is None
        await desk.press("enter")
        assert len(desk.screen.photos) == 14


async def test_a_long_title_leaves_room_for_the_place_in_the_list(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", ODD, (80, 24)) as desk:
        await desk.press("c", *"nnn", "enter")
        await desk.wait(lambda: len(desk.screen.photos) == 0)
        assert "none · newest" in desk.text().split("\n")[0]


async def test_the_hint_of_the_gallery_names_the_keys_there_are(tmp_path: Path) -> None:
    for number, (scheme, words) in enumerate(
        [(READY_MADE["mask"], "1-2: label"), (FORTY, "1-9 /: label")]
    ):
        async with Review(tmp_path / str(number), scheme) as desk:
            await desk.wait_for_answer(words)


async def test_a_suggestion_of_another_model_is_shown_but_not_accepted(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", READY_MADE["mask"]) as desk:
        before = desk.labels()
        current = desk.screen.current
        assert current is not None
        desk.screen.photos._photos[0] = Photo(
            current.path, current.label, suggestion=Suggestion("hat", 0.9)
        )
        desk.screen._show()
        await desk.pilot.pause()
        assert "≠ model: hat 90%" in desk.text()
        await desk.press("a")
        await desk.wait_for_answer("the model suggests hat, which is no class of this dataset")
        assert desk.labels() == before


async def test_odd_names_keep_the_lines_of_the_gallery(tmp_path: Path) -> None:
    async with Review(tmp_path / "data", ODD) as desk:
        for size, zoom in itertools.product(SIZES, ("minus", "plus")):
            await desk.pilot.resize_terminal(*size)
            await desk.press(*[zoom] * 6)
            await desk.pilot.pause(0.2)
            assert {cell_len(line) for line in desk.text().split("\n")} == {size[0]}
        names = [c.action for c in review_commands(ODD) if c.label is not None]
        assert names == [f"relabel({number})" for number in range(len(ODD))]
        assert str(desk.screen.query_one("#header", Static).content)
