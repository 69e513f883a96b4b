"""The description of the interface for other programs: `/openapi.json`, and `/docs` to read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from pydantic.json_schema import models_json_schema

from detector.web.answers import AlarmEvent, FaultAnswer, ViewEvent
from maskage.pages.page import fill

_TEMPLATE = "detector/web/api_docs.html"
_REF = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")
_OPEN = frozenset(("/health",))
"""Paths that need no authentication."""

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_VIEW = {"$ref": f"{_REF}ViewEvent"}
_BODIES: dict[str, dict[str, dict[str, Any]]] = {
    "/stream.mjpg": {"multipart/x-mixed-replace": _BINARY},
    "/snapshot.jpg": {"image/jpeg": _BINARY},
    "/events": {"text/event-stream": _VIEW, "application/x-ndjson": _VIEW},
    "/history/alarms/{number}": {"image/jpeg": _BINARY},
    "/history/{kind}/{name}": {"image/jpeg": _BINARY, "video/mp4": _BINARY},
    "/metrics": {"text/plain": {"type": "string"}},
}
"""The bodies of answers to GET that are no JSON; the schema of a stream is that of one event."""

_FAULTS = {
    "400": "The request cannot be read.",
    "401": "No token, password or cookie came with it, or a wrong one.",
    "403": "It comes from a page of another site, or the person may not be photographed.",
    "404": "There is no such thing, or no camera.",
    "408": "It took too long to arrive.",
    "409": "It does not fit the present state.",
    "410": "It was there, and was deleted or moved.",
    "413": "It is too large.",
    "415": "It is of another kind.",
    "421": "It was sent to another host name.",
    "422": "A value in it is not valid.",
    "429": "Too many came at once; Retry-After says when to try again.",
    "500": "This is a bug in the program, or its model is not usable.",
    "503": "No place or picture is free; Retry-After says when to try again.",
}
_EVERYWHERE = ("401", "403", "421", "429", "500")
_FAULTS_OF = {
    "/classify": ("400", "408", "413", "415", "422", "503"),
    "/collect/sessions": ("408", "409", "413", "503"),
    "/commands": ("404", "408", "409", "413", "415", "422"),
    "/events": ("404", "422", "503"),
    "/history": ("404",),
    "/history/alarms/{number}": ("404",),
    "/history/{kind}/{name}": ("404", "409", "410"),
    "/signed-addresses": ("408", "413"),
    "/snapshot.jpg": ("404", "503"),
    "/stream.mjpg": ("404", "503"),
}


class DescribedApp(FastAPI):
    """An application whose description names who may come in, every answer and every event.

    Args:
        cookie_name: Name of the cookie that a password or the token is exchanged for.
        has_password: There is a password, which HTTP Basic may carry too.
        settings: As for `FastAPI`.
    """

    def __init__(self, *, cookie_name: str, has_password: bool, **settings: Any) -> None:
        super().__init__(docs_url=None, redoc_url=None, **settings)
        self._security_schemes = _security_schemes(cookie_name, has_password=has_password)
        self._is_described = False

    def openapi(self) -> dict[str, Any]:
        """Return the description, as OpenAPI 3.1."""
        described = super().openapi()
        if not self._is_described:
            self._is_described = True
            _complete(described, self._security_schemes)
        return described


def docs_routes(app: FastAPI) -> APIRouter:
    """Build the route of the page that shows the description of `app`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> Response:
        return Response(render_docs(app.openapi()), media_type="text/html; charset=utf-8")

    return router


@dataclass(frozen=True)
class _Row:
    """One line of a table: a parameter, a body, an answer or a field."""

    name: str
    kind: str
    text: str
    target: str = ""


@dataclass(frozen=True)
class _Operation:
    method: str
    path: str
    paragraphs: tuple[str, ...]
    is_open: bool
    parameters: tuple[_Row, ...]
    bodies: tuple[_Row, ...]
    answers: tuple[_Row, ...]


@dataclass(frozen=True)
class _Schema:
    name: str
    paragraphs: tuple[str, ...]
    fields: tuple[_Row, ...]


def render_docs(described: dict[str, Any]) -> str:
    """Return the page, without scripts, of a description in OpenAPI."""
    components = described.get("components", {})
    return str(
        fill(
            _TEMPLATE,
            "page",
            title=described["info"]["title"],
            paragraphs=_paragraphs(described["info"].get("description", "")),
            security=[
                _Row(name, scheme.get("scheme") or scheme["in"], scheme["description"])
                for name, scheme in components.get("securitySchemes", {}).items()
            ],
            operations=list(_operations(described)),
            schemas=[
                _describe_schema(name, schema)
                for name, schema in sorted(components.get("schemas", {}).items())
            ],
        )
    )


def describe_type(schema: dict[str, Any]) -> str:
    """Return the type of a JSON schema in a few words: "list of FaceAnswer or null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " or ".join(map(repr, schema["enum"]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(map(describe_type, schema[several]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {describe_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {describe_type(schema['additionalProperties'])}"
    return "file" if schema.get("format") == "binary" else kind


def _security_schemes(cookie_name: str, *, has_password: bool) -> dict[str, Any]:
    schemes: dict[str, Any] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token in the address that the program prints, or that of "
            "DETECTOR_TOKEN: `Authorization: Bearer TOKEN`.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name,
            "description": "The cookie that a browser gets for the token in the address, or for "
            "the password at /login.",
        },
    }
    if has_password:
        schemes["password"] = {
            "type": "http",
            "scheme": "basic",
            "description": "The password, with any user name.",
        }
    return schemes


def _complete(described: dict[str, Any], security_schemes: dict[str, Any]) -> None:
    """Add security, the bodies that are no JSON, faults and events to FastAPI's description."""
    components = described.setdefault("components", {})
    components["securitySchemes"] = security_schemes
    described["security"] = [{name: []} for name in security_schemes]
    schemas = components.setdefault("schemas", {})
    models = (AlarmEvent, FaultAnswer, ViewEvent)
    _, found = models_json_schema(
        [(model, "serialization") for model in models], ref_template=f"{_REF}{{model}}"
    )
    schemas |= found["$defs"]
    # A fault of validation is answered in one sentence instead (see `app`).
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in described["paths"].items():
        for method in _METHODS:
            if method in operations:
                _complete_operation(path, method, operations[method])


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    if path in _OPEN:
        operation["security"] = []
    answers = operation.setdefault("responses", {})
    if path in _BODIES and method == "get":
        bodies = _BODIES[path].items()
        answers["200"] = {
            "description": _describe_body(path),
            "content": {kind: {"schema": schema} for kind, schema in bodies},
        }
    checked = ("422",) if answers.pop("422", None) else ()
    fault = {"application/json": {"schema": {"$ref": f"{_REF}FaultAnswer"}}}
    everywhere = () if path in _OPEN else _EVERYWHERE
    for status in (*everywhere, *checked, *_FAULTS_OF.get(path, ())):
        answers.setdefault(status, {"description": _FAULTS[status], "content": fault})


def _describe_body(path: str) -> str:
    if path in ("/events", "/stream.mjpg"):
        return "The stream."
    return "The file." if path.startswith("/history/") else "The newest."


def _operations(described: dict[str, Any]) -> Iterator[_Operation]:
    for path, operations in described["paths"].items():
        for method in _METHODS:
            if method not in operations:
                continue
            operation = operations[method]
            answers = sorted(operation.get("responses", {}).items())
            yield _Operation(
                method.upper(),
                path,
                _paragraphs(operation.get("description") or operation.get("summary", "")),
                is_open=operation.get("security") == [],
                parameters=tuple(
                    _row(each["name"], each.get("schema", {}), each.get("description", ""))
                    for each in operation.get("parameters", ())
                ),
                bodies=tuple(_content_rows("", operation.get("requestBody", {}))),
                answers=tuple(
                    row for status, each in answers for row in _content_rows(status, each)
                ),
            )


def _content_rows(status: str, described: dict[str, Any]) -> Iterator[_Row]:
    """Yield one line for each media type of a body."""
    text = described.get("description", "")
    content = described.get("content", {})
    if not content and described:
        yield _Row(status, "", text)
    for kind, each in content.items():
        schema = each.get("schema", {})
        fields = ", ".join(schema.get("properties", {}))
        row = _row(
            f"{status} {kind}".strip(), schema, text or (f"Fields: {fields}" if fields else "")
        )
        yield row


def _row(name: str, schema: dict[str, Any], text: str) -> _Row:
    """Return a line whose type links to its schema."""
    kind = describe_type(schema)
    inner = schema
    while "items" in inner:
        inner = inner["items"]
    return _Row(name, kind, text, describe_type(inner) if "$ref" in inner else "")


def _describe_schema(name: str, schema: dict[str, Any]) -> _Schema:
    fields = tuple(
        _row(field, each, each.get("description", ""))
        for field, each in schema.get("properties", {}).items()
    )
    return _Schema(name, _paragraphs(schema.get("description", "")), fields)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
