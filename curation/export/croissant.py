"""croissant.json: a description of an export that dataset tools read, as JSON-LD.

Source: Croissant format specification 1.0, MLCommons.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from curation.export.facts import METADATA_FILE, ExportFacts
from curation.export.parquet import DATA
from maskage.formats.curated.export_file import PARQUET
from maskage.formats.sums import hash_file
from maskage.system.files import write_private

CROISSANT_FILE = "croissant.json"

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"width": "sc:Integer", "height": "sc:Integer"}
_MEANINGS = {
    "file_name": "Path of the picture in this folder.",
    "label": "Class of the picture, the folder that it lies in.",
    "split": "train, val or test.",
    "group": "Pictures of one group show one person or moment, and stay in one split.",
    "width": "Width, pixels.",
    "height": "Height, pixels.",
    "subject": "Pseudonym of the person.",
}
_MIME = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp"}
_JSON_LINES = "application/jsonlines"
_PARQUET = "application/x-parquet"


def write_croissant(folder: Path, facts: ExportFacts) -> None:
    """Write the description into the folder of an export whose other files are there.

    Raises:
        OSError: The disk refused.
    """
    is_parquet = facts.wishes.to == PARQUET
    values: dict[str, object] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": _name_of(facts.wishes.title),
        "description": describe_photos(facts),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": "1.0.0",
        **({"license": facts.wishes.licence} if facts.wishes.licence else {}),
        "distribution": _tables(folder) if is_parquet else _files(folder, facts),
        "recordSet": [_parquet_rows(facts)] if is_parquet else _record_sets(facts),
    }
    text = json.dumps(values, ensure_ascii=False, indent=2)
    write_private(folder / CROISSANT_FILE, f"{text}\n")


def describe_photos(facts: ExportFacts) -> str:
    """Return one sentence on how many photos of which classes there are."""
    titles = "; ".join(each.title for each in facts.source.scheme)
    return f"{len(facts.pictures)} photos of faces in {len(facts.source.scheme)} classes: {titles}."


def _name_of(title: str) -> str:
    """Return a title as a name that is allowed there: letters, digits, "-", "_" and "."."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in title)


def _file_object(folder: Path, name: str, mime: str) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": mime,
        "sha256": hash_file(folder / name),
    }


def _files(folder: Path, facts: ExportFacts) -> list[dict[str, object]]:
    found: dict[str, set[str]] = {}
    for each in facts.pictures:
        path = Path(each.file_name)
        pattern = "/".join((*["*"] * (len(path.parts) - 1), f"*{path.suffix}"))
        found.setdefault(path.suffix, set()).add(pattern)
    sets: list[dict[str, object]] = [
        {
            "@type": "cr:FileSet",
            "@id": _set_id(suffix),
            "name": _set_id(suffix),
            "encodingFormat": _MIME[suffix],
            "includes": sorted(patterns),
        }
        for suffix, patterns in sorted(found.items())
    ]
    return [_file_object(folder, METADATA_FILE, _JSON_LINES), *sets]


def _set_id(suffix: str) -> str:
    return f"pictures-{suffix.removeprefix('.')}"


def _tables(folder: Path) -> list[dict[str, object]]:
    paths = sorted((folder / DATA).iterdir())
    every: dict[str, object] = {
        "@type": "cr:FileSet",
        "@id": DATA,
        "name": DATA,
        "encodingFormat": _PARQUET,
        "includes": f"{DATA}/*.parquet",
    }
    return [*(_file_object(folder, f"{DATA}/{path.name}", _PARQUET) for path in paths), every]


def _record_sets(facts: ExportFacts) -> list[dict[str, object]]:
    source = {"fileObject": {"@id": METADATA_FILE}}
    fields = [
        _field("photos", name, _TYPES.get(name, "sc:Text"), {**source, "extract": {"column": name}})
        for name in facts.columns
    ]
    suffixes = sorted({Path(each.file_name).suffix for each in facts.pictures})
    return [_record_set("photos", fields), *map(_pictures_of, suffixes)]


def _pictures_of(suffix: str) -> dict[str, object]:
    name, source = _set_id(suffix), {"fileSet": {"@id": _set_id(suffix)}}
    return _record_set(
        f"{name}-content",
        [
            _field(
                f"{name}-content",
                "file_name",
                "sc:Text",
                {**source, "extract": {"fileProperty": "fullpath"}},
            ),
            _field(
                f"{name}-content",
                "image",
                "sc:ImageObject",
                {**source, "extract": {"fileProperty": "content"}},
            ),
        ],
    )


def _parquet_rows(facts: ExportFacts) -> dict[str, object]:
    source = {"fileSet": {"@id": DATA}}
    names = ["label", "group", *(["subject"] if facts.wishes.with_subjects else [])]
    fields = [
        _field(
            "photos",
            name,
            "sc:Integer" if name == "label" else "sc:Text",
            {**source, "extract": {"column": name}},
        )
        for name in names
    ]
    return _record_set("photos", fields)


def _record_set(name: str, fields: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": list(fields)}


def _field(owner: str, name: str, kind: str, source: Mapping[str, object]) -> dict[str, object]:
    return {
        "@type": "cr:Field",
        "@id": f"{owner}/{name}",
        "name": name,
        "description": _MEANINGS.get(name, "The picture."),
        "dataType": kind,
        "source": source,
    }
