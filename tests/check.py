"""Run every check of the project in one command: `python tests/check.py [pytest options]`.

Runs them all, also after one has failed, and ends with the number that did.
"""

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


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        start = time.monotonic()
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            failed.append(name)
        print(f"   {time.monotonic() - start:.0f} s", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
