"""Photographs and labels faces, and keeps the photos safe."""

import maskage  # noqa: F401  it switches off what libraries report, before they are imported
