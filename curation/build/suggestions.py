"""Suggest other labels for photos that are probably labelled wrong.

Opinions of the label check go into the manifest beside the suggestions of `detector suggest`, and
the review screen shows both. Each check replaces all opinions of the check before it. No photo is
touched, and no label changes until a person accepts an opinion.
"""

from curation.plan.plan import CurationPlan, Notice
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetInUseError, ToolchainError
from maskage.formats.dataset_folder import manifest_path


def flag_doubts(plan: CurationPlan) -> Notice | None:
    """Write the doubtful labels of a plan into the manifest of its dataset, if it has one.

    Opinions of an earlier check on other photos are withdrawn. A label that a person confirmed is
    not doubtful any more; the opinion on it is kept, for the gallery to show.

    Returns:
        A notice of what to do next; None if no label is or was doubtful, or none was checked.
    """
    if not plan.settings.check_labels:
        return None
    count = len(plan.doubtful)
    here = _describe(plan)
    opinions = {each.path: each.doubt for each in plan.originals if each.doubt}
    if not manifest_path(plan.root).is_file():
        return (
            Notice(
                f"{here}. They are not flagged for `collector review`, because the dataset has no "
                f"manifest: open it there once, then check the labels again."
            )
            if count
            else None
        )
    try:
        former = {each.path: each.check for each in list_photos(plan.root) if each.check}
        if former == opinions == {}:
            return None
        with PhotoStore(plan.root) as store:
            store.check(opinions)
    except DatasetInUseError:
        return Notice(
            f"{here}. That could not be noted for `collector review`, because another program "
            f"writes to the dataset: close it, then check the labels again."
        )
    except ToolchainError as fault:
        return Notice(f"{here}. That could not be noted for `collector review`: {fault}")
    withdrawn = len(former.keys() - opinions.keys())
    more = ""
    if withdrawn:
        words = "1 opinion" if withdrawn == 1 else f"{withdrawn} opinions"
        more = f" {words} of an earlier check {'is' if withdrawn == 1 else 'are'} withdrawn."
    if not count:
        return Notice(f"{here}.{more}") if more or plan.confirmed else None
    return Notice(
        f"{here}, or check with `collector review {plan.root}`: d shows only these, o sorts the "
        f"most harmful first. About {plan.expected_wrong} of them are expected to be wrong.{more}"
    )


def _describe(plan: CurationPlan) -> str:
    """Return how many labels are probably wrong, and how many of them a person confirmed."""
    count = len(plan.doubtful)
    words = f"{_labels(count)} doubtful; see the report" if count else "No label is doubtful"
    if plan.confirmed:
        words += f" ({len(plan.confirmed)} confirmed by you)"
    return words


def _labels(count: int) -> str:
    return f"{count} label{' is' if count == 1 else 's are'}"
