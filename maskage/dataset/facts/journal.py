"""The last changes of facts on disk, so that each can be taken back after the program has ended.

<dataset>/.dataset/edits/000007.json    one step: what each photo was before it, and afterwards

A step is written before it is carried out: after a kill in between, its photos are still as before,
which the one who takes it back finds out. Only the last `KEPT_STEPS` are kept. `collector forget`
removes what a step says of a person.
"""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from maskage.dataset.edits import Edit
from maskage.dataset.facts.fact_changes import FACTS, Facts, changes_of
from maskage.dataset.facts.renamed_subjects import RenamedSubject
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.dataset_folder import manifest_path
from maskage.formats.sums import hash_file
from maskage.outside_text import path_to_text, text_to_path
from maskage.system.faults import explain_fault
from maskage.system.files import TEMPORARY_PREFIX, replace_file, sync_folder

KEPT_STEPS = 20
_SCHEMA = 1


@dataclass(frozen=True)
class PhotoStep:
    """What a step did to one photo.

    Attributes:
        path: Path of the photo in the dataset, when it was done.
        sha256: Digest of the file; None where it was not known.
        before: The facts that it changed, before.
        after: The same facts, afterwards.
    """

    path: str
    sha256: str | None
    before: Facts
    after: Facts


@dataclass(frozen=True)
class FactStep:
    """One change of facts, as it was done at once.

    Attributes:
        number: Number of the step, growing.
        at: Time in UTC, ISO 8601.
        photos: What it did to each photo.
        renamed: People who got another pseudonym by it.
        outputs: Paths of outputs of the former pseudonyms that were logged anew.
    """

    number: int
    at: str
    photos: tuple[PhotoStep, ...]
    renamed: tuple[RenamedSubject, ...] = ()
    outputs: tuple[str, ...] = ()


def photo_steps(root: Path, edits: Iterable[Edit]) -> tuple[PhotoStep, ...]:
    """Return what edits do, as a step keeps it.

    Args:
        root: Folder of the dataset: the digest of a photo that was put there by hand is not known.
        edits: The edits.
    """
    steps = []
    for edit in edits:
        changes = changes_of(edit)
        before = {change.fact: change.before for change in changes}
        after = {change.fact: change.after for change in changes}
        digest = edit.photo.sha256 or hash_file(root / edit.photo.path)
        steps.append(PhotoStep(edit.photo.path, digest, before, after))
    return tuple(steps)


def read_last_step(root: Path) -> FactStep | None:
    """Read the last step of a dataset; None where there is none.

    Raises:
        DatasetError: Its file is damaged.
        EnvironmentProblemError: It cannot be read.
    """
    paths = _step_paths(root)
    return _read(paths[-1]) if paths else None


def write_step(root: Path, step: FactStep) -> FactStep:
    """Write a step after the last one, on the disk on return; return it with its number.

    Raises:
        EnvironmentProblemError: The disk refused; nothing was written.
    """
    paths = _step_paths(root)
    step = replace(step, number=int(paths[-1].stem) + 1 if paths else 1)
    folder = _folder(root)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(_path_of(root, step.number), _encode(step))
        for path in paths[: -(KEPT_STEPS - 1)]:
            path.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as fault:
        raise _unwritable(folder, fault) from fault
    return step


def remove_step(root: Path, step: FactStep) -> None:
    """Remove a step.

    Raises:
        EnvironmentProblemError: The disk refused.
    """
    path = _path_of(root, step.number)
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as fault:
        raise _unwritable(path, fault) from fault


def subjects_in_journal(root: Path) -> set[str]:
    """Return everybody whom a step names.

    Raises:
        DatasetError: A step is damaged.
    """
    return {name for path in _step_paths(root) for name in _subjects_of(_read(path))}


def forget_in_journal(
    root: Path, subject: str, paths: Container[str] = (), digests: Container[str] = ()
) -> None:
    """Remove what the steps say of a person and of photos; a step about nothing else goes.

    Args:
        root: Folder of the dataset.
        subject: Pseudonym of the person.
        paths: Paths of the person's photos.
        digests: sha256 of these.

    Raises:
        DatasetError: A step is damaged.
        EnvironmentProblemError: The disk refused.
    """
    for unfinished in _folder(root).glob(f"{TEMPORARY_PREFIX}*"):
        unfinished.unlink(missing_ok=True)
    for path in _step_paths(root):
        step = _read(path)
        kept = tuple(
            each
            for each in step.photos
            if subject not in (each.before.get("subject"), each.after.get("subject"))
            and each.path not in paths
            and (each.sha256 or "") not in digests
        )
        renamed = tuple(each for each in step.renamed if subject not in (each.former, each.new))
        if kept == step.photos and renamed == step.renamed:
            continue
        if not kept:
            remove_step(root, step)
            continue
        outputs = step.outputs if renamed else ()
        try:
            replace_file(
                path, _encode(replace(step, photos=kept, renamed=renamed, outputs=outputs))
            )
        except OSError as fault:
            raise _unwritable(path, fault) from fault


def _subjects_of(step: FactStep) -> set[str]:
    facts = [facts for each in step.photos for facts in (each.before, each.after)]
    named = {each.get("subject") for each in facts}
    named |= {name for each in step.renamed for name in (each.former, each.new)}
    return {name for name in named if name}


def _folder(root: Path) -> Path:
    return manifest_path(root).with_name("edits")


def _path_of(root: Path, number: int) -> Path:
    return _folder(root) / f"{number:06d}.json"


def _step_paths(root: Path) -> list[Path]:
    """Return the files of the steps, the last one last."""
    found = _folder(root).glob("*.json")
    return sorted((path for path in found if path.stem.isdecimal()), key=lambda p: int(p.stem))


def _encode(step: FactStep) -> bytes:
    photos = [
        {
            "path": path_to_text(each.path),
            "sha256": each.sha256,
            "before": dict(each.before),
            "after": dict(each.after),
        }
        for each in step.photos
    ]
    stored = {
        "schema": _SCHEMA,
        "at": step.at,
        "photos": photos,
        "renamed": [asdict(each) for each in step.renamed],
        "outputs": list(step.outputs),
    }
    return json.dumps(stored).encode()


def _read(path: Path) -> FactStep:
    try:
        stored: dict[str, Any] = json.loads(path.read_bytes())
        if stored["schema"] != _SCHEMA:
            raise ValueError(f"schema {stored['schema']}")
        photos = tuple(
            PhotoStep(
                text_to_path(each["path"]),
                each["sha256"],
                _facts_of(each["before"]),
                _facts_of(each["after"]),
            )
            for each in stored["photos"]
        )
        renamed = tuple(RenamedSubject(**each) for each in stored["renamed"])
        outputs = tuple(map(str, stored["outputs"]))
        return FactStep(int(path.stem), str(stored["at"]), photos, renamed, outputs)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{path}: cannot be read ({fault.strerror or fault}). Check its permissions."
        ) from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise DatasetError(
            f"{path}: a change of facts that is kept for --undo is damaged ({fault!r}). Remove the "
            f"file: that change cannot be undone any more then; the photos are as they are."
        ) from fault


def _facts_of(stored: Mapping[str, Any]) -> dict[str, str | None]:
    facts = {str(name): value for name, value in stored.items()}
    odd = [
        name for name, value in facts.items() if name not in FACTS or not _is_text_or_none(value)
    ]
    if odd:
        raise ValueError(f"no fact: {odd[0]}")
    return facts


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _unwritable(path: Path, fault: OSError) -> EnvironmentProblemError:
    return EnvironmentProblemError(f"{path}: cannot be written {explain_fault(fault)}")
