"""Suggest other labels for photos that are probably labelled wrong.

Suggestions go into the manifest, like those of `detector suggest`, and the review screen shows
them. No photo is touched, and no label changes until a person accepts a suggestion.
"""

from curation.plan.plan import CurationPlan, Notice
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetInUseError, ToolchainError
from maskage.formats.dataset_folder import manifest_path


def flag_doubts(plan: CurationPlan) -> Notice | None:
    """Write the doubtful labels of a plan into the manifest of its dataset, if it has one.

    Returns:
        A notice of what to do next; None if no label is doubtful.
    """
    if not plan.doubtful:
        return None
    count = len(plan.doubtful)
    here = f"{count} {'label is' if count == 1 else 'labels are'} probably wrong; see the report"
    if not manifest_path(plan.root).is_file():
        return Notice(
            f"{here}. They are not flagged for `collector review`, because the dataset has no "
            f"manifest: open it there once, then check the labels again."
        )
    try:
        with PhotoStore(plan.root) as store:
            store.check({each.path: each.doubt for each in plan.doubtful if each.doubt})
    except DatasetInUseError:
        return Notice(
            f"{here}. They could not be flagged for `collector review`, because another program "
            f"writes to the dataset: close it, then check the labels again."
        )
    except ToolchainError as fault:
        return Notice(f"{here}. They could not be flagged for `collector review`: {fault}")
    return Notice(f"{here}, or check with `collector review {plan.root}`: d shows only these.")
