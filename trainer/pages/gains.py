"""The part of a run's page that says what the new photos bought."""

from typing import TYPE_CHECKING

from maskage.classes.scheme import Scheme
from maskage.pages.page import Card, fill
from trainer.evaluation.gains import Gain, Gains, describe_change, describe_split
from trainer.pages.figures import describe_factor, name_class

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "trainer/pages/gains.html"


def gains_card(gains: Gains | None, scheme: Scheme) -> Card:
    """Return the card; empty for a run that was started from none.

    Args:
        gains: What the run won.
        scheme: Its classes.
    """
    title = "What the new photos bought"
    if gains is None:
        return Card("gains", title, "")
    changes: list[list[str | Markup]] = [
        [
            name_class(scheme, label) if label in scheme else label,
            *(f"{count:,}" for count in (each.new, each.corrected, each.removed)),
        ]
        for label, each in gains.changes.items()
    ]
    body = fill(
        TEMPLATE,
        "gains",
        name=gains.name,
        photos=gains.photos,
        kind=describe_split(gains.split),
        columns=["", "photos", "before", "after", "change", "only before", "only after", ""],
        rows=[_row(each, scheme) for each in gains.rows],
        removed=", ".join(gains.removed),
        change_columns=["class", "new", "corrected to it", "taken out"],
        changes=changes,
        no_news=not any(
            each.new or each.corrected or each.removed for each in gains.changes.values()
        ),
    )
    return Card("gains", title, body)


def _row(each: Gain, scheme: Scheme) -> list["str | Markup"]:
    name: str | Markup = each.name
    if each.kind == "class":
        name = name_class(scheme, each.name)
    elif each.kind == "factor":
        name = describe_factor(each.name, scheme)
    return [
        name,
        f"{each.photos:,}",
        "" if each.before is None else f"{each.before:.1%}",
        f"{each.after:.1%}",
        describe_change(each.change),
        f"{each.only_before:,}",
        f"{each.only_after:,}",
        fill(TEMPLATE, "verdict", text=each.verdict, kind=each.verdict),
    ]
