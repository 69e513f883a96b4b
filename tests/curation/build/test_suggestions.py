"""The opinions of a label check in the manifest: each check replaces those of the one before."""

from dataclasses import replace
from pathlib import Path

import pytest

from curation.build.suggestions import flag_doubts
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import CurationSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.records import Suggestion
from tests.conftest import draw_noise

DOUBT = Suggestion("mask_young", 0.9)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset with two photos that a model has an opinion on."""
    with PhotoStore(tmp_path) as store:
        for number in range(2):
            store.add(draw_noise(number), "mask_old")
        store.suggest([(photo, Suggestion("nomask_old", 0.8)) for photo in store.photos()])
    return tmp_path


def make_plan(root: Path, *doubts: Suggestion | None, confirmed: bool = False) -> CurationPlan:
    photos = tuple(
        PlannedPhoto(photo.path, photo.label, kept=True, doubt=doubt, is_confirmed=confirmed)
        for photo, doubt in zip(list_photos(root), doubts, strict=True)
    )
    return CurationPlan(root, CurationSettings(check_labels=True), MASK_AGE, photos)


def checks(root: Path) -> list[Suggestion | None]:
    return [photo.check for photo in list_photos(root)]


def test_a_check_that_finds_nothing_withdraws_the_opinions_before_it(root: Path) -> None:
    flag_doubts(make_plan(root, DOUBT, DOUBT))
    assert checks(root) == [DOUBT, DOUBT]
    notice = flag_doubts(make_plan(root, None, None))
    assert notice is not None
    assert notice.text.startswith(
        "No label is doubtful. 2 opinions of an earlier check are withdrawn."
    )
    assert checks(root) == [None, None]
    assert {photo.suggestion for photo in list_photos(root)} == {Suggestion("nomask_old", 0.8)}
    assert flag_doubts(make_plan(root, None, None)) is None


def test_without_a_check_the_opinions_stay(root: Path) -> None:
    flag_doubts(make_plan(root, DOUBT, None))
    plan = make_plan(root, None, None)
    settings = replace(plan.settings, check_labels=False)
    assert flag_doubts(replace(plan, settings=settings)) is None
    assert checks(root) == [DOUBT, None]


def test_a_confirmed_label_is_counted_and_not_listed(root: Path) -> None:
    plan = make_plan(root, DOUBT, None, confirmed=True)
    assert plan.doubtful == []
    notice = flag_doubts(plan)
    assert notice is not None
    assert notice.text == "No label is doubtful (1 confirmed by you)."
    assert checks(root) == [DOUBT, None]


def test_a_dataset_in_use_keeps_its_opinions_and_that_is_said(root: Path) -> None:
    with PhotoStore(root):
        notice = flag_doubts(make_plan(root, DOUBT, None))
    assert notice is not None
    assert "another program writes to the dataset" in notice.text
    assert checks(root) == [None, None]
