"""How Beam processes the data, and how the choice is shown."""

import gzip
import os
from pathlib import Path

import psutil
import pytest

from pipeline.graph.beam_runner import choose_beam, count_workers, csv_bytes
from pipeline.graph.create_pipeline import create_pipeline
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.graph_nodes import UNREAD
from tests.helpers.paths import SHIPPED

MB, GB = 10**6, 10**9


@pytest.mark.parametrize(
    ("sizes", "processors", "memory", "n_workers"),
    [
        ([200 * MB] * 10, 8, 64 * GB, 8),
        ([200 * MB] * 6, 8, 64 * GB, 6),
        ([50 * MB] * 100, 64, 512 * GB, 16),
        ([50 * MB] * 12, 8, 64 * GB, 6),
        ([20 * MB] * 12, 8, 64 * GB, 0),
        ([200 * MB] * 10, 8, 10 * GB, 5),
        ([200 * MB] * 10, 4, 64 * GB, 4),
        ([200 * MB] * 10, 2, 64 * GB, 0),
        ([5 * GB], 8, 64 * GB, 0),
        ([5 * GB, 100 * MB, 100 * MB], 8, 64 * GB, 0),
        ([4000], 64, 512 * GB, 0),
    ],
)
def test_count_workers_by_size_and_machine(
    sizes: list[int], processors: int, memory: int, n_workers: int
) -> None:
    assert count_workers(sizes, processors, memory) == n_workers


def test_choose_beam_without_workers_for_small_data(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))

    chosen = choose_beam(config)

    assert chosen.args == config.beam.pipeline_args
    assert chosen.text == "in this process, for 3.86 KB of CSV in 1 file, on 64 processors"


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of large data on a machine with eight processors."""
    for index in range(6):
        path = tmp_path / f"rows-{index}.csv"
        path.write_text("sepal_length,sepal_width,petal_length,petal_width,species\n")
        os.truncate(path, 200 * MB)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    total = psutil.virtual_memory()._replace(total=64 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: total)
    return tmp_path


def test_choose_beam_with_workers_for_large_data(large: Path) -> None:
    config = load_config(SHIPPED, [f"data.path={large}"])

    chosen = choose_beam(config)

    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=6"]
    assert chosen.args == [*config.beam.pipeline_args, *workers]
    assert chosen.text == ("by 6 worker processes, for 1.2 GB of CSV in 6 files, on 8 processors")
    assert (
        create_pipeline(config.with_checked_files(UNREAD, None)).beam_pipeline_args == chosen.args
    )


def test_choose_beam_keeps_the_options_of_the_user(large: Path) -> None:
    config = load_config(SHIPPED, [f"data.path={large}", "beam.args=[--direct_num_workers=2]"])

    chosen = choose_beam(config)

    assert chosen.args == config.beam.pipeline_args
    assert chosen.text.startswith("with --direct_num_workers=2, for ")


def test_choose_beam_keeps_another_runner(large: Path) -> None:
    config = load_config(SHIPPED, [f"data.path={large}", "beam.runner=FlinkRunner"])

    chosen = choose_beam(config)

    assert chosen.args == ["--runner=FlinkRunner"]
    assert chosen.text == "FlinkRunner"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_csv_bytes_are_those_before_compression(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"
    data = b"1,2\n" * 1000
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)

    assert csv_bytes(str(path)) == len(data)


def test_csv_bytes_of_what_is_no_gzip_are_few(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv.gz"
    path.write_bytes(b"")
    assert csv_bytes(str(path)) == 0
