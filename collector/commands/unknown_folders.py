"""The messages of `collector import` about folders that are no classes of the dataset."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.commands.folder_map import format_map, read_map
from maskage.classes.ready_made import READY_MADE
from maskage.classes.scheme import Scheme
from maskage.commands.parser import suggest
from maskage.commands.text_table import count_of, list_some
from maskage.console import say
from maskage.dataset.importing.sources.near_classes import close_classes, sure_class
from maskage.dataset.importing.sources.source_folders import SPLITS
from maskage.dataset.importing.sources.source_labels import SourceListing, UnknownFolder
from maskage.dataset.outside_folders import adding_command, is_without_classes
from maskage.errors import DatasetError, UsageError
from maskage.shell_words import join_words

_MOST_FOLDERS = 12


def require_some_pictures(
    arguments: argparse.Namespace, scheme: Scheme, listing: SourceListing
) -> None:
    """Refuse a source of which nothing can be imported, before anything is made.

    Raises:
        UsageError: `--map` gives a class to what is not there; or there are pictures, in no
            folders, and nothing names their class.
        DatasetError: There are no pictures, or all are in folders that are no classes.
    """
    source = arguments.source
    _require_used_map(arguments, scheme, listing)
    if listing.pictures:
        return
    if listing.unknown:
        raise DatasetError(*describe_unknown(arguments, scheme, listing))
    if listing.unlabelled:
        near = close_classes(source.resolve().name, scheme)
        hint = f" --label {near[0]}?" if len(near) == 1 else ""
        raise UsageError(
            f"{source}: {count_of(len(listing.unlabelled), 'picture')}, none in a folder named "
            f"{list_some(scheme.labels, 9, 'or')} (the first is {listing.unlabelled[0]}). Name the "
            f"class that they show with --label.{hint}"
        )
    if listing.left_out:
        raise DatasetError(f"{source}: all pictures are left out by --map. Nothing was imported.")
    raise DatasetError(f"{source}: no pictures found in it.")


def _require_used_map(
    arguments: argparse.Namespace, scheme: Scheme, listing: SourceListing
) -> None:
    """Refuse a map that gives classes only to names that are no folder and no label here.

    A map of which a part is used may be one for several sources: the others are said.
    """
    classes = read_map(arguments.map or (), scheme).classes
    given = [name for name, label in classes.items() if label is not None]
    is_useless = bool(given) and set(given) <= set(listing.unused)
    for name in listing.unused:
        near = suggest(name, [folder.name for folder in listing.unknown])
        text = f"--map: no folder with pictures and no label is named {name!r}.{near}"
        if is_useless and classes[name] is not None:
            raise UsageError(f"{text} Correct or remove it. Nothing was imported.")
        say(text)


def describe_unknown(
    arguments: argparse.Namespace,
    scheme: Scheme,
    listing: SourceListing,
    *,
    is_imported: bool = True,
) -> list[str]:
    """Return the lines that name the unknown folders, what they may mean, and the ways on.

    Args:
        arguments: The command line.
        scheme: Classes of the dataset.
        listing: What was found in the source.
        is_imported: The pictures that have a class were imported.
    """
    unknown = listing.unknown
    names = list_some([folder.name for folder in unknown], 5)
    rest = "The rest was." if listing.pictures and is_imported else "Nothing was imported."
    of = "They are no classes" if len(unknown) > 1 else "It is no class"
    of += f" of {arguments.data}, which has" if arguments.data.is_dir() else "; a new dataset has"
    what = "the boxes of whole labels" if listing.annotated else "whole folders"
    lines = [
        f"{arguments.source}: {what} were not imported: {names}. {rest}",
        f"{of} {list_some(scheme.labels, 9)}:",
        *(_describe_folder(folder, listing) for folder in unknown[:_MOST_FOLDERS]),
    ]
    if len(unknown) > _MOST_FOLDERS:
        lines.append(f"  and {len(unknown) - _MOST_FOLDERS} more")
    if splits := [folder.name for folder in unknown if is_split(folder, listing)]:
        lines += _describe_splits(arguments, scheme, listing, splits)
        listing = replace(
            listing, unknown=tuple(each for each in unknown if each.name not in splits)
        )
        unknown = listing.unknown
        if not unknown:
            return lines
    sure = {folder.name: folder.sure for folder in unknown if folder.sure}
    others = [folder.name for folder in unknown if not folder.sure]
    if sure:
        lines += ["Name their classes:", f"  {_command(arguments, scheme, listing, sure)}"]
    else:
        example = dict.fromkeys(others[:6], "CLASS")
        lines += [
            f"Name the class of each {_kind(listing)} ({_kind(listing).upper()}= leaves one out):",
            f"  {_command(arguments, scheme, listing, example)}",
        ]
    if sure and others:
        listed = list_some(others, 5)
        kind = _kind(listing)
        lines.append(
            f"and {kind.upper()}=CLASS for {listed} too ({kind.upper()}= leaves a {kind} out)."
        )
    return lines + (_way_by_classes(arguments, scheme, listing, others) if others else [])


def is_split(folder: UnknownFolder, listing: SourceListing) -> bool:
    """Return whether a folder is a split, and no class, by its name and those beside it.

    A train is a thing too: beside other folders than splits it may be a class.
    """
    split = SPLITS.get(folder.name.casefold())
    if split is None or listing.annotated:
        return False
    return split != "train" or all(
        name.casefold() in SPLITS for name in _names_beside(folder.name, listing)
    )


def _names_beside(folder: str, listing: SourceListing) -> set[str]:
    """Return the names of the folders that lie where the first one of a name lies, with it."""
    names = [each.name for each in listing.pictures] + list(listing.unlabelled)
    parts = [name.split("/")[:-1] for name in names]
    above = next((each[: each.index(folder)] for each in parts if folder in each), [])
    depth = len(above)
    return {each[depth] for each in parts if len(each) > depth and each[:depth] == above}


def _describe_splits(
    arguments: argparse.Namespace, scheme: Scheme, listing: SourceListing, splits: Sequence[str]
) -> list[str]:
    """Return the lines about splits whose pictures lie in no class folders."""
    lies = "is a split" if len(splits) == 1 else "are splits"
    lines = [
        f"{list_some(splits, 5)} {lies}, no class: what its pictures show must be said by class "
        f"folders within, or by a table of path and label, with --metadata."
    ]
    if listing.pictures or len(splits) < len(listing.unknown):
        lines += [
            "To leave such pictures out:",
            f"  {_command(arguments, scheme, listing, dict.fromkeys(splits, ''))}",
        ]
    return lines


def _way_by_classes(
    arguments: argparse.Namespace, scheme: Scheme, listing: SourceListing, others: Sequence[str]
) -> list[str]:
    """Return how the folders become classes: of a new dataset, plain ones, or with factors."""
    data = arguments.data
    if is_still_new(arguments, scheme):
        way = ["--from", str(arguments.source)]
        if listing.annotated:
            way = ["--classes", ",".join(folder.name for folder in listing.unknown)]
        command = join_words(["collector", "init", str(data), *way])
        return [
            *_way_by_ready_made(arguments, listing),
            f"Or make a dataset with these {_kind(listing)}s as its classes:",
            f"  {command}",
        ]
    if not scheme.factors:
        return ["Or make classes of them:", f"  {_command(arguments, scheme, listing, None)}"]
    values = " and ".join(
        f"{name} ({', '.join(known)} or a new one)" for name, known in scheme.factors.items()
    )
    return [
        f"Or make classes of them; each needs a value of {values}:",
        *(f"  {adding_command(data, scheme, name)}" for name in others[:3]),
    ]


def _way_by_ready_made(arguments: argparse.Namespace, listing: SourceListing) -> list[str]:
    """Return the command for a ready-made scheme in which each of the folders means one class."""
    names = [folder.name for folder in listing.unknown]
    for name, scheme in READY_MADE.items():
        meant = {sure_class(folder, scheme) for folder in names}
        if None not in meant and len(meant) == len(names) == len(scheme):
            command = join_words(["collector", "init", str(arguments.data), "--classes", name])
            return [
                f"Or make a dataset with the ready-made classes {', '.join(scheme.labels)}, then "
                f"import again:",
                f"  {command}",
            ]
    return []


def is_still_new(arguments: argparse.Namespace, scheme: Scheme) -> bool:
    """Return True where `collector init` would make a dataset: none is there with photos."""
    data = arguments.data
    return not data.is_dir() or is_without_classes(data, scheme)


def _kind(listing: SourceListing) -> str:
    return "label" if listing.annotated else "folder"


def _describe_folder(folder: UnknownFolder, listing: SourceListing) -> str:
    count = count_of(folder.pictures, "picture")
    if listing.annotated:
        count = f"{folder.pictures} box{'' if folder.pictures == 1 else 'es'}"
    text = f"  {folder.name} ({count})"
    if folder.sure:
        return f"{text}: this is probably {folder.sure}"
    if len(folder.close) > 3:
        return f"{text}: {list_some(folder.close, 3, 'or')}?"
    return f"{text}: {' or '.join(folder.close)}?" if folder.close else text


def _command(
    arguments: argparse.Namespace,
    scheme: Scheme,
    listing: SourceListing,
    classes: Mapping[str, str] | None,
) -> str:
    """Return the command that was given, with more classes in its map, or with `--add-classes`."""
    given = read_map(arguments.map or (), scheme).classes
    folder_map = {name: label or "" for name, label in given.items() if name not in listing.unused}
    folder_map |= classes or {}
    words = ["collector", "import", str(arguments.source), str(arguments.data)]
    words += ["--map", format_map(folder_map)] if folder_map else []
    words += ["--add-classes"] if classes is None else []
    for option in ("subject", "subject_from", "session", "metadata", "faces", "face_model"):
        if (value := getattr(arguments, option)) is not None:
            words += [f"--{option.replace('_', '-')}", str(value)]
    words += ["--find-faces"] if arguments.find_faces else []
    return join_words(words + (["--again"] if arguments.again else []))
