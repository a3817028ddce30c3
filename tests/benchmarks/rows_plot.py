"""The plot of time and memory over numbers of rows, for this pipeline and the stock one."""

from collections.abc import Collection, Mapping
from typing import get_args

import numpy as np
from matplotlib.axes import Axes

from tests.benchmarks.measurements import Point, Program
from tracking.figures import parts as figure_parts

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def draw_rows_plot(points: Collection[Point]) -> bytes:
    """Draws seconds and MiB over rows as PNG, all axes logarithmic, with a caption.

    Args:
        points: At least one measured point.

    Returns:
        The file's bytes.
    """
    figure = figure_parts.make_figure(10, 4.5)
    figure.supxlabel(make_caption(points), fontsize=8)
    times, memory = figure.subplots(1, 2)
    _draw_panel(times, "seconds of a run", {_place(p): p.seconds for p in points})
    _draw_panel(memory, "its peak memory in MiB", {_place(p): p.peak_mib for p in points})
    return figure_parts.to_png(figure)


def make_caption(points: Collection[Point]) -> str:
    """Makes a line for each machine, and for each program a line of sizes not measured."""
    measured = {_place(point) for point in points}
    lines = sorted({point.machine for point in points})
    for program in get_args(Program):
        missing = [f"{n_rows:,}" for n_rows in SIZES if (program, n_rows) not in measured]
        if missing:
            lines.append(f"not measured, {program}: {'; '.join(missing)} rows")
    return "\n".join(lines)


def _place(point: Point) -> tuple[Program, int]:
    return point.program, point.n_rows


def _draw_panel(axes: Axes, title: str, figures: Mapping[tuple[Program, int], float]) -> None:
    """Draws a curve for each program, with the figures above its points, or below for ours."""
    for program, offset in (("ours", -14), ("stock", 7)):
        curve = sorted((n_rows, figures[key, n_rows]) for key, n_rows in figures if key == program)
        axes.plot([n for n, _ in curve], [y for _, y in curve], marker="o", label=program)
        for point in curve:
            axes.annotate(
                f"{point[1]:,.0f}",
                point,
                (0, offset),
                textcoords="offset points",
                ha="center",
                size=8,
            )
    lowest = np.floor(np.log10(min(figures.values()) / 2))
    highest = np.ceil(np.log10(max(figures.values())))
    axes.set(xscale="log", xlim=(SIZES[0] / 2, SIZES[-1] * 2), xlabel="rows")
    axes.set(yscale="log", ylim=(10**lowest, 10**highest), title=title)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
