"""The folder that the benchmarks write to: measurements, a table and a plot of them."""

from pathlib import Path

from tests.benchmarks.columns_plot import draw_columns_plot
from tests.benchmarks.measurements import GROSS, Point, Program, Results, Row, WidePoint
from tests.benchmarks.rows_plot import draw_rows_plot


class ResultsFolder:
    """Writes `results.json`, and makes `table.md`, `rows.png` and `columns.png` of it.

    Each row and point is written as soon as it is measured and replaces an earlier one with its
    key, so that the benchmarks can be run in parts.
    """

    def __init__(self, folder: Path) -> None:
        """Reads earlier results, and makes the folder if it does not exist."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        path = folder / "results.json"
        self.results = Results.model_validate_json(path.read_bytes() if path.exists() else b"{}")

    def keep(self, *rows: Row) -> None:
        """Writes and prints rows.

        Raises:
            AssertionError: If some are grossly missed; all are written nevertheless.
        """
        self.results.rows.update((row.key, row) for row in rows)
        self._write()
        for row in rows:
            name, ours, theirs, ratio, spread, rounds, must, *_ = row.cells()
            print(
                f"{name}: {ours}, {theirs}; ratio {ratio} ({spread} in {rounds} rounds)"
                + f", must be {must}" * bool(must),
                flush=True,
            )
        missed = [row.key for row in rows if row.is_grossly_missed]
        assert not missed, f"missed by a factor of {GROSS:g}: {missed}"

    def keep_point(self, point: Point) -> None:
        """Writes and prints a point."""
        self.results.points[point.key] = point
        self._write()
        (self._folder / "rows.png").write_bytes(draw_rows_plot(self.results.points.values()))
        print(f"{point.key}: {point.seconds:.1f} s, {point.peak_mib:.0f} MiB", flush=True)

    def keep_wide_point(self, point: WidePoint) -> None:
        """Writes and prints a point of the plot over columns."""
        self.results.wide_points[point.key] = point
        self._write()
        plot = draw_columns_plot(self.results.wide_points.values())
        (self._folder / "columns.png").write_bytes(plot)
        print(
            f"{point.key}: {point.cpu_seconds:.1f} s of CPU, {point.peak_mib:.0f} MiB", flush=True
        )

    def find_point(self, program: Program, n_rows: int) -> Point | None:
        """Finds a point that is fresh, so that it need not be measured again."""
        for point in self.results.points.values():
            if point.is_fresh and (point.program, point.n_rows) == (program, n_rows):
                return point
        return None

    def _write(self) -> None:
        text = self.results.model_dump_json(indent=1)
        (self._folder / "results.json").write_text(text + "\n", "utf-8")
        (self._folder / "table.md").write_text(self.results.make_table(), "utf-8")
