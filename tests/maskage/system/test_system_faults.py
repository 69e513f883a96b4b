"""What the system refuses ends a command with 5 and with words, never with "this is a bug"."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main as collector
from maskage.console import run_command
from maskage.dataset.photo_listing import list_photos
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.maskage.dataset.doctor.doctor_cases import fill, tree
from tests.read_only import read_only


def make_circle(folder: Path) -> Path:
    (folder / "circle").symlink_to(folder / "circle")
    return folder / "circle"


def make_below_a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file" / "below"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder, "this is a folder"),
        (make_below_a_file, "is a file, not a folder"),
        (make_circle, "in a circle"),
        (lambda folder: folder / ("x" * 300), "name is too long"),
        (lambda folder: folder / "nothing", "no such file"),
    ],
)
def test_a_path_that_cannot_be_opened_is_named_with_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    assert run_command(lambda: len(path.read_bytes())) == 5
    said = capsys.readouterr().err
    assert words in said
    assert str(path)[:150] in said
    assert "bug" not in said
    assert len(said) < 700


def test_a_circle_that_is_only_resolved_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    circle = make_circle(tmp_path)
    assert collector(["forget", "p1", "--yes", "--data", str(circle)]) in (4, 5)
    assert str(circle) in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc")
def test_a_fault_of_the_disk_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(lambda: len(Path("/proc/self/mem").read_bytes())) == 5
    assert "the disk reports a fault" in capsys.readouterr().err


def run_small(code: str) -> "subprocess.CompletedProcess[str]":
    script = f"import sys\nfrom maskage.console import run_command\n{code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_too_many_open_files_are_no_bug_of_ours() -> None:
    done = run_small(
        "import os, resource;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20));"
        "sys.exit(run_command(lambda: [open('/dev/null') for _ in range(99)] and 0))"
    )
    assert done.returncode == 5, done.stderr
    assert "ulimit -n" in done.stderr


def test_a_bug_is_reported_where_its_details_cannot_be_written() -> None:
    done = run_small(
        "import contextlib, os, resource\n"
        "def break_down():\n"
        "    with contextlib.suppress(OSError):\n"
        "        while True: kept.append(os.open('/dev/null', os.O_RDONLY))\n"
        "    return 1 // 0\n"
        "kept = []; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "sys.exit(run_command(break_down))"
    )
    assert done.returncode == 1
    assert "bug in the toolchain: ZeroDivisionError" in done.stderr
    assert "cannot be saved" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_went_from_under_a_command_is_named(tmp_path: Path) -> None:
    leave = "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"
    done = run_small(
        f"import os; from pathlib import Path; os.chdir({str(tmp_path)!r}); {leave}\n"
        "sys.exit(run_command(lambda: len(Path('x').resolve().parts)))"
    )
    assert done.returncode == 5, done.stderr
    assert "the folder that the command was started in" in done.stderr


def test_a_file_of_somebody_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"")
    path.chmod(0)
    leave_root = "import os; os.getuid() or os.setuid(65534);"
    done = run_small(f"{leave_root} sys.exit(run_command(lambda: open({str(path)!r}) and 0))")
    assert done.returncode == 5, done.stderr
    assert str(path) in done.stderr
    assert "you may not read or write it" in done.stderr


def test_every_command_that_writes_says_that_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, source = tmp_path / "project" / "data", tmp_path / "source"
    fill(root)
    source.mkdir()
    (source / "a.jpg").write_bytes(encode_jpeg(draw_noise(700)))
    before = tree(root)
    with read_only(root.parent) as view:
        data = str(view / "data")
        commands: list[Callable[[], int]] = [
            lambda: collector(["doctor", data, "--fix"]),
            lambda: collector(["consent", "p9", "--self", "--data", data]),
            lambda: collector(["forget", "p0", "--yes", "--data", data]),
            lambda: collector(["import", str(source), data, "--label", "mask_old"]),
            lambda: collector(["import", str(source), str(view / "new"), "--label", "mask_old"]),
        ]
        for command in commands:
            assert command() == 5
            said = capsys.readouterr().err
            assert "Read-only file system" in said
            assert str(view) in said
            assert "bug" not in said
        assert collector(["status", data]) == 0
        assert collector(["doctor", data]) == 0
        assert collector(["consent", "--data", data]) == 0
        assert collector(["forget", "p0", "--dry-run", "--data", data]) == 0
    assert tree(root) == before
    assert len(list_photos(root)) == 4
