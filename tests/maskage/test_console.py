import subprocess
import sys
from pathlib import Path

import pytest

from maskage.commands.parser import CommandParser
from maskage.console import run_command
from maskage.errors import CameraError, DatasetInUseError, ToolchainError, UsageError


def raising(fault: BaseException) -> int:
    raise fault


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ToolchainError("a"), 1),
        (UsageError("a"), 2),
        (CameraError("a"), 5),
        (DatasetInUseError("a"), 75),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_fault_has_its_exit_code(fault: BaseException, code: int) -> None:
    assert run_command(lambda: raising(fault)) == code


def test_a_bug_is_reported_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(lambda: raising(ZeroDivisionError("oops"))) == 1
    told = capsys.readouterr().err
    assert "bug in the toolchain" in told
    assert "Traceback" not in told
    report = Path(told.split("details are in ")[1].split(". Please")[0])
    assert "ZeroDivisionError: oops" in report.read_text()
    report.unlink()


def test_a_wrong_option_is_a_usage_fault(capsys: pytest.CaptureFixture[str]) -> None:
    parser = CommandParser(prog="thing")
    assert run_command(lambda: raising_parse(parser)) == 2
    assert "See `thing --help`" in capsys.readouterr().err


def raising_parse(parser: CommandParser) -> int:
    parser.parse_args(["--no-such-option"])
    return 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["x", "x" * 100_000])
def test_a_full_disk_behind_the_output_is_no_bug_of_ours(words: str) -> None:
    code = (
        "import sys; from maskage.console import run_command;"
        f"sys.exit(run_command(lambda: print({words!r}) or 0))"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 5
    assert "no room is left" in done.stderr
    assert "bug" not in done.stderr
