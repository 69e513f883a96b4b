"""What `collector import` prints: before it begins, and of every file at its end."""

import argparse
import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands.face_lines import require_some_faces, show_faces
from collector.commands.table_report import check_pseudonyms, report_table
from maskage.commands.text_table import align_columns, count_of, list_some
from maskage.console import say, show
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.outside_text import path_to_text, shown_text
from maskage.shell_words import join_words

if TYPE_CHECKING:
    from collector.commands.import_source import ReadSource
    from maskage.classes.scheme import Scheme
    from maskage.dataset.importing.import_report import ImportReport
    from maskage.dataset.store import PhotoStore

_MOST_MESSAGES = 20


def report_listing(arguments: argparse.Namespace, source: "ReadSource") -> None:
    """Say which pictures, files, rows and names of the map are not used, and why."""
    from maskage.dataset.importing.sources.source_walk import SYSTEM_REASON
    from maskage.pictures.picture_files import report_left_out

    listing, named = source.listing, arguments.source
    # What lies in folders that are no classes is reported at the end, with the ways on.
    loose = _loose(source)
    if loose and listing.pictures:
        say(
            f"{named}: pictures left out because their label is not known: {len(loose)} (the "
            f"first is {loose[0]}). Put them into class folders, or give it with --label."
        )
    report_left_out(each for each in source.walk.left_out if each.reason != SYSTEM_REASON)
    report_left_out(listing.unboxed)
    if listing.annotated and listing.pictures:
        say(f"{named}: {listing.annotated}: {_describe_annotated(source)}")
    if source.walk.links:
        say(f"{named}: links to folders that were followed: {source.walk.links}")
    _report_tables(arguments, source)
    if overruled := listing.overruled:
        count = "1 photo" if len(overruled) == 1 else f"{len(overruled)} photos"
        say(f"{count}: the table's label is taken, not the folder's (the first is {overruled[0]}).")
    _report_people(arguments, source)


def _describe_annotated(source: "ReadSource") -> str:
    """Return what the annotations make photos of: boxes, whole pictures, or both."""
    listing = source.listing
    boxes = [each.name for each in listing.pictures if each.region is not None]
    whole = len(listing.pictures) - len(boxes)
    parts = []
    if boxes:
        counts = f"{count_of(len(boxes), 'box')} in {count_of(len(set(boxes)), 'picture')}"
        parts.append(f"each box is a photo, cut out with its surroundings; {counts}")
    if whole:
        parts.append(f"{count_of(whole, 'picture')} with a class of the whole, taken whole")
    return f"{'; '.join(parts)}; from {count_of(source.annotation_files, 'file')}."


def _loose(source: "ReadSource") -> list[str]:
    """Return the pictures without a label that lie in no folder."""
    return [name for name in source.listing.unlabelled if "/" not in name]


def finish_import(reports: "Iterable[ImportReport]", store: "PhotoStore") -> "ImportReport":
    """Run the import to its end and return its last report."""
    from maskage.dataset.importing.import_report import ImportReport

    report = ImportReport(dict.fromkeys(store.scheme.labels, 0))
    try:
        for latest in reports:
            report = latest
    except KeyboardInterrupt:
        was = "was" if report.photos == 1 else "were"
        say(f"{count_of(report.photos, 'photo')} {was} saved. Run it again to go on from there.")
        raise
    return report


def copy_consents(folder: Path, source: "ReadSource", store: "PhotoStore") -> None:
    """Take over the consents of another dataset, and say whose."""
    from maskage.dataset.importing.sources import dataset_source

    own = source.walk.own
    if own is not None and (copied := dataset_source.copy_consents(folder, store, own)):
        say(f"Consents taken over from {folder}: {list_some(copied, 5)}")


def restate(store: "PhotoStore", report: "ImportReport") -> list[str]:
    """Give photos that were known already what the source says of them now.

    Returns:
        The lines that say what changed, and how that is undone.
    """
    if not report.restated:
        return []
    from maskage.dataset.facts.known_photos import update_known_photos

    plan, lines = update_known_photos(store, report.restated)
    changed = len(plan.edits)
    undo = join_words(["collector", "edit", str(store.root), "--undo"])
    return [
        f"{len(report.restated)} of them have a row in the table; facts of {changed} photos were "
        f"changed",
        *(f"    {line}" for line in lines),
        *([f"    Undo with: {undo}"] if changed else []),
    ]


def print_report(
    arguments: argparse.Namespace,
    report: "ImportReport",
    source: "ReadSource | None" = None,
    restated: Sequence[str] = (),
) -> None:
    """Print what became of every file."""
    left_out = source.left_out if source else ()
    if arguments.json:
        arguments.is_reported = True
        found = report.as_json(left_out)
        found["system_files"] = sum(_is_of_system(each.reason) for each in left_out)
        found["facts"] = list(restated)
        found["untabled"] = list(source.listing.untabled) if source else []
        found["overruled"] = list(source.listing.overruled) if source else []
        found["rows_left"] = list(source.listing.missing) if source else []
        found["unknown_folders"] = (
            {folder.name: folder.pictures for folder in source.listing.unknown} if source else {}
        )
        show(json.dumps(_as_text(found)))
        return
    show(f"{report.photos:>6} {_photos(report.photos)} saved in {arguments.data}")
    for label, count in report.saved.items():
        show(f"{count:>10} {label}")
    _show_details(report, restated)
    if source and source.listing.left_out:
        by_map = source.listing.left_out
        show(f"{sum(map(len, by_map.values())):>6} left out by --map: {', '.join(sorted(by_map))}")
    _show_skipped(report)
    if arguments.list:
        everything = sorted([*left_out, *report.left_out], key=lambda each: each.path)
        rows = [(shown_text(each.path), each.reason) for each in everything]
        show(*(align_columns([("left out", "reason"), *rows], [False, False]) if rows else ()))


def require_success(
    arguments: argparse.Namespace,
    scheme: "Scheme",
    report: "ImportReport",
    source: "ReadSource | None" = None,
) -> None:
    """Refuse to call an import a success that did not do what was asked.

    Raises:
        DatasetError: Folders have no class, pictures lie under several labels, or nothing was
            saved and nothing was known.
    """
    lines = []
    if report.label_conflicts:
        count = len(report.label_conflicts)
        what = "1 picture lies" if count == 1 else f"{count} pictures lie"
        lines += [
            f"{arguments.source}: {what} under several labels, and no copy was imported, since "
            f"nobody knows which label is right. Keep each in its right class only, then import "
            f"again:",
            *(f"  {text}" for text in report.label_conflicts[:_MOST_MESSAGES]),
        ]
        if count > _MOST_MESSAGES:
            lines.append(f"  and {count - _MOST_MESSAGES} more; --json names all")
    if report.contradicted:
        lines += _describe_contradicted(arguments, report)
    if source and source.metadata and (loose := _loose(source)):
        what = f"{count_of(len(loose), 'picture')} {'was' if len(loose) == 1 else 'were'}"
        lines += [
            f"{arguments.source}: {what} not imported, as neither the table nor a folder says the "
            f"label (the first is {loose[0]}). Add a row with a label for each, then import again."
        ]
    if source and source.listing.unknown:
        from collector.commands.unknown_folders import describe_unknown

        lines += describe_unknown(arguments, scheme, source.listing)
    if lines:
        raise DatasetError(*lines)
    if report.unsaved:
        raise EnvironmentProblemError(*report.unsaved[:_MOST_MESSAGES])
    require_some_faces(report, arguments.source, arguments.data)
    if not (report.photos or report.duplicates or report.removed):
        raise DatasetError(
            f"{arguments.source}: no photo was saved: none of the files could be read. Their "
            f"messages above say what to do."
        )


def _describe_contradicted(arguments: argparse.Namespace, report: "ImportReport") -> list[str]:
    """Return the lines about photos that never had the label that the source gives now."""
    count = len(report.contradicted)
    what = "1 picture is" if count == 1 else f"{count} pictures are"
    review = join_words(["collector", "review", str(arguments.data)])
    return [
        f"{arguments.source}: {what} in {arguments.data} under another label than here. The photos "
        f"were left as they are. If the new label is right, give it to them in the gallery, or "
        f"move their files into its class folder:",
        f"  {review}",
    ]


def say_next(arguments: argparse.Namespace, has_photos: bool) -> int:
    """Name the next command where there are photos for it; return the exit code of success."""
    if has_photos and not arguments.json:
        show(f"Next: curate {shlex.quote(str(arguments.data))} --dedupe --balance")
    return 0


def _report_tables(arguments: argparse.Namespace, source: "ReadSource") -> None:
    from maskage.dataset.importing.sources.source_walk import TABLE_REASON

    named, tables = arguments.source, source.tables
    if tables.used:
        say(f"{named}: the table that lies in it is used: {list_some(tables.used)}")
    others = [each.path for each in source.left_out if each.reason == TABLE_REASON]
    if others and named.is_dir() and not (tables.used or arguments.metadata):
        first = (tables.unused or others)[0]
        lie = "a table lies in it, which is" if len(others) == 1 else "tables lie in it, which are"
        it = "it is" if len(others) == 1 else "one is"
        say(
            f"{named}: {lie} not used: {list_some(others)}. If {it} about these pictures, give it "
            f"with --metadata {shlex.quote(str(named / first))}"
        )
    elif others:
        count = "1 table that lies" if len(others) == 1 else f"{len(others)} tables that lie"
        say(f"{named}: {count} in it not used: {list_some(others)}")
    if source.metadata:
        report_table(source.metadata, source.listing, named, list_some(tables.used))
        check_pseudonyms(source.metadata)


def _report_people(arguments: argparse.Namespace, source: "ReadSource") -> None:
    from maskage.dataset.importing.sources.own_output import OwnOutput

    people = source.listing.people
    if source.walk.own is OwnOutput.CURATED:
        _report_people_of_set(arguments, source)
    elif people is None:
        if not arguments.subject:
            _report_named_people(source)
    elif people.is_clear:
        names = list_some(people.names)
        say(
            f"Folders that are taken for people: {len(people.names)} ({names}). Each is the "
            f"subject of its photos, so that nobody is in train and in test; --subject-from none "
            f"leaves that."
        )
    else:
        names = list_some(people.names)
        say(
            f"Folders of one name lie in several classes: {names}. If they are people, add "
            f"--subject-from folder, so that nobody is in train and in test."
        )


def _report_people_of_set(arguments: argparse.Namespace, source: "ReadSource") -> None:
    """Say whether the people of a curated set are known: by the dataset that it was made of."""
    subjects = {each.known.subject for each in source.listing.pictures if each.known} - {None}
    if subjects:
        who = "1 person" if len(subjects) == 1 else f"{len(subjects)} people"
        say(f"{arguments.source}: {who}, named as in the dataset that the set was made of.")
    elif not arguments.subject:
        say(
            f"{arguments.source}: its photos come without names of people, as the dataset that it "
            f"was made of is not here, or knows none. Its groups are kept, so that splits hold; "
            f"but `collector forget` and consents know nobody in these photos. Add --subject, or "
            f"a table with --metadata."
        )


def _report_named_people(source: "ReadSource") -> None:
    """Say which people the names of files name, where that is clear: `curate` groups by them."""
    from maskage.dataset.person_names import find_people

    pictures = [
        each
        for each in source.listing.pictures
        if each.region is None and each.facts.subject is None and each.known is None
    ]
    labels = [each.label for each in pictures]
    if pictures and (found := find_people([each.name for each in pictures], labels)):
        say(
            f"The names of files name people ({found}). `curate` keeps the photos of each in one "
            f"split; a table with a subject for each goes before that."
        )


def _show_details(report: "ImportReport", restated: Sequence[str]) -> None:
    if report.brought_back:
        show(f"{report.brought_back:>10} of them brought back: lost before, or in the trash")
    if report.origins:
        parts = ", ".join(f"{count} of {name}" for name, count in sorted(report.origins.items()))
        show(f"      from the splits of the source: {parts}")
    if report.subjects:
        who = "person, named after a folder"
        if len(report.subjects) > 1:
            who = "people, named after their folders"
        show(f"{len(report.subjects):>10} {who}")
    if several := report.first_of_several:
        hold = "file holds" if len(several) == 1 else "files hold"
        show(
            f"{len(several):>10} {hold} several pictures (pages, frames), of which the first was "
            f"taken: {list_some([shown_text(name) for name in several], 3)}"
        )
    show(f"{report.duplicates:>6} skipped: content already imported")
    if crops := report.crops_known:
        show(
            f"{len(crops):>10} of them as a face that was cut out; whole pictures go into another "
            f"dataset, or here once these photos are removed"
        )
    for line in restated:
        show(f"{'':>10}{line}")
    if report.conflicts:
        show(f"{len(report.conflicts):>10} of them under another label than before: left as it is")
        for message in report.conflicts[:_MOST_MESSAGES]:
            say(f"  {message}")
        say("  `collector review` shows them; there a photo gets another label.")


def _show_skipped(report: "ImportReport") -> None:
    if report.removed:
        show(f"{len(report.removed):>6} skipped: removed by you; --again brings them back")
    if report.label_conflicts:
        count = sum(each.reason.startswith("the same picture") for each in report.left_out)
        show(f"{count:>6} skipped: label conflict, the same picture under several labels")
    show_faces(report)
    if report.unsaved:
        show(f"{len(report.unsaved):>6} not saved: the disk refuses their names")
    if report.unreadable:
        show(f"{len(report.unreadable):>6} skipped: unreadable")
        for message in report.unreadable[:_MOST_MESSAGES]:
            say(f"  {message}")
    for fault in report.damage.faults:
        show(f"       of the video: {fault}")


def _photos(count: int) -> str:
    return "photo" if count == 1 else "photos"


def _is_of_system(reason: str) -> bool:
    from maskage.dataset.importing.sources.source_walk import SYSTEM_REASON

    return reason == SYSTEM_REASON


def _as_text(value: object) -> object:
    """Return a value with names that are not UTF-8 written as escapes."""
    if isinstance(value, str):
        return path_to_text(value)
    if isinstance(value, dict):
        return {path_to_text(name): _as_text(each) for name, each in value.items()}
    return [_as_text(each) for each in value] if isinstance(value, list) else value
