"""Subject, session and group in the gallery: set, removed, undone; filters; dismissed disputes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input, Static

from collector.screens.review_screen import ReviewScreen
from collector.widgets.dialogs import ChoiceDialog
from collector.widgets.facts_dialog import FactsDialog
from maskage.dataset.edits import describing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Photo, Suggestion
from tests.collector.screens.test_review_screen import (
    BARE_OLD,
    BARE_YOUNG,
    OLD,
    YOUNG,
    Gallerist,
    fill,
    looking_through,
)


def facts(root: Path) -> dict[int, tuple[str | None, str | None, str | None]]:
    """Subject, session and group of each photo, by its number."""
    return {
        int(Path(photo.path).stem[1:3]): (photo.subject, photo.session, photo.group)
        for photo in list_photos(root)
    }


async def open_facts(desk: Gallerist) -> FactsDialog:
    await desk.press("e")
    await desk.wait(lambda: isinstance(desk.app.screen, FactsDialog))
    dialog = desk.app.screen
    assert isinstance(dialog, FactsDialog)
    return dialog


def line(desk: Gallerist, fact: str) -> Input:
    return desk.app.screen.query_one(f"#{fact}", Input)


def words(desk: Gallerist, part: str) -> str:
    return str(desk.app.screen.query_one(f"#dialog-{part}", Static).content)


async def in_gallery(desk: Gallerist) -> None:
    await desk.wait(lambda: isinstance(desk.app.screen, ReviewScreen))


async def test_one_photo_is_described_and_undone(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        before = facts(tmp_path)
        await open_facts(desk)
        assert "of 1 photo" in words(desk, "title")
        assert [line(desk, fact).value for fact in ("subject", "session", "group")] == [
            "p0", "s0", "",
        ]  # fmt: skip
        line(desk, "subject").value = "p7"
        line(desk, "group").value = "family"
        await desk.press("enter")
        await in_gallery(desk)
        await desk.wait_for_answer("subject p7, group family")
        assert facts(tmp_path) == before | {0: ("p7", "s0", "family")}
        assert desk.number() == 0
        assert "family" in desk.text()
        await desk.press("u")
        await desk.wait_for_answer("undone: subject p7, group family")
        assert facts(tmp_path) == before
        await desk.press("ctrl+y")
        await desk.wait_for_answer("redone")
        assert facts(tmp_path)[0] == ("p7", "s0", "family")


async def test_a_range_shows_what_differs_and_leaves_empty_lines_as_they_are(
    tmp_path: Path,
) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("v", "right", "right")
        await open_facts(desk)
        assert "of 3 photos" in words(desk, "title")
        assert line(desk, "subject").placeholder == "(several)"
        line(desk, "session").value = "evening"
        await desk.press("enter")
        await desk.wait_for_answer("session evening: 3 photos")
        found = facts(tmp_path)
        assert [found[number] for number in range(4)] == [
            ("p0", "evening", None),
            ("p1", "evening", None),
            ("p0", "evening", None),
            ("p1", "s0", None),
        ]
        # The range has ended: the next key works on one photo.
        assert "range of" not in desk.text()
        await desk.press("u")
        await desk.wait_for_answer("undone: session evening: 3 photos")
        assert facts(tmp_path)[2] == ("p0", "s2", None)


async def test_all_that_the_filter_shows_is_described_at_once(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await desk.press("c", "ctrl+a")
        await desk.wait_for_answer("3 photos chosen")
        await open_facts(desk)
        assert "of 3 photos" in words(desk, "title")
        line(desk, "subject").value = "-"
        await desk.press("enter")
        await desk.wait_for_answer("no subject: 3 photos")
        found = facts(tmp_path)
        assert [number for number, (subject, _, _) in found.items() if subject is None] == [0, 4, 8]


async def test_choosing_all_ends_with_v_and_escape(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        for key in ("v", "escape"):
            await desk.press("right", "ctrl+a")
            assert "range of 12" in desk.text()
            await desk.press(key)
            assert "range of" not in desk.text()
        assert desk.number() == 2
        assert len(list_photos(tmp_path)) == 12


async def test_a_dialog_closed_or_unchanged_changes_nothing(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        before = facts(tmp_path)
        await open_facts(desk)
        line(desk, "subject").value = "p7"
        await desk.press("escape")
        await in_gallery(desk)
        await open_facts(desk)
        await desk.press("enter")
        await in_gallery(desk)
        await desk.press("f")
        await desk.wait_for_answer("flagged")
        assert facts(tmp_path) == before
    with closing(sqlite3.connect(manifest_path(tmp_path))) as db:
        assert not db.execute("SELECT * FROM events WHERE action = 'describe'").fetchall()


async def test_what_cannot_be_a_pseudonym_is_refused_in_the_dialog(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await open_facts(desk)
        line(desk, "subject").value = "Anna B."
        await desk.press("enter")
        assert "pseudonym" in words(desk, "text")
        assert isinstance(desk.app.screen, FactsDialog)


async def test_a_near_miss_is_asked_about_and_one_key_takes_the_known_person(
    tmp_path: Path,
) -> None:
    async with looking_through(tmp_path) as desk:
        for key, subject in (("y", "p1"), ("n", "pp1")):
            await open_facts(desk)
            line(desk, "subject").value = "pp1"
            await desk.press("enter")
            assert "p1 has" in words(desk, "text")
            assert "Did you mean p1?" in words(desk, "text")
            # A second enter is no answer.
            await desk.press("enter")
            await desk.press(key)
            await in_gallery(desk)
            await desk.wait_for_answer(f"subject {subject}")
            assert facts(tmp_path)[0][0] == subject
            await desk.press("u")
            await desk.wait_for_answer("undone")


async def test_after_a_near_miss_one_can_type_again(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await open_facts(desk)
        line(desk, "subject").value = "pp1"
        await desk.press("enter", "escape")
        assert "An empty line" in words(desk, "text")
        assert line(desk, "subject").has_focus
        line(desk, "subject").value = "k5"
        await desk.press("enter")
        await desk.wait_for_answer("subject k5")


async def test_the_arrow_keys_put_a_known_name_on_the_line(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await open_facts(desk)
        assert "6  3 mask, old" in desk.text()
        await desk.press("tab")
        await desk.wait(lambda: "  s1 " in desk.text())
        line(desk, "session").value = ""
        await desk.pilot.pause()
        await desk.press("down", "down")
        assert line(desk, "session").value == "s1"
        await desk.press("up")
        assert line(desk, "session").value == "s0"
        await desk.press("down", "enter")
        await desk.wait_for_answer("session s1")
    assert facts(tmp_path)[0][1] == "s1"


async def test_many_keys_while_the_disk_is_behind_describe_the_photos_of_that_moment(
    tmp_path: Path,
) -> None:
    async with looking_through(tmp_path) as desk:
        await open_facts(desk)
        line(desk, "group").value = "g1"
        # The photo is relabelled before the dialog is answered, and keeps both changes.
        desk.app.writer.edit(
            lambda: [desk.screen._store.relabelling(desk.screen._store.photos()[0], BARE_YOUNG)]
        )
        await desk.press("enter")
        await desk.wait_for_answer("group g1")
        assert desk.labels()[0] == BARE_YOUNG
        assert facts(tmp_path)[0] == ("p0", "s0", "g1")


@pytest.mark.parametrize(
    ("key", "fact", "named", "unnamed"),
    [
        ("s", "subject", 5, 7),
        ("n", "session", 4, 8),
        ("p", "group", 3, 9),
        ("i", "origin", 2, 10),
    ],
)
async def test_each_fact_has_a_filter_also_for_what_lacks_it(
    tmp_path: Path, key: str, fact: str, named: int, unnamed: int
) -> None:
    with PhotoStore(tmp_path) as store:
        for at in range(12):
            photo = Photo(
                f"{OLD}/p{at:02d}.jpg",
                OLD,
                subject="p1" if at < 5 else None,
                session="s1" if at < 4 else None,
                group="g1" if at < 3 else None,
                origin="test" if at < 2 else None,
            )
            store.add_encoded(bytes([at]), photo)
    async with looking_through(tmp_path) as desk:
        for presses, count, header in (
            (("down",), unnamed, f"no {fact}"),
            (("down", "down"), named, "1"),
            ((), 12, "all photos"),
        ):
            await desk.press(key)
            await desk.wait(lambda: isinstance(desk.app.screen, ChoiceDialog))
            assert f"(no {fact})  {unnamed}" in desk.text()
            await desk.press(*presses, "enter")
            await in_gallery(desk)
            assert len(desk.screen.photos) == count
            assert header in desk.text().splitlines()[0]


async def test_a_photo_that_gets_a_subject_leaves_those_without_one(tmp_path: Path) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        store.apply([describing(photo, subject=None) for photo in store.photos()[:2]])
    async with looking_through(tmp_path) as desk:
        await desk.press("s")
        await desk.wait(lambda: isinstance(desk.app.screen, ChoiceDialog))
        await desk.press("down", "enter")
        await in_gallery(desk)
        assert len(desk.screen.photos) == 2
        await open_facts(desk)
        line(desk, "subject").value = "p1"
        await desk.press("enter")
        await desk.wait(lambda: len(desk.screen.photos) == 1)


async def test_a_right_label_is_disputed_no_more(tmp_path: Path) -> None:
    says = {0: Suggestion(BARE_OLD, 0.8), 1: Suggestion(BARE_YOUNG, 0.7)}
    async with looking_through(tmp_path, suggestions=says) as desk:
        await desk.press("d")
        assert len(desk.screen.photos) == 2
        await desk.press("r")
        await desk.wait_for_answer("label confirmed")
        await desk.wait(lambda: len(desk.screen.photos) == 1)
        assert desk.number() == 1
        await desk.press("0", "home")
        assert "✓ confirmed, dismissed:" in desk.text()
        assert "✗ model: no mask, old 80%" in desk.text()
        await desk.press("d", "u")
        await desk.wait_for_answer("undone: label confirmed")
        assert len(desk.screen.photos) == 2
        await desk.press("ctrl+y")
        await desk.wait_for_answer("redone")
    confirmed = [photo for photo in list_photos(tmp_path) if photo.confirmed]
    assert [(photo.confirmed, photo.is_disputed) for photo in confirmed] == [(OLD, False)]


async def test_a_confirmation_is_taken_back_by_the_same_key(tmp_path: Path) -> None:
    async with looking_through(tmp_path, suggestions={0: Suggestion(YOUNG, 0.8)}) as desk:
        await desk.press("r")
        await desk.wait_for_answer("label confirmed")
        await desk.press("left", "r")
        await desk.wait_for_answer("label no longer confirmed")
        assert "≠ model: mask, young 80%" in desk.text()


async def test_both_opinions_are_shown_and_the_surest_is_accepted(tmp_path: Path) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        store.check({f"{OLD}/p00.jpg": Suggestion(BARE_OLD, 0.9)})
    async with looking_through(tmp_path, suggestions={0: Suggestion(YOUNG, 0.6)}) as desk:
        assert "≠ model: mask, young 60%" in desk.text()
        assert "≠ check: no mask, old 90%" in desk.text()
        await desk.press("a")
        await desk.wait(lambda: desk.labels()[0] == BARE_OLD)


async def test_the_opinion_of_the_check_alone_is_accepted_too(tmp_path: Path) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        store.check({f"{OLD}/p00.jpg": Suggestion(BARE_OLD, 0.9)})
    async with looking_through(tmp_path) as desk:
        await desk.press("a")
        await desk.wait(lambda: desk.labels()[0] == BARE_OLD)


async def test_a_flag_shows_its_factor_and_reason_and_the_costliest_comes_first(
    tmp_path: Path,
) -> None:
    fill(tmp_path)
    nose, age = "mask? nose seems out", "age? seems old"
    with PhotoStore(tmp_path) as store:
        store.check(
            {
                f"{OLD}/p00.jpg": Suggestion(BARE_OLD, 0.5, age, 0.125),
                f"{OLD}/p04.jpg": Suggestion(BARE_OLD, 0.75, nose, 0.25),
            }
        )
    async with looking_through(tmp_path) as desk:
        await desk.press("d")
        assert age in desk.text()
        assert "suggestion disagrees · about 1 of them wrong" in desk.text()
        for _ in range(4):
            await desk.press("o")
        await desk.wait(lambda: "most harmful label first" in desk.text().splitlines()[0])
        await desk.press("home")
        assert "≠ check: no mask, old 75%" in desk.text()
        assert nose in desk.text()
        assert age not in desk.text()


async def test_a_flag_without_a_reason_is_shown_as_before(tmp_path: Path) -> None:
    fill(tmp_path)
    with PhotoStore(tmp_path) as store:
        store.check({f"{OLD}/p00.jpg": Suggestion(BARE_OLD, 0.9)})
    async with looking_through(tmp_path) as desk:
        await desk.press("d")
        assert "≠ check: no mask, old 90%" in desk.text()
        assert "of them wrong" not in desk.text()
        assert "?" not in desk.text().splitlines()[0]


async def test_keys_that_come_at_once_go_to_their_lines(tmp_path: Path) -> None:
    async with looking_through(tmp_path) as desk:
        await open_facts(desk)
        await desk.pilot.pause(0.6)
        # As a terminal hands them over that was busy: all before the first is dealt with.
        for key in ("tab", "tab", *"abc", "enter", *"xyz"):
            desk.app.post_message(Key(key, key if len(key) == 1 else None))
        await desk.wait_for_answer("group abc")
        assert facts(tmp_path)[0] == ("p0", "s0", "abc")
