"""Faults of the disk, and kills, from which only the next opening shows what became of a photo."""

import errno
import os
from pathlib import Path

import pytest

import maskage.dataset.photo_files
from maskage.dataset.edits import Edit
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import EnvironmentProblemError, PhotoNotSavedError
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from maskage.system.files import rename_new
from tests.conftest import draw_noise
from tests.maskage.dataset.saving_checks import CannotTraceError, make_dataset, run_traced

SUBJECTS = {"mask_old": "anna", "mask_young": "bert", "nomask_young": "cora"}


def add_namesakes(store: PhotoStore) -> list[Photo]:
    """Three photos of one name in three classes, as of somebody's folders that were imported."""
    return [
        store.add_encoded(
            encode_jpeg(draw_noise(number)), Photo(f"{label}/face.jpg", label, subject)
        )
        for number, (label, subject) in enumerate(SUBJECTS.items())
    ]


def plan(store: PhotoStore, photos: list[Photo]) -> list[Edit]:
    return [store.relabelling(photo, "nomask_old") for photo in photos]


def subjects_of(root: Path) -> dict[str | None, str | None]:
    """Who each photo in the class that all go to is known to show, by digest."""
    photos = [photo for photo in list_photos(root) if photo.label == "nomask_old"]
    return {photo.sha256: photo.subject for photo in photos}


def test_photos_of_one_name_are_relabelled_together(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photos = add_namesakes(store)
        edits = plan(store, photos)
        store.apply(edits)
        assert subjects_of(tmp_path) == {photo.sha256: photo.subject for photo in photos}
        store.apply([edit.inverse for edit in reversed(edits)])
        assert list_photos(tmp_path) == photos


def test_a_relabelling_that_is_cut_short_keeps_the_facts_under_a_new_name(tmp_path: Path) -> None:
    with PhotoStore(tmp_path) as store:
        photos = add_namesakes(store)
        edits = plan(store, photos)
    for edit in edits:
        # As a kill leaves it: moved, and not yet in the manifest.
        assert edit.before is not None
        assert edit.after is not None
        rename_new(tmp_path / edit.before.path, tmp_path / edit.after.path)
    assert subjects_of(tmp_path) == {photo.sha256: photo.subject for photo in photos}


def test_what_cannot_be_moved_back_is_shown_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = 0

    def move_once(source: Path, target: Path) -> None:
        nonlocal moves
        moves += 1
        if moves > 1:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        rename_new(source, target)

    with PhotoStore(tmp_path) as store:
        photos = add_namesakes(store)
        monkeypatch.setattr(maskage.dataset.photo_files, "rename_new", move_once)
        with pytest.raises(PhotoNotSavedError, match="Read-only"):
            store.apply(plan(store, photos))
        monkeypatch.undo()
        assert store.photos() == list_photos(tmp_path)
        assert subjects_of(tmp_path) == {photos[0].sha256: "anna"}
        # It goes on, with all of them.
        store.apply(plan(store, [p for p in store.photos() if p.label != "nomask_old"]))
        assert set(subjects_of(tmp_path).values()) == {"anna", "bert", "cora"}


def test_a_class_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    PhotoStore(tmp_path).close()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EnvironmentProblemError, match="mask_old: the photos in it cannot"):
        list_photos(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["save", "relabel", "trash", "restore"])
def test_what_was_refused_does_not_come_true_by_a_kill(tmp_path: Path, mode: str) -> None:
    make_dataset(tmp_path / "data")
    before = read_rows(tmp_path / "data")
    # The head of a new log and its folder are synced first. The third sync, of the transaction,
    # fails; the kill comes as the worker is about to tell that it was refused.
    telling = 3 if mode == "save" else 2
    try:
        output, _ = run_traced(
            tmp_path / "data",
            mode,
            77,
            *("-o", os.devnull, "-e", "inject=fdatasync:error=EIO:when=3"),
            *("-e", f"inject=write:signal=SIGKILL:when={telling}"),
        )
    except CannotTraceError as fault:
        pytest.skip(f"no system call can be made to fail here: {fault}")
    assert output.count(b'"begin"') == 1
    assert b'"failed"' not in output
    assert b'"done"' not in output
    assert read_rows(tmp_path / "data") == before
