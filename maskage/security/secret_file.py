"""Secrets that a user gives in a file or in the environment."""

from collections.abc import Mapping
from pathlib import Path

from maskage.errors import UsageError


def read_secret(
    what: str, file: Path | None, variable: str, environment: Mapping[str, str]
) -> str | None:
    """Read a secret: the first line of `file`, else the variable, else None.

    It is never taken from the command line, which every user of the machine can read.

    Args:
        what: Its name in messages, such as "password".
        file: The file, or None.
        variable: Name of the environment variable.
        environment: The environment.

    Raises:
        UsageError: The file cannot be read or is empty.
    """
    if file is None:
        return environment.get(variable) or None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(
            f"The {what} cannot be read from {file} "
            f"({getattr(fault, 'strerror', None) or fault}). Write it there as one line."
        ) from fault
    if not lines or not lines[0]:
        raise UsageError(f"The first line of {file} is empty. Write the {what} there.")
    return lines[0]
