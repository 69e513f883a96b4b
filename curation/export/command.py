"""`curate export`: its options, and what it prints at the end."""

import argparse
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_json
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say, show, show_block, show_progress
from maskage.defaults import DEFAULT_CURATED
from maskage.errors import UsageError
from maskage.outside_text import path_to_text, shown_text

if TYPE_CHECKING:
    from curation.export.exporter import Export

_FORMATS = ("folder", "zip", "parquet", "coco")


def _add_export_options(parser: CommandParser) -> None:
    parser.add_word(
        "--data",
        dest="source",
        type=Path,
        default=DEFAULT_CURATED,
        metavar="CURATED",
        help=f"what `curate` made, or a dataset (default: {DEFAULT_CURATED})",
    )
    add = parser.add_argument
    add("--to", choices=_FORMATS, default="folder", metavar="FORMAT",
        help=f"{', '.join(_FORMATS)} (default: folder)")  # fmt: skip
    add("--out", type=Path, metavar="FOLDER",
        help="folder or zip of the result (default: CURATED-export or .zip)")  # fmt: skip
    add("--replace", action="store_true", help="replace a former export as a whole")
    add("--title", metavar="TEXT", help="title of the export (default: the name of --out)")
    add("--license", dest="licence", metavar="NAME",
        help="licence of the photos, such as cc-by-4.0; without one the card says that there is "
        "none yet")  # fmt: skip
    add("--with-subjects", action="store_true", help="write the pseudonyms of people down too")
    add("--with-unnamed", action="store_true",
        help="export photos in which nobody is named too, where the dataset records consents, such "
        "as pictures of a public set")  # fmt: skip
    add_json(parser)


def _run_export(arguments: argparse.Namespace) -> int:
    from curation.export.exporter import export_photos
    from curation.export.facts import ExportWishes
    from curation.export.parquet import require_parquet
    from curation.export.source import read_source
    from maskage.formats.output_log import Kind, Output, log_output
    from maskage.pictures.picture_files import report_left_out

    for option, text in (("--title", arguments.title), ("--license", arguments.licence)):
        if text is not None and (not text.strip() or "\n" in text):
            raise UsageError(f"{option} is one line of text; found {text!r}.")
    if arguments.to == "parquet":
        require_parquet()
    source = read_source(arguments.source, date.today(), with_unnamed=arguments.with_unnamed)
    report_left_out(source.not_read)
    out = arguments.out or _default_out(source.folder, arguments.to)
    wishes = ExportWishes(
        arguments.to, arguments.title or out.stem, arguments.licence, arguments.with_subjects
    )
    done = export_photos(source, out, wishes, may_replace=arguments.replace, progress=show_progress)
    if source.dataset is not None:
        log_output([source.dataset], Output(done.out, Kind.EXPORT, is_of_photos=True))
    _report(done, out, as_json=arguments.json)
    return 0


def _default_out(source: Path, to: str) -> Path:
    return source.with_name(f"{source.name}-export{'.zip' if to == 'zip' else ''}")


def _report(done: "Export", out: Path, *, as_json: bool) -> None:
    from curation.export.source import UNNAMED

    facts = done.facts
    if not facts.source.has_consents:
        say(
            "note: No consent is on record with these photos, so nobody's was checked. Make sure "
            "that everybody in them agreed."
        )
    if UNNAMED in done.left_out:
        say(
            "note: As the dataset records consents, photos in which nobody is named stay. Say who "
            "is in them, or, where they may leave all the same, add --with-unnamed."
        )
    if not facts.wishes.licence:
        say("note: No --license was given; README.md says that there is none yet.")
    empty = [
        f"{split}/{label}"
        for split, counts in facts.counts.items()
        for label, count in counts.items()
        if not count
    ]
    planned = {photo.split for photo in facts.source.photos if photo.split}
    for split in sorted(planned.difference(facts.counts)):
        say(
            f"note: No photo is left of {split}: this export has no {split}. Curate the dataset "
            f"again, and export that set."
        )
    if empty:
        say(f"note: No photo is left of {', '.join(map(shown_text, empty))}.")
    if as_json:
        show(json.dumps(_as_json(done)))
        return
    show_block(_as_table(done))
    show(f"written to {out}; look at {out / 'README.md'}" if out.is_dir() else f"written to {out}")


def _as_table(done: "Export") -> str:
    counts = done.facts.counts
    labels = done.facts.source.scheme.labels
    width = max(len(shown_text(label)) for label in (*labels, "total"))
    lines = [" " * width + "".join(f"{split:>8}" for split in counts)]
    for label in labels:
        cells = "".join(f"{counts[split][label]:>8}" for split in counts)
        lines.append(f"{shown_text(label):<{width}}{cells}")
    lines.append(
        f"{'total':<{width}}" + "".join(f"{sum(counts[split].values()):>8}" for split in counts)
    )
    lines += [f"left out: {count}, {shown_text(why)}" for why, count in done.left_out.items()]
    return "\n".join(lines)


def _as_json(done: "Export") -> dict[str, object]:
    return {
        "out": path_to_text(str(done.out)),
        "to": done.facts.wishes.to,
        "photos": len(done.facts.pictures),
        "counts": done.facts.counts,
        "left_out": done.left_out,
        "not_read": [path_to_text(each.path) for each in done.facts.source.not_read],
        "consents_checked": done.facts.source.has_consents,
        "license": done.facts.wishes.licence,
    }


EXPORT = Command(
    "export",
    "hand a set to others: folder, zip, Parquet, COCO",
    "Write a curated set, or a dataset, for others to use: with a table of its photos, a card, a "
    "Croissant description and the classes. Pictures leave without metadata and under neutral "
    "names. Where the dataset records consents, photos of people without one that holds today "
    "stay. Nothing is uploaded.",
    _add_export_options,
    _run_export,
)
