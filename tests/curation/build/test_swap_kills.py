"""Killed where two folders cannot be exchanged at once: the set is there, or is found by itself."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from maskage.dataset.privacy.derived_copies import find_derived_copies
from maskage.dataset.privacy.sought_photos import SoughtPhotos
from maskage.formats.curated.curated_set import read_curated, scheme_of_set
from maskage.pictures.images import encode_jpeg
from maskage.system.swap_folder import SWAP_S
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import damage_manifest, garble_the_middle

HOUSE = Path(__file__).parents[3]
PHOTOS = 20
CURATE = "import sys; from curation.cli import main; sys.exit(main(sys.argv[1:]))"
# strace makes the call fail as exFAT does; the first 20 renames are those of split-folders.
NO_EXCHANGE = ["-e", "trace=renameat2,rename", "-e", "inject=renameat2:error=EINVAL"]

State = dict[str, str]


def state_of(folder: Path) -> State:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.*")
        if path.is_file()
    }


def curate(data: Path, out: Path, seed: int, traced: Sequence[str] = ()) -> int:
    """Run `curate` in a process of its own, maybe under strace; skips where that may not trace."""
    done = subprocess.run(
        [*traced, sys.executable, "-c", CURATE, str(data), "--seed", str(seed), "--out", str(out)],
        cwd=HOUSE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    if traced and "ptrace" in done.stderr:
        pytest.skip(f"nothing can be traced here: {done.stderr!r}")
    return done.returncode


def strace(*options: str) -> list[str]:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("needs strace")
    return [found, "-f", "-o", os.devnull, *NO_EXCHANGE, *options]


def killed_at(rename: int) -> list[str]:
    """Kills the process when it is about to do its swap's first, second or third rename."""
    return strace("-e", f"inject=rename:signal=SIGKILL:when={PHOTOS + rename}")


@pytest.fixture
def data(four_folders: Callable[..., Path]) -> Path:
    return four_folders(PHOTOS // 4, "data")


@pytest.fixture
def wholes(data: Path, tmp_path: Path) -> dict[str, State]:
    """What stands in the place before, and what is made now; the former one lies there."""
    out = tmp_path / "work" / "curated"
    assert curate(data, out, 2) == 0
    new = state_of(out)
    assert curate(data, out, 1) == 0
    return {"former": state_of(out), "new": new}


def read_again(place: Path) -> None:
    """As `trainer fit`, `leak` and `export` begin."""
    read_curated(place)


def evaluate(place: Path) -> None:
    """As `trainer evaluate` begins."""
    scheme_of_set(place)
    read_curated(place).photos("test")


@pytest.mark.slow
@pytest.mark.parametrize("use", [read_again, evaluate])
@pytest.mark.parametrize(("rename", "expected"), [(1, "former"), (2, "former"), (3, "new")])
def test_a_kill_at_each_step_leaves_a_set_that_is_found(
    data: Path,
    tmp_path: Path,
    wholes: dict[str, State],
    rename: int,
    expected: str,
    use: Callable[[Path], None],
) -> None:
    out = tmp_path / "work" / "curated"
    assert curate(data, out, 2, killed_at(rename)) != 0
    assert out.exists() is (rename != 2)
    # Whoever is in it is found wherever the set lies, and the command that is told mends it.
    seen = {hashlib.sha256(path.read_bytes()).hexdigest() for path in data.rglob("*.jpg")}
    found = find_derived_copies(
        SoughtPhotos(data.resolve(), "p01", digests=seen), [out.parent]
    ).curated
    assert sum(trace.photos for trace in found) >= 2 * PHOTOS
    use(out)
    assert state_of(out) == wholes[expected]
    assert curate(data, out, 2, strace()) == 0
    assert state_of(out) == wholes["new"]
    assert [path.name for path in out.parent.iterdir()] == ["curated"]


@pytest.mark.slow
def test_a_set_that_is_just_being_changed_is_waited_for(
    data: Path, tmp_path: Path, wholes: dict[str, State]
) -> None:
    out = tmp_path / "work" / "curated"
    building = out.parent / f".curated-building-{os.getppid()}"
    (building / "result").mkdir(parents=True)
    out.rename(building / "result-former")
    started = time.monotonic()
    read_curated(out)
    # The process of that number is alive and does nothing of the kind.
    assert time.monotonic() - started >= SWAP_S
    assert state_of(out) == wholes["former"]


def test_nothing_is_put_where_a_set_lies_or_none_was(tmp_path: Path) -> None:
    out = tmp_path / "curated"
    (tmp_path / ".curated-building-1" / "result").mkdir(parents=True)
    with pytest.raises(Exception, match="No curated dataset"):
        read_curated(out)
    assert not out.exists()


@contextmanager
def exfat(folder: Path) -> Iterator[Path]:
    """A small disk in exFAT, as USB sticks and cards are; skipped where none can be mounted."""
    tools = ("mkfs.exfat", "losetup", "mount.exfat-fuse", "umount")
    if not all(map(shutil.which, tools)) or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(tools)}")
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    loop = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True)
    if loop.returncode != 0:
        pytest.skip(f"no loop device: {loop.stderr}")
    folder.mkdir()
    try:
        mounted = subprocess.run(["mount.exfat-fuse", loop.stdout.strip(), folder])
        if mounted.returncode != 0:
            pytest.skip("no exFAT can be mounted here")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)
    finally:
        subprocess.run(["losetup", "-d", loop.stdout.strip()], check=True)


@pytest.mark.slow
def test_on_a_stick_photos_are_saved_curated_examined_and_survive_a_kill(
    data: Path, tmp_path: Path
) -> None:
    def run(*words: object) -> "subprocess.CompletedProcess[str]":
        script = "import sys; from collector.cli import main; sys.exit(main(sys.argv[1:]))"
        return subprocess.run(
            [sys.executable, "-c", script, *map(str, words)],
            cwd=HOUSE,
            capture_output=True,
            text=True,
        )

    with exfat(tmp_path / "stick") as stick:
        assert run("import", data, stick / "data").returncode == 0
        assert len(list((stick / "data").glob("*/*.jpg"))) == PHOTOS
        for _ in range(2):
            mended = run("doctor", stick / "data", "--fix")
            assert mended.returncode == 0
            assert "knows no permissions" in mended.stdout
            assert "Clean" in mended.stdout
        damage_manifest(stick / "data", garble_the_middle)
        assert run("doctor", stick / "data", "--fix").returncode == 0
        assert "Clean" in run("doctor", stick / "data").stdout
        out = stick / "curated"
        states = []
        for seed in (2, 1):
            assert curate(stick / "data", out, seed) == 0
            states.append(state_of(out))
        new, former = states
        for rename, expected in ((1, former), (2, former), (3, new)):
            assert curate(stick / "data", out, 1) == 0
            assert curate(stick / "data", out, 2, killed_at(rename)) != 0
            read_curated(out)
            assert state_of(out) == expected
        # Of two photos whose names differ in their letters' size, a stick holds but one.
        (data / "mask_old" / "MASK_OLD_000.jpg").write_bytes(encode_jpeg(draw_noise(77)))
        assert curate(data, out, 1) == 5
        assert state_of(out) == new
