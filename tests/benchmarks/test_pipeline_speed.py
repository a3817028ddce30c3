"""The pipeline and the stock one in turns: time by node and peak memory over numbers of rows."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks.measurements import GROSS, Row
from tests.benchmarks.pipeline_runs import (
    PROGRAMS,
    Measured,
    in_turns,
    make_point,
    run_ours,
    run_stock,
    write_rows,
)
from tests.benchmarks.results import ResultsFolder
from tests.benchmarks.rows_plot import SIZES

pytestmark = pytest.mark.benchmark

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
STOCK_ROWS = int(os.environ.get("BENCH_STOCK_ROWS", SIZES[-1]))
"""The stock pipeline takes most of an hour for ten million rows."""
MILLION = 1_000_000
NODES = {  # ratios: must, aim
    "CsvExampleGen": (0.07, 0.03),
    "StatisticsGen": (1.0, None),
    "Transform": (1.0, None),
    "Trainer": (1.0, None),
    "Evaluator": (1.0, None),
}

against_stock = partial(Row, other="stock TFX", unit="s")


def seconds_of(runs: list[Measured]) -> list[float]:
    return [run.seconds for run in runs]


def node_seconds(runs: list[Measured], node: str) -> list[float]:
    return [run.nodes[node] for run in runs]


def peaks_of(runs: list[Measured]) -> list[float]:
    return [run.peak_mib for run in runs]


@pytest.mark.timeout(3600)
def test_iris_is_faster_than_stock(tmp_path: Path, results: ResultsFolder) -> None:
    data = write_rows(tmp_path / "data" / "rows.csv", 150)
    stock, ours, cached = in_turns(
        ROUNDS,
        lambda number: run_stock(data, tmp_path / f"stock-{number}"),
        lambda number: run_ours(data, tmp_path / f"ours-{number}"),
        lambda number: _run_again(data, tmp_path / f"cached-{number}"),
    )
    whole = partial(against_stock, theirs=seconds_of(stock))
    results.keep(
        whole(name="Iris, 150 rows, nothing cached", ours=seconds_of(ours), must=0.5, aim=0.35),
        whole(name="Iris, all cached", ours=seconds_of(cached), must=0.25, aim=0.15),
    )


def _run_again(data: Path, root: Path) -> Measured:
    run_ours(data, root)
    return run_ours(data, root)


@pytest.mark.timeout(6 * 3600)
def test_a_million_rows_are_faster_than_stock(tmp_path: Path, results: ResultsFolder) -> None:
    data = write_rows(tmp_path / "data" / "rows.csv", MILLION)
    stock, ours = in_turns(
        ROUNDS,
        lambda number: run_stock(data, tmp_path / f"stock-{number}"),
        lambda number: run_ours(data, tmp_path / f"ours-{number}"),
    )
    results.keep_point(make_point("stock", MILLION, stock))
    results.keep_point(make_point("ours", MILLION, ours))
    results.keep(
        against_stock(
            name="1,000,000 rows, whole run",
            ours=seconds_of(ours),
            theirs=seconds_of(stock),
            must=0.25,
            aim=0.1,
        ),
        *(
            against_stock(
                name=f"1,000,000 rows, {node}",
                ours=node_seconds(ours, node),
                theirs=node_seconds(stock, node),
                must=must,
                aim=aim,
            )
            for node, (must, aim) in NODES.items()
        ),
        against_stock(
            name="1,000,000 rows, peak memory",
            ours=peaks_of(ours),
            theirs=peaks_of(stock),
            unit="MiB",
            must=1.0,
        ),
    )


@pytest.mark.timeout(6 * 3600)
def test_ten_million_rows_cost_no_more_each(tmp_path: Path, results: ResultsFolder) -> None:
    few = write_rows(tmp_path / "few" / "rows.csv", MILLION)
    many = write_rows(tmp_path / "many" / "rows.csv", 10 * MILLION)
    of_few, of_many = in_turns(
        ROUNDS,
        lambda number: run_ours(few, tmp_path / f"few-{number}"),
        lambda number: run_ours(many, tmp_path / f"many-{number}"),
    )
    results.keep_point(make_point("ours", 10 * MILLION, of_many))
    against_few = partial(Row, other="1,000,000 rows", aim=1.0)
    results.keep(
        against_few(
            name="10,000,000 rows, per million",
            unit="s",
            ours=[seconds / 10 for seconds in seconds_of(of_many)],
            theirs=seconds_of(of_few),
            must=1.1,
        ),
        against_few(
            name="10,000,000 rows, peak memory",
            unit="MiB",
            ours=peaks_of(of_many),
            theirs=peaks_of(of_few),
            must=1.2,
        ),
    )


@pytest.mark.parametrize("n_rows", SIZES, ids="{:_}".format)
@pytest.mark.timeout(6 * 3600)
def test_any_number_of_rows_is_faster_than_stock(
    n_rows: int, tmp_path: Path, results: ResultsFolder
) -> None:
    data = write_rows(tmp_path / "data" / "rows.csv", n_rows)
    for program, run in PROGRAMS.items():
        is_wanted = program == "ours" or n_rows <= STOCK_ROWS
        if is_wanted and not results.find_point(program, n_rows):
            results.keep_point(make_point(program, n_rows, [run(data, tmp_path / program)]))
    ours, stock = (results.find_point(program, n_rows) for program in PROGRAMS)
    assert ours
    assert stock is None or ours.seconds < stock.seconds * GROSS
