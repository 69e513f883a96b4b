"""The peak of memory is that of the process itself, whoever started it."""

import subprocess
import sys

import numpy as np

from maskage.system.peak_memory import peak_memory_mb

MB = 1 << 20
ASK = "from maskage.system.peak_memory import peak_memory_mb; print(peak_memory_mb())"


def test_what_was_held_and_given_back_counts() -> None:
    before = peak_memory_mb()
    held = np.ones((round(before) + 100) * MB, np.uint8)
    del held
    assert peak_memory_mb() > before + 90


def test_what_the_starting_process_held_does_not_count() -> None:
    held = np.ones(300 * MB, np.uint8)
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert held.sum() == 300 * MB
    assert 1 < float(done.stdout) < 250
