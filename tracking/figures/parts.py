"""Parts of figures: axes for bars and curves, labels, PNG.

Text from the data is shown unchanged: otherwise matplotlib reads formulas between dollar signs, and
leaves labels that begin with an underscore out of legends.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

MAX_CLASSES = 40
"""More classes cannot be told apart in one figure."""
_DPI = 120
_MAX_WORD_CHARS = 28
_SQUARES_PER_ROW = 5


def make_figure(width: float, height: float) -> Figure:
    """Makes an empty figure, sizes in inches, without registering it with pyplot."""
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def to_png(figure: Figure) -> bytes:
    """Renders a figure; equal figures give equal bytes."""
    file = io.BytesIO()
    # The entry Software would hold the version of matplotlib.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def shown(word: str) -> str:
    """Writes a word in one line, shortened in the middle, and escaped for matplotlib."""
    line = " ".join(word.split())
    half = _MAX_WORD_CHARS // 2
    short = line if len(line) <= _MAX_WORD_CHARS else f"{line[:half]}…{line[-half:]}"
    return short.replace("$", r"\$")


def title(text: str, n_classes: int) -> str:
    """Adds the number of classes drawn to a title, unless all are."""
    return text if n_classes <= MAX_CLASSES else f"{text}: {MAX_CLASSES} of {n_classes}"


def add_legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Adds a legend to the right of the axes."""
    spaced = [f" {label}" for label in labels]
    figure.legend(handles, spaced, loc="outside right center", fontsize=8)


def make_bar_axes(words: Sequence[str], n_groups: int) -> tuple[Figure, Axes]:
    """Makes axes for horizontal bars, one for each word and group."""
    figure = make_figure(8.5, max(1.4 + len(words) * (0.15 + 0.2 * n_groups), 2.8))
    axes = figure.add_subplot()
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(words)), [shown(word) for word in words])
    axes.set_ylim(len(words) - 0.4, -0.6)
    return figure, axes


def bar_places(n_words: int, group: int, n_groups: int) -> tuple[np.ndarray[Any, Any], float]:
    """Computes the places of the bars of a group, and their height."""
    height = 0.8 / n_groups
    return np.arange(n_words) + (group - (n_groups - 1) / 2) * height, height


def draw_curves(names: Mapping[str, str], draw: Callable[[Axes, str, str], list[Line2D]]) -> Figure:
    """Draws a curve for each word: up to ten in one square, more in a square each.

    Args:
        names: The label of each word.
        draw: Draws the curve of a word on axes in a color, and returns its line.

    Returns:
        The figure.
    """
    colors = [f"C{index}" for index in range(10)]
    if len(names) <= len(colors):
        figure = make_figure(8.5, 6)
        axes = unit_square(figure.add_subplot())
        lines = [draw(axes, word, color)[0] for word, color in zip(names, colors, strict=False)]
        add_legend(figure, lines, list(names.values()))
        return figure
    n_rows = math.ceil(len(names) / _SQUARES_PER_ROW)
    figure = make_figure(2 * _SQUARES_PER_ROW, 2.2 * n_rows + 0.8)
    grid = figure.subplots(n_rows, _SQUARES_PER_ROW, sharex=True, sharey=True, squeeze=False)
    for square in grid.flat[len(names) :]:
        square.set_axis_off()
    for square, (word, name) in zip(grid.flat, names.items(), strict=False):
        draw(unit_square(square), word, colors[0])
        square.set_title(name, fontsize=7)
    return figure


def unit_square(axes: Axes, *, diagonal: bool = True) -> Axes:
    """Sets axes to the range from 0 to 1, and draws the diagonal if wanted."""
    if diagonal:
        axes.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
    return axes
