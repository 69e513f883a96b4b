"""Where the parts of a dataset lie in its folder.

In a module of its own, since files that are no dataset (a run, a set) lead to one without reading
its manifest.
"""

from pathlib import Path


def manifest_path(root: Path) -> Path:
    """Return where the manifest of the dataset at `root` lies."""
    return root / ".dataset" / "manifest.db"
