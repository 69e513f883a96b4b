"""The guard of a source against outputs that would be written over it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from maskage.errors import UsageError
from maskage.pictures.picture_kinds import is_picture_file


def require_source_kept(sources: Iterable[str], outputs: Mapping[str, Path | None]) -> None:
    """Require that no output replaces what is to be labelled.

    Args:
        sources: The sources, as after `--source`.
        outputs: The file of each option; None or "-" for none.

    Raises:
        UsageError: One is the source itself, or a picture of a folder of pictures.
    """
    # A number is a webcam, whatever lies there.
    files = [Path(each).expanduser() for each in sources if not each.isdecimal()]
    for option, out in outputs.items():
        # What is no file yet replaces nothing, nor does a pipe.
        if out is None or str(out) == "-" or not out.is_file():
            continue
        if any(_is_source(out, file) for file in files):
            raise UsageError(
                f"{option} {out}: this is what is to be labelled, and would be lost. Name another "
                f"file."
            )


def _is_source(out: Path, source: Path) -> bool:
    if source.is_file():
        return source.samefile(out)
    is_within = source.is_dir() and out.resolve().is_relative_to(source.resolve())
    return is_within and is_picture_file(out)
