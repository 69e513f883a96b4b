"""Any scheme, whatever its folders are called, survives every file that it travels in."""

import csv
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maskage.classes.colors import default_color
from maskage.classes.ready_made import READY_MADE, plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme
from maskage.dataset.class_changes import rename_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.bundle import ModelBundle, describe_file, load_bundle, write_bundle
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, parse_scheme
from maskage.formats.curated.class_weights import read_class_weights, write_class_weights
from maskage.formats.curated.curated_set import (
    SPLITS,
    digest_set,
    read_contents,
    read_curated,
    scheme_of_set,
)
from maskage.formats.curated.curation_file import CurationRecord, read_curation, write_curation
from maskage.formats.curated.plan_file import PlanRow, read_plan, write_plan
from maskage.formats.feature_cache import FeatureCache, feature_key
from maskage.formats.metadata_file import read_metadata
from maskage.formats.output_log import Kind, Output, log_output, read_outputs
from maskage.formats.run.predictions_file import count_predicted, predictions_of
from maskage.formats.run.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg
from maskage.records import Quality, Suggestion
from tests.conftest import draw_noise

ODD = (
    *("path", "label", "actual", "predicted", "total", "unsure", "train", "val", "test", "class"),
    *("CON", "nul", "Mask", "mask", "MASK", "a b", "=1+1", "+1", "-1", "@x", "'", '"', "o'brien"),
    *(
        'say "a"',
        "a,b",
        "a;b",
        "a\u00a0b",
        "#",
        "[x]",
        "{y}",
        "50%",
        "~",
        "~1",
        "*",
        "a~b",
        "$HOME",
    ),
    *(
        "`id`",
        "<b>",
        "&amp;",
        "true",
        "1979-05-27",
        "inf",
        "é",
        "e\u0301",
        "ß",
        "\u017f",
        "\u0131",
        "x" * 200,
    ),
    *(
        "ä" * 100,
        "כובע",
        "قناع",
        "😷",
        "👩‍⚕️",
        "日本",
        "shoot('x')",
        "a.b",
        "x.jpg",
        "0",
        "None",
        ":1",
    ),
    *(
        "\\x41".replace("\\", "%"),
        "./".strip("/") + "x"[:0] + "_",
        "a:b",
        "a|b",
        "a?b",
        "-",
        "--help",
    ),
)


def _is_folder(name: str) -> bool:
    try:
        PhotoClass(name, "x", "#000000")
    except ValueError:
        return False
    return True


NAMES = [name for name in ODD if _is_folder(name)]
FOLDERS = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf")), min_size=1, max_size=30),
).filter(_is_folder)
TITLES = st.one_of(st.sampled_from(NAMES), FOLDERS).filter(lambda text: len(text) <= 80)


@st.composite
def schemes(draw: st.DrawFn, most: int = 9) -> Scheme:
    """A scheme of 2 classes or more; with factors, not all combinations exist."""
    folders = draw(st.lists(FOLDERS, min_size=2, max_size=most, unique=True))
    keys = draw(st.permutations("abcdefghijklmnopqrstuvwxyz=#'\"\\ä"))
    names = draw(st.lists(TITLES, max_size=2, unique=True))
    values = tuple(draw(st.lists(TITLES, min_size=3, max_size=4, unique=True)))
    combinations = [
        dict(zip(names, each, strict=True)) for each in product(values, repeat=len(names))
    ]
    factors = dict.fromkeys(names, values) if len(folders) <= len(combinations) else {}
    return Scheme(
        tuple(
            PhotoClass(
                folder,
                draw(TITLES),
                default_color(number),
                draw(st.sampled_from((None, keys[number]))),
                draw(st.one_of(st.none(), st.integers(1, 1_000_000))),
                combinations[number] if factors else {},
            )
            for number, folder in enumerate(folders)
        ),
        factors,
    )


FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
ALL_ODD = [plain_scheme(NAMES[start : start + 30]) for start in range(0, len(NAMES), 30)]
TWINS = plain_scheme(["Mask", "mask", "MASK", "é", "e\u0301", "path", "=1+1", "unsure", "total"])


@given(schemes(most=20))
@example(TWINS)
@example(READY_MADE["mask-state-age"])
@settings(FEW, max_examples=100)
def test_classes_toml(scheme: Scheme) -> None:
    text = format_scheme(scheme)
    assert parse_scheme(text.encode()) == scheme
    assert parse_scheme(text.encode()).labels == scheme.labels
    assert format_scheme(parse_scheme(text.encode())) == text


def test_every_odd_name_is_a_class() -> None:
    assert len(NAMES) > 60
    for scheme in ALL_ODD:
        assert parse_scheme(format_scheme(scheme).encode()) == scheme


@given(schemes())
@example(TWINS)
@example(ALL_ODD[0])
@FEW
def test_a_dataset_and_its_manifest(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        root.mkdir(mode=0o700)
        (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
        with PhotoStore(root) as store:
            assert store.scheme == scheme
            saved = [
                store.add(draw_noise(0, 32), label, subject="p1", quality=Quality(1.0, 1.0, 0.0, 9))
                for label in scheme.labels
            ]
            labels = [*scheme.labels[1:], scheme.labels[0]]
            store.suggest(
                (photo, Suggestion(label, 0.5)) for photo, label in zip(saved, labels, strict=True)
            )
            store.apply([store.relabelling(saved[0], scheme.labels[1])])
        found = list_photos(root)
        assert sorted(photo.label for photo in found) == sorted(
            [scheme.labels[1], *scheme.labels[1:]]
        )
        suggested = sorted(photo.suggestion.label for photo in found if photo.suggestion)
        assert suggested == sorted(scheme.labels)
        assert read_rows(root).present.keys() == {photo.path for photo in found}
        assert examine(root).is_clean
        rename_class(root, scheme.labels[1], "a new name")
        assert {photo.label for photo in list_photos(root)} == {
            "a new name",
            *scheme.labels[2:],
        }
        assert examine(root).is_clean
        log_output([root], Output(root / scheme.labels[0], Kind.PICTURES))
        assert [each.path for each in read_outputs(root)] == [root / scheme.labels[0]]


def fill_set(folder: Path, labels: Sequence[str]) -> None:
    data = encode_jpeg(draw_noise(1, 16))
    for split in SPLITS:
        for label in labels:
            (folder / split / label).mkdir(parents=True)
            (folder / split / label / "a.jpg").write_bytes(data)


@given(schemes())
@example(TWINS)
@example(ALL_ODD[1])
@FEW
def test_a_curated_set(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve() / "curated"
        fill_set(folder, scheme.labels)
        (folder / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
        rows = [
            PlanRow(f"{label}/a.jpg", label, True, split, f"g of {label}", "", f"{label}/b.jpg")
            for split in SPLITS
            for label in scheme.labels
        ]
        write_plan(folder, rows)
        assert list(read_plan(folder)) == rows
        record = CurationRecord(folder, "1", scheme.labels, 7, {}, ())
        write_curation(folder, record, folder)
        read = read_curation(folder, scheme.labels)
        assert read is not None
        assert read.classes == scheme.labels
        weights = {label: 0.5 + number for number, label in enumerate(scheme.labels)}
        write_class_weights(folder, weights)
        assert read_class_weights(folder, scheme.labels) == weights
        curated = read_curated(folder)
        assert curated.scheme == scheme
        assert sorted(photo.label for photo in curated.photos("val")) == sorted(scheme.labels)
        assert {photo.group for photo in curated.photos("val")} == {
            f"g of {label}" for label in scheme.labels
        }
        contents = read_contents(folder)
        assert contents.labels == scheme.labels
        assert len(contents.files) == 3 * len(scheme)
        assert contents.digest == digest_set(contents.files, scheme.labels[::-1])
        assert contents.digest != digest_set(contents.files, scheme.labels[1:])


@given(schemes())
@example(TWINS)
@example(ALL_ODD[0])
@FEW
def test_the_answers_and_metrics_of_a_run(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        run.write_scheme(scheme)
        assert run.scheme == scheme
        count = len(scheme)
        actual = np.arange(count)
        predictions = predictions_of(
            [f"test/{label}/a.jpg" for label in scheme.labels],
            actual,
            np.eye(count)[::-1],
            scheme.labels,
        )
        run.write_predictions(predictions)
        assert run.read_predictions() == predictions
        assert count_predicted(run.path, {f"{label}/a.jpg" for label in scheme.labels}) == count
        with (run.path / "predictions.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
        run.write_metrics({"per_class": {label: {"recall": 0.5} for label in scheme.labels}})
        assert tuple(run.read_metrics()["per_class"]) == scheme.labels


@given(schemes())
@example(TWINS)
@example(READY_MADE["mask-state"])
@FEW
def test_a_bundle(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "model.onnx").write_bytes(b"model")
        files = {"model.onnx": describe_file(folder / "model.onnx")}
        row = (1.0, *(0.0,) * (len(scheme) - 1))
        bundle = ModelBundle(
            folder, scheme, 64, 0.3, 1.0, 0.5, "0" * 64, {}, {}, files, (row, row, row)
        )
        write_bundle(bundle)
        read = load_bundle(folder)
        assert read.scheme == scheme
        assert replace(read, files=files) == bundle
        assert json.loads((folder / "bundle.json").read_bytes())["labels"] == list(scheme.labels)


@given(schemes())
@example(TWINS)
@example(ALL_ODD[0])
@FEW
def test_a_table_of_the_user_and_the_plan_as_one(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "m.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label"])
            writer.writerows([f"{n}.jpg", label] for n, label in enumerate(scheme.labels))
        found = read_metadata(path, ["label"], scheme.labels)
        assert [row.label for row in found.values()] == list(scheme.labels)
        write_plan(path.parent, [PlanRow(f"{label}/a.jpg", label, True) for label in scheme.labels])
        found = read_metadata(path.parent / "plan.csv", ["label"], scheme.labels)
        assert {path: row.label for path, row in found.items()} == {
            f"{label}/a.jpg": label for label in scheme.labels
        }


@given(schemes())
@FEW
def test_features_are_kept_of_photos_of_any_class(scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as place:
        keys = [feature_key(f"{number:064x}", 0) for number in range(len(scheme))]
        for label in scheme.labels:
            cache = FeatureCache(Path(place) / label)
            cache.add({key: np.full(2, n, np.float32) for n, key in enumerate(keys)})
            assert FeatureCache(Path(place) / label)[keys[1]].tolist() == [1.0, 1.0]


@given(st.lists(FOLDERS, min_size=2, max_size=9, unique=True))
@FEW
def test_a_strangers_set_has_the_classes_of_its_folders(folders: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        fill_set(Path(place), folders)
        assert set(scheme_of_set(Path(place)).labels) == set(folders)
        assert scheme_of_set(Path(place)).labels == tuple(sorted(folders))
