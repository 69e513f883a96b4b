"""What `tests/check.py` runs once more is what has failed."""

import subprocess
from pathlib import Path

from tests.check import command_again

ROOT = Path(__file__).parents[1]


def test_a_thorough_test_that_failed_is_not_skipped_when_it_runs_again(tmp_path: Path) -> None:
    one = tmp_path / "test_one.py"
    one.write_text(
        "import pytest\n@pytest.mark.thorough\ndef test_it() -> None:\n    assert False\n"
    )
    options = ["--thorough", "-m", "not slow"]
    settings = ["-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    command = command_again([str(one)], options)
    done = subprocess.run([*command, *settings, "-p", "no:cacheprovider"], cwd=ROOT)
    assert done.returncode == 1
