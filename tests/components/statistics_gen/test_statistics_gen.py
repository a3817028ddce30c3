"""Statistics computed in batches, compared with those of TFX's StatisticsGen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components.statistics_gen import executor
from components.statistics_gen.component import StatisticsGen
from tests.helpers.example_files import OWN_WORKERS, ROWS, SHARDS, Row, cut, write_files
from tests.helpers.measured_data import read_statistics

OPTIONS = tfdv.StatsOptions(
    num_quantiles_histogram_buckets=100,
    schema=schema_pb2.Schema(
        feature=[
            schema_pb2.Feature(
                name="label",
                type=schema_pb2.INT,
                int_domain=schema_pb2.IntDomain(is_categorical=True),
            )
        ]
    ),
)


def measure(
    executor_class: Any,
    folder: Path,
    splits: dict[str, Sequence[Sequence[Row]]],
    damaged: str | None = None,
    beam_args: Sequence[str] = (),
) -> dict[str, Any]:
    """Reads the statistics of each split, with features by name."""
    examples = write_files(folder / "examples", splits)
    examples.span = 7
    if damaged:
        cut(next((folder / "examples" / f"Split-{damaged}").iterdir()), 8)
    component = StatisticsGen(channel_utils.as_channel([examples]), OPTIONS)
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(folder / "statistics")
    context = executor_class.Context(list(beam_args), tmp_dir=str(folder / "temp"), unique_id="1")
    executor_class(context).Do(
        {"examples": [examples]}, {"statistics": [statistics]}, dict(component.exec_properties)
    )
    assert statistics.span == 7
    return {
        split: as_dict(read_statistics(folder / "statistics" / f"Split-{split}/FeatureStats.pb"))
        for split in artifact_utils.decode_split_names(statistics.split_names)
    }


def as_dict(statistics: Any) -> dict[str, Any]:
    (dataset,) = json_format.MessageToDict(statistics)["datasets"]
    features = {feature["path"]["step"][0]: feature for feature in dataset.pop("features", [])}
    return {**dataset, "features": features}


def assert_alike(found: Any, expected: Any, path: str = "") -> None:
    """Asserts that both are the same up to rounding."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), path
        for key, value in expected.items():
            assert_alike(found[key], value, f"{path}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for index, value in enumerate(expected):
            assert_alike(found[index], value, f"{path}/{index}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9), path
    else:
        assert found == expected, path


@pytest.mark.parametrize("beam_args", [[], OWN_WORKERS], ids=["here", "beam"])
def test_statistics_gen_measures_as_tfx_does(beam_args: list[str], tmp_path: Path) -> None:
    splits: dict[str, Sequence[Sequence[Row]]] = {"train": SHARDS, "eval": [ROWS[:7]], "test": [[]]}

    found = measure(executor.Executor, tmp_path / "bulk", splits, beam_args=beam_args)

    assert_alike(found, measure(stock.Executor, tmp_path / "stock", splits))
    assert found["train"]["numExamples"] == str(len(ROWS))
    assert list(found["train"]["features"]) != []


def test_statistics_gen_of_empty_columns_equals_tfx(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"x": index / 8, "gaps": None, "word": None, "label": 1} for index in range(9)
    ]
    splits: dict[str, Sequence[Sequence[Row]]] = {"train": [rows, ROWS], "eval": [rows]}

    found = measure(executor.Executor, tmp_path / "bulk", splits)

    assert_alike(found, measure(stock.Executor, tmp_path / "stock", splits))
    assert {"gaps", "word"} <= found["eval"]["features"].keys()


def test_statistics_gen_of_many_words_equals_tfx(tmp_path: Path) -> None:
    rows = [{"word": f"w{number}"} for number in range(6_000) for _ in range(1 + (number < 2))]
    splits: dict[str, Sequence[Sequence[Row]]] = {"train": [rows[:4_000], rows[4_000:]]}

    found = measure(executor.Executor, tmp_path / "bulk", splits)

    expected = measure(stock.Executor, tmp_path / "stock", splits)
    words = found["train"]["features"]["word"]["stringStats"]
    assert_alike(
        words["topValues"], expected["train"]["features"]["word"]["stringStats"]["topValues"]
    )
    assert words["unique"] == "6000"


def test_statistics_gen_names_a_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"Split-eval/data-\S* was cut off: "):
        measure(executor.Executor, tmp_path, {"train": SHARDS, "eval": [ROWS]}, damaged="eval")
