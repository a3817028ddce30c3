"""What the user is told of the Beam runner."""

import gzip
import os
from pathlib import Path

import pytest

from pipeline.beam_choice import csv_bytes, describe_choice
from pipeline.config import Config
from pipeline.load import load_config

SHIPPED = Path(__file__).parents[2] / "pipeline_config.yaml"


def test_describe_choice_of_auto_says_for_how_much_on_how_many(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})

    assert describe_choice(config) == (
        "in this process, for 3.86 KB of CSV in 1 file, on 2 processors"
    )


def test_describe_choice_of_auto_names_the_options_of_the_user() -> None:
    config = load_config(SHIPPED, ["beam.args=[--direct_num_workers=2]"])

    assert describe_choice(config).startswith("in this process with --direct_num_workers=2, for ")


def test_describe_choice_of_another_runner_is_its_name() -> None:
    assert describe_choice(load_config(SHIPPED, ["beam.runner=FlinkRunner"])) == "FlinkRunner"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_csv_bytes_are_those_before_compression(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"
    data = b"1,2\n" * 1000
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)

    assert csv_bytes([str(path)] * 2) == 2 * len(data)


def test_csv_bytes_of_what_is_no_gzip_are_few(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv.gz"
    path.write_bytes(b"")
    assert csv_bytes([str(path)]) == 0
