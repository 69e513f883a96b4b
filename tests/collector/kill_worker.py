"""A program to be killed: it saves, relabels, trashes and brings back photos.

    python -m tests.collector.kill_worker DATA many SEED    until it is killed
    python -m tests.collector.kill_worker DATA ACTION       one action, between two marks

Each action is told on stdout before it is begun ("try") and after it is done ("did"); what the disk
refused is told as well ("refused").
"""

import random
import sys
from pathlib import Path

from collector.edits import Edit, trashing
from collector.errors import ToolchainError
from collector.records import LABELS, Photo
from collector.store import PhotoStore
from tests.conftest import draw_noise

SUBJECT = "p07"
MARK = Path("/the-action-begins-here")


class Doer:
    """Does one action after the other, and tells of each."""

    def __init__(self, root: Path, seed: int) -> None:
        self._store = PhotoStore(root)
        self._chance = random.Random(seed)
        self._seed = seed
        self._present: list[Photo] = []
        self._trashed: list[Photo] = []
        self._number = 0

    def save(self) -> None:
        self._number += 1
        label = self._chance.choice(LABELS)
        pixels = draw_noise(self._seed * 10_000 + self._number)
        self._tell("try", "save", "-", "-")
        photo = self._store.add(pixels, label, subject=SUBJECT, session="s1")
        self._present.append(photo)
        self._tell("did", "save", "-", photo.path, photo.sha256 or "-")

    def relabel(self) -> None:
        photo = self._present.pop(0)
        label = LABELS[(LABELS.index(photo.label) + 1) % len(LABELS)]
        edit = self._store.relabelling(photo, label)
        after = edit.after or photo
        self._apply(edit, "relabel", photo.path, after.path)
        self._present.append(after)

    def trash(self) -> None:
        photo = self._present.pop(0)
        self._apply(trashing(photo), "trash", photo.path, f".trash/{photo.path}")
        self._trashed.append(photo)

    def restore(self) -> None:
        photo = self._trashed.pop(0)
        self._apply(Edit(None, photo), "restore", f".trash/{photo.path}", photo.path)
        self._present.append(photo)

    def go_on(self) -> None:
        """Anything that can be done, at random."""
        while True:
            actions = [self.save]
            actions += [self.relabel, self.trash] if self._present else []
            actions += [self.restore] if self._trashed else []
            self._chance.choice(actions)()

    def _apply(self, edit: Edit, action: str, before: str, after: str) -> None:
        self._tell("try", action, before, after)
        self._store.apply([edit])
        self._tell("did", action, before, after)

    @staticmethod
    def _tell(*words: str) -> None:
        print(*words, flush=True)


def main(root: Path, action: str, seed: int) -> None:
    doer = Doer(root, seed)
    if action == "many":
        doer.go_on()
    doer.save()
    if action == "restore":
        doer.trash()
    MARK.exists()
    _try(action, doer)
    MARK.exists()
    _try("save", doer)


def _try(action: str, doer: Doer) -> None:
    try:
        getattr(doer, action)()
    except ToolchainError as fault:
        print("refused", action, fault.exit_code, str(fault).partition("\n")[0], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
