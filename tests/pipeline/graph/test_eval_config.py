"""What the Evaluator measures, and its thresholds."""

import json
from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import json_format

from components.evaluator.thresholds import Bounds
from pipeline.graph.eval_config import make_eval_config, make_thresholds
from pipeline.settings.config import Config
from pipeline.settings.run_sections import METRICS


def make_config(
    thresholds: dict[str, Any],
    slices: list[Any] | None = None,
    task: str = "multiclass",
    weight: str | None = None,
) -> Config:
    return Config.model_validate(
        {
            "name": "zoo",
            "task": task,
            "data": {"path": "zoo.csv", "label": "animal", "weight": weight},
            "features": {"legs": "numeric"},
            "evaluation": {"thresholds": thresholds, "slices": slices or []},
        }
    )


def test_make_eval_config_uses_the_examples_signature() -> None:
    (model,) = make_eval_config(make_config({"accuracy": {"min": 0.9}})).model_specs

    assert model == tfma.ModelSpec(
        model_type="tf_generic",
        signature_name="examples",
        prediction_key="probabilities",
        label_key="animal",
    )


def test_make_eval_config_of_a_regression() -> None:
    (model,) = make_eval_config(
        make_config({"r2": {"min": -1.0}}, task="regression", weight="mass")
    ).model_specs

    assert (model.prediction_key, model.example_weight_key) == ("predictions", "mass")


@pytest.mark.parametrize(
    ("task", "threshold", "expected"),
    [
        (
            "multiclass",
            "accuracy",
            [
                ["accuracy", "cross_entropy", "example_count", "confusion_matrix", "curves"],
                ["precision", "recall", "auc"],
            ],
        ),
        (
            "binary",
            "accuracy",
            [
                ["accuracy", "cross_entropy", "example_count", "confusion_matrix", "curves"],
                ["precision", "recall", "auc"],
            ],
        ),
        (
            "regression",
            "rmse",
            [
                [
                    *("rmse", "mse", "mae", "r2", "mean_label", "mean_prediction"),
                    *("example_count", "histograms"),
                ],
            ],
        ),
    ],
)
def test_make_eval_config_has_all_metrics_of_the_task(
    task: str, threshold: str, expected: list[list[str]]
) -> None:
    specs = make_eval_config(make_config({threshold: {"min": 0.9}}, task=task)).metrics_specs

    names = [[json.loads(metric.config)["name"] for metric in spec.metrics] for spec in specs]
    assert names == expected


def test_make_eval_config_has_no_thresholds() -> None:
    specs = make_eval_config(make_config({"accuracy": {"min": 0.9}})).metrics_specs

    for spec in specs:
        assert not spec.thresholds
        assert not spec.per_slice_thresholds
        for metric in spec.metrics:
            assert not metric.HasField("threshold")
            assert not metric.per_slice_thresholds


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_make_eval_config_leaves_class_ids_open(task: str) -> None:
    config = make_eval_config(make_config({"accuracy": {"min": 0.9}}, task=task))
    parsed = json_format.Parse(json_format.MessageToJson(config), tfma.EvalConfig())

    overall, of_a_class = parsed.metrics_specs
    assert not overall.HasField("binarize")
    assert of_a_class.HasField("binarize")
    assert not of_a_class.binarize.class_ids.values


def test_make_eval_config_has_all_slices() -> None:
    config = make_config({"accuracy": {"min": 0.9}}, ["color", ["color", "size"]])

    assert list(make_eval_config(config).slicing_specs) == [
        tfma.SlicingSpec(),
        tfma.SlicingSpec(feature_keys=["color"]),
        tfma.SlicingSpec(feature_keys=["color", "size"]),
    ]


def test_make_eval_config_is_valid_for_tfma() -> None:
    config = make_config({"accuracy": {"min": 0.9, "max_worsening": 0.1}}, ["color"])

    updated = tfma.utils.update_eval_config_with_defaults(
        make_eval_config(config), has_baseline=True, rubber_stamp=True
    )

    tfma.utils.verify_eval_config(updated)


# make_thresholds


@pytest.mark.parametrize("metric", ["accuracy", "cross_entropy", "precision", "recall", "auc"])
def test_make_thresholds_bounds_the_named_metric(metric: str) -> None:
    thresholds = make_thresholds(make_config({metric: {"min": 0.25, "max": 0.75}}))

    assert thresholds == {metric: Bounds(min=0.25, max=0.75)}


def test_make_thresholds_follows_the_order_of_metrics() -> None:
    bounds = {"min": 0.5}
    config = make_config({"auc": bounds, "recall": bounds, "accuracy": bounds})

    assert list(make_thresholds(config)) == ["accuracy", "recall", "auc"]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"min": 0.0}, Bounds(min=0.0)),
        ({"max": 0.0}, Bounds(max=0.0)),
        ({"min": 0.5}, Bounds(min=0.5)),
        ({"max_worsening": 0.0}, Bounds(min_change=0.0)),
    ],
)
def test_make_thresholds_tells_zero_from_no_bound(
    bounds: dict[str, float], expected: Bounds
) -> None:
    assert make_thresholds(make_config({"accuracy": bounds})) == {"accuracy": expected}


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", Bounds(min_change=-0.25)),
        ("precision", Bounds(min_change=-0.25)),
        ("recall", Bounds(min_change=-0.25)),
        ("cross_entropy", Bounds(max_change=0.25)),
        ("rmse", Bounds(max_change=0.25)),
        ("r2", Bounds(min_change=-0.25)),
    ],
)
def test_make_thresholds_limits_change_for_the_worse(metric: str, expected: Bounds) -> None:
    task = "regression" if metric in METRICS["regression"] else "multiclass"

    thresholds = make_thresholds(make_config({metric: {"max_worsening": 0.25}}, task=task))

    assert thresholds == {metric: expected}
