"""Runs the pipeline and the stock one, each in a new process, and measures time and memory."""

import ensurepip
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks.measurements import Point, Program
from tests.helpers.paths import PROJECT_DIR

HERE = Path(__file__).resolve().parent
IRIS = PROJECT_DIR / "data" / "iris" / "iris.csv"
STEPS = 1000
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """Seconds of a run in total and by node, of all its processors, and its peak memory in MiB."""

    seconds: float
    cpu_seconds: float
    nodes: Mapping[str, float]
    peak_mib: float


def write_rows(path: Path, n_rows: int, seed: int = 0) -> Path:
    """Writes rows like those of Iris: each a random one with noise of 0.05 cm."""
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


def run_stock(data: Path, root: Path) -> Measured:
    """Runs the stock pipeline over the folder of the file."""
    # Stock components install a module file with pip, which .venv does not have.
    (pip,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    command = [sys.executable, str(HERE / "stock" / "stock_pipeline.py")]
    seconds, cpu_seconds, peak_mib, printed = measure(
        [*command, str(data.parent), str(root), str(STEPS)], {"PYTHONPATH": str(pip)}
    )
    return Measured(seconds, cpu_seconds, json.loads(printed), peak_mib)


def run_ours(data: Path, root: Path) -> Measured:
    """Runs the shipped pipeline over the file, tracked, with the thresholds of the stock one."""
    settings = {
        "data.path": data,
        "paths.root": root,
        "train.steps": STEPS,
        "evaluation": "{thresholds: {accuracy: {min: 0.1}}, slices: []}",
    }
    options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return measure_run(options)


def measure_run(options: Sequence[str]) -> Measured:
    """Measures `pipeline run` with options."""
    seconds, cpu_seconds, peak_mib, printed = measure(
        [sys.executable, "-m", "pipeline", "run", "--json", *options], {}
    )
    nodes = {node["id"]: node["seconds"] for node in json.loads(printed)["nodes"]}
    return Measured(seconds, cpu_seconds, nodes, peak_mib)


PROGRAMS: Mapping[Program, Callable[[Path, Path], Measured]] = {
    "ours": run_ours,
    "stock": run_stock,
}


def in_turns(rounds: int, *programs: Callable[[int], Measured]) -> list[list[Measured]]:
    """Runs the programs in rounds, and reverses their order from round to round."""
    results: list[list[Measured]] = [[] for _ in programs]
    for number in range(rounds):
        order = range(len(programs))
        for index in reversed(order) if number % 2 else order:
            results[index].append(programs[index](number))
    return results


def make_point(program: Program, n_rows: int, runs: Sequence[Measured]) -> Point:
    """Makes a point of the medians of runs."""
    seconds = statistics.median(run.seconds for run in runs)
    peak_mib = statistics.median(run.peak_mib for run in runs)
    return Point(program=program, n_rows=n_rows, seconds=seconds, peak_mib=peak_mib)


def measure(command: list[str], env: Mapping[str, str]) -> tuple[float, float, float, str]:
    """Runs a command.

    Returns:
        Its seconds, those of all its processors, its peak memory in MiB, and the last line that it
        printed.
    """
    start, cpu_start = time.perf_counter(), _cpu_seconds_of_children()
    with (
        ThreadPoolExecutor(1) as pool,
        subprocess.Popen(
            command,
            cwd=PROJECT_DIR,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        peak_mib = pool.submit(_watch_memory, process)
        assert process.stdout is not None
        printed = process.stdout.read()
        process.wait()
        seconds = time.perf_counter() - start
    assert process.returncode == 0, command
    cpu_seconds = _cpu_seconds_of_children() - cpu_start
    return seconds, cpu_seconds, peak_mib.result(), printed.splitlines()[-1]


def _cpu_seconds_of_children() -> float:
    """Returns the processor time of all processes that this one, or one of them, waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch_memory(process: "subprocess.Popen[str]") -> float:
    """Returns the peak in MiB of the total resident memory of a process and its descendants.

    It is sampled ten times a second until the process ends. Memory that processes share counts in
    each of them.
    """
    root, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):  # a process has just ended
            processes = (root, *root.children(recursive=True))
            peak = max(peak, sum(each.memory_info().rss for each in processes))
        time.sleep(_SAMPLE_SECONDS)
    return peak / 2**20
