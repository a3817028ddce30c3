"""Tables of many columns: whole runs against the stock pipeline, and served rows."""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.measurements import Program, Row, WidePoint
from tests.benchmarks.pipeline_runs import HERE, Measured, in_turns, measure, run_stock
from tests.benchmarks.results import ResultsFolder
from tests.benchmarks.wide_tables import run_wide, write_table
from tests.helpers.server_process import ServerProcess

pytestmark = pytest.mark.benchmark

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = "3"
TEN, MANY = 10, 1000
"""Numbers of columns of our own runs that are compared with each other."""
STOCK_BOUNDS = {75: (0.25, 0.15), 300: (0.15, 0.07)}
"""Must and aim of the ratio by number of columns."""

against_stock = partial(Row, other="stock TFX", unit="s of CPU")


def cpu_seconds_of(runs: Sequence[Measured]) -> list[float]:
    return [run.cpu_seconds for run in runs]


def keep_point(
    results: ResultsFolder, program: Program, n_columns: int, runs: Sequence[Measured]
) -> None:
    results.keep_wide_point(
        WidePoint(
            program=program,
            n_columns=n_columns,
            cpu_seconds=statistics.median(cpu_seconds_of(runs)),
            peak_mib=statistics.median(run.peak_mib for run in runs),
        )
    )


def in_turns_with_stock(data: Path, folder: Path) -> list[list[Measured]]:
    return in_turns(
        ROUNDS,
        lambda number: run_stock(data, folder / f"stock-{number}"),
        lambda number: run_wide(data, folder / f"ours-{number}"),
    )


@pytest.mark.parametrize("n_columns", STOCK_BOUNDS)
@pytest.mark.timeout(6 * 3600)
def test_wide_numbers_against_stock(n_columns: int, tmp_path: Path, results: ResultsFolder) -> None:
    data = write_table(tmp_path / "data" / "rows.csv", n_columns)
    stock, ours = in_turns_with_stock(data, tmp_path)
    keep_point(results, "stock", n_columns, stock)
    keep_point(results, "ours", n_columns, ours)
    must, aim = STOCK_BOUNDS[n_columns]
    results.keep(
        against_stock(
            name=f"{n_columns} columns of numbers, 2,000 rows",
            ours=cpu_seconds_of(ours),
            theirs=cpu_seconds_of(stock),
            must=must,
            aim=aim,
        )
    )


@pytest.mark.timeout(6 * 3600)
def test_wide_words_against_stock(tmp_path: Path, results: ResultsFolder) -> None:
    data = write_table(tmp_path / "data" / "rows.csv", 75, words=True)
    stock, ours = in_turns_with_stock(data, tmp_path)
    results.keep(
        against_stock(
            name="75 columns of 20 words each, 2,000 rows",
            ours=cpu_seconds_of(ours),
            theirs=cpu_seconds_of(stock),
            must=0.25,
            aim=0.15,
        )
    )


@pytest.mark.timeout(6 * 3600)
def test_wide_runs_against_narrow_ones(tmp_path: Path, results: ResultsFolder) -> None:
    tables = {n: write_table(tmp_path / f"data-{n}" / "rows.csv", n) for n in (TEN, MANY)}
    few, many = in_turns(
        ROUNDS,
        lambda number: run_wide(tables[TEN], tmp_path / f"few-{number}"),
        lambda number: run_wide(tables[MANY], tmp_path / f"many-{number}"),
    )
    keep_point(results, "ours", TEN, few)
    keep_point(results, "ours", MANY, many)
    results.keep(
        Row(
            name="1,000 columns of numbers, 2,000 rows",
            unit="s of CPU",
            other="10 columns",
            ours=cpu_seconds_of(many),
            theirs=cpu_seconds_of(few),
            must=4,
            aim=2,
        ),
        Row(
            name="1,000 columns of numbers, peak memory",
            unit="MiB",
            other="2 GiB",
            ours=[run.peak_mib for run in many],
            theirs=[2048.0] * len(many),
            must=1,
            aim=0.75,
        ),
    )


@pytest.mark.timeout(3600)
def test_wide_rows_are_served_quickly(tmp_path: Path, results: ResultsFolder) -> None:
    models = {n: _push(tmp_path / str(n), n) for n in (4, 300)}
    milliseconds: dict[int, list[float]] = {n: [] for n in models}
    for number in range(ROUNDS):
        for n_columns in sorted(models, reverse=bool(number % 2)):
            milliseconds[n_columns].append(_ask(models[n_columns], n_columns, tmp_path))
    results.keep(
        Row(
            name="REST, 1 client, median time for a row of 300 numbers",
            unit="ms",
            other="a row of 4 numbers",
            ours=milliseconds[300],
            theirs=milliseconds[4],
            must=4,
            aim=2.5,
        )
    )


def _push(folder: Path, n_columns: int) -> Path:
    """Runs the pipeline, and returns the serving folder of its model."""
    run_wide(write_table(folder / "data" / "rows.csv", n_columns), folder / "run")
    return folder / "run" / "serving" / "wide"


def _ask(model: Path, n_columns: int, folder: Path) -> float:
    """Serves a model alone; returns the median of milliseconds that a request takes."""
    row: dict[str, Any] = {f"c{index}": 0.25 for index in range(n_columns)}
    body = folder / f"{n_columns}.json"
    body.write_text(json.dumps({"instances": [row]}), "utf-8")
    path = "/v1/models/wide:predict"
    with ServerProcess("--model", f"wide={model}") as server:
        load = [sys.executable, str(HERE / "http_load.py"), str(server.rest_port), path]
        *_, printed = measure([*load, str(body), "1", SECONDS], {})
    return float(json.loads(printed)["p50"])
