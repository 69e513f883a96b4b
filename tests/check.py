"""Run every check of the project in one command: `python tests/check.py [pytest options]`.

Runs them all, also after one has failed, and ends with the number that did. A few tests that fail
beside others run once more, alone: those that pass then are named, and are faults of timing to be
mended, in the test or in what it tests.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
# A file's tests stay together, for what they share, in the order of `tests/conftest.py`. A worker
# that trains holds up to 4.5 GB.
SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
CHECKS = {
    "ruff check": [PYTHON, "-m", "ruff", "check", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "mypy": [PYTHON, "-m", "mypy"],
    "import-linter": [
        PYTHON,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()",
    ],
    "pytest": [PYTHON, "-m", "pytest", *SIDE_BY_SIDE, *sys.argv[1:]],
}
MOST_AGAIN = 3
"""Tests that may have failed for a second run of them; with more, something is broken."""
TESTS_FAILED = 1
"""Exit code of pytest where every test ran and some failed."""


def failed_tests() -> list[str]:
    """Return the names of the tests that failed last, as pytest keeps them."""
    kept = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return list(json.loads(kept.read_text(encoding="utf-8"))) if kept.is_file() else []


def command_again(tests: list[str], options: list[str]) -> list[str]:
    """Return the command that runs tests alone; without its option a thorough one is skipped."""
    thorough = [option for option in options if option == "--thorough"]
    return [PYTHON, "-m", "pytest", *thorough, *tests]


def pass_alone(tests: list[str]) -> bool:
    """Run tests once more, without others beside them, and say which these were."""
    print("== again, alone:", *tests, sep="\n   ", flush=True)
    if subprocess.run(command_again(tests, sys.argv[1:]), cwd=ROOT).returncode != 0:
        return False
    print("PASSED ONLY ALONE, mend their timing:", *tests, sep="\n   ", flush=True)
    return True


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        start = time.monotonic()
        print(f"== {name}", flush=True)
        code = subprocess.run(command, cwd=ROOT).returncode
        if name == "pytest" and code == TESTS_FAILED and 0 < len(failed_tests()) <= MOST_AGAIN:
            code = 0 if pass_alone(failed_tests()) else code
        if code != 0:
            failed.append(name)
        print(f"   {time.monotonic() - start:.0f} s", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
