"""Values of JSON that somebody else wrote: any of them may be of another type than it should."""

import math


def as_dict(value: object) -> dict[str, object]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: object) -> list[dict[str, object]]:
    """Return the objects in a JSON list; none for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def as_list(value: object) -> list[object]:
    """Return a JSON list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a text or a whole number as text, without spaces around it; "" for anything else."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value).strip() if isinstance(value, str) or is_number else ""


def as_number(value: object) -> float:
    """Return a number, also one that is written as text; not a number for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def as_size(width: object, height: object) -> tuple[int, int] | None:
    """Return the size of a picture in px, or None where it is not stated."""
    numbers = as_number(width), as_number(height)
    if not all(map(math.isfinite, numbers)) or min(numbers) < 1:
        return None
    return round(numbers[0]), round(numbers[1])
