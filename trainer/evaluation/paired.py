"""Compare two models photo by photo: where one is right and the other is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PairedAnswers:
    """The photos on which two models differ.

    Attributes:
        photos: Number of photos that both answered.
        first_alone, second_alone: Number of photos on which only one of them is right.
        p_value: Probability that two equally good models differ at least as much by chance, as if
            photos were independent.
    """

    photos: int
    first_alone: int
    second_alone: int
    p_value: float


def compare_answers(first: Mapping[str, bool], second: Mapping[str, bool]) -> PairedAnswers | None:
    """Compare two models photo by photo.

    Args:
        first: True for each photo that the first model has right, by path.
        second: The same for the second model.

    Returns:
        The comparison, or None where they did not answer the same photos.

    Source:
        McNemar, Psychometrika 12 (1947), in its exact form: a sign test.
    """
    if not first or first.keys() != second.keys():
        return None
    first_alone = sum(right and not second[path] for path, right in first.items())
    second_alone = sum(second[path] and not right for path, right in first.items())
    return PairedAnswers(
        len(first), first_alone, second_alone, sign_test(first_alone, second_alone)
    )


def sign_test(ones: int, others: int) -> float:
    """Return the exact two-sided p-value of a fair coin.

    Args:
        ones: Number of times that one side came up.
        others: Number of times that the other side came up.
    """
    from scipy.stats import binomtest

    throws = ones + others
    return float(binomtest(ones, throws).pvalue) if throws else 1.0
