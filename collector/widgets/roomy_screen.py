"""The sizes at which a screen's layout changes, and the notice where it is too small."""

from typing import Any, TypeVar

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from collector.widgets.pixel_widget import PixelWidget

MIN_COLUMNS, MIN_ROWS = 60, 20

Result = TypeVar("Result")


class RoomyScreen(Screen[Result]):
    """A screen whose style classes tell how much room there is: `-narrow`, `-tall` and so on."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (MIN_COLUMNS, "-narrow"),
        (100, "-wide"),
        (140, "-broad"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"),
        (MIN_ROWS, "-low"),
        (24, "-short"),
        (34, "-tall"),
    ]

    def on_screen_suspend(self) -> None:
        """Something covers this screen: raw lines give way to styled ones."""
        self._redraw_pixels()

    def on_screen_resume(self) -> None:
        """And back."""
        self._redraw_pixels()

    def _redraw_pixels(self) -> None:
        for widget in self.query(PixelWidget):
            widget.refresh()

    @property
    def is_too_small(self) -> bool:
        """The terminal has room for the notice only."""
        columns, rows = self.app.size
        return columns < MIN_COLUMNS or rows < MIN_ROWS


class TooSmall(Widget):
    """The notice with the terminal's size and the size needed; the style sheet shows it."""

    ALLOW_SELECT = False

    def __init__(self, way_out: str, **options: Any) -> None:
        super().__init__(**options)
        self._way_out = way_out

    def render(self) -> Content:
        """Draw the text of the widget."""
        columns, rows = self.app.size
        return Content(
            f"The terminal is {columns}x{rows}.\nAt least {MIN_COLUMNS}x{MIN_ROWS} is needed:\n"
            f"make it larger, or its letters smaller.\n\n{self._way_out}"
        )
