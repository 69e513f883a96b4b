"""Trains transfer models on a curated dataset and packs what the detector runs."""

import maskage  # noqa: F401  it switches off what libraries report, before they are imported
