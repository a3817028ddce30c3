"""Two CSV files, and the artifact that the executor makes of them."""

from pathlib import Path

import pytest
from tfx.types import Artifact

from components.csv_example_gen.executor import Executor
from tests.helpers.csv_examples import FILES, run, write_files


@pytest.fixture(scope="session")
def input_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data") / "csv", FILES)


@pytest.fixture(scope="session")
def examples(input_dir: Path) -> Artifact:
    return run(Executor, input_dir, input_dir.parent / "examples")
