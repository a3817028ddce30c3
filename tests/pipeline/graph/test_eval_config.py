"""What TFMA is asked to measure."""

import json
from typing import Any

import pytest
import tensorflow_model_analysis as tfma

from components.evaluator.tasks import task_of
from pipeline.graph.eval_config import make_eval_config
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


def thresholds_of(config: Config) -> dict[str, tfma.MetricThreshold]:
    """Gives the thresholds by metric, each of which is of the whole split only."""
    found = {}
    for spec in make_eval_config(config).metrics_specs:
        assert not spec.thresholds
        assert not spec.per_slice_thresholds
        for metric in spec.metrics:
            assert not metric.HasField("threshold")
            for per_slice in metric.per_slice_thresholds:
                assert list(per_slice.slicing_specs) == [tfma.SlicingSpec()]
                found[json.loads(metric.config)["name"]] = per_slice.threshold
    return found


def test_make_eval_config_asks_the_examples_signature() -> None:
    (model,) = make_eval_config(make_config({"accuracy": {"min": 0.9}})).model_specs

    assert model == tfma.ModelSpec(
        model_type="tf_generic",
        signature_name="examples",
        prediction_key="probabilities",
        label_key="animal",
    )


def test_make_eval_config_asks_for_the_predictions_of_a_regression() -> None:
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
def test_make_eval_config_measures_everything_whatever_has_thresholds(
    task: str, threshold: str, expected: list[list[str]]
) -> None:
    specs = make_eval_config(make_config({threshold: {"min": 0.9}}, task=task)).metrics_specs

    names = [[json.loads(metric.config)["name"] for metric in spec.metrics] for spec in specs]
    assert names == expected


@pytest.mark.parametrize(
    ("task", "metric"), [("multiclass", "auc"), ("binary", "auc"), ("regression", "mae")]
)
def test_make_eval_config_tells_its_task(task: Any, metric: str) -> None:
    eval_config = make_eval_config(make_config({metric: {"min": 0.5}}, task=task))

    assert task_of(eval_config) == task


def test_make_eval_config_measures_the_whole_split_and_every_slice() -> None:
    config = make_config({"accuracy": {"min": 0.9}}, ["color", ["color", "size"]])

    assert list(make_eval_config(config).slicing_specs) == [
        tfma.SlicingSpec(),
        tfma.SlicingSpec(feature_keys=["color"]),
        tfma.SlicingSpec(feature_keys=["color", "size"]),
    ]


@pytest.mark.parametrize("metric", ["accuracy", "cross_entropy", "precision", "recall", "auc"])
def test_make_eval_config_gives_bounds_to_the_metric_that_has_them(metric: str) -> None:
    thresholds = thresholds_of(make_config({metric: {"min": 0.25, "max": 0.75}}))

    assert thresholds == {
        metric: tfma.MetricThreshold(
            value_threshold=tfma.GenericValueThreshold(
                lower_bound={"value": 0.25}, upper_bound={"value": 0.75}
            )
        )
    }


@pytest.mark.parametrize(
    ("bounds", "lower", "upper"),
    [({"min": 0.0}, 0.0, None), ({"max": 0.0}, None, 0.0), ({"min": 0.5}, 0.5, None)],
)
def test_make_eval_config_gives_a_bound_of_zero_and_leaves_out_what_is_not_set(
    bounds: dict[str, float], lower: float | None, upper: float | None
) -> None:
    threshold = thresholds_of(make_config({"accuracy": bounds}))["accuracy"]

    found = threshold.value_threshold
    assert (found.lower_bound.value if found.HasField("lower_bound") else None) == lower
    assert (found.upper_bound.value if found.HasField("upper_bound") else None) == upper
    assert not threshold.HasField("change_threshold")


@pytest.mark.parametrize(
    ("metric", "direction", "change"),
    [
        ("accuracy", tfma.MetricDirection.HIGHER_IS_BETTER, -0.25),
        ("precision", tfma.MetricDirection.HIGHER_IS_BETTER, -0.25),
        ("recall", tfma.MetricDirection.HIGHER_IS_BETTER, -0.25),
        ("cross_entropy", tfma.MetricDirection.LOWER_IS_BETTER, 0.25),
        ("rmse", tfma.MetricDirection.LOWER_IS_BETTER, 0.25),
        ("r2", tfma.MetricDirection.HIGHER_IS_BETTER, -0.25),
    ],
)
def test_make_eval_config_signs_the_change_by_what_is_worse(
    metric: str, direction: int, change: float
) -> None:
    task = "regression" if metric in METRICS["regression"] else "multiclass"
    config = make_config({metric: {"max_worsening": 0.25}}, task=task)
    threshold = thresholds_of(config)[metric]

    assert not threshold.HasField("value_threshold")
    assert threshold.change_threshold == tfma.GenericChangeThreshold(
        direction=direction, absolute={"value": change}
    )


def test_make_eval_config_is_one_that_tfma_takes() -> None:
    config = make_config({"accuracy": {"min": 0.9, "max_worsening": 0.1}}, ["color"])

    updated = tfma.utils.update_eval_config_with_defaults(
        make_eval_config(config), has_baseline=True, rubber_stamp=True
    )

    tfma.utils.verify_eval_config(updated)
