"""Load a curated set as torchvision or Hugging Face does, and print what they show, as JSON.

A script for a Python that has it: `python load_set.py LIBRARY CURATED`. It prints an object of the
split and label of each file, and its picture shrunk to 8x8.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def shrink(image: Any) -> list[int]:
    pixels = np.asarray(image.convert("RGB"), dtype=float)
    rows, columns = (size // 8 for size in pixels.shape[:2])
    cut = pixels[: 8 * rows, : 8 * columns].reshape(8, rows, 8, columns, 3)
    return [round(float(value)) for value in cut.mean((1, 3)).reshape(-1)]


def load_with_torchvision(root: Path) -> dict[str, Any]:
    from torchvision.datasets import ImageFolder

    found = {}
    for split in ("train", "val", "test"):
        folder = ImageFolder(str(root / split))
        for index, (path, label) in enumerate(folder.samples):
            place = Path(path).relative_to(root).as_posix()
            found[place] = [split, folder.classes[label], shrink(folder[index][0])]
    return found


def load_with_datasets(root: Path) -> dict[str, Any]:
    from datasets import Image, load_dataset

    found = {}
    loaded = load_dataset("imagefolder", data_dir=str(root))
    for split, rows in loaded.items():
        names = rows.features["label"].names
        paths = [row["image"]["path"] for row in rows.cast_column("image", Image(decode=False))]
        for path, row in zip(paths, rows, strict=True):
            place = Path(path).resolve().relative_to(root.resolve()).as_posix()
            short = "val" if split == "validation" else split
            found[place] = [short, names[row["label"]], shrink(row["image"])]
    return found


LOADERS = {"torchvision": load_with_torchvision, "datasets": load_with_datasets}

if __name__ == "__main__":
    print(json.dumps(LOADERS[sys.argv[1]](Path(sys.argv[2]))))
