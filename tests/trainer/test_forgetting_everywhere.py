"""A whole project is made, one person in it is forgotten, and nothing of them is anywhere."""

import base64
import hashlib
import io
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from detector.cli import main as detector
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.edits import trashing
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.privacy.tombstones import tombstones_path
from maskage.dataset.store import PhotoStore
from maskage.errors import UnreadableImageError
from maskage.formats.output_log import read_outputs
from maskage.pictures.images import decode_image
from maskage.pictures.perceptual_hash import hash_crop, is_same_picture
from tests.conftest import draw_noise
from tests.detector.screens.test_terminal import read_until
from trainer.cli import main as trainer

SUBJECT = "p07-unmistakable"
EMBEDDED = re.compile(rb"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the photos of ten people; few of them old with a mask."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MASKAGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("FACE_MODEL", raising=False)
    seed = 0
    with PhotoStore(folder / "data") as store:
        for number in range(10):
            subject = SUBJECT if number == 0 else f"q{number:02d}"
            store.record_consent(Consent(subject, f"form of {subject}", date(2026, 11, 24)))
            for label in MASK_AGE.labels:
                seed += 1
                if label != "mask_old" or number < 6:
                    store.add(
                        draw_noise(seed), label, subject=subject, session=f"s-{subject}", source="0"
                    )
        trashed = store.add(draw_noise(99), "mask_old", subject=SUBJECT, session="other-day")
        store.apply([trashing(trashed)])
    for photo in list_photos(folder / "data"):
        os.utime(folder / "data" / photo.path, (1_700_000_000, 1_700_000_000))
    return folder


class Person:
    """By what the photos of the person are known, kept before they go."""

    def __init__(self, data: Path) -> None:
        mine = [photo for photo in list_photos(data) if photo.subject == SUBJECT]
        files = [data / photo.path for photo in mine] + list((data / ".trash").rglob("*.jpg"))
        self.words = [SUBJECT.encode(), b"other-day", *(file.stem.encode() for file in files)]
        self.digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        self.hashes = [hash_crop(decode_image(file.read_bytes())) for file in files]

    def traces_in(self, *folders: Path) -> list[str]:
        """Every file under the folders that names or shows the person, and how."""
        return [
            f"{path}: {how}"
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            for how in self._find(path)
        ]

    def _find(self, path: Path) -> Iterator[str]:
        data = path.read_bytes()
        if any(word in str(path).encode() for word in self.words):
            yield "its name"
        if any(word in data for word in self.words):
            yield "named in it"
        if any(digest.encode() in data for digest in self.digests):
            yield "a digest in it"
        for picture in (data, *(base64.b64decode(each) for each in EMBEDDED.findall(data))):
            if hashlib.sha256(picture).hexdigest() in self.digests or self._is_shown(picture):
                yield "shown in it"
        if path.suffix == ".npz" and path.name != "state.npz":
            keys = np.load(io.BytesIO(data), allow_pickle=False)["keys"].tolist()
            if any(key.partition(":")[0] in self.digests for key in keys):
                yield "features"

    def _is_shown(self, data: bytes) -> bool:
        try:
            found = hash_crop(decode_image(data))
        except UnreadableImageError:
            return False
        return any(is_same_picture(found, each) for each in self.hashes)


def make_everything(out: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use every tool, and write what it writes into `out`, which nobody is told of again."""
    monkeypatch.setenv("MASKAGE_CACHE", str(out / "cache"))
    assert curate(["data", "--ratio", ".5", ".25", ".25", "--balance", "--out", "curated"]) == 0
    fit = ["fit", "--name", "one", "--weights", str(weights), "--alpha", "0.35", "--epochs", "2"]
    fit += ["--image-size", "64", "--fine-tune-epochs", "1", "--batch-size", "8"]
    assert trainer([*fit]) == 0
    monkeypatch.delenv("MASKAGE_CACHE")
    assert curate(["data", "--ratio", ".5", ".25", ".25", "--out", str(out / "a/b/c/d/set")]) == 0
    for split in ("train", "val", "test"):
        page = out / "pages" / f"{split}.html"
        assert trainer(["evaluate", "runs/one", "--split", split, "--report", str(page)]) == 0
    assert trainer(["evaluate", "runs/one", "--data", "data", "--report", "whole.html"]) == 0
    assert trainer(["compare", "--html", str(out / "compare.html")]) == 0
    assert trainer(["export", "runs/one", "--to", "keras", "--out", str(out / "exports")]) == 0
    label = str(Path("data") / "nomask_old")
    words = ["--pictures", str(out / "pictures"), "--json", str(out / "faces.jsonl")]
    words += ["--video", str(out / "faces.mp4"), "--csv", "faces.csv"]
    assert detector(["run", label, "--model", "runs/one", *words]) == 0
    watch(["--subject", SUBJECT, "--snapshots", str(out / "snapshots"), "--record", "--no-blur"])


def watch(words: list[str]) -> None:
    """Watch the demo camera on a terminal, and take a snapshot."""
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (30, 100))
    command = [sys.executable, "-m", "detector.cli", "live", "--terminal", "--source", "demo"]
    process = subprocess.Popen(
        [*command, *words], stdin=inner, stdout=inner, stderr=inner, env=os.environ
    )
    try:
        read_until(outer, "frames/s")
        os.write(outer, b"s")
        read_until(outer, "saved")
        os.write(outer, b"q")
        read_until(outer, "frames labelled")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def commands_in(text: str) -> list[str]:
    """The commands that are told, each on a line of its own, as somebody pastes them."""
    return re.findall(r"^    (\S.*)$", text, re.MULTILINE)


@pytest.mark.slow
def test_nothing_of_a_person_is_left_anywhere(
    project: Path,
    tmp_path: Path,
    backbone_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "far" / "away"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    person = Person(project / "data")
    make_everything(out, backbone_weights, monkeypatch)
    everywhere = (project, out, tmp_path / "user-cache")
    before = person.traces_in(*everywhere)
    for place in ("pages/", "faces.jsonl", "pictures/", "a/b/c/d/set/", "cache/"):
        assert any(f"{out}/{place}" in trace for trace in before), place
    recordings = [output for output in read_outputs(project / "data") if output.subject == SUBJECT]
    assert sorted(each.kind for each in recordings) == ["picture", "video"]

    capsys.readouterr()
    assert collector(["forget", SUBJECT, "--yes"]) == 0
    told = capsys.readouterr().out
    assert not list((out / "cache").rglob("*.db"))
    assert all(str(each.path) in told for each in recordings)
    assert SUBJECT.encode() not in tombstones_path(project / "data").read_bytes()

    # Nobody has to remember what was told.
    assert collector(["forget", SUBJECT]) == 0
    again = capsys.readouterr().out
    assert commands_in(again) == commands_in(told)
    binaries = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    for command in commands_in(again):
        subprocess.run(["bash", "-c", command], cwd=project, check=True, capture_output=True)

    assert person.traces_in(*everywhere) == []
    assert not any(each.path.exists() for each in recordings)
    assert len(list_photos(project / "data")) == 32
    assert (project / "runs" / "one" / "report.html").exists()
    assert not tombstones_path(project / "data").exists()
    assert collector(["forget", SUBJECT, "--yes"]) == 4
