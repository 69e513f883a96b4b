"""The class that a folder's name probably means: "Mask Old" and "maskold" are mask_old. Pure."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from maskage.classes.scheme import PhotoClass, Scheme

_NEAR = 0.75
"""Least likeness of two names, 0 to 1, as `difflib` measures it: one slip in a short word."""

_NEGATIONS = frozenset(("no", "non", "not", "without"))
_FILLERS = frozenset(
    ("with", "a", "an", "the", "of", "in", "is", "wearing", "class", "photo", "picture", "image",
     "face", "people", "person")
)  # fmt: skip
"""Words that say nothing of the class."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def sure_class(name: str, scheme: Scheme) -> str | None:
    """Return the only class that a name is spelled like, but for case, order and small words.

    None where none is, or more than one.
    """
    wanted = _spellings(name)
    found = [each.folder for each in scheme if not wanted.isdisjoint(_spellings_of(each))]
    return found[0] if len(found) == 1 else None


def close_classes(name: str, scheme: Scheme) -> tuple[str, ...]:
    """Return the classes that a name may mean, in class order; maybe none."""
    if sure := sure_class(name, scheme):
        return (sure,)
    return tuple(each.folder for each in scheme if _is_close(name, each))


def _is_close(name: str, each: PhotoClass) -> bool:
    words = set(_words(name))
    own = set(_words(each.folder))
    if words and own and (words <= own or own <= words):
        return True
    return any(
        SequenceMatcher(None, one, other).ratio() >= _NEAR
        for one in _spellings(name)
        for other in _spellings_of(each)
    )


def _spellings_of(each: PhotoClass) -> set[str]:
    return _spellings(each.folder) | _spellings(each.title)


def _spellings(name: str) -> set[str]:
    """Return a name as it is compared: its words in a row, and sorted."""
    words = _words(name)
    return {"".join(words), " ".join(sorted(words))} - {""}


def _words(name: str) -> list[str]:
    words = [_singular(word.casefold()) for word in _WORD.findall(_HUMP.sub(" ", name))]
    joined = list(_join_negations(words))
    return [word for word in joined if word not in _FILLERS] or joined


def _singular(word: str) -> str:
    """Return "mask" for "masks"; what becomes no word ("glasses") does so in every name."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _join_negations(words: Iterable[str]) -> Iterable[str]:
    """Yield words with each negation as the beginning of the next: "without mask" is "nomask"."""
    is_negated = False
    for word in words:
        if word in _NEGATIONS:
            is_negated = True
        elif is_negated and word not in _FILLERS:
            yield f"no{word}"
            is_negated = False
        else:
            yield word
    if is_negated:
        yield "no"
