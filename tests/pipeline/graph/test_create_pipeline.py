"""What the graph gives its nodes: what is not in a node's properties, its cache cannot follow."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.dsl.components.common.resolver import RESOLVER_CONFIG

from components.evaluator.thresholds import Bounds, thresholds_from_json
from pipeline.graph.code_digest import code_digest
from pipeline.graph.create_pipeline import create_pipeline
from pipeline.settings.load import load_config
from tests.helpers.paths import PROJECT_DIR, SHIPPED


def test_create_pipeline_tells_run_fn_the_digest_of_its_code() -> None:
    pipeline = create_pipeline(load_config(SHIPPED))
    (trainer,) = (node for node in pipeline.components if node.id == "Trainer")

    custom_config = json.loads(trainer.exec_properties["custom_config"])

    assert custom_config["code_digest"] == code_digest("trainer.run")


SWEEP = "tuner={max_trials: 3, space: {model.learning_rate: {uniform: [0.1, 1]}}}"


def nodes(*overrides: str) -> dict[str, Any]:
    return {node.id: node for node in create_pipeline(load_config(SHIPPED, overrides)).components}


def custom_config(node: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(node.exec_properties["custom_config"])
    return values


def test_create_pipeline_has_no_tuner_unless_asked_for() -> None:
    assert "Tuner" not in nodes()
    assert "hyperparameters" not in nodes()["Trainer"].inputs


def test_create_pipeline_gives_the_tuners_best_to_the_trainer() -> None:
    found = nodes(SWEEP)

    (channel,) = [found["Trainer"].inputs["hyperparameters"]]
    assert list(found) == [*list(nodes())[:6], "Tuner", *list(nodes())[6:]]
    assert channel == found["Tuner"].outputs["best_hyperparameters"]


@pytest.mark.parametrize("node_id", ["Tuner", "Trainer"])
def test_create_pipeline_keys_a_sweep_by_no_setting_that_it_replaces(node_id: str) -> None:
    def key(*overrides: str) -> dict[str, Any]:
        return custom_config(nodes(SWEEP, *overrides)[node_id])

    assert key("model.learning_rate=0.7") == key()
    assert key("model.optimizer=adam") != key()


@pytest.mark.parametrize("node_id", ["Tuner", "Trainer"])
def test_create_pipeline_takes_out_of_a_section_what_a_sweep_replaces_there(node_id: str) -> None:
    schedule = "model.schedule={kind: exponential, rate: 0.5, steps: 7}"
    sweep = "tuner={max_trials: 3, space: {model.schedule.rate: {uniform: [0.1, 0.9]}}}"

    settings = custom_config(nodes(schedule, sweep)[node_id])["settings"]

    assert settings["model"]["schedule"] == {"kind": "exponential", "steps": 7, "boundaries": []}


def test_create_pipeline_begins_with_no_model_unless_asked_for() -> None:
    assert "BaseModelResolver" not in nodes()
    assert "base_model" not in nodes()["Trainer"].inputs


def test_create_pipeline_begins_with_the_latest_blessed_model() -> None:
    found = nodes(SWEEP, "train.warm_start=true")

    model = found["BaseModelResolver"].outputs["model"]
    assert list(found).index("BaseModelResolver") < list(found).index("Tuner")
    assert [found[node].inputs["base_model"] for node in ("Tuner", "Trainer")] == [model, model]


@pytest.mark.parametrize(("node_id", "is_keyed"), [("Tuner", True), ("Trainer", False)])
def test_create_pipeline_keys_the_tuner_by_the_sweep(node_id: str, is_keyed: bool) -> None:
    before, after = nodes(SWEEP), nodes(SWEEP, "tuner.seed=2")

    has_changed = custom_config(before[node_id]) != custom_config(after[node_id])
    assert has_changed is is_keyed


def test_create_pipeline_keys_the_tuner_by_its_code() -> None:
    digest = custom_config(nodes(SWEEP)["Tuner"])["code_digest"]

    assert digest == code_digest("trainer.tuner", "components.tuner.component")


@pytest.mark.parametrize(
    "node_id", ["CsvExampleGen", "StatisticsGen", "Transform", "Evaluator", "Pusher"]
)
def test_create_pipeline_keys_a_node_by_its_code(node_id: str) -> None:
    pipeline = create_pipeline(load_config(SHIPPED))
    (node,) = (node for node in pipeline.components if node.id == node_id)

    assert len(node.exec_properties["code_digest"]) == 64


@pytest.mark.parametrize("labels", [[7, 7, -1], ["bee", "bee", "ant"]])
def test_create_pipeline_counts_each_class_of_the_label(labels: list[int] | list[str]) -> None:
    pipeline = create_pipeline(load_config(SHIPPED))
    (node,) = (node for node in pipeline.components if node.id == "StatisticsGen")
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


# Splits


def input_config(node: Any) -> dict[str, str]:
    """Gives the pattern of each input split of an ExampleGen."""
    splits = json.loads(node.exec_properties["input_config"])["splits"]
    return {split["name"]: split["pattern"] for split in splits}


def split_config(node: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.exec_properties["output_config"]).get(
        "split_config", {}
    )
    return found


def test_create_pipeline_hashes_rows_to_the_splits() -> None:
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


def test_create_pipeline_takes_the_files_of_each_split(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "rows.csv").touch()
    (tmp_path / "eval.csv").touch()

    example_gen = nodes(
        "data.path=null", f"data.files={{train: {tmp_path}/train, eval: {tmp_path}/eval.csv}}"
    )["CsvExampleGen"]

    assert example_gen.exec_properties["input_base"] == str(tmp_path)
    assert input_config(example_gen) == {"train": "train/*.csv*", "eval": "eval.csv"}
    assert split_config(example_gen) == {}


def test_create_pipeline_leaves_the_span_to_be_found_at_run_time(tmp_path: Path) -> None:
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
def test_create_pipeline_transforms_train_and_eval_and_learns_from_train(test: int) -> None:
    found = nodes(f"data.split.test={test}")

    assert json.loads(found["Transform"].exec_properties["splits_config"]) == {
        "analyze": ["train"],
        "transform": ["train", "eval"],
    }
    assert json.loads(found["Trainer"].exec_properties["train_args"])["splits"] == ["train"]
    assert json.loads(found["Trainer"].exec_properties["eval_args"])["splits"] == ["eval"]
    assert not found["StatisticsGen"].exec_properties.get("exclude_splits", "[]").strip("[]")


# what Transform is keyed by

CATEGORICAL = "features.sepal_length={kind: categorical}"


@pytest.mark.parametrize(
    ("override", "is_keyed"),
    [
        ("features.sepal_length={kind: categorical, min_count: 2}", True),
        ("features.sepal_length={kind: categorical, encode: embedding, dimension: 3}", False),
        ("features.pair={kind: crossed, columns: [sepal_length, petal_length]}", False),
        ("features.more=ignore", False),
        ("data.weight=weight", True),
        ("task=binary", True),
        ("model.hidden_units=[3]", False),
        ("model.preprocessing_fn=trainer.preprocessing.preprocessing_fn", True),
    ],
)
def test_create_pipeline_keys_transform_by_what_it_uses(override: str, is_keyed: bool) -> None:
    settings = [CATEGORICAL, "features.petal_length={kind: bucketized}"]

    keys = [custom_config(nodes(*each)["Transform"]) for each in (settings, [*settings, override])]

    assert (keys[0] != keys[1]) == is_keyed


@pytest.mark.parametrize(
    ("node_id", "key"),
    [("Transform", "preprocessing_fn"), ("Trainer", "model_fn"), ("Tuner", "model_fn")],
)
def test_create_pipeline_keys_a_node_by_the_users_own_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node_id: str, key: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "keyed_by.py"

    def digest(source: str) -> str:
        module.write_text(source)
        properties = nodes(SWEEP, f"model.{key}=keyed_by.fn")[node_id].exec_properties
        found: str = (
            properties.get("code_digest") or json.loads(properties["custom_config"])["code_digest"]
        )
        return found

    assert digest("def fn(inputs): ...\n") != digest("def fn(inputs): return 1\n")


def test_create_pipeline_takes_the_label_of_a_regression_for_a_number() -> None:
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


@pytest.mark.parametrize(
    ("task", "metric", "features"),
    [
        ("multiclass", "auc", []),
        ("binary", "auc", []),
        (
            *("regression", "mae"),
            ["data.label=sepal_width", "mlflow.primary_metric=null", "features={legs: numeric}"],
        ),
    ],
)
def test_evaluator_is_told_task_and_thresholds(task: str, metric: str, features: list[str]) -> None:
    thresholds = f"evaluation.thresholds={{{metric}: {{min: 0.25}}}}"
    properties = nodes(f"task={task}", *features, thresholds)["Evaluator"].exec_properties

    assert properties["task"] == task
    assert thresholds_from_json(properties["thresholds"]) == {metric: Bounds(min=0.25)}


DRIFT = "validation.drift={'*': 0.2}"
SKEW = f"validation.skew={{path: {PROJECT_DIR}/data/iris/iris.csv, columns: {{'*': 0.1}}}}"
MEASURING = {"PreviousStatistics", "DriftValidator", "SkewStatisticsGen", "SkewValidator"}


def test_create_pipeline_has_all_that_learns_wait_for_the_gate() -> None:
    found = nodes()

    assert found["DataGate"] in found["Transform"].upstream_nodes
    assert not MEASURING & found.keys()


def test_create_pipeline_measures_distances_where_asked_for() -> None:
    found = nodes(DRIFT, SKEW)

    assert found.keys() >= MEASURING
    assert set(found["DataGate"].inputs) >= {"drift", "skew"}
    assert found["DataGate"].inputs["drift"] == found["DriftValidator"].outputs["distances"]
    assert found["DataGate"].inputs["skew"] == found["SkewValidator"].outputs["distances"]
    assert json.loads(found["SkewValidator"].exec_properties["limits"]) == {"*": 0.1}


def test_create_pipeline_keys_the_gate_by_its_settings() -> None:
    def key(*overrides: str) -> dict[str, Any]:
        return dict(nodes(*overrides)["DataGate"].exec_properties)

    assert key("model.seed=2") == key()
    assert key("validation.stop_at=never") != key()
    assert key("features={sepal_width: numeric}") != key()
    assert set(json.loads(key()["columns"])) == {
        *("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
    }


def test_create_pipeline_keys_validators_by_their_code() -> None:
    found = nodes(DRIFT, SKEW)

    for node_id in ("DataGate", "DriftValidator", "SkewStatisticsGen", "SkewValidator"):
        assert len(found[node_id].exec_properties["code_digest"]) == 64


@pytest.mark.parametrize(("name", "has_spans"), [("3.csv", False), ("{SPAN}.csv", True)])
def test_create_pipeline_compares_spans_where_there_are_some(
    tmp_path: Path, name: str, has_spans: bool
) -> None:
    (tmp_path / "3.csv").touch()

    resolver = nodes(DRIFT, f"data.path={tmp_path}/{name}")["PreviousStatistics"]

    assert resolver.exec_properties[RESOLVER_CONFIG] == {
        "has_spans": has_spans,
        "gate_type": "components.data_gate.component.DataGate",
    }


def test_create_pipeline_infers_the_schema_of_the_train_split_alone() -> None:
    properties = nodes()["SchemaGen"].exec_properties

    assert json.loads(properties["exclude_splits"]) == ["eval"]


def test_create_pipeline_keys_a_reviewed_schema_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"

    def key(content: str) -> Any:
        path.write_text(content)
        found = nodes(f"data.schema={path}")
        assert found["Transform"].inputs["schema"] == found["ImportSchemaGen"].outputs["schema"]
        assert found["DataGate"].exec_properties["is_reviewed"] == 1
        return found["ImportSchemaGen"].exec_properties["content_digest"]

    assert key("a") == key("a") != key("b")


def test_create_pipeline_tells_the_pusher_of_the_raw_columns(tmp_path: Path) -> None:
    (tmp_path / "schema.pbtxt").touch()
    found = nodes(
        f"data.schema={tmp_path}/schema.pbtxt",
        CATEGORICAL,
        "features.sepal_width=ignore",
        "features.pair={kind: crossed, columns: [sepal_length, petal_length]}",
        "features.petal_length={kind: bucketized, buckets: 3}",
    )

    pusher = found["Pusher"]
    assert pusher.inputs["schema"] == found["ImportSchemaGen"].outputs["schema"]
    assert pusher.inputs["statistics"] == found["StatisticsGen"].outputs["statistics"]
    assert json.loads(pusher.exec_properties["features"]) == {
        "sepal_length": "categorical",
        "petal_length": {"kind": "bucketized", "buckets": 3},
        "petal_width": "numeric",
    }
