"""The errors of the toolchain, and the exit code that each ends a command with.

    ToolchainError                  1
    ├── UsageError                  2   the command line asks for something impossible
    ├── GateFailedError             3   a gate the user asked for (--strict, --fail-under) failed
    ├── DatasetError                4   the dataset is not usable
    │   ├── ManifestDamagedError        the manifest is damaged
    │   ├── UnreadableImageError        a file is not a complete picture
    │   └── FaceOutsideFrameError       a box lies outside its picture
    ├── EnvironmentProblemError     5   camera, display, disk, missing download
    │   ├── CameraError                 a source cannot be opened, or was lost
    │   │   └── CameraLoginError            a camera asks for a name and password, or refuses them
    │   ├── PhotoNotSavedError          a photo could not be saved
    │   │   └── ManifestGoneError           the open manifest was deleted or replaced
    │   └── MissingDownloadError        a file is missing and cannot be downloaded
    ├── ModelRefusedError           6   a bundle or model file must not be run
    └── InUseError                 75   another process writes to the same folder
        └── DatasetInUseError           ... to the dataset

Every message says what was wrong, what was found, and what to do next.
"""

from typing import ClassVar

from maskage.outside_text import join_lines


class ToolchainError(Exception):
    """The base of all errors that the toolchain raises; `exit_code` is what the command returns.

    Args:
        lines: Lines of the message. Quoted names and answers of servers are escaped, so that they
            can neither move the cursor nor start a new line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)

    def __str__(self) -> str:
        return join_lines(self.args)


class UsageError(ToolchainError):
    """The command line asks for something impossible."""

    exit_code = 2


class GateFailedError(ToolchainError):
    """A gate the user asked for failed."""

    exit_code = 3


class DatasetError(ToolchainError):
    """The dataset is not usable as it is."""

    exit_code = 4


class ManifestDamagedError(DatasetError):
    """The manifest is damaged or unreadable; the photos are safe.

    Args:
        message: Message for people.
        detail: The fault in a few words.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class UnreadableImageError(DatasetError):
    """A file is not a picture, is truncated, or is larger than the decoder accepts."""


class FaceOutsideFrameError(DatasetError):
    """A face box lies completely outside the picture that it is cut from."""


class EnvironmentProblemError(ToolchainError):
    """The machine lacks something: a camera, a display, disk space, a download."""

    exit_code = 5


class CameraError(EnvironmentProblemError):
    """A source of frames cannot be opened, or was lost."""


class CameraLoginError(CameraError):
    """A camera asks for a name and password, or refuses those in its address."""


class PhotoNotSavedError(EnvironmentProblemError):
    """A photo could not be saved. It was not counted, and no part of it is left."""


class ManifestGoneError(PhotoNotSavedError):
    """The manifest was deleted or replaced while it was open; the photo files are unchanged."""


class MissingDownloadError(EnvironmentProblemError):
    """A file that is downloaded once is missing and cannot be downloaded now."""


class ModelRefusedError(ToolchainError):
    """A model file or bundle must not be run."""

    exit_code = 6


class InUseError(ToolchainError):
    """Another process writes to the same folder."""

    exit_code = 75


class DatasetInUseError(InUseError):
    """Another process writes to the dataset."""
