"""Turns a folder of labelled photos into a dataset whose test score means something."""

import maskage  # noqa: F401  it switches off what libraries report, before they are imported
