"""Killed at any step, a change of the classes is wholly there or wholly not, for whoever reads."""

import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from maskage.classes.scheme import PhotoClass
from maskage.dataset.class_changes import add_class, remove_class, rename_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.files import list_trash
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.classes.class_change_file import change_path
from maskage.formats.classes.classes_file import read_scheme
from tests.maskage.dataset.doctor.doctor_cases import picture_contents
from tests.maskage.dataset.doctor.test_doctor_kills import copy, in_child
from tests.maskage.dataset.test_class_changes import events, make

STEPS = {"rename", "replace", "unlink", "rmdir", "mkdir", "fsync", "open", "execute", "write"}
"""Calls of the system and of SQLite that change something, or make a change last."""

NEW = PhotoClass("elder", "elder", "#123456", factors={"mask": "misworn", "age": "old"})
CHANGES: dict[str, Callable[[Path], object]] = {
    "rename": lambda root: rename_class(root, "mask_old", "elder", title="elder"),
    "add": lambda root: add_class(root, NEW),
    "remove": lambda root: remove_class(root, "elder"),
    "adopt": lambda root: rename_class(root, "mask_old", "elder"),
    "adopt again": lambda root: rename_class(root, "mask_old", "elder"),
}

State = tuple[object, ...]


def prepare(root: Path, what: str) -> None:
    make(root)
    if what == "remove":
        add_class(root, NEW)
    if what.startswith("adopt"):
        (root / "mask_old").rename(root / "elder")
    if what == "adopt again":
        # The rows of its photos are marked as gone.
        repair_dataset(root)


def state_of(root: Path) -> State:
    """Everything that a change of the classes changes, as a reader sees it."""
    photos = tuple(list_photos(root))
    rows = read_rows(root)
    return (
        read_scheme(root),
        photos,
        tuple(sorted(rows.present)),
        tuple(sorted(rows.removed)),
        tuple(events(root)),
        tuple(list_trash(root)),
        (root / "elder").is_dir(),
    )


def change_up_to(step: int, root: Path, what: str) -> None:
    """Change, and die without another word where the given step would begin."""
    steps = itertools.count()

    def watch(frame: FrameType, event: str, called: object) -> None:
        is_step = event == "c_call" and getattr(called, "__name__", "") in STEPS
        if is_step and next(steps) == step:
            os._exit(9)

    sys.setprofile(watch)
    CHANGES[what](root)


def die_at_every_step(pristine: Path, what: str, every: int) -> None:
    """Run in a process that has started no threads, because it forks.

    Args:
        pristine: The dataset; others are written beside it.
        what: The change.
        every: 1 for each step; n for each n-th, another first one for each change.
    """
    contents = picture_contents(pristine)
    before = state_of(pristine)
    faults = {finding.kind.value for finding in examine(pristine).findings}
    reference = copy(pristine, pristine.with_name("unhurried"))
    assert in_child(lambda: CHANGES[what](reference)) == 0
    after = state_of(reference)
    assert before != after
    seen: Counter[bool] = Counter()

    def read(root: Path) -> None:
        assert picture_contents(root) == contents
        has_note = change_path(root).exists()
        # The classes that a reader finds are those of the photos that it finds then.
        assert read_scheme(root) == (after if has_note else state_of(root))[0]
        assert state_of(root) in (before, after)
        assert state_of(root) == after or not has_note
        assert not change_path(root).exists()
        allowed = {"temporary"} | (faults if state_of(root) == before else set())
        assert {finding.kind.value for finding in examine(root).findings} <= allowed

    def write(root: Path) -> None:
        with PhotoStore(root) as store:
            assert store.scheme in (before[0], after[0])
            assert tuple(store.photos()) in (before[1], after[1])
        read(root)
        if state_of(root) == before:
            CHANGES[what](root)
        assert state_of(root) == after
        assert picture_contents(root) == contents

    for step in itertools.count(list(CHANGES).index(what) % every, every):
        root = copy(pristine, pristine.with_name("killed"))
        code = in_child(lambda step=step, root=root: change_up_to(step, root, what))  # type: ignore[misc]
        assert code in (0, 9), f"step {step}"
        seen[change_path(root).exists()] += 1
        for use in (read, write):
            used = copy(root, pristine.with_name("used"))
            assert in_child(lambda used=used, use=use: use(used)) == 0, f"step {step}"  # type: ignore[misc]
            shutil.rmtree(used)
        shutil.rmtree(root)
        if code == 0:
            print(step, seen[True])
            return


@pytest.mark.slow
@pytest.mark.parametrize("what", list(CHANGES))
def test_a_death_before_any_one_step_leaves_no_half_of_a_change(
    tmp_path: Path, what: str, is_thorough: bool
) -> None:
    pristine = tmp_path / "pristine"
    prepare(pristine, what)
    script = (
        "import sys; from pathlib import Path; "
        "from tests.maskage.dataset.test_class_change_kills import die_at_every_step; "
        "die_at_every_step(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            script,
            str(pristine),
            what,
            "1" if is_thorough else "4",
        ],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    steps, inside = map(int, done.stdout.split())
    assert steps > 10
    assert inside > (4 if is_thorough else 1)
