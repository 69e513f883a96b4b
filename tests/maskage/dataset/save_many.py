"""A process that writes to a dataset and acknowledges each thing only once it is done.

    python -m tests.maskage.dataset.save_many DATA many SEED     until it is killed
    python -m tests.maskage.dataset.save_many DATA fill SEED     saves until the disk refuses
    python -m tests.maskage.dataset.save_many DATA save|relabel|trash|restore SEED
    python -m tests.maskage.dataset.save_many DATA hold SEED     opens it and waits

One JSON object a line on stdout: `{"begin": ...}` before a call and `{"done": ...}` after it
returned, or `{"failed": ...}` with the message and exit code. The modes that do one thing say
`{"ready": true}`, wait for the end of stdin, so that a tracer can attach meanwhile, do it, and save
one more photo afterwards.
"""

import functools
import hashlib
import json
import os
import random
import select
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import Edit, flagging, trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_files import TRASH
from maskage.dataset.store import PhotoStore
from maskage.errors import ToolchainError
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import hash_crop
from maskage.records import Photo, RgbImage
from tests.conftest import draw_noise

SUBJECTS = ("anna", "bert", "cora", None)


def main() -> int:
    data, mode, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    # OpenCV's threads would make the order of system calls a matter of chance.
    cv2.setNumThreads(0)
    try:
        with PhotoStore(data) as store:
            if mode == "many":
                _write_for_ever(store, seed)
            elif mode == "fill":
                while _save(store, seed):
                    seed += 1
            elif mode == "hold":
                _wait()
            else:
                _do_once(store, mode, seed)
    except ToolchainError as fault:
        _tell("failed", action="close", **_explain(fault))
        return fault.exit_code
    return 0


def _write_for_ever(store: PhotoStore, seed: int) -> None:
    """Saves, and every other time an edit of one to three photos, or its undoing."""
    chance = random.Random(seed)
    trashed: list[Photo] = []
    for number in range(1_000_000):
        _save(store, seed * 1_000_003 + number)
        if number % 2 == 0:
            continue
        if trashed and chance.random() < 0.4:
            _apply(store, [Edit(None, trashed.pop(chance.randrange(len(trashed))))])
            continue
        photos = store.photos()
        some = chance.sample(photos, min(len(photos), chance.randint(1, 3)))
        if chance.random() < 0.3:
            _apply(store, [trashing(photo) for photo in some])
            trashed += some
        elif chance.random() < 0.2:
            _apply(store, [flagging(photo, is_flagged=not photo.is_flagged) for photo in some])
        else:
            _apply(store, [_relabelling(store, photo) for photo in some])


def _do_once(store: PhotoStore, mode: str, seed: int) -> None:
    edits: list[Edit] = []
    photos = store.photos()
    if mode == "relabel":
        edits = [_relabelling(store, photo) for photo in photos[:2]]
    elif mode == "trash":
        edits = [trashing(photo) for photo in photos[:2]]
    elif mode == "restore":
        removed = read_rows(store.root).removed
        edits = [
            Edit(None, photo)
            for path, photo in sorted(removed.items())
            if (store.root / TRASH / path).exists()
        ]
    # What is imported or computed at first use has no place among the system calls of a save.
    for number in (seed, seed + 1):
        encode_jpeg(_draw(number))
        hash_crop(_draw(number))
    _wait()
    if edits:
        _apply(store, edits)
    else:
        _save(store, seed)
    _save(store, seed + 1)


def _relabelling(store: PhotoStore, photo: Photo) -> Edit:
    return store.relabelling(
        photo, MASK_AGE.labels[(MASK_AGE.index(photo.label) + 1) % len(MASK_AGE)]
    )


def _wait() -> None:
    _tell("ready")
    # Not `read`, which is also a system call of the save: tracers count by name.
    select.select([0], [], [])


@functools.lru_cache(maxsize=2)
def _draw(seed: int) -> RgbImage:
    return draw_noise(seed)


def _save(store: PhotoStore, seed: int) -> bool:
    label = MASK_AGE.labels[seed % len(MASK_AGE)]
    subject = SUBJECTS[seed // len(MASK_AGE) % len(SUBJECTS)]
    _tell("begin", action="save")
    try:
        photo = store.add(_draw(seed), label, subject=subject, session="s1")
    except ToolchainError as fault:
        _tell("failed", action="save", **_explain(fault))
        return False
    _tell("done", action="save", photos=[_name(photo)])
    return True


def _apply(store: PhotoStore, edits: Sequence[Edit]) -> bool:
    action = edits[0].action
    moves = [_name_move(store, edit) for edit in edits]
    _tell("begin", action=action, moves=moves)
    try:
        store.apply(edits)
    except ToolchainError as fault:
        _tell("failed", action=action, **_explain(fault))
        return False
    _tell("done", action=action)
    return True


def _name_move(store: PhotoStore, edit: Edit) -> dict[str, str]:
    source = edit.before.path if edit.before else f"{TRASH}/{edit.photo.path}"
    target = edit.after.path if edit.after else f"{TRASH}/{edit.photo.path}"
    # A photo whose save was cut short has no row, and none who knows its digest.
    digest = hashlib.sha256((store.root / source).read_bytes()).hexdigest()
    return {"sha256": digest, "from": source, "to": target}


def _name(photo: Photo) -> dict[str, str | None]:
    return {"path": photo.path, "sha256": photo.sha256, "subject": photo.subject}


def _explain(fault: ToolchainError) -> dict[str, object]:
    return {"kind": type(fault).__name__, "exit_code": fault.exit_code, "message": str(fault)}


def _tell(what: str, **facts: object) -> None:
    """One `write` of less than a pipe's 4096 bytes: whole, or not there."""
    os.write(1, json.dumps({what: facts or True}).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
