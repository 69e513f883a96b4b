"""Spoil one part after the other, to show that a benchmark's goals would notice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from benchmarks.common.criteria import Goal, find_missed

T = TypeVar("T")


@dataclass(frozen=True)
class Saboteur(Generic[T]):
    """Constants that are spoilt, and the trial that must show it.

    Attributes:
        changes: Module, name of the constant, and its spoilt value.
        trial: What is then measured.
    """

    changes: Sequence[tuple[ModuleType, str, object]]
    trial: T


def try_saboteurs(
    saboteurs: Mapping[str, Saboteur[T]],
    measure: Callable[[T], Mapping[str, Any]],
    goals: Sequence[Goal],
) -> dict[str, dict[str, Any]]:
    """Measure with each saboteur at work; returns how each was noticed, for `goals.SELF_TEST`."""
    figures = {}
    for name, saboteur in saboteurs.items():
        with _spoilt(saboteur.changes):
            missed = find_missed(measure(saboteur.trial), goals)
        figures[name] = {"unnoticed": int(not missed), "noticed": missed[:1]}
    return figures


@contextmanager
def _spoilt(changes: Sequence[tuple[ModuleType, str, object]]) -> Iterator[None]:
    honest = [(module, name, getattr(module, name)) for module, name, _value in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in honest:
            setattr(module, name, value)
