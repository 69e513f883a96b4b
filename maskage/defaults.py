"""The values that the tools share where none is given: each finds what the one before it made."""

from pathlib import Path

DEFAULT_DATA = Path("data")
"""The dataset: `collector` writes it, `curate` reads it."""

DEFAULT_CURATED = Path("curated")
"""The curated set: `curate` writes it, `trainer fit` reads it."""

DEFAULT_RUNS = Path("runs")
"""The folder of the runs: `trainer fit` writes there, `detector` takes the newest."""

DEFAULT_TARGET = 735
"""Photos wanted in each class: a quarter of the 2,940 of the student project."""

DEFAULT_SEED = 1337
"""The seed of splits and trainings, as in split-folders."""

BURST_COUNT = 10
"""Shots of a burst at a camera."""

TIMER_S = 3
"""Countdown of the timer at a camera, seconds."""
