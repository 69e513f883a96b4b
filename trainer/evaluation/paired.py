"""Two models on the same photos: where one is right and the other is not."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PairedAnswers:
    """What two models have apart.

    Attributes:
        photos: That both answered.
        first_alone, second_alone: Photos on which one alone is right.
        p_value: How often so uneven a split, or a more uneven one, comes by chance between two
            models that are equally good; as if photos were independent.
    """

    photos: int
    first_alone: int
    second_alone: int
    p_value: float


def compare_answers(first: Mapping[str, bool], second: Mapping[str, bool]) -> PairedAnswers | None:
    """Compare two models photo by photo.

    Args:
        first, second: Whether the answer to each photo was right, by path.

    Returns:
        None where they did not answer the same photos.

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
    """Return the two-sided p of a fair coin, exact, as SciPy computes it.

    Args:
        ones, others: Number of times that each side came.
    """
    from scipy.stats import binomtest

    throws = ones + others
    return float(binomtest(ones, throws).pvalue) if throws else 1.0
