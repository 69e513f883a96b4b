import numpy as np
import pytest
from rich.cells import cell_len

from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.classes.scheme import Scheme
from tests.trainer.conftest import MOOD, OWN
from trainer.evaluation.metrics import Evaluation, evaluate_answers
from trainer.evaluation.score_tables import WIDEST_LINE, fit_width, format_confusion, format_heads


def answer(scheme: Scheme, said: np.ndarray) -> Evaluation:
    """Evaluate a model that was asked for each class twice."""
    count = len(scheme)
    chances = np.where(np.arange(count) == said[:, None], 0.9, 0.1 / (count - 1))
    return evaluate_answers(np.repeat(np.arange(count), 2), chances, scheme=scheme)


def test_classes_without_factors_have_no_accuracy_of_a_factor() -> None:
    result = answer(plain_scheme(["cat", "dog"]), np.array([0, 0, 1, 0]))
    held = result.as_dict()
    assert held["accuracy"] == 0.75
    assert held["factors"] == {}
    assert not {"mask_accuracy", "age_accuracy"} & held.keys()
    assert "mask" not in str(result)


def test_each_factor_has_its_accuracy_and_the_share_of_each_value() -> None:
    # Of the ten answers one has other glasses, and two have another mood.
    said = np.array([0, 1, 1, 2, 2, 2, 3, 3, 4, 3])
    result = answer(OWN, said)
    held = result.as_dict()["factors"]
    assert held["glasses"]["accuracy"] == 0.9
    assert held["glasses"]["values"] == {"off": 0.5, "clear": 1.0, "sun": 1.0}
    assert held[MOOD]["accuracy"] == 0.8
    assert held[MOOD]["values"] == pytest.approx({"calm": 5 / 6, "glad": 3 / 4})
    low, high = held["glasses"]["interval"]
    assert 0.5 < low < 0.9 < high < 1
    assert "glasses   90.00%" in str(result)


def test_a_class_that_is_called_like_an_average_keeps_its_line() -> None:
    result = answer(OWN, np.repeat(np.arange(5), 2))
    lines = [line for line in str(result).splitlines() if line.startswith("micro ")]
    assert [line.split()[-1] for line in lines[:2]] == ["2", "10"]


def test_the_matrix_of_the_four_has_their_names_above_it() -> None:
    counts = answer(MASK_AGE, np.repeat(np.arange(4), 2)).confusion
    lines = format_confusion(counts, MASK_AGE.labels).splitlines()
    assert lines[0].split() == ["true", "\\", "predicted", *MASK_AGE.labels]
    assert lines[1] == "mask_old                   2             0             0             0"


def test_a_matrix_of_many_classes_is_numbered_and_one_of_too_many_lists_mistakes() -> None:
    twelve = plain_scheme([f"a kind of photo {number}" for number in range(12)])
    text = format_confusion(answer(twelve, np.repeat(np.arange(12), 2)).confusion, twelve.labels)
    assert text.splitlines()[0].split() == ["true", "\\", "predicted", *map(str, range(1, 13))]
    assert text.splitlines()[12].startswith("12 a kind of photo 11")
    many = plain_scheme([f"{number} \u05e9\u05dc\u05d5\u05dd \U0001f600" for number in range(64)])
    said = np.repeat(np.arange(64), 2)
    said[:3] = [1, 1, 2]
    text = format_confusion(answer(many, said).confusion, many.labels)
    assert [line.split()[-1] for line in text.splitlines()[1:3]] == ["2", "1"]
    assert "matrix of all 64 classes" in text
    for each in text.splitlines():
        assert cell_len(each) <= WIDEST_LINE


def test_names_take_their_cells_whatever_their_letters() -> None:
    for name in (
        "a",
        "smile \U0001f600\U0001f600",
        "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57",
        "x" * 90,
        "\u202eevil",
    ):
        assert cell_len(fit_width(name, 10)) == 10
        assert fit_width(name, 10).endswith(" ")
        assert cell_len(format_heads({name: 12})) == 12
