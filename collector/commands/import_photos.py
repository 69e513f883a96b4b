"""`collector import`: photos and videos that are there already."""

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.commands.options import add_data, add_face_model, add_metadata
from maskage.commands.parser import CommandParser
from maskage.commands.program import Command
from maskage.console import say, show, show_progress
from maskage.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from maskage.dataset.importer import ImportReport
    from maskage.formats.metadata_file import PhotoMetadata


def _add_import_options(parser: CommandParser) -> None:
    from maskage.classes.ready_made import MASK_AGE

    parser.add_word(
        "--source",
        nargs=None,
        type=Path,
        metavar="SOURCE",
        help="folder of pictures, picture, or video",
    )
    add_data(parser)
    parser.add_argument(
        "--label",
        choices=[str(label) for label in MASK_AGE.labels],
        help="class that all photos show",
    )
    parser.add_argument("--subject", metavar="ID", help="pseudonym of who is in all photos")
    parser.add_argument("--session", metavar="ID", help="session that all photos are from")
    add_metadata(parser, "subject, session, group, label", "which go into the manifest")
    parser.add_argument(
        "--every", type=float, default=0.5, metavar="S",
        help="seconds between two frames that are taken from a video (default: 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--find-faces",
        action="store_true",
        help="cut out the largest face of each picture; from a video it is always cut out",
    )
    add_face_model(parser)


def _run_import(arguments: argparse.Namespace) -> int:
    if not arguments.source.exists():
        raise DatasetError(f"No such file or folder: {arguments.source}. Nothing was imported.")
    if arguments.every <= 0:
        raise UsageError(f"--every is a time in seconds above 0; found {arguments.every}.")
    from maskage.pictures.images import is_picture

    if arguments.source.is_dir() or is_picture(arguments.source):
        return _import_pictures(arguments)
    return _import_video(arguments)


def _import_pictures(arguments: argparse.Namespace) -> int:
    from maskage.dataset.importer import import_pictures, list_source, read_metadata
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import open_face_finder
    from maskage.pictures.picture_files import find_unread, report_left_out

    metadata = read_metadata(arguments.metadata) if arguments.metadata else {}
    label = arguments.label if arguments.label else None
    source: Path = arguments.source
    pictures, unlabelled = list_source(source, label, metadata)
    if unlabelled:
        say(
            f"{source}: pictures left out because their label is not known: {len(unlabelled)} (the "
            f"first is {unlabelled[0]}). Put them into class folders, or give it with --label."
        )
    found = {picture.name for picture in pictures}.union(unlabelled)
    unknown = [path for path in metadata if source.is_dir() and path not in found]
    if source.is_dir():
        report_left_out(find_unread(source))
    if unknown:
        say(
            f"{arguments.metadata}: {len(unknown)} of {len(metadata)} paths are not in {source} "
            f"(the first is {unknown[0]}). Write the path of a picture as it is below {source}."
        )
    finder = None
    if arguments.find_faces:
        finder = open_face_finder(arguments.face_model)
        if finder.notice:
            say(finder.notice)
    _check_pseudonyms(metadata)
    with PhotoStore(arguments.data) as store:
        reports = import_pictures(
            store, pictures, subject=arguments.subject, session=arguments.session, finder=finder
        )
        _finish_import(show_progress(reports, "importing", len(pictures)), arguments.data)
    folders = sorted({str(Path(name).parent) for name in unlabelled} - {"."})
    if folders:
        raise DatasetError(
            f"{source}: whole folders were not imported: {', '.join(folders[:5])}. The rest was. "
            f"Name the classes of the pictures by --metadata, or import each folder with --label."
        )
    return 0


def _check_pseudonyms(metadata: "dict[str, PhotoMetadata]") -> None:
    """Warn of subjects in a table that may be names of people; they are kept as they are."""
    from maskage.dataset.consent import is_pseudonym

    subjects = {facts.subject for facts in metadata.values() if facts.subject}
    if others := sorted(subject for subject in subjects if not is_pseudonym(subject)):
        say(
            f"{len(others)} subjects are not pseudonyms of letters, digits, '.', '_' and '-', such "
            f"as {others[0]!r}. They are kept as they are; names of people do not belong here."
        )


def _import_video(arguments: argparse.Namespace) -> int:
    from maskage.classes.ready_made import MASK_AGE
    from maskage.dataset.importer import import_video
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import open_face_finder

    if not arguments.label:
        raise UsageError(
            f"{arguments.source}: a video does not say what it shows. "
            f"Add --label with one of {', '.join(MASK_AGE.labels)}."
        )
    finder = open_face_finder(arguments.face_model)
    if finder.notice:
        say(finder.notice)
    with PhotoStore(arguments.data) as store:
        reports = import_video(
            store,
            arguments.source,
            arguments.label,
            finder,
            every_s=arguments.every,
            subject=arguments.subject,
            session=arguments.session,
        )
        _finish_import(show_progress(reports, "importing"), arguments.data)
    return 0


def _finish_import(reports: "Iterable[ImportReport]", data: Path) -> None:
    """Run the import to its end and print what became of every picture."""
    from maskage.dataset.importer import ImportReport

    report = ImportReport()
    try:
        for latest in reports:
            report = latest
    except KeyboardInterrupt:
        say(f"{sum(report.saved.values())} photos were saved. Run it again to go on from there.")
        raise
    show(f"{sum(report.saved.values()):>6} photos saved in {data}")
    for label, count in report.saved.items():
        show(f"{count:>10} {label}")
    show(f"{report.duplicates:>6} skipped: content already imported")
    if report.facts_left:
        show(f"{report.facts_left:>10} of them keep what was known: their metadata is not taken")
    if report.conflicts:
        show(f"{len(report.conflicts):>10} of them under another label than before: left as it is")
        for message in report.conflicts[:20]:
            say(f"  {message}")
    if report.faceless:
        show(f"{report.faceless:>6} skipped: no face found")
    if report.unreadable:
        show(f"{len(report.unreadable):>6} skipped: unreadable")
        for message in report.unreadable[:20]:
            say(f"  {message}")
    for fault in report.damage.faults:
        show(f"       of the video: {fault}")
    show(f"Next: curate {shlex.quote(str(data))} --dedupe --balance")


IMPORT = Command(
    "import",
    "bring in photos and videos that you have",
    "Import photos that you already have: four class folders, one labelled folder, or a video. "
    "Photos that the dataset already holds, by content, are skipped.",
    _add_import_options,
    _run_import,
)
