"""Nodes of the data in the graph: splits, statistics, schema, distances."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.dsl.components.common.resolver import RESOLVER_CONFIG

from tests.helpers.graph_nodes import DRIFT, SKEW, nodes


@pytest.mark.parametrize("labels", [[7, 7, -1], ["bee", "bee", "ant"]])
def test_statistics_count_each_class(labels: list[int] | list[str]) -> None:
    node = nodes()["StatisticsGen"]
    options = tfdv.StatsOptions.from_json(node.exec_properties["stats_options_json"])

    statistics = tfdv.generate_statistics_from_dataframe(
        pd.DataFrame({"species": labels, "sepal_width": [3, 3, 4]}), options, n_jobs=1
    )

    columns = {feature.path.step[0]: feature for feature in statistics.datasets[0].features}
    found = columns["species"].string_stats.rank_histogram.buckets
    assert [(bucket.label, bucket.sample_count) for bucket in found] == [
        (str(labels[0]), 2),
        (str(labels[2]), 1),
    ]
    assert columns["sepal_width"].HasField("num_stats")


def input_config(node: Any) -> dict[str, str]:
    """Reads the pattern of each input split of an ExampleGen."""
    splits = json.loads(node.exec_properties["input_config"])["splits"]
    return {split["name"]: split["pattern"] for split in splits}


def split_config(node: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.exec_properties["output_config"]).get(
        "split_config", {}
    )
    return found


def test_rows_are_hashed_to_the_splits() -> None:
    example_gen = nodes("data.split={train: 8, eval: 1, test: 1, by: species}")["CsvExampleGen"]

    assert input_config(example_gen) == {"single_split": "iris.csv"}
    assert split_config(example_gen) == {
        "splits": [
            {"name": "train", "hash_buckets": 8},
            {"name": "eval", "hash_buckets": 1},
            {"name": "test", "hash_buckets": 1},
        ],
        "partition_feature_name": "species",
    }


def test_files_of_each_split(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "rows.csv").touch()
    (tmp_path / "eval.csv").touch()

    example_gen = nodes(
        "data.path=null", f"data.files={{train: {tmp_path}/train, eval: {tmp_path}/eval.csv}}"
    )["CsvExampleGen"]

    assert example_gen.exec_properties["input_base"] == str(tmp_path)
    assert input_config(example_gen) == {"train": "train/*.csv*", "eval": "eval.csv"}
    assert split_config(example_gen) == {}


def test_span_is_found_at_run_time(tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "rows.csv").touch()
    path = f"data.path={tmp_path}/{{SPAN}}"

    newest, named = nodes(path)["CsvExampleGen"], nodes(path, "data.span=3")["CsvExampleGen"]

    assert input_config(newest) == input_config(named) == {"single_split": "{SPAN}/*.csv*"}
    assert newest.exec_properties.get("range_config") is None
    assert json.loads(named.exec_properties["range_config"]) == {
        "static_range": {"start_span_number": 3, "end_span_number": 3}
    }


@pytest.mark.parametrize("test", [0, 1])
def test_splits_of_transform_and_trainer(test: int) -> None:
    found = nodes(f"data.split.test={test}")

    assert json.loads(found["Transform"].exec_properties["splits_config"]) == {
        "analyze": ["train"],
        "transform": ["train", "eval"],
    }
    assert json.loads(found["Trainer"].exec_properties["train_args"])["splits"] == ["train"]
    assert json.loads(found["Trainer"].exec_properties["eval_args"])["splits"] == ["eval"]
    assert not found["StatisticsGen"].exec_properties.get("exclude_splits", "[]").strip("[]")


def test_label_of_a_regression_is_a_number() -> None:
    overrides = [
        "task=regression",
        "data.label=sepal_width",
        "mlflow.primary_metric=null",
        "data.split.test=1",
        "features={petal_width: numeric}",
        "evaluation.thresholds={rmse: {max: 1.0}}",
    ]
    found = nodes(*overrides)
    options = tfdv.StatsOptions.from_json(
        found["StatisticsGen"].exec_properties["stats_options_json"]
    )

    statistics = tfdv.generate_statistics_from_dataframe(
        pd.DataFrame({"sepal_width": [7, 7, -1]}), options, n_jobs=1
    )

    (feature,) = statistics.datasets[0].features
    assert len(feature.num_stats.histograms[0].buckets) == 30
    assert found["Evaluator"].exec_properties["example_splits"] == '["test"]'


MEASURING = {"PreviousStatistics", "DriftValidator", "SkewStatisticsGen", "SkewValidator"}


def test_transform_waits_for_the_gate() -> None:
    found = nodes()

    assert found["DataGate"] in found["Transform"].upstream_nodes
    assert not MEASURING & found.keys()


def test_distances_are_optional() -> None:
    found = nodes(DRIFT, SKEW)

    assert found.keys() >= MEASURING
    assert set(found["DataGate"].inputs) >= {"drift", "skew"}
    assert found["DataGate"].inputs["drift"] == found["DriftValidator"].outputs["distances"]
    assert found["DataGate"].inputs["skew"] == found["SkewValidator"].outputs["distances"]
    assert json.loads(found["SkewValidator"].exec_properties["limits"]) == {"*": 0.1}


@pytest.mark.parametrize(("name", "has_spans"), [("3.csv", False), ("{SPAN}.csv", True)])
def test_drift_compares_spans_if_there_are_any(tmp_path: Path, name: str, has_spans: bool) -> None:
    (tmp_path / "3.csv").touch()

    resolver = nodes(DRIFT, f"data.path={tmp_path}/{name}")["PreviousStatistics"]

    assert resolver.exec_properties[RESOLVER_CONFIG] == {
        "has_spans": has_spans,
        "gate_type": "components.data_gate.component.DataGate",
    }


def test_schema_is_inferred_from_train() -> None:
    properties = nodes()["SchemaGen"].exec_properties

    assert json.loads(properties["exclude_splits"]) == ["eval"]
