"""The demo camera as a source: "demo", or "demo:mask-state" for the classes of that name."""

from maskage.classes.ready_made import READY_MADE
from maskage.classes.scheme import Scheme
from maskage.errors import CameraError
from maskage.outside_text import shown_text

DEMO_SOURCE = "demo"

_PREFIX = f"{DEMO_SOURCE}:"


def is_demo(source: str) -> bool:
    """Return True for a source that is the demo camera."""
    return source == DEMO_SOURCE or (source.startswith(_PREFIX) and "://" not in source)


def named_scheme(source: str) -> Scheme | None:
    """Return the ready-made classes that a demo source names; None if it names none.

    Raises:
        CameraError: There are no ready-made classes of that name.
    """
    if source == DEMO_SOURCE:
        return None
    name = source.removeprefix(_PREFIX)
    if name not in READY_MADE:
        # What has an @ may be an address with a password.
        shown = "" if "@" in name else f" {shown_text(name)!r}"
        raise CameraError(
            f"There are no ready-made classes{shown} that the demo camera could show. "
            f"Try {', '.join(_PREFIX + known for known in READY_MADE)}."
        )
    return READY_MADE[name]
