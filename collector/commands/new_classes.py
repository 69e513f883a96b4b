"""New classes of a dataset: from the options of `collector classes --add`, or from folders."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from collector.key_file import key_file_path, read_key_file
from maskage.classes.colors import default_color
from maskage.classes.scheme import DIGIT_KEYS, MOST_CLASSES, PhotoClass, Scheme, default_title
from maskage.console import say
from maskage.dataset.class_changes import add_class
from maskage.dataset.importing.sources.source_labels import SourceListing, UnknownFolder
from maskage.errors import DatasetError, UsageError


def make_class(
    scheme: Scheme,
    folder: str,
    *,
    title: str | None = None,
    key: str | None = None,
    color: str | None = None,
    target: int | None = None,
    factors: Mapping[str, str] | None = None,
) -> PhotoClass:
    """Return a class for a scheme, with a free key and colour where none are given.

    Args:
        scheme: The classes that there are.
        folder: Folder of the new one.
        title: Its title; None for that of a plain class.
        key: Its key; empty for none.
        color: Its colour, "#rrggbb".
        target: Photos wanted.
        factors: Its value of each factor.

    Raises:
        UsageError: It cannot be a class of this scheme; the message says why.
    """
    given = dict(factors or {})
    _check_factors(scheme, folder, given)
    taken = {each.key for each in scheme}
    free = next((digit for digit in DIGIT_KEYS if digit not in taken), None)
    used = {each.color for each in scheme}
    colors = (default_color(len(scheme) + step) for step in range(MOST_CLASSES + 1))
    try:
        return PhotoClass(
            folder,
            title=default_title(folder) if title is None else title,
            color=(
                color or next((one for one in colors if one not in used), default_color(0))
            ).lower(),
            key=free if key is None else key or None,
            target=target,
            factors={name: given[name] for name in scheme.factors},
        )
    except ValueError as fault:
        raise UsageError(f"--add: {fault}. Nothing was changed.") from fault


def require_free_key(new: PhotoClass) -> None:
    """Refuse a key with which the screens would not start: that of one of their commands.

    Raises:
        UsageError: A command has the key of `new`.
    """
    other = PhotoClass(f"not {new.folder}"[:50], "other", "#000000")
    try:
        read_key_file(key_file_path(), Scheme((replace(new, factors={}), other)))
    except UsageError as fault:
        raise UsageError(f"--key {new.key}: {fault} Nothing was changed.") from fault


def add_folders(root: Path, scheme: Scheme, folders: Sequence[str]) -> Scheme:
    """Make plain classes of folders, all of them or none.

    Raises:
        UsageError: One of them cannot be a class of this scheme.
    """
    wanted, new = scheme, []
    for folder in folders:
        one = make_class(wanted, folder)
        try:
            wanted = Scheme((*wanted.classes, one), wanted.factors)
        except ValueError as fault:
            raise UsageError(f"--add-classes: {fault}. Nothing was changed.") from fault
        new.append(one)
    for one in new:
        scheme = add_class(root, one)
    return scheme


def add_unknown_folders(
    arguments: argparse.Namespace, scheme: Scheme, listing: SourceListing
) -> Scheme:
    """Make plain classes of the folders that an import does not know, and say so.

    Raises:
        DatasetError: The dataset is still to be made, its classes have factors, or a folder is
            spelled like a class that there is.
    """
    from collector.commands.unknown_folders import describe_unknown, is_split, is_still_new

    unknown: Sequence[UnknownFolder] = [
        each for each in listing.unknown if not is_split(each, listing)
    ]
    if not unknown:
        return scheme
    if scheme.factors or is_still_new(arguments, scheme) or any(one.sure for one in unknown):
        what = (
            "some of the folders are spelled like classes that there are"
            if any(one.sure for one in unknown)
            else "a new class needs a value of each factor, which a folder's name does not say"
        )
        if is_still_new(arguments, scheme):
            what = "there is no dataset to add them to"
        lines = describe_unknown(arguments, scheme, listing, is_imported=False)
        raise DatasetError(f"--add-classes: no class was added, since {what}.", *lines)
    names = [one.name for one in unknown]
    after = add_folders(arguments.data, scheme, names)
    say(f"{arguments.data}: new classes: {', '.join(names)}")
    return after


def _check_factors(scheme: Scheme, folder: str, given: Mapping[str, str]) -> None:
    if other := [name for name in given if name not in scheme.factors]:
        known = f"has only {', '.join(scheme.factors)}" if scheme.factors else "has no factors"
        raise UsageError(
            f"--factor {other[0]}={given[other[0]]}: there is no factor {other[0]!r}; the dataset "
            f"{known}. A new factor is written into classes.toml, with a value for every class; "
            f"`collector init --help` shows how."
        )
    if missing := [name for name in scheme.factors if name not in given]:
        listed = "; ".join(
            f"{name} is {', '.join(scheme.factors[name])} or a new value" for name in missing
        )
        options = " ".join(f"--factor {name}=VALUE" for name in missing)
        raise UsageError(
            f"The class {folder!r} needs a value of every factor. Add {options} ({listed}). "
            f"Nothing was changed."
        )
