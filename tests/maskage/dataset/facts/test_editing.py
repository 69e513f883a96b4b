"""Facts set, corrected and taken back, with consents and the journal."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.class_changes import rename_class
from maskage.dataset.consent import Consent
from maskage.dataset.edits import describing
from maskage.dataset.facts import editing
from maskage.dataset.facts.editing import carry_out, subject_changes, undo_last
from maskage.dataset.facts.fact_changes import Facts, describe_changes, plan_facts
from maskage.dataset.facts.journal import (
    KEPT_STEPS,
    FactStep,
    forget_in_journal,
    photo_steps,
    read_last_step,
    subjects_in_journal,
    write_step,
)
from maskage.dataset.privacy.forgetting import forget, plan_forgetting
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.output_log import Kind, Output, log_output, read_outputs
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise

TODAY = date(2026, 11, 27)


def fill(store: PhotoStore, *subjects: str | None) -> None:
    for number, subject in enumerate(subjects):
        photo = Photo(f"mask_old/{number}.jpg", "mask_old", subject=subject)
        store.add_encoded(encode_jpeg(draw_noise(number)), photo)


def change(store: PhotoStore, facts: Facts, numbers: Sequence[int] | None = None) -> list[str]:
    photos = store.photos()
    plan = plan_facts((photos[each], facts) for each in numbers or range(len(photos)))
    changes = subject_changes(store, plan)
    carry_out(store, plan, changes)
    return list(changes.notes)


def subjects(store: PhotoStore) -> list[str | None]:
    return [photo.subject for photo in store.photos()]


def test_the_words_count_what_is_set_changed_and_removed() -> None:
    photos = [Photo(f"a/{n}.jpg", "a", subject=s) for n, s in enumerate([None, "p1", "p1", "p2"])]
    plan = plan_facts([(photo, {"subject": "p2"}) for photo in photos])
    assert plan.unchanged == 1
    assert describe_changes(plan.edits) == ["subject: 1 set, 2 changed (p1 -> p2: 2)"]
    plan = plan_facts([(photo, {"subject": None, "group": "g"}) for photo in photos])
    assert describe_changes(plan.edits) == ["subject: 3 removed (p1: 2, p2: 1)", "group: 4 set"]
    assert describe_changes([]) == []


def test_a_change_is_taken_back_after_the_program_has_ended(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, None, "p1")
        change(store, {"subject": "p2", "session": "s"})
        assert subjects(store) == ["p2", "p2"]
        change(store, {"group": "g"})
    with PhotoStore(tmp_path) as store:
        assert [photo.group for photo in store.photos()] == ["g", "g"]
        undo_last(store)
        assert [(photo.subject, photo.group) for photo in store.photos()] == [("p2", None)] * 2
        undo_last(store)
        assert subjects(store) == [None, "p1"]
        with pytest.raises(DatasetError, match="no change of facts is left to undo"):
            undo_last(store)


def test_photos_put_there_by_hand_are_found_again_in_a_renamed_class(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for label in MASK_AGE.labels:
        (root / label).mkdir(parents=True)
    (root / "mask_old" / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    with PhotoStore(root) as store:
        change(store, {"subject": "p1"})
    rename_class(root, "mask_old", "covered_old", None)
    with PhotoStore(root) as store:
        assert [photo.path for photo in store.photos()] == ["covered_old/a.jpg"]
        undo_last(store)
        assert subjects(store) == [None]


def test_what_was_changed_since_or_is_gone_is_left_and_named(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1", "p1", "p1")
        change(store, {"subject": "p2"})
        first, second, third = store.photos()
        store.apply([describing(first, subject="p9")])
        store.apply([store.relabelling(second, "mask_young")])
        (tmp_path / third.path).unlink()
    with PhotoStore(tmp_path) as store:
        undone = undo_last(store)
        assert undone.changed_since == (first.path,)
        assert undone.gone == (third.path,)
        assert {p.path: p.subject for p in store.photos()} == {
            "mask_old/0.jpg": "p9",
            "mask_young/1.jpg": "p1",
        }


def test_a_change_of_which_nothing_can_be_taken_back_is_an_error_and_is_dropped(
    tmp_path: Path,
) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")
        change(store, {"group": "g"})
        change(store, {"subject": "p2"})
        store.apply([describing(store.photos()[0], subject="p3")])
        with pytest.raises(DatasetError, match="1 of its photos were changed since"):
            undo_last(store)
        undo_last(store)
        assert store.photos()[0].group is None


def test_a_step_that_a_kill_kept_from_being_done_is_passed_over(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")
        change(store, {"group": "g"})
        planned = plan_facts([(store.photos()[0], {"subject": "p2"})])
        write_step(tmp_path, FactStep(0, "2026", photo_steps(tmp_path, planned.edits)))
        assert undo_last(store).edits[0].photo.group is None
        assert read_last_step(tmp_path) is None


def test_where_the_manifest_refuses_no_step_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")

        def refuse(edits: object) -> None:
            raise EnvironmentProblemError("full")

        monkeypatch.setattr(store, "apply", refuse)
        with pytest.raises(EnvironmentProblemError, match="full"):
            change(store, {"group": "g"})
    assert read_last_step(tmp_path) is None


def test_only_the_last_steps_are_kept(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")
        for number in range(KEPT_STEPS + 3):
            change(store, {"group": f"g{number}"})
    names = sorted(path.name for path in (tmp_path / ".dataset" / "edits").iterdir())
    assert names == [f"{number:06d}.json" for number in range(4, KEPT_STEPS + 4)]


def test_a_damaged_step_is_said_with_the_way_on(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")
        change(store, {"group": "g"})
        (tmp_path / ".dataset" / "edits" / "000001.json").write_text('{"schema": 1}')
        with pytest.raises(DatasetError, match=r"000001\.json.*Remove the file"):
            undo_last(store)


def test_the_consent_goes_with_a_person_who_gets_another_pseudonym_and_comes_back(
    tmp_path: Path,
) -> None:
    consent = Consent("pp01", "form 1", TODAY)
    with PhotoStore(tmp_path) as store:
        fill(store, "pp01", "pp01")
        store.record_consent(consent)
        assert change(store, {"subject": "p01"}) == ["The consent of pp01 becomes that of p01."]
        assert store.consents() == {"p01": replace(consent, subject="p01")}
        undo_last(store)
        assert store.consents() == {"pp01": consent}


def test_the_consent_stays_where_only_some_photos_go(tmp_path: Path) -> None:
    consent = Consent("p1", "form 1", TODAY)
    with PhotoStore(tmp_path) as store:
        fill(store, "p1", "p1")
        store.record_consent(consent)
        (note,) = change(store, {"subject": "p2"}, [1])
        assert note.startswith("No consent on record of p2.")
        assert store.consents() == {"p1": consent}


def test_a_consent_of_its_own_is_not_replaced(tmp_path: Path) -> None:
    consents = {name: Consent(name, f"form {name}", TODAY) for name in ("p1", "p2")}
    with PhotoStore(tmp_path) as store:
        fill(store, "p1", "p2")
        for each in consents.values():
            store.record_consent(each)
        (note,) = change(store, {"subject": "p2"})
        assert "that of p1 stays on record, without photos" in note
        assert store.consents() == consents


def test_removed_photos_keep_the_former_pseudonym_and_its_consent(tmp_path: Path) -> None:
    from maskage.dataset.edits import trashing

    with PhotoStore(tmp_path) as store:
        fill(store, "p1", "p1")
        store.record_consent(Consent("p1", "form 1", TODAY))
        store.apply([trashing(store.photos()[0])])
        notes = change(store, {"subject": "p2"})
        assert notes == [
            "The consent of p1 is put on record for p2 too.",
            "1 removed photo keeps the subject p1: `collector forget` has to be given both.",
        ]
        assert sorted(store.consents()) == ["p1", "p2"]
        undo_last(store)
        assert sorted(store.consents()) == ["p1"]


def test_what_was_recorded_of_a_person_follows_the_pseudonym(tmp_path: Path) -> None:
    root, video = tmp_path / "data", tmp_path / "clip.mp4"
    video.touch()
    with PhotoStore(root) as store:
        fill(store, "p1")
        log_output([root], Output(video, Kind.VIDEO, subject="p1"))
        change(store, {"subject": "p2"})
        assert [each.subject for each in read_outputs(root)] == ["p2"]
        undo_last(store)
        assert [each.subject for each in read_outputs(root)] == ["p1"]


def test_to_forget_somebody_reaches_the_kept_steps(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        fill(store, "anna", "p2")
        change(store, {"subject": "p1"}, [0])
        change(store, {"group": "g"})
        assert subjects_in_journal(root) == {"anna", "p1"}
        forget(store, plan_forgetting(root, "p1", [tmp_path]))
        for file in (root / ".dataset" / "edits").iterdir():
            assert "anna" not in file.read_text()
            assert [each["path"] for each in json.loads(file.read_text())["photos"]] == [
                "mask_old/1.jpg"
            ]
        undo_last(store)
        assert [photo.group for photo in store.photos()] == [None]


def test_a_former_pseudonym_can_be_forgotten_too(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        fill(store, "anna")
        change(store, {"subject": "p1"})
        forget(store, plan_forgetting(root, "anna", [tmp_path]))
        assert subjects(store) == ["p1"]
        assert subjects_in_journal(root) == set()
        forget_in_journal(root, "nobody")


def test_facts_that_photos_have_already_make_no_step(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        fill(store, "p1")
        change(store, {"subject": "p1"})
    assert read_last_step(tmp_path) is None
    assert editing.DatasetOnDisk(tmp_path).photos()[0].subject == "p1"
