"""What everything shares that is closed at the end of a `with` block."""

from types import TracebackType
from typing import Self


class ClosingMixin:
    """Gives `with` to what has a `close`; a subclass says in its own words what that does."""

    def close(self) -> None:
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
