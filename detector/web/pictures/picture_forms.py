"""The pictures of a request to `/classify`: one as its body, or up to 32 in a form."""

from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from detector.web.pictures.classify import MOST_PICTURES
from maskage.outside_text import shown_text

ONE_FIELD, MANY_FIELD = "image", "images"
_FIELDS = (ONE_FIELD, MANY_FIELD)
_FORM_BYTES = 4096
"""Multipart lines around one picture."""
_TIMES_ONE = 3
"""Bytes of a whole form, in pictures of the largest size: it lies in memory while it is read."""

# The last is what curl sends unless a type is named.
_RAW_KINDS = ("", "application/octet-stream", "application/x-www-form-urlencoded")


@dataclass(frozen=True, eq=False)
class SentPictures:
    """The pictures of one request.

    Attributes:
        files: The name of each, as it may be shown, and its content.
        is_batch: True where the answer is a list, even if it has one entry.
    """

    files: tuple[tuple[str, bytes], ...]
    is_batch: bool


class _MemoryParser(MultiPartParser):
    """A parser that keeps pictures in memory, off the disk; their size is limited before."""

    spool_max_size = 1 << 30


def most_request_bytes(upload_bytes: int) -> int:
    """Return the size of the largest request, where one picture has up to `upload_bytes`."""
    return _TIMES_ONE * upload_bytes + MOST_PICTURES * _FORM_BYTES


def declared_bytes(request: Request, upload_bytes: int) -> int:
    """Return how large a request says that it is, or the most that it may be."""
    most = most_request_bytes(upload_bytes)
    declared = request.headers.get("content-length", "")
    return min(most, int(declared)) if declared.isdecimal() else most


async def read_pictures(request: Request, upload_bytes: int) -> SentPictures:
    """Read the pictures of a request: its body, or the files of its form.

    A picture of a batch may be larger than `upload_bytes`; it is for the caller to refuse it.

    Raises:
        HTTPException: It is no picture and no form, or has none, too large a one or too many.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        sent = await _read_form(request)
    elif kind.startswith("image/") or kind in _RAW_KINDS:
        sent = SentPictures((("The picture", await request.body()),), is_batch=False)
    else:
        raise HTTPException(
            415,
            f"{kind} is not a picture. Send the file itself as image/jpeg, or a form "
            f"(multipart/form-data) with the field `{ONE_FIELD}`.",
        )
    if not sent.is_batch and len(sent.files[0][1]) > upload_bytes:
        raise HTTPException(413, explain_size("The picture", upload_bytes))
    return sent


def explain_size(name: str, upload_bytes: int) -> str:
    """Return why a picture is too large."""
    return f"{name} is larger than {upload_bytes:,} bytes. Scale it down."


async def _read_form(request: Request) -> SentPictures:
    parser = _MemoryParser(
        request.headers, request.stream(), max_files=MOST_PICTURES, max_fields=MOST_PICTURES
    )
    try:
        form = await parser.parse()
    except MultiPartException as fault:
        raise _explain_form(fault) from fault
    except KeyError as fault:
        raise HTTPException(
            400, f"The form cannot be read ({fault}). Send a file in the field `{ONE_FIELD}`."
        ) from fault
    try:
        files = [
            (field, each)
            for field, each in form.multi_items()
            if field in _FIELDS and isinstance(each, UploadFile)
        ]
        if not files:
            raise HTTPException(
                400,
                f"The form has no file in its field `{ONE_FIELD}`. Send the picture there, or "
                f"several in the field `{MANY_FIELD}`.",
            )
        if len(files) == 1 and files[0][0] == ONE_FIELD:
            return SentPictures((("The picture", await files[0][1].read()),), is_batch=False)
        read = [
            (_shown_name(number, file.filename), await file.read())
            for number, (_, file) in enumerate(files, start=1)
        ]
        return SentPictures(tuple(read), is_batch=True)
    finally:
        await form.close()


def _explain_form(fault: MultiPartException) -> HTTPException:
    if fault.message.startswith("Too many files"):
        return HTTPException(
            422,
            f"A request holds up to {MOST_PICTURES} pictures, and this form has more. Send the "
            f"others in another request.",
        )
    return HTTPException(
        400, f"The form cannot be read ({fault.message}). Send a file in the field `{ONE_FIELD}`."
    )


def _shown_name(number: int, name: str | None) -> str:
    return shown_text(name) if name else f"Picture {number}"
