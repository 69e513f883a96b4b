"""The `collector` command: the terminal UI, and what can be done without it."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.console import CommandParser, run_command, say, show, show_block, show_progress
from maskage.dataset.doctor.command import run_doctor
from maskage.errors import DatasetError, UsageError
from maskage.installation import ShowVersion
from maskage.records import LABELS, Label

if TYPE_CHECKING:
    from maskage.dataset.importer import ImportReport
    from maskage.formats.metadata_file import PhotoMetadata

DEFAULT_DATA = Path("data")


def main(argv: list[str] | None = None) -> int:
    """Run `collector` with these arguments (of the process, by default); returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: _dispatch(words))


def _dispatch(words: list[str]) -> int:
    command = _COMMANDS.get(words[0]) if words else None
    if command is None:
        _check_typo(words)
        return _capture(words)
    return command(words[1:])


def _check_typo(words: list[str]) -> None:
    """A command that is misspelt is not the name of a new dataset."""
    from difflib import get_close_matches

    word = words[0] if words else ""
    near = get_close_matches(word, _COMMANDS, n=1, cutoff=0.7)
    if near and not Path(word).exists():
        raise UsageError(
            f"No command {word!r}, and no dataset of that name. Did you mean `collector "
            f"{near[0]}`? A new dataset is made with `collector ./{word}`."
        )


def _capture(words: list[str]) -> int:
    parser = CommandParser(
        prog="collector",
        description="Photograph and label faces in a terminal; every shot lands in a class folder.",
        epilog="More: collector review | import | status | doctor | consent | forget | cameras "
        "(each with --help). A dataset folder of one of these names is written ./import.",
    )
    parser.add_argument("--version", action=ShowVersion)
    _add_dataset(parser)
    parser.add_argument(
        "--source",
        default="0",
        help="webcam number, video file, stream URL, folder of pictures, or 'demo' (default: 0)",
    )
    parser.add_argument("--subject", metavar="ID", help="pseudonym of the person in front of it")
    parser.add_argument(
        "--self",
        action="store_true",
        dest="is_self",
        help="you photograph yourself: that is your consent, and is put on record",
    )
    parser.add_argument(
        "--gate",
        choices=["strict", "warn", "off"],
        default="warn",
        help="what becomes of a blurred, dark or faceless shot (default: warn)",
    )
    parser.add_argument(
        "--target", type=int, default=735, help="photos wanted in each class (default: 735)"
    )
    parser.add_argument("--seed", type=int, default=0, help="who the demo camera shows")
    _add_face_model(parser)
    arguments = parser.parse_args(words)
    _check_target(arguments.target)
    from collector.app import run_capture

    return run_capture(
        arguments.data,
        arguments.source,
        arguments.subject,
        arguments.face_model,
        gate=arguments.gate,
        target=arguments.target,
        seed=arguments.seed,
        is_self=arguments.is_self,
    )


def _check_target(target: int) -> None:
    if target < 1:
        raise UsageError(f"--target is at least 1; found {target}.")


def _import(words: list[str]) -> int:
    parser = CommandParser(
        prog="collector import",
        description="Bring in photos you already have: four class folders, one labelled folder, "
        "or a video. What is there already, by content, is skipped.",
    )
    parser.add_argument("source", type=Path, help="folder of pictures, picture, or video")
    _add_dataset(parser)
    parser.add_argument(
        "--label", choices=[str(label) for label in LABELS], help="what all of the source shows"
    )
    parser.add_argument("--subject", metavar="ID", help="who all of the source shows")
    parser.add_argument("--session", metavar="ID", help="the sitting all of the source is from")
    parser.add_argument(
        "--metadata",
        type=Path,
        metavar="CSV",
        help="columns: path and any of subject, session, group, label",
    )
    parser.add_argument(
        "--every", type=float, default=0.5, metavar="S", help="of a video: one frame every S s"
    )
    parser.add_argument(
        "--find-faces",
        action="store_true",
        help="cut out the largest face of each picture; of a video this is always so",
    )
    _add_face_model(parser)
    arguments = parser.parse_args(words)
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
    from maskage.pictures.picture_files import find_unread, tell_left_out

    metadata = read_metadata(arguments.metadata) if arguments.metadata else {}
    label = Label(arguments.label) if arguments.label else None
    source: Path = arguments.source
    pictures, unlabelled = list_source(source, label, metadata)
    if unlabelled:
        say(
            f"{source}: {len(unlabelled)} pictures are left out: nobody says their label (first: "
            f"{unlabelled[0]}). Put them into class folders, or name it with --label."
        )
    found = {picture.name for picture in pictures}.union(unlabelled)
    unknown = [path for path in metadata if source.is_dir() and path not in found]
    if source.is_dir():
        tell_left_out(find_unread(source))
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
    return 0


def _check_pseudonyms(metadata: "dict[str, PhotoMetadata]") -> None:
    """Subjects of other people's tables are taken as they are, but not without a word."""
    from maskage.dataset.consent import is_pseudonym

    subjects = {facts.subject for facts in metadata.values() if facts.subject}
    if others := sorted(subject for subject in subjects if not is_pseudonym(subject)):
        say(
            f"{len(others)} subjects are no pseudonyms of letters, digits, '.', '_' and '-', such "
            f"as {others[0]!r}. They are kept as they are; names of people do not belong here."
        )


def _import_video(arguments: argparse.Namespace) -> int:
    from maskage.dataset.importer import import_video
    from maskage.dataset.store import PhotoStore
    from maskage.faces.finder import open_face_finder

    if not arguments.label:
        raise UsageError(
            f"{arguments.source}: a video does not say what it shows. "
            f"Add --label with one of {', '.join(LABELS)}."
        )
    finder = open_face_finder(arguments.face_model)
    if finder.notice:
        say(finder.notice)
    with PhotoStore(arguments.data) as store:
        reports = import_video(
            store,
            arguments.source,
            Label(arguments.label),
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
        say(f"{sum(report.saved.values())} photos were saved; run it again, and it goes on there.")
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


def _status(words: list[str]) -> int:
    parser = CommandParser(prog="collector status", description="What the dataset holds.")
    _add_dataset(parser)
    parser.add_argument("--target", type=int, default=735, help="photos wanted in each class")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(words)
    _check_target(arguments.target)
    from maskage.dataset.status import read_status
    from maskage.formats.dataset_folder import manifest_path

    status = read_status(arguments.data, arguments.target)
    if any(status.counts.values()) and not manifest_path(arguments.data).is_file():
        say(
            f"{arguments.data}: there is no manifest, so nobody knows whose the photos are. If "
            f"there was one: collector doctor {shlex.quote(str(arguments.data))} --fix"
        )
    show_block(json.dumps(status.to_json()) if arguments.json else status)
    return 0


def _review(words: list[str]) -> int:
    parser = CommandParser(
        prog="collector review",
        description="Look the photos through in a gallery: relabel, flag, trash, undo.",
    )
    _add_dataset(parser)
    arguments = parser.parse_args(words)
    from collector.app import run_review

    return run_review(arguments.data)


def _consent(words: list[str]) -> int:
    from maskage.dataset.privacy.command import run_consent

    return run_consent(words, DEFAULT_DATA)


def _forget(words: list[str]) -> int:
    from maskage.dataset.privacy.command import run_forget

    return run_forget(words, DEFAULT_DATA)


def _cameras(words: list[str]) -> int:
    parser = CommandParser(prog="collector cameras", description="The cameras of this machine.")
    parser.parse_args(words)
    from maskage.cameras.sources import find_webcams

    found = find_webcams()
    for webcam in found:
        show(f"{webcam.index}     {webcam}: collector --source {webcam.index}")
    show("demo  rendered people, no camera needed: collector --source demo")
    if not found:
        say("No webcam answers. A video file, a stream's URL or a folder of pictures will do too.")
    return 0


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DATA, help="dataset folder")


def _add_face_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--face-model",
        type=Path,
        metavar="ONNX",
        help="a copy of YuNet (default: $FACE_MODEL, else fetched once)",
    )


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "import": _import,
    "review": _review,
    "status": _status,
    "doctor": run_doctor,
    "consent": _consent,
    "forget": _forget,
    "cameras": _cameras,
}

if __name__ == "__main__":
    sys.exit(main())
