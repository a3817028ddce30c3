"""The plot of processor time and memory over numbers of columns."""

from collections.abc import Collection

from matplotlib.axes import Axes

from tests.benchmarks.measurements import WidePoint
from tracking.figures import parts as figure_parts


def draw_columns_plot(points: Collection[WidePoint]) -> bytes:
    """Draws seconds of CPU and MiB over columns as PNG, with a caption of the machines.

    Args:
        points: At least one measured point.

    Returns:
        The file's bytes.
    """
    figure = figure_parts.make_figure(10, 4.5)
    figure.supxlabel("\n".join(sorted({point.machine for point in points})), fontsize=8)
    times, memory = figure.subplots(1, 2)
    for program in ("ours", "stock"):
        curve = sorted(
            (point.n_columns, point.cpu_seconds, point.peak_mib)
            for point in points
            if point.program == program
        )
        if curve:
            columns, seconds, mebibytes = zip(*curve, strict=True)
            times.plot(columns, seconds, marker="o", label=program)
            memory.plot(columns, mebibytes, marker="o", label=program)
    _finish(times, "seconds of CPU of a run, 2,000 rows of numbers")
    _finish(memory, "its peak memory in MiB")
    return figure_parts.to_png(figure)


def _finish(axes: Axes, title: str) -> None:
    axes.set(xlabel="columns", title=title, xlim=(0, None), ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
