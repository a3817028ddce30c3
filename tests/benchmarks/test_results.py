"""The folder that the benchmarks write to."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.measurements import Measurement, Point, Results, Row, WidePoint
from tests.benchmarks.results import ResultsFolder
from tests.benchmarks.rows_plot import SIZES, make_caption


def make_row(**fields: Any) -> Row:
    usual = {"name": "a run", "unit": "s", "other": "stock", "must": 0.5}
    return Row(**(usual | {"ours": (1, 2, 3), "theirs": (10, 10, 10)} | fields))


def make_point(**fields: Any) -> Point:
    return Point(**({"program": "ours", "n_rows": 1000, "seconds": 2, "peak_mib": 512} | fields))


def test_row_cells_are_medians_ratios_and_bounds() -> None:
    # 1/10, 4/20 and 9/30: a ratio for each round
    row = make_row(ours=(1, 4, 9), theirs=(10, 20, 30), aim=0.25)

    assert row.cells()[:-1] == [
        *("a run", "4 s", "stock: 20 s", "0.2", "0.1, 0.3", "3"),
        *("≤ 0.5", "≤ 0.25"),
    ]


@pytest.mark.parametrize(
    ("bound", "must", "is_missed"),
    [
        ("at most", 0.11, False),  # the ratio is 0.2
        ("at most", 0.09, True),
        ("at least", 0.39, False),
        ("at least", 0.41, True),
    ],
)
def test_row_is_grossly_missed_by_a_factor_of_two(bound: str, must: float, is_missed: bool) -> None:
    assert make_row(bound=bound, must=must).is_grossly_missed is is_missed


def test_keep_adds_rows_and_replaces_same_ones(tmp_path: Path) -> None:
    ResultsFolder(tmp_path).keep(make_row(), make_row(other="echo"))
    ResultsFolder(tmp_path).keep(make_row(ours=(2, 2, 2)), make_row(name="training"))

    results = ResultsFolder(tmp_path).results
    assert [(row.name, row.other, row.ours) for row in results.rows.values()] == [
        ("a run", "stock", (2, 2, 2)),
        ("a run", "echo", (1, 2, 3)),
        ("training", "stock", (1, 2, 3)),
    ]
    assert (tmp_path / "table.md").read_text("utf-8") == results.make_table()


def test_keep_fails_on_a_gross_miss_and_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="slow / stock"):
        ResultsFolder(tmp_path).keep(make_row(name="slow", must=0.01), make_row())

    assert len(ResultsFolder(tmp_path).results.rows) == 2


def test_table_is_one_for_each_machine() -> None:
    rows = (make_row(name="a", machine="slow"), make_row(name="b", machine="fast"))
    table = Results(rows={row.key: row for row in rows}).make_table()

    assert [line.split(" | ")[0] for line in table.splitlines() if line] == [
        *("slow:", "| measured", "|---|---|---|---|---|---|---|---|---|", "| a"),
        *("fast:", "| measured", "|---|---|---|---|---|---|---|---|---|", "| b"),
    ]


def test_find_point_gives_a_fresh_one(tmp_path: Path) -> None:
    folder, point, old = ResultsFolder(tmp_path), make_point(), make_point(program="stock")
    folder.results.points[old.key] = old.model_copy(update={"machine": "another"})
    folder.keep_point(point)

    assert folder.find_point("ours", 1000) == point
    assert folder.find_point("ours", 10_000) is None
    assert folder.find_point("stock", 1000) is None
    assert (tmp_path / "rows.png").read_bytes().startswith(b"\x89PNG")


def test_plot_over_columns_is_drawn(tmp_path: Path) -> None:
    point = WidePoint(program="ours", n_columns=300, cpu_seconds=50, peak_mib=900)

    ResultsFolder(tmp_path).keep_wide_point(point)

    assert ResultsFolder(tmp_path).results.wide_points == {"ours, 300 columns": point}
    assert (tmp_path / "columns.png").read_bytes().startswith(b"\x89PNG")


def test_point_is_fresh_for_a_day() -> None:
    now = Measurement().measured_at

    assert make_point(measured_at=now - timedelta(hours=23)).is_fresh
    assert not make_point(measured_at=now - timedelta(hours=25)).is_fresh


def test_plot_caption_names_machines_and_omissions() -> None:
    points = [make_point(n_rows=n_rows, machine="a machine") for n_rows in SIZES]
    points += [make_point(program="stock", n_rows=1000, machine="another")]

    assert make_caption(points).splitlines() == [
        *("a machine", "another"),
        "not measured, stock: 10,000; 100,000; 1,000,000; 10,000,000 rows",
    ]
