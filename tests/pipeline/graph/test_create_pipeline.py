"""Nodes of the graph and their connections."""

import json
from pathlib import Path

import pytest

from components.evaluator.thresholds import Bounds, thresholds_from_json
from tests.helpers.graph_nodes import CATEGORICAL, SWEEP, nodes


def test_tuner_is_optional() -> None:
    assert "Tuner" not in nodes()
    assert "hyperparameters" not in nodes()["Trainer"].inputs


def test_trainer_takes_the_best_of_the_tuner() -> None:
    found = nodes(SWEEP)

    (channel,) = [found["Trainer"].inputs["hyperparameters"]]
    assert list(found) == [*list(nodes())[:6], "Tuner", *list(nodes())[6:]]
    assert channel == found["Tuner"].outputs["best_hyperparameters"]


def test_warm_start_is_optional() -> None:
    assert "BaseModelResolver" not in nodes()
    assert "base_model" not in nodes()["Trainer"].inputs


def test_warm_start_takes_the_latest_blessed_model() -> None:
    found = nodes(SWEEP, "train.warm_start=true")

    model = found["BaseModelResolver"].outputs["model"]
    assert list(found).index("BaseModelResolver") < list(found).index("Tuner")
    assert [found[node].inputs["base_model"] for node in ("Tuner", "Trainer")] == [model, model]


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


def test_pusher_is_told_the_raw_columns(tmp_path: Path) -> None:
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
