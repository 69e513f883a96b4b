"""The route `POST /classify`: it reads the pictures of a request and answers with their faces."""

import base64
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from PIL import UnidentifiedImageError
from starlette.requests import ClientDisconnect

from detector.drawing.styles import age_notice
from detector.web.answers import BatchAnswer, BatchEntry
from detector.web.pictures.classify import MOST_PICTURES, ClassifiedPicture, PictureClassifier
from detector.web.pictures.fair_queue import QueueFullError
from detector.web.pictures.picture_forms import (
    MANY_FIELD,
    ONE_FIELD,
    SentPictures,
    declared_bytes,
    explain_size,
    read_pictures,
)
from detector.web.requests import FaceAnswer, PictureAnswer
from maskage.classes.scheme import Scheme
from maskage.errors import ToolchainError, UnreadableImageError

_RETRY_S = 10
MOST_PREVIEW_PX = 2048


def picture_routes(classifier: PictureClassifier, scheme: Scheme, upload_bytes: int) -> APIRouter:
    """Build the route, for pictures of up to `upload_bytes`."""
    router = APIRouter(tags=["pictures"])

    @router.post("/classify", openapi_extra={"requestBody": _describe_body()})
    async def classify(
        request: Request,
        preview: Annotated[
            int | None, Query(ge=16, le=MOST_PREVIEW_PX, description="Longer side, px.")
        ] = None,
    ) -> PictureAnswer | BatchAnswer:
        """Classify the faces of pictures: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.

        One picture is the body, or the field `image` of a form; its answer is that of the picture.
        Up to 32 are the files of the field `images`; the answer lists a result or a reason for
        each, in order. A request waits for its turn.

        With `preview` a picture comes back, upright and small, for who cannot decode it.
        """
        client = request.client.host if request.client else ""
        try:
            async with classifier.take_place(client, declared_bytes(request, upload_bytes)):
                sent = await read_pictures(request, upload_bytes)
                if sent.is_batch:
                    return await _classify_batch(classifier, sent, scheme, upload_bytes, preview)
                answer = await classifier.classify(sent.files[0][1], preview)
                return _describe_picture(answer, scheme)
        except QueueFullError as fault:
            raise HTTPException(
                503,
                f"{fault.waiting} requests are waiting already. Try again in {_RETRY_S} s, or send "
                f"several pictures in one request.",
                {"Retry-After": str(_RETRY_S)},
            ) from None
        except ClientDisconnect:
            # It gave up while it waited for its turn; nobody reads this.
            raise HTTPException(408, "The connection ended before the picture came.") from None
        except UnreadableImageError as fault:
            raise HTTPException(_status_of(fault), str(fault)) from fault
        except ToolchainError as fault:
            raise HTTPException(500, str(fault)) from fault

    return router


def _describe_body() -> dict[str, object]:
    picture = {"type": "string", "format": "binary"}
    several = {"type": "array", "items": picture, "maxItems": MOST_PICTURES}
    form = {"type": "object", "properties": {ONE_FIELD: picture, MANY_FIELD: several}}
    return {
        "required": True,
        "content": {"image/*": {"schema": picture}, "multipart/form-data": {"schema": form}},
    }


async def _classify_batch(
    classifier: PictureClassifier,
    sent: SentPictures,
    scheme: Scheme,
    upload_bytes: int,
    preview_px: int | None,
) -> BatchAnswer:
    small = [each for each in sent.files if len(each[1]) <= upload_bytes]
    answers = iter(await classifier.classify_all(small, preview_px))
    entries = [
        _describe_entry(name, next(answers), scheme)
        if len(data) <= upload_bytes
        else BatchEntry(name=name, status=413, detail=explain_size(name, upload_bytes))
        for name, data in sent.files
    ]
    return BatchAnswer(
        pictures=entries, classified=sum(each.picture is not None for each in entries)
    )


def _describe_entry(
    name: str, answer: ClassifiedPicture | UnreadableImageError, scheme: Scheme
) -> BatchEntry:
    if isinstance(answer, UnreadableImageError):
        return BatchEntry(name=name, status=_status_of(answer), detail=str(answer))
    return BatchEntry(name=name, status=200, picture=_describe_picture(answer, scheme))


def _status_of(fault: UnreadableImageError) -> int:
    """Return the HTTP status of a picture that cannot be read: 415 for another kind of file."""
    # The second: its decoder is not installed here.
    is_other = isinstance(fault.__cause__, UnidentifiedImageError | ImportError)
    return 415 if is_other else 400


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
