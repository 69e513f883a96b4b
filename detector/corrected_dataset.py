"""The dataset that a model's answers go into: it must have the model's classes."""

from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.store import PhotoStore
from maskage.errors import PhotoNotSavedError
from maskage.formats.classes.classes_file import (
    CLASSES_FILE,
    format_scheme,
    read_scheme,
    require_same_classes,
)
from maskage.system.faults import explain_fault
from maskage.system.files import save_new_file


def require_dataset_for(root: Path, scheme: Scheme, model: str) -> None:
    """Refuse a dataset whose class folders are not those of a model, in any order.

    A folder that is missing or empty is taken: a dataset with the model's classes is made there.

    Args:
        root: The dataset.
        scheme: The classes of the model.
        model: The model, for the message: "runs/masks/bundle".

    Raises:
        DatasetError: They differ, or the dataset's classes cannot be read.
    """
    if holds_something(root):
        require_same_classes(read_scheme(root), scheme.labels, f"{root}", f"the model {model}")


def open_dataset_for(root: Path, scheme: Scheme, model: str) -> PhotoStore:
    """Open a dataset for a model's answers; one that is missing is made with the model's classes.

    Raises:
        DatasetError: See `require_dataset_for`.
        DatasetInUseError, PhotoNotSavedError: See `PhotoStore`.
    """
    # The default classes need no file.
    if not holds_something(root) and read_scheme(root) != scheme:
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            save_new_file(root / CLASSES_FILE, format_scheme(scheme).encode())
        except OSError as fault:
            raise PhotoNotSavedError(
                f"{root}: the dataset folder cannot be made {explain_fault(fault)}"
            ) from fault
    require_dataset_for(root, scheme, model)
    return PhotoStore(root)


def holds_something(root: Path) -> bool:
    """Return True for a folder with anything in it."""
    return root.is_dir() and any(root.iterdir())
