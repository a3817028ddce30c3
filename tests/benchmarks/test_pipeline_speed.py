"""The pipeline against the stock one, in turns: time by node, peak memory, over numbers of rows."""

import ensurepip
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from e2e_workspace import PROJECT_DIR

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).resolve().parent
IRIS = PROJECT_DIR / "data" / "iris" / "iris.csv"
STEPS = 1000
ROUNDS = 3
ROUNDS_OF_MANY_ROWS = int(os.environ.get("BENCH_ROUNDS", "3"))
GROSS = 2.0


@dataclass(frozen=True)
class Measured:
    """What a run took: seconds in all and by node, and the peak of its memory in MiB."""

    seconds: float
    nodes: Mapping[str, float]
    peak_mib: float


def write_rows(path: Path, n_rows: int, seed: int = 0) -> Path:
    """Writes Iris-shaped rows: a random one of Iris each, with noise of 0.05 cm."""
    random = np.random.default_rng(seed)
    lines = [line.split(",") for line in IRIS.read_text("utf-8").split()[1:]]
    words = sorted({cells[-1] for cells in lines})
    values = np.array([[float(cell) for cell in cells[:-1]] for cells in lines])
    classes = np.array([words.index(cells[-1]) for cells in lines])
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write("sepal_length,sepal_width,petal_length,petal_width,species\n")
        for begin in range(0, n_rows, 100_000):
            picks = random.integers(0, len(values), min(100_000, n_rows - begin))
            noisy = values[picks] + random.normal(0, 0.05, (len(picks), 4))
            table = np.column_stack([noisy, classes[picks]])
            np.savetxt(file, table, fmt="%.3f,%.3f,%.3f,%.3f,%d")
    return path


def measure(command: list[str], env: Mapping[str, str]) -> tuple[float, float, str]:
    """Runs a command; gives its seconds, its peak memory in MiB, and what it printed last."""
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=PROJECT_DIR,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024, printed.splitlines()[-1]


def run_stock(data: Path, root: Path) -> Measured:
    # The stock components install what they are given as a file by pip, which .venv has not.
    (pip,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    command = [sys.executable, str(HERE / "stock" / "stock_pipeline.py")]
    seconds, peak, printed = measure(
        [*command, str(data.parent), str(root), str(STEPS)], {"PYTHONPATH": str(pip)}
    )
    return Measured(seconds, json.loads(printed), peak)


def run_ours(data: Path, root: Path) -> Measured:
    settings = {
        "data.path": data,
        "paths.root": root,
        "train.steps": STEPS,
        "evaluation": "{thresholds: {accuracy: {min: 0.1}}, slices: []}",
    }
    options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    seconds, peak, printed = measure(
        [sys.executable, "-m", "pipeline", "run", "--json", *options], {}
    )
    nodes = {node["id"]: node["seconds"] for node in json.loads(printed)["nodes"]}
    return Measured(seconds, nodes, peak)


def in_turns(rounds: int, *programs: Callable[[int], Measured]) -> list[list[Measured]]:
    """Runs the programs round by round, each round in the other order than the one before."""
    results: list[list[Measured]] = [[] for _ in programs]
    for number in range(rounds):
        order = range(len(programs))
        for index in reversed(order) if number % 2 else order:
            results[index].append(programs[index](number))
    return results


def tell(name: str, ours: list[float], theirs: list[float], must: float) -> None:
    """Prints the ratio of a row, and fails if it is grossly missed."""
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    median = statistics.median(ratios)
    print(
        f"{name}: {statistics.median(ours):.1f} against {statistics.median(theirs):.1f}, ratio"
        f" {median:.3f} ({min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} rounds; must be"
        f" {must})"
    )
    assert median < must * GROSS, name


def seconds_of(runs: list[Measured]) -> list[float]:
    return [run.seconds for run in runs]


def node_seconds(runs: list[Measured], node: str) -> list[float]:
    return [run.nodes[node] for run in runs]


@pytest.mark.timeout(3600)
def test_iris_is_faster_than_stock(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data" / "rows.csv", 150)
    stock, ours, cached = in_turns(
        ROUNDS,
        lambda number: run_stock(data, tmp_path / f"stock-{number}"),
        lambda number: run_ours(data, tmp_path / f"ours-{number}"),
        lambda number: _run_again(data, tmp_path / f"cached-{number}"),
    )
    tell("150 rows, seconds", seconds_of(ours), seconds_of(stock), 0.5)
    tell("150 rows, all cached, seconds", seconds_of(cached), seconds_of(stock), 0.25)


def _run_again(data: Path, root: Path) -> Measured:
    run_ours(data, root)
    return run_ours(data, root)


@pytest.mark.timeout(6 * 3600)
def test_a_million_rows_are_faster_than_stock(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data" / "rows.csv", 1_000_000)
    stock, ours = in_turns(
        ROUNDS_OF_MANY_ROWS,
        lambda number: run_stock(data, tmp_path / f"stock-{number}"),
        lambda number: run_ours(data, tmp_path / f"ours-{number}"),
    )
    for node in ("CsvExampleGen", "StatisticsGen", "Transform", "Trainer", "Evaluator"):
        must = 0.07 if node == "CsvExampleGen" else 1.0
        tell(
            f"1,000,000 rows, {node}, seconds",
            node_seconds(ours, node),
            node_seconds(stock, node),
            must,
        )
    tell("1,000,000 rows, seconds", seconds_of(ours), seconds_of(stock), 0.25)
    tell("1,000,000 rows, MiB", [r.peak_mib for r in ours], [r.peak_mib for r in stock], 1.0)


@pytest.mark.timeout(6 * 3600)
def test_ten_million_rows_cost_no_more_each(tmp_path: Path) -> None:
    few = write_rows(tmp_path / "few" / "rows.csv", 1_000_000)
    many = write_rows(tmp_path / "many" / "rows.csv", 10_000_000)
    of_few, of_many = in_turns(
        ROUNDS_OF_MANY_ROWS,
        lambda number: run_ours(few, tmp_path / f"few-{number}"),
        lambda number: run_ours(many, tmp_path / f"many-{number}"),
    )
    tell(
        "10,000,000 rows against 1,000,000, seconds per million",
        [run.seconds / 10 for run in of_many],
        seconds_of(of_few),
        1.1,
    )
    tell(
        "10,000,000 rows against 1,000,000, MiB",
        [run.peak_mib for run in of_many],
        [run.peak_mib for run in of_few],
        1.2,
    )
