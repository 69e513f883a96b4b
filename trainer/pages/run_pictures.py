"""The run's pictures as PNG files: confusion matrix, training curves, learning curve.

They are drawn by matplotlib through its objects, with no window and no state that others share. The
same figures give the same bytes: settings are matplotlib's own whatever a `matplotlibrc` says, and
the file holds neither a date nor a version.
"""

import io
import logging
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maskage.formats.run.results_file import EpochRow
from maskage.outside_text import shown_text
from trainer.evaluation.intervals import Estimate
from trainer.studies.learning_curve import LearningCurve

if TYPE_CHECKING:
    # It takes a second to load, and only a report needs it.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#202124", "#dadce0"
BLUE, ORANGE, GREEN = "#1a73e8", "#d95f02", "#188038"
FACTOR_COLOURS = (GREEN, ORANGE, "#9334e6", "#c5221f", "#12858d", "#7a5c1e")
BLUES = ("#edf3fd", "#0d47a1")

WIDEST_PX = 1600
LONGEST_NAME = 24
"""Letters of a class name; the middle of a longer one is left out."""

MOST_ZEROS = 12
"""Most classes of a matrix that shows its zeros; among more of them the mistakes would be lost."""

LETTER_INCHES = 0.086
"""Mean width of a letter at 10 points."""

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that a picture is the same on every machine."""

_STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 10,
    # A name may hold "$", which is no formula.
    "text.parse_math": False,
    "axes.titlesize": 12,
    "axes.titlepad": 12,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
}


@dataclass(frozen=True)
class Theme:
    """The colours of a picture: those of the pages by day, or by night.

    Attributes:
        ink, faint: Colour of text, and of rules.
        lines: Colours of lines.
        settings: Other settings of matplotlib.
    """

    ink: str = INK
    faint: str = FAINT
    lines: tuple[str, str] = (BLUE, ORANGE)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def style(self) -> dict[str, Any]:
        """The settings of matplotlib."""
        inks = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
        rules = ("axes.edgecolor", "grid.color", "xtick.color", "ytick.color")
        own = {**dict.fromkeys(inks, self.ink), **dict.fromkeys(rules, self.faint)}
        return {**_STYLE, **own, **self.settings}


LIGHT = Theme()
_NIGHT = "#1d2025"
DARK = Theme(
    ink="#e7e5df",
    faint="#3b4047",
    lines=("#7aa5e8", "#e3b05c"),
    settings=dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), _NIGHT),
)
"""The colours of `maskage/pages/style.css` in the dark."""

_CEILINGS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 6.0, 8.0)
_FLOORS = (0.8, 0.6, 0.4, 0.2)


def draw_confusion(confusion: Sequence[Sequence[int]], names: Sequence[str]) -> bytes:
    """Draw the confusion matrix as a PNG file; darker is a larger part of its row.

    Args:
        confusion: Counts; rows are what photos are, columns what they were taken for.
        names: Names of the classes, in the same order.
    """
    shown = [_short(name) for name in names]
    longest = LETTER_INCHES * max(map(len, shown))
    cell = min(1.1, max(0.55, 5 / len(names)))
    side = cell * len(names) + longest + 0.4

    def draw(figure: "Figure") -> None:
        from matplotlib.colors import LinearSegmentedColormap

        axes = figure.add_subplot()
        shares = [[count / max(1, sum(row)) for count in row] for row in confusion]
        colours = LinearSegmentedColormap.from_list("blues", BLUES)
        axes.pcolormesh(shares, cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=2)
        axes.set(aspect="equal", xlabel="predicted", ylabel="actual")
        middles = [at + 0.5 for at in range(len(names))]
        turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
        is_wide = longest > cell
        axes.set_xticks(middles, shown, **(turned if is_wide else {}))
        axes.set_yticks(middles, shown)
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for row, counts in enumerate(confusion):
            for column, count in enumerate(counts):
                if count or len(names) <= MOST_ZEROS:
                    _write_cell(axes, (column + 0.5, row + 0.5), count, shares[row][column])

    height = side if longest > cell else side - longest + 0.3
    return _draw_png((side + 0.25, height), draw, shown)


def draw_curves(rows: Sequence[EpochRow], theme: Theme = LIGHT) -> bytes:
    """Draw loss and accuracy over all epochs as a PNG file; a line marks where a phase begins."""
    losses = [value for row in rows for value in (row.loss, row.val_loss)]
    # A first validation of a network from scratch can be far off; it must not flatten the rest.
    middle = sorted(losses)[len(losses) // 2] if losses else 1.0
    ceiling = _round_up(min(max(losses, default=1.0), 4 * middle))
    lost = [(row.loss, row.val_loss) for row in rows]
    right = [(row.accuracy, row.val_accuracy) for row in rows]
    floor = min((value for pair in right for value in pair), default=0.0)
    low = next((low for low in _FLOORS if low < floor), 0.0)

    def draw(figure: "Figure") -> None:
        loss, accuracy = figure.subplots(1, 2)
        _draw_panel(loss, "loss", rows, lost, (0.0, ceiling), theme)
        _draw_panel(accuracy, "accuracy", rows, right, (low, 1.0), theme)
        accuracy.yaxis.set_major_formatter("{x:.0%}")

    return _draw_png((10, 4), draw, theme=theme)


def draw_learning_curve(curve: LearningCurve) -> bytes:
    """Draw accuracies over training photos as a PNG file.

    Each doubling of the photos is as wide as the next; what is dashed is the next one, inferred.
    """
    sizes = curve.mean("photos")
    ticks = [*sizes, 2 * sizes[-1]]
    factors = [*curve.rows[0].accuracies.factors]
    least = min(
        min((row.accuracies.classes, *row.accuracies.factors.values())) for row in curve.rows
    )
    low = min(0.9, math.floor(least * 10) / 10)

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        lines = [
            (f"{name}_accuracy", _short(name), FACTOR_COLOURS[at % len(FACTOR_COLOURS)])
            for at, name in enumerate(factors)
        ]
        for column, name, colour in (*lines, ("accuracy", "all classes", BLUE)):
            values = [row.as_columns()[column] for row in curve.rows]
            photos = [row.photos for row in curve.rows]
            axes.plot(photos, values, "o", color=colour, alpha=0.4, markersize=4, markeredgewidth=0)
            axes.plot(sizes, curve.mean(column), color=colour, label=name)
        if curve.next_doubling is not None:
            _draw_forecast(axes, sizes[-1], curve.mean("accuracy")[-1], curve.next_doubling)
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [f"{size:,.0f}" for size in ticks])
        axes.minorticks_off()
        axes.set(ylim=(low, 1.0), title="validation accuracy over training photos")
        axes.set_xlabel("training photos")
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    return _draw_png((10, 4.6), draw, factors)


def _draw_png(
    size: tuple[float, float],
    draw: Callable[["Figure"], None],
    names: Iterable[str] = (),
    theme: Theme = LIGHT,
) -> bytes:
    """Return a PNG file of `size` inches, drawn by `draw`; `names` are from outside."""
    # It would report a slow search for fonts, or a cache that cannot be written.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A letter that no font has is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        matplotlib.rcdefaults()
        settings: dict[Any, Any] = {**theme.style, "font.family": _fonts_for(names)}
        matplotlib.rcParams.update(settings)
        figure = Figure(figsize=size, dpi=min(160, WIDEST_PX / size[0]), layout="constrained")
        draw(figure)
        file = io.BytesIO()
        figure.savefig(
            file, format="png", metadata={"Software": None}, pil_kwargs={"optimize": True}
        )
    return file.getvalue()


def _fonts_for(names: Iterable[str]) -> list[str]:
    """Return the families with the letters of the names: ours, then the machine's for others."""
    from matplotlib.font_manager import findfont, fontManager, get_font

    families = [FONT]
    missing = {ord(letter) for name in names for letter in name}
    missing -= get_font(findfont(FONT)).get_charmap().keys()
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.fname, entry.index)):
        if not missing:
            break
        if found := missing & get_font(entry.fname).get_charmap().keys():
            families.append(entry.name)
            missing -= found
    return families


def _short(name: str) -> str:
    text = shown_text(name)
    half = LONGEST_NAME // 2
    return text if len(text) <= LONGEST_NAME else f"{text[:half]}…{text[1 - half :]}"


def _write_cell(axes: "Axes", place: tuple[float, float], count: int, share: float) -> None:
    x, y = place
    ink = "white" if share > 0.5 else INK
    axes.text(x, y - 0.08, f"{count:,}", color=ink, ha="center", va="center", fontsize=11)
    axes.text(x, y + 0.24, f"{share:.0%}", color=ink, ha="center", va="center", fontsize=7)


def _draw_panel(
    axes: "Axes",
    title: str,
    rows: Sequence[EpochRow],
    values: Sequence[tuple[float, float]],
    limits: tuple[float, float],
    theme: Theme,
) -> None:
    from matplotlib.ticker import MaxNLocator

    numbers = range(1, len(rows) + 1)
    marker = "o" if len(rows) == 1 else ""
    for which, (name, colour) in enumerate(
        zip(("training", "validation"), theme.lines, strict=True)
    ):
        line = [pair[which] for pair in values]
        axes.plot(numbers, line, color=colour, marker=marker, label=name)
    for number in range(1, len(rows)):
        if rows[number].phase != rows[number - 1].phase:
            axes.axvline(number + 0.5, color=theme.ink, linewidth=0.8)
            phase = rows[number].phase.replace("_", "-")
            axes.text(number + 0.5, limits[1], f" {phase}", va="bottom", fontsize=8)
    axes.set(title=title, ylim=limits, xlabel=f"{len(rows)} epochs")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)


def _draw_forecast(axes: "Axes", photos: float, now: float, gain: Estimate) -> None:
    """Draw dashes to what twice the photos might give, and its interval as a bar."""
    ahead = now + gain.value
    axes.plot([photos, 2 * photos], [now, ahead], color=BLUE, linestyle="--", label="if it goes on")
    bounds = [now + bound for bound in (gain.low, gain.high)]
    axes.plot([2 * photos] * 2, bounds, color=BLUE, linewidth=2.5, solid_capstyle="butt")


def _round_up(loss: float) -> float:
    """Return the next value that a scale of four round steps ends with."""
    return next((top for top in _CEILINGS if top >= loss), loss)
