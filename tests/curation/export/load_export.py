"""Load an export as Hugging Face datasets or mlcroissant does, and print what they find, as JSON.

A script for a Python that has it: `python load_export.py LIBRARY EXPORT`.
"""

import json
import sys
from collections import Counter
from pathlib import Path


def count_with_datasets(place: Path) -> dict[str, int]:
    from datasets import load_dataset

    loaded = load_dataset(str(place))
    counts: Counter[str] = Counter()
    for split, rows in loaded.items():
        names = rows.features["label"].names
        for row in rows:
            assert row["image"].size[0] > 0
            counts[f"{'val' if split == 'validation' else split}/{names[row['label']]}"] += 1
    return counts


def count_with_croissant(place: Path) -> dict[str, int]:
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
    found = {each.id: list(described.records(each.id)) for each in described.metadata.record_sets}
    pictures = sum(len(records) for name, records in found.items() if name != "photos")
    return {"photos": len(found["photos"]), "pictures": pictures}


LOADERS = {"datasets": count_with_datasets, "mlcroissant": count_with_croissant}

if __name__ == "__main__":
    print(json.dumps(LOADERS[sys.argv[1]](Path(sys.argv[2]))))
