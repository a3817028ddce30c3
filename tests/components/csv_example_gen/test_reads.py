"""A run reads each CSV file twice: once before the nodes, and once in CsvExampleGen."""

from pathlib import Path

import pytest
from tfx.orchestration.portable import data_types
from tfx.types import standard_artifacts

from components.csv_example_gen.driver import Driver
from components.csv_example_gen.executor import Executor
from pipeline.data.prepare import prepare
from pipeline.graph.nodes import make_example_gen
from pipeline.settings.load import load_config
from tests.helpers.bytes_read import NOISE, bytes_read

CONFIG = """
name: reads
data: {path: rows.csv, label: kind}
features: FEATURES
evaluation: {thresholds: {accuracy: {min: 0}}}
"""
ROWS = 400_000


@pytest.fixture(scope="module")
def csv_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some 12 MB."""
    path = tmp_path_factory.mktemp("reads") / "rows.csv"
    rows = (
        f"{row / 7:.4f},2024-0{row % 9 + 1}-01,{'ab'[row % 2]},{'no' if row % 3 else 'yes'}\n"
        for row in range(ROWS)
    )
    path.write_text("x,day,word,kind\n" + "".join(rows))
    return path


@pytest.mark.parametrize(
    "features", ["auto", "{x: numeric, day: datetime, word: categorical}"], ids=["auto", "named"]
)
def test_run_reads_a_file_twice(csv_path: Path, tmp_path: Path, features: str) -> None:
    path = csv_path.with_name("config.yaml")
    path.write_text(CONFIG.replace("FEATURES", features))
    config = load_config(path)
    size = csv_path.stat().st_size

    def check() -> None:
        nonlocal config
        config = prepare(config).config

    def make_examples() -> None:
        component = make_example_gen(config)
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / "examples")
        info = data_types.ExecutionInfo(
            exec_properties=dict(component.exec_properties), output_dict={"examples": [examples]}
        )
        Driver(None).run(info)
        context = Executor.Context(tmp_dir=str(tmp_path / "temp"), unique_id="1")
        Executor(context).Do({}, {"examples": [examples]}, info.exec_properties)

    assert size <= bytes_read(check) < size + NOISE
    assert size <= bytes_read(make_examples) < size + NOISE
