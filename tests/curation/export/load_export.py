"""Load an export as Hugging Face datasets and mlcroissant do, and print what they find, as JSON.

A script for another Python that has them: `python load_export.py EXPORT`.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any


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


if __name__ == "__main__":
    place = Path(sys.argv[1])
    answer: dict[str, Any] = {"croissant": count_with_croissant(place)}
    if not (place / "annotations").is_dir():
        answer["datasets"] = count_with_datasets(place)
    print(json.dumps(answer))
