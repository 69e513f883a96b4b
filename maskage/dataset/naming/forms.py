"""The forms of names that name a person, each a function from all names to keys. Pure."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from maskage.dataset.naming.spread import (
    MANY_KEYS,
    Keys,
    PhotoName,
    Plain,
    spread_of,
)
from maskage.dataset.naming.words import is_of_stock, is_plain_word, words_in

_LEADING_NUMBER = re.compile(r"\d{1,9}(?!\d)")
_GAPS = re.compile(r"[\s_.\-()+,\[\]]+")
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_HEX = re.compile(r"[0-9a-f]{5,}", re.IGNORECASE)
_DIGEST = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{8,}", re.IGNORECASE)
_DATE = re.compile(
    r"(19|20)\d{2}([-_.]?(0[1-9]|1[0-2])([-_.]?([0-2]\d|3[01]))?)?([T _-]?\d{2}[-_.:]?\d{2}.*)?$"
)

_IDENTITIES = frozenset(
    re.findall(
        r"\w+",
        "person people human subject subj sub participant volunteer patient student identity id "
        "user actor model p s n m f",
    )
)
_SURE_IDENTITIES = frozenset(
    ("subject", "subj", "participant", "volunteer", "patient", "student", "identity")
)
"""Words behind which a number is a person even where nothing follows."""

_NUMBER_AND_MARKS = re.compile(
    r"(?P<key>\d{1,8})(?:(?P<mark>(?:[\s_.-]+[^\W\d_]+\d?)+)(?:[\s_.-]\d)?)?"
)
_CODE = re.compile(
    r"(?P<word>[^\W\d_]{1,12})(?P<gap>[ _.-]?)(?P<number>\d{1,8})(?P<rest>[ _.(-].+)?"
)
_NUMBER_AND_MORE = re.compile(r"(?P<key>\d{1,8})(?:[ _.-][A-Za-z]?|[A-Za-z])\d.*")

_PUBLIC = (
    re.compile(r"[AB](?P<key>[FM]\d{2})(AF|AN|DI|HA|NE|SA|SU)(FL|FR|HL|HR|S)"),  # KDEF
    re.compile(r"Rafd\d{3}_(?P<key>\d{2})_\w+_\w+_\w+_\w+"),  # Radboud Faces
    re.compile(r"(?P<key>[A-Z]{2})\.[A-Z]{2}\d\.\d+"),  # JAFFE
)
"""Forms of published sets in which the person is not what comes first."""


def _none(photos: Sequence[PhotoName]) -> Keys:
    return [None] * len(photos)


def _same_case(keys: Keys) -> Keys:
    """Return keys that differ only in their capital letters as the first of them is written."""
    first: dict[str, str] = {}
    return [key if key is None else first.setdefault(key.casefold(), key) for key in keys]


def _by_folder(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    depth = max((len(photo.folders) for photo in photos), default=0)
    for level in range(depth):
        keys = [_folder_key(photo.folders[level], plain) for photo in photos]
        if _are_buckets([photo.stem for photo in photos], keys):
            continue
        spread = spread_of(photos, keys)
        is_code = any(key is not None and any(map(str.isdecimal, key)) for key in keys)
        if spread.is_clear(is_asked, least=0.6, is_code=is_code, is_counted=spread.keys >= 5):
            return keys
    return _none(photos)


def _are_buckets(stems: Sequence[str], keys: Keys) -> bool:
    """Return whether folders hold photos by their numbers: `01000/01042.png`, as FFHQ does."""
    starts = sorted({int(key) for key in keys if key is not None and key.isdecimal()})
    at_home = read = 0
    for stem, key in zip(stems, keys, strict=True):
        number = _LEADING_NUMBER.match(stem)
        if key is not None and key.isdecimal() and number:
            read += 1
            at_home += starts[max(0, bisect_right(starts, int(number[0])) - 1)] == int(key)
    return read > 0 and at_home >= 0.9 * read


def _folder_key(folder: str, plain: Plain) -> str | None:
    words = words_in(folder)
    is_plain = bool(words) and all(word in plain or is_plain_word(word) for word in words)
    # "person_03" is a plain word with a number, and names a person.
    is_coded = any(word in _IDENTITIES for word in words) and any(map(str.isdecimal, folder))
    return None if not folder or _is_date(folder) or (is_plain and not is_coded) else folder


def _is_date(text: str) -> bool:
    return _DATE.match(text) is not None


def _by_public_form(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    for form in _PUBLIC:
        found = [form.fullmatch(photo.stem) for photo in photos]
        keys = [match["key"] if match else None for match in found]
        spread = spread_of(photos, keys)
        if spread.keys >= 3 and spread.photos >= 0.8 * spread.of:
            return keys
    return _none(photos)


def _by_marks(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    """Read `00042.png`, `00042_Mask.jpg` and `00042_Mask_Chin.jpg` as photos of 00042."""
    found = [_NUMBER_AND_MARKS.fullmatch(photo.stem) for photo in photos]
    keys = [match["key"] if match and not _is_date(match["key"]) else None for match in found]
    marks: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for photo, key, match in zip(photos, keys, found, strict=True):
        if key is not None and match:
            marks[key].append((" ".join(words_in(match["mark"] or "")), photo.label))
    several = {key: of_key for key, of_key in marks.items() if len(of_key) > 1}
    words = {mark for of_key in marks.values() for mark, _ in of_key} - {""}
    if not words:
        return keys if _are_shared(several, marks) else _none(photos)
    spread = spread_of(photos, keys)
    if not spread.is_clear(is_asked, least=0.3):
        return _none(photos)
    varied = sum(len(set(of_key)) == len(of_key) for of_key in several.values())
    bare = sum("" in dict(of_key) for of_key in several.values())
    is_look = all(word in plain or is_plain_word(word) for mark in words for word in mark.split())
    # With a bare name beside it, a mark is what somebody did to that photo. Without one, a number
    # may be a counter for each class, and the mark the class.
    is_derived = bare >= len(several) / 2 or (is_look and not _are_counters(marks))
    is_clear = is_derived and varied >= 0.8 * len(several) and len(words) <= len(several)
    return keys if is_clear or is_asked else _none(photos)


def _are_counters(marks: dict[str, list[tuple[str, str]]]) -> bool:
    """Return whether the mark is the class, and the numbers of each class count up from 0 or 1."""
    marks_of: dict[str, set[str]] = defaultdict(set)
    numbers: dict[str, set[int]] = defaultdict(set)
    for key, of_key in marks.items():
        for mark, label in of_key:
            marks_of[label].add(mark)
            numbers[label].add(int(key))
    is_class = all(len(found) == 1 for found in marks_of.values())
    return is_class and all(_is_dense(found) for found in numbers.values())


def _is_dense(numbers: set[int]) -> bool:
    return (max(numbers) + 1) <= 2 * len(numbers)


def _are_shared(
    several: dict[str, list[tuple[str, str]]], marks: dict[str, list[tuple[str, str]]]
) -> bool:
    """Return whether the same numbers are in several classes though most numbers are in none.

    People number the photos of every class from 1, so that only numbers with gaps can say it.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    for key, of_key in marks.items():
        for _, label in of_key:
            numbers[label].add(int(key))
    is_sparse = not any(map(_is_dense, numbers.values()))
    return is_sparse and len(several) >= MANY_KEYS and len(several) >= len(marks) / 2


def _by_name(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    """Read `anna_003.jpg`, `Aaron_Peirsol_0001.jpg`, `53_Robert_De_Niro_0001.jpg`."""
    if _are_digests(photos):
        return _none(photos)
    keys = _same_case([_person_in(photo.stem, plain) for photo in photos])
    spread = spread_of(photos, keys)
    least = 0.3 if spread.keys >= MANY_KEYS else 0.6
    is_counted = spread.keys < MANY_KEYS and _are_counted(photos, keys)
    is_clear = spread.is_clear(is_asked, least=least, is_code=False, is_counted=is_counted)
    return keys if is_clear else _none(photos)


def _are_counted(photos: Sequence[PhotoName], keys: Keys) -> bool:
    """Return whether the photos of each key in several photos are numbered from 0 or 1."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for photo, key in zip(photos, keys, strict=True):
        found = [int(run) for run in _runs_in(photo.stem) if run.isdecimal()]
        if key is not None and found:
            numbers[key].append(found[-1])
    several = [set(found) for found in numbers.values() if len(found) > 1]
    return bool(several) and all(map(_is_dense, several))


def _are_digests(photos: Sequence[PhotoName]) -> bool:
    """Return whether most stems are digits of digests, some of them with a digit at the front."""
    found = [photo.stem for photo in photos if _HEX.fullmatch(photo.stem)]
    mixed = sum(stem[0].isdecimal() and not stem.isdecimal() for stem in found)
    return len(found) > len(photos) / 2 and mixed > len(found) / 5


def _person_in(stem: str, plain: Plain) -> str | None:
    """Return the words of a name that are not plain: those before its number, or behind it."""
    if is_of_stock(stem):
        return None
    words: list[str] = []
    for run in _runs_in(stem):
        if run.isdecimal():
            if words:
                break
        elif run == "#":
            break
        else:
            words.append(run)
    while words and _is_plain(words[0], plain):
        words.pop(0)
    while words and _is_plain(words[-1], plain):
        words.pop()
    is_name = (
        bool(words) and len(words) <= 4 and (len("".join(words)) > 1 or not words[0].isascii())
    )
    return "_".join(words) if is_name else None


def _is_plain(word: str, plain: Plain) -> bool:
    return word.casefold() in plain or is_plain_word(word.casefold())


def _runs_in(stem: str) -> Iterator[str]:
    """Yield the runs of letters and of digits in a stem; "#" for a part drawn at random."""
    for part in _GAPS.split(stem):
        if part.isdecimal() or part.isalpha():
            yield part
            continue
        runs = _RUNS.findall(part)
        if len(runs) > 3 or _DIGEST.fullmatch(part):
            yield "#"
        else:
            yield from runs


def _by_code(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    """Read `s01-2.jpg`, `n000001_0001_01.jpg`, `person_3_12.jpg`, `subject01.glasses`."""
    keys = _same_case([_code_in(photo.stem, plain) for photo in photos])
    is_clear = spread_of(photos, keys).is_clear(is_asked, least=0.6)
    return keys if is_clear else _none(photos)


def _code_in(stem: str, plain: Plain) -> str | None:
    found = _CODE.fullmatch(stem)
    if not found or is_of_stock(stem) or _is_date(found["number"]) or _has_digest(stem):
        return None
    word = found["word"].casefold()
    if word not in _IDENTITIES and (found["gap"] or _is_plain(word, plain)):
        return None
    if not found["rest"] and word not in _SURE_IDENTITIES:
        return None
    return f"{found['word']}{found['gap']}{found['number']}"


def _has_digest(stem: str) -> bool:
    return any(_DIGEST.fullmatch(part) for part in _GAPS.split(stem))


def _by_number(photos: Sequence[PhotoName], plain: Plain, is_asked: bool) -> Keys:
    """Read `001_02.jpg`, `00001_930831_fa_a.jpg`, `009055_1M54.jpg`, `001A02.jpg`."""
    found = [_NUMBER_AND_MORE.fullmatch(photo.stem) for photo in photos]
    keys = [match["key"] if match and not _is_date(match["key"]) else None for match in found]
    widths = Counter(len(key) for key in keys if key is not None)
    if not widths:
        return keys
    width = widths.most_common(1)[0][0]
    is_padded = width >= 3 and any(key is not None and key.startswith("0") for key in keys)
    if is_padded:
        keys = [key if key is not None and len(key) == width else None for key in keys]
    elif not is_asked:
        # An age, an index of the class or of the picture begins a name in the same way.
        return _none(photos)
    spread = spread_of(photos, keys)
    is_clear = spread.is_clear(is_asked, least=0.6) and (is_asked or spread.keys >= 5)
    return keys if is_clear else _none(photos)


FORMS: dict[str, Callable[[Sequence[PhotoName], Plain, bool], Keys]] = {
    "folder": _by_folder,
    "published set": _by_public_form,
    "NUMBER_mark": _by_marks,
    "NAME_number": _by_name,
    "CODE_number": _by_code,
    "NUMBER_number": _by_number,
}
"""The forms of names, the surest first; each reads the names that those before it left."""
