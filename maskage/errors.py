"""What can go wrong, and the exit code each fault ends a command with.

    ToolchainError                  1
    ├── UsageError                  2   the command line asks for something that cannot be
    ├── GateFailedError             3   a gate the user asked for (--strict, --fail-under) failed
    ├── DatasetError                4   the dataset is not usable
    │   ├── ManifestDamagedError        the manifest is not what one can be
    │   ├── UnreadableImageError        one file is not a picture, or only half of one
    │   └── FaceOutsideFrameError       a box that lies wholly outside its picture
    ├── EnvironmentProblemError     5   camera, display, disk, missing download
    │   ├── CameraError                 a source cannot be opened, or was lost
    │   │   └── CameraLoginError            a camera refuses the name and password, or wants some
    │   ├── PhotoNotSavedError          the disk refused a photo; nothing was acknowledged
    │   │   └── ManifestGoneError           the open manifest was deleted or replaced
    │   └── MissingDownloadError        a file that is fetched once is not here and cannot be had
    ├── ModelRefusedError           6   a bundle or model file that must not be run
    └── InUseError                 75   another process writes to the same folder
        └── DatasetInUseError           ... to the dataset

Every message says what was wrong, what was found, and what to do next.
"""

from typing import ClassVar

from maskage.outside_text import join_lines


class ToolchainError(Exception):
    """Base of every fault the toolchain knows; `exit_code` is what the command returns.

    Args:
        lines: The message, in one or more lines. What they quote (names, answers of servers) is
            shown so that it can neither move the cursor nor begin a line of its own.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)

    def __str__(self) -> str:
        return join_lines(self.args)


class UsageError(ToolchainError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class GateFailedError(ToolchainError):
    """A gate the user asked for failed."""

    exit_code = 3


class DatasetError(ToolchainError):
    """The dataset is not usable as it lies."""

    exit_code = 4


class ManifestDamagedError(DatasetError):
    """The manifest holds what none of ours can, or cannot be read; the photos are safe.

    Args:
        message: For people.
        detail: What is wrong with it, in a few words.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class UnreadableImageError(DatasetError):
    """A file is not a picture, is cut short, or is larger than the decoder accepts."""


class FaceOutsideFrameError(DatasetError):
    """A face box lies wholly outside the picture it is to be cut from."""


class EnvironmentProblemError(ToolchainError):
    """The machine lacks something: a camera, a display, disk space, a download."""

    exit_code = 5


class CameraError(EnvironmentProblemError):
    """A source of frames cannot be opened, or was lost."""


class CameraLoginError(CameraError):
    """A camera refuses the name and password of its address, or wants some."""


class PhotoNotSavedError(EnvironmentProblemError):
    """The disk refused a photo. It was not acknowledged, and no half of it is left."""


class ManifestGoneError(PhotoNotSavedError):
    """The manifest was deleted or replaced while it was open. Photo files stay where they are."""


class MissingDownloadError(EnvironmentProblemError):
    """A file that is fetched once is not here and cannot be fetched now."""


class ModelRefusedError(ToolchainError):
    """A model file or bundle that must not be run."""

    exit_code = 6


class InUseError(ToolchainError):
    """Another process writes to the same folder."""

    exit_code = 75


class DatasetInUseError(InUseError):
    """Another process writes to the dataset."""
