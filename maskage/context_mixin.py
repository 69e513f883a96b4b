"""A mixin for objects that are closed at the end of a `with` block."""

from types import TracebackType
from typing import Self


class ClosingMixin:
    """A mixin that closes an object at the end of a `with` block; subclasses define `close`."""

    def close(self) -> None:
        """Release what the object holds."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
