"""Carry out a change of facts, and take the last one back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from maskage.dataset.consent import Consent
from maskage.dataset.edits import Edit, describing
from maskage.dataset.facts.fact_changes import FactPlan
from maskage.dataset.facts.journal import (
    FactStep,
    PhotoStep,
    photo_steps,
    read_last_step,
    remove_step,
    write_step,
)
from maskage.dataset.facts.renamed_subjects import (
    RenamedSubject,
    SubjectChanges,
    find_subject_changes,
)
from maskage.dataset.manifest.reading import read_consents, read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.photo_names import iso_time
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.output_log import read_outputs, rename_in_log
from maskage.records import Photo


class ReadableDataset(Protocol):
    """A dataset that can be read, open for writing or not."""

    @property
    def root(self) -> Path:
        """Its folder."""

    def photos(self) -> list[Photo]:
        """Return every photo in it, sorted by path."""

    def consents(self) -> dict[str, Consent]:
        """Return every consent on record, by subject."""


@dataclass(frozen=True)
class DatasetOnDisk:
    """A dataset that is only read, for a plan that is only shown.

    Attributes:
        root: Its folder.
    """

    root: Path

    def photos(self) -> list[Photo]:
        """Return every photo in it, sorted by path."""
        return list_photos(self.root)

    def consents(self) -> dict[str, Consent]:
        """Return every consent on record, by subject."""
        return read_consents(self.root)


def subject_changes(store: ReadableDataset, plan: FactPlan) -> SubjectChanges:
    """Return what a plan means for the consents on record."""
    if not any(edit.before and edit.before.subject != edit.photo.subject for edit in plan.edits):
        return SubjectChanges()
    removed = read_rows(store.root).removed.values()
    return find_subject_changes(plan.edits, store.photos(), removed, store.consents())


def carry_out(store: PhotoStore, plan: FactPlan, changes: SubjectChanges) -> None:
    """Change facts in one step, which `undo_last` takes back.

    Args:
        store: The dataset, open.
        plan: What changes, made since it was opened.
        changes: From `subject_changes`.

    Raises:
        EnvironmentProblemError: The disk refused; nothing was changed.
        PhotoNotSavedError: The manifest could not be written; no fact was changed.
    """
    if not plan.edits:
        return
    former = {each.former: each.new for each in changes.renamed if not each.keeps_former}
    outputs = [each.path for each in read_outputs(store.root) if each.subject in former]
    step = FactStep(
        0,
        iso_time(datetime.now(UTC)),
        photo_steps(store.root, plan.edits),
        changes.renamed,
        tuple(map(str, outputs)),
    )
    step = write_step(store.root, step)
    try:
        store.apply(plan.edits)
    except BaseException:
        remove_step(store.root, step)
        raise
    consents = store.consents()
    for each in changes.renamed:
        if each.moves_consent and (consent := consents.get(each.former)):
            gone = None if each.keeps_former else each.former
            store.record_consent(replace(consent, subject=each.new), gone)
    rename_in_log(store.root, former, frozenset(outputs))


@dataclass(frozen=True)
class Undone:
    """The outcome of taking a step back.

    Attributes:
        edits: The edits that were carried out.
        step: The step that was taken back.
        changed_since: Photos that were left, since a fact of theirs was changed after the step.
        gone: Photos of the step that are not in the dataset any more.
    """

    edits: tuple[Edit, ...]
    step: FactStep
    changed_since: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def undo_last(store: PhotoStore) -> Undone:
    """Take the last change of facts back, as far as nothing was changed since.

    Raises:
        DatasetError: There is none, or nothing of it can be taken back.
        PhotoNotSavedError: The disk refused; nothing was changed.
    """
    while True:
        step = read_last_step(store.root)
        if step is None:
            raise DatasetError(
                f"{store.root}: no change of facts is left to undo. `collector edit` and "
                f"`collector import --metadata` keep theirs; nothing was changed."
            )
        undone, is_undone_already = _plan_undo(store.photos(), step)
        if undone.edits or not is_undone_already:
            break
        # It was written, and a kill came before it was carried out.
        remove_step(store.root, step)
    if not undone.edits:
        remove_step(store.root, step)
        raise DatasetError(
            f"{store.root}: nothing of the change of {step.at} can be undone: "
            f"{len(undone.changed_since)} of its photos were changed since, {len(undone.gone)} are "
            f"not here any more. It is dropped; --undo goes on with the change before it."
        )
    store.apply(undone.edits)
    _restore_consents(store, step.renamed)
    back = {each.new: each.former for each in step.renamed}
    rename_in_log(store.root, back, frozenset(map(Path, step.outputs)))
    remove_step(store.root, step)
    return undone


def _plan_undo(photos: Iterable[Photo], step: FactStep) -> tuple[Undone, bool]:
    """Return what can be taken back of a step, and whether all of it is as before already."""
    by_path = {photo.path: photo for photo in photos}
    by_digest: dict[str, list[Photo]] = {}
    for photo in by_path.values():
        by_digest.setdefault(photo.sha256 or "", []).append(photo)
    edits, changed, gone = [], [], []
    is_as_before = True
    for each in step.photos:
        found = _find(each, by_path, by_digest)
        if found is None:
            gone.append(each.path)
            is_as_before = False
            continue
        now = {name: getattr(found, name) for name in each.after}
        back = {name: each.before[name] for name in now if now[name] == each.after[name]}
        is_as_before = is_as_before and now == each.before
        if len(back) < len(now) and now != each.before:
            changed.append(found.path)
        if back:
            edits.append(describing(found, **back))
    return Undone(tuple(edits), step, tuple(changed), tuple(gone)), is_as_before


def _find(
    each: PhotoStep, by_path: Mapping[str, Photo], by_digest: Mapping[str, list[Photo]]
) -> Photo | None:
    """Return the photo of a step, also where it has another class and path since."""
    photo = by_path.get(each.path)
    if photo is not None and (each.sha256 is None or photo.sha256 in (None, each.sha256)):
        return photo
    alike = by_digest.get(each.sha256, []) if each.sha256 else []
    return alike[0] if len(alike) == 1 else None


def _restore_consents(store: PhotoStore, renamed: Iterable[RenamedSubject]) -> None:
    """Give consents back to the former pseudonyms; one recorded for these meanwhile stays."""
    for each in renamed:
        consents = store.consents()
        if each.moves_consent and (consent := consents.get(each.new)):
            own = consents.get(each.former) or replace(consent, subject=each.former)
            store.record_consent(own, each.new)
