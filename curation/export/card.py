"""README.md of an export: a card with counts, classes, licence and caveats, for people and hubs."""

import yaml

from curation.export.croissant import describe_photos
from curation.export.facts import METADATA_FILE, ExportFacts
from curation.export.parquet import DATA
from maskage.formats.curated.export_file import COCO, PARQUET
from maskage.outside_text import shown_text

CARD_FILE = "README.md"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**9, "n>100K"))


def make_card(facts: ExportFacts) -> str:
    """Return the card of an export, Markdown behind a head of YAML as hubs read it."""
    parts = [
        f"---\n{_head(facts)}---",
        f"# {_plain(facts.wishes.title)}",
        describe_photos(facts),
        _counts(facts),
        "## Files\n\n" + _files(facts),
        "## Licence\n\n" + _licence(facts),
        "## People\n\n" + _people(facts),
        "## What a score on it says\n\n" + _score(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _head(facts: ExportFacts) -> str:
    count = len(facts.pictures)
    values: dict[str, object] = {
        **({"license": facts.wishes.licence} if facts.wishes.licence else {}),
        "pretty_name": facts.wishes.title,
        "task_categories": ["image-classification"],
        "size_categories": [next(name for most, name in _SIZES if count < most)],
    }
    if facts.wishes.to == PARQUET:
        files = [
            {"split": split, "path": f"{DATA}/{split}-*.parquet"} for split in facts.splits
        ] or [{"split": "train", "path": f"{DATA}/all-*.parquet"}]
        values["configs"] = [{"config_name": "default", "data_files": files}]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _counts(facts: ExportFacts) -> str:
    splits = list(facts.counts)
    lines = [f"| class | {' | '.join(splits)} |", f"|---|{'---:|' * len(splits)}"]
    for each in facts.source.scheme:
        cells = [str(facts.counts[split][each.folder]) for split in splits]
        name = _plain(each.folder)
        title = "" if each.title == each.folder else f" ({_plain(each.title)})"
        lines.append(f"| `{name}`{title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _files(facts: ExportFacts) -> str:
    table = f"- `{METADATA_FILE}`: a line for each photo: {', '.join(facts.columns)}."
    lines = {
        PARQUET: [f"- `{DATA}/`: the pictures with label and group, one or more files a split."],
        COCO: [
            '- `images/` and `annotations/`: COCO. A box with `box_of` "face" was found by the '
            "camera program around the face; at the right and lower edge of a frame it may be off "
            'by the photo\'s margin. One with "photo" is the whole picture.',
            table,
        ],
    }.get(
        facts.wishes.to,
        ["- a folder for each split and class, as Keras, torchvision and others read them.", table],
    )
    common = [
        "- `croissant.json`: the same for programs that read Croissant.",
        "- `classes.toml`: the classes, with titles, colours and factors.",
        "- `export_record.json`: by which the toolchain knows this as an export.",
    ]
    return "\n".join((*lines, *common))


def _licence(facts: ExportFacts) -> str:
    if facts.wishes.licence:
        return f"{_plain(facts.wishes.licence)}"
    return (
        "No licence was given yet. Without one nobody may use these photos: name it with "
        "`curate export --license`, and see that everybody in them agreed to it."
    )


def _people(facts: ExportFacts) -> str:
    if facts.source.has_consents:
        consent = (
            "Only photos of people whose consent was on record and held on the day of the export "
            "are in it. The record says that they agreed to be photographed; see in the signed "
            "forms whether they agreed to this use too."
        )
    else:
        consent = (
            "No consent of the people in these photos was on record with them. Make sure that they "
            "agreed before you pass the photos on."
        )
    names = (
        "Pseudonyms of the people are in it."
        if facts.wishes.with_subjects
        else "Neither names nor pseudonyms of the people are in it."
    )
    return f"{consent}\n\n{names} Place, time and device were taken out of the pictures."


def _score(facts: ExportFacts) -> str:
    if facts.source.caveat:
        return _plain(facts.source.caveat)
    if facts.splits:
        return (
            "Photos of one group lie in one split. A score holds for people and cameras like "
            "these, not for everybody: look at it for each class and for each kind of person."
        )
    return "It has no splits. Keep the photos of one person on one side of yours."


def _plain(text: str) -> str:
    """Return a text so that Markdown shows it as it stands."""
    shown = shown_text(text)
    return "".join(f"\\{letter}" if letter in "`|*<>[]\\" else letter for letter in shown)
