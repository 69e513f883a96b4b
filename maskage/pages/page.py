"""The shell of every page, and the way into the templates: one file, nothing fetched, all escaped.

A template is a file of Jinja macros that lies beside the module that fills it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskage.outside_text import shown_text

if TYPE_CHECKING:
    # Loaded when the first page is made: it costs every other command its time.
    from jinja2 import Environment
    from markupsafe import Markup

_SHELL = "maskage/pages/page.html"


@dataclass(frozen=True)
class Card:
    """A part of a page.

    Attributes:
        name: The end of its address (`report.html#name`).
        title: Its heading, plain text.
        body: HTML; empty for a part that is left out.
    """

    name: str
    title: str
    body: "Markup | str"


def fill(template: str, macro: str, **values: object) -> "Markup":
    """Fill one macro of a template.

    Args:
        template: Path of the file, from the folder of the packages: "maskage/pages/parts.html".
        macro: Name of the macro.
        values: Its arguments. Text is escaped unless a macro made it, and what moves a cursor or
            turns the direction of writing is shown as an escape (see `outside_text`).

    Raises:
        jinja2.UndefinedError: The macro needs a value that is not among `values`.
    """
    module: Any = _environment().get_template(template).module
    filled: Markup = getattr(module, macro)(**values)
    return filled


def render_page(
    title: str,
    lead: str,
    tiles: Sequence[tuple[str, str]],
    cards: Sequence[Card],
    *,
    notices: Sequence[tuple[str, str]] = (),
    pictures: Mapping[str, str] | None = None,
) -> str:
    """Return a whole page.

    Args:
        title: Its heading, plain text.
        lead: A sentence under it, plain text; may be empty.
        tiles: Figures and what they are, plain text.
        cards: In their order; one without a body is left out.
        notices: Kind ("fault", "advice" or "good") and plain text of each.
        pictures: Data address of each picture that cards show by a class name.
    """
    return _environment().get_template(_SHELL).render(
        title=title,
        lead=lead,
        tiles=tiles,
        cards=[card for card in cards if card.body],
        notices=notices,
        pictures=pictures or {},
    )  # fmt: skip


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def show(value: object) -> object:
        is_outside = isinstance(value, str) and not isinstance(value, Markup)
        return shown_text(value) if is_outside else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[2]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=show,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = "{:,}".format
    environment.filters["percent"] = "{:.1%}".format
    return environment
