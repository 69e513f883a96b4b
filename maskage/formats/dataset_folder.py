"""The layout of a dataset's folder.

A module of its own because runs and sets lead to a dataset without reading its manifest.
"""

from pathlib import Path


def manifest_path(root: Path) -> Path:
    """Return the path of the manifest of the dataset at `root`."""
    return root / ".dataset" / "manifest.db"
