"""The route `POST /classify`: it reads the picture of a request and answers with its faces."""

import base64
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from PIL import UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from detector.drawing.styles import age_notice
from detector.web.classify import BusyError, ClassifiedPicture, PictureClassifier
from detector.web.requests import FaceAnswer, PictureAnswer
from maskage.classes.scheme import Scheme
from maskage.errors import ToolchainError, UnreadableImageError

MOST_PREVIEW_PX = 2048


def picture_routes(classifier: PictureClassifier, scheme: Scheme, upload_bytes: int) -> APIRouter:
    """Build the route, for pictures of up to `upload_bytes`."""
    router = APIRouter(tags=["pictures"])
    picture = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"image": picture}, "required": ["image"]}
    body = {
        "required": True,
        "content": {"image/*": {"schema": picture}, "multipart/form-data": {"schema": form}},
    }

    @router.post("/classify", openapi_extra={"requestBody": body})
    async def classify(
        request: Request,
        preview: Annotated[
            int | None, Query(ge=16, le=MOST_PREVIEW_PX, description="Longer side, px.")
        ] = None,
    ) -> PictureAnswer:
        """Classify the faces of one picture: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.

        With `preview` the picture comes back, upright and small, for who cannot decode it.
        """
        try:
            with classifier.take_seat():
                data = await _read_picture(request, upload_bytes)
                return _describe_picture(await classifier.classify(data, preview), scheme)
        except BusyError:
            raise HTTPException(
                503,
                "Other pictures are waiting already. Try again in a second.",
                {"Retry-After": "1"},
            ) from None
        except UnreadableImageError as fault:
            # The second: its decoder is not installed here.
            is_other = isinstance(fault.__cause__, UnidentifiedImageError | ImportError)
            raise HTTPException(415 if is_other else 400, str(fault)) from fault
        except ToolchainError as fault:
            raise HTTPException(500, str(fault)) from fault

    return router


# The last is what curl sends unless a type is named.
_RAW_KINDS = ("", "application/octet-stream", "application/x-www-form-urlencoded")


class _MemoryParser(MultiPartParser):
    """A parser that keeps the picture in memory, off the disk; its size is limited before."""

    spool_max_size = 1 << 30


async def _read_picture(request: Request, limit: int) -> bytes:
    """Return the encoded picture of a request: its body, or the field `image` of a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        data = await _read_field(request)
    elif kind.startswith("image/") or kind in _RAW_KINDS:
        data = await request.body()
    else:
        raise HTTPException(
            415,
            f"{kind} is not a picture. Send the file itself as image/jpeg, or a form "
            f"(multipart/form-data) with the field `image`.",
        )
    if len(data) > limit:
        raise HTTPException(413, f"The picture is larger than {limit:,} bytes. Scale it down.")
    return data


async def _read_field(request: Request) -> bytes:
    try:
        parser = _MemoryParser(request.headers, request.stream(), max_files=1, max_fields=4)
        form = await parser.parse()
    except (MultiPartException, KeyError) as fault:
        raise HTTPException(
            400, f"The form cannot be read ({fault}). Send a file in the field `image`."
        ) from fault
    try:
        image = form.get("image")
        if not isinstance(image, UploadFile):
            raise HTTPException(
                400, "The form has no file in its field `image`. Send the picture there."
            )
        return await image.read()
    finally:
        await form.close()


def _describe_picture(picture: ClassifiedPicture, scheme: Scheme) -> PictureAnswer:
    return PictureAnswer(
        width=picture.width,
        height=picture.height,
        faces=[
            FaceAnswer(
                box=(face.box.x, face.box.y, face.box.width, face.box.height),
                label=face.label,
                confidence=round(face.confidence, 4),
                unsure=not face.is_sure,
                unsure_reason=None if face.unsure_reason is None else face.unsure_reason.value,
                strangeness=None if face.strangeness is None else round(face.strangeness, 3),
                probabilities={
                    label: round(p, 4)
                    for label, p in zip(face.labels, face.probabilities, strict=True)
                },
            )
            for face in picture.faces
        ],
        notice=picture.notice,
        preview=None if picture.preview is None else base64.b64encode(picture.preview).decode(),
        age_notice=age_notice(scheme),
    )
