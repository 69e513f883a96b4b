"""Runs a trained bundle on pictures, videos and live cameras."""

import maskage  # noqa: F401  it switches off what libraries report, before they are imported
