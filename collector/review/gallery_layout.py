"""The layout of a gallery's tiles, and where a step leads. Pure geometry, in cells."""

from dataclasses import dataclass

LABEL_ROWS = 1
GAP_COLUMNS = 1


def fit_side(columns: int, rows: int, wanted: int) -> int:
    """Return the side near `wanted`, in cells, that fills the width and loses no line of tiles."""
    plain = Grid(columns, rows, wanted)
    side = (columns + GAP_COLUMNS) // plain.across - GAP_COLUMNS
    while side > wanted and Grid(columns, rows, side).down < plain.down:
        side -= 1
    return max(1, min(side, columns))


@dataclass(frozen=True)
class Grid:
    """A gallery of equal tiles: a square picture with a line of text below.

    Attributes:
        columns, rows: Size of the widget, in cells.
        side: Width of a picture in cells; its height is half of that.
    """

    columns: int
    rows: int
    side: int

    @property
    def tile_columns(self) -> int:
        """Width of a tile with its gap, in cells."""
        return self.side + GAP_COLUMNS

    @property
    def tile_rows(self) -> int:
        """Height of a tile with its caption, in cells."""
        return self.picture_rows + LABEL_ROWS

    @property
    def picture_rows(self) -> int:
        """Height of a picture in cells, at least 1."""
        return max(1, self.side // 2)

    @property
    def across(self) -> int:
        """The number of tiles side by side, at least 1."""
        return max(1, (self.columns + GAP_COLUMNS) // self.tile_columns)

    @property
    def down(self) -> int:
        """The number of whole lines of tiles that are visible, at least 1."""
        return max(1, self.rows // self.tile_rows)

    @property
    def shown(self) -> int:
        """The number of tiles that are visible at once."""
        return self.across * self.down

    def step(self, cursor: int, count: int, columns: int = 0, rows: int = 0) -> int:
        """Return the cursor after a step by columns and rows, among `count` tiles.

        Columns run on into the next line; a step of rows past the end stays in its column where
        there is one, and otherwise goes to the last tile.
        """
        if count == 0:
            return 0
        target = cursor + columns + rows * self.across
        if rows and target >= count:
            last_line = (count - 1) // self.across
            is_last = cursor // self.across == last_line
            return cursor if is_last and rows > 0 else count - 1
        if rows and target < 0:
            return cursor % self.across
        return max(0, min(target, count - 1))

    def scroll_to(self, first: int, cursor: int) -> int:
        """Return the first tile to show so that the cursor is visible, with the least movement."""
        line, first_line = cursor // self.across, first // self.across
        if line < first_line:
            first_line = line
        elif line >= first_line + self.down:
            first_line = line - self.down + 1
        return first_line * self.across
