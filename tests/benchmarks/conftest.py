"""The folder of the benchmarks' results."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.results import ResultsFolder
from tests.helpers.paths import PROJECT_DIR


@pytest.fixture(scope="session")
def results() -> Iterator[ResultsFolder]:
    """The folder in BENCH_DIR, by default `docs/bench`; its table is printed at the end."""
    folder = ResultsFolder(Path(os.environ.get("BENCH_DIR", PROJECT_DIR / "docs" / "bench")))
    yield folder
    print(f"\n{folder.results.make_table()}")
