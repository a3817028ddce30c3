"""The checks of the summary, compared with TFMA's validation."""

import json
import math

import pytest
import tensorflow_model_analysis as tfma
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics.metric_types import MetricKey

from components.evaluator.summarize import make_checks, values_of
from components.evaluator.thresholds import Bounds

# values_of


def test_values_of_appends_class_names() -> None:
    results = {
        "": {"accuracy": {"doubleValue": 0.5}},
        "classId:0": {"recall": {"doubleValue": 0.25}},
        "classId:1": {"recall": {"doubleValue": 1.0}},
    }

    assert values_of(results, ["ant/x", "bee"]) == {
        "accuracy": 0.5,
        "recall/ant/x": 0.25,
        "recall/bee": 1.0,
    }


def test_values_of_skips_non_numbers_and_differences() -> None:
    results = {"": {"matrix": {"matrices": []}, "accuracy_diff": {"doubleValue": 0.5}}}

    assert values_of(results, []) == {}


@pytest.mark.parametrize("value", ["NaN", math.nan])
def test_values_of_keeps_undefined_metrics(value: object) -> None:
    (found,) = values_of({"": {"accuracy": {"doubleValue": value}}}, []).values()

    assert math.isnan(found)


# make_checks


@pytest.mark.parametrize(
    ("value", "baseline", "bounds", "expected"),
    [
        (0.5, None, Bounds(min=0.5), [("min", 0.5, 0.5, 0.0)]),
        (0.25, None, Bounds(min=0.5), [("min", 0.5, 0.25, -0.25)]),
        (0.5, None, Bounds(max=0.5), [("max", 0.5, 0.5, 0.0)]),
        (0.75, None, Bounds(max=0.5), [("max", 0.5, 0.75, -0.25)]),
        (
            *(0.5, None, Bounds(min=0.75, max=1.0)),
            [("min", 0.75, 0.5, -0.25), ("max", 1.0, 0.5, 0.5)],
        ),
        # No baseline, no change.
        (0.5, None, Bounds(min_change=-0.25), []),
        # The metric may fall by 0.25, or rise by 0.25 where lower is better.
        (0.5, 0.75, Bounds(min_change=-0.25), [("change", -0.25, -0.25, 0.0)]),
        (0.5, 1.0, Bounds(min_change=-0.25), [("change", -0.25, -0.5, -0.25)]),
        (1.0, 0.25, Bounds(min_change=-0.25), [("change", -0.25, 0.75, 1.0)]),
        (1.0, 0.75, Bounds(max_change=0.25), [("change", 0.25, 0.25, 0.0)]),
        (1.0, 0.5, Bounds(max_change=0.25), [("change", 0.25, 0.5, -0.25)]),
        (0.0, 0.5, Bounds(max_change=0.25), [("change", 0.25, -0.5, 0.75)]),
        (1.0, 0.0, Bounds(min_change=-0.25), [("change", -0.25, 1.0, 1.25)]),
        # A value that is not finite fails its bound.
        (math.inf, None, Bounds(max=0.5), [("max", 0.5, math.inf, None)]),
    ],
)
def test_make_checks_compares_with_bounds(
    value: float,
    baseline: float | None,
    bounds: Bounds,
    expected: list[tuple[str, float, float, float | None]],
) -> None:
    checks = make_checks(
        {"accuracy": value, "other": 1.0},
        {} if baseline is None else {"accuracy": baseline},
        {"accuracy": bounds},
    )

    assert list(checks) == [
        {
            "metric": "accuracy",
            "bound": bound,
            "limit": limit,
            "value": found,
            "holds": margin is not None and margin >= 0,
            "margin": margin,
            "skipped": None,
        }
        for bound, limit, found, margin in expected
    ]


def test_make_checks_covers_every_class() -> None:
    thresholds = {"recall": Bounds(min=0.5)}

    checks = make_checks({"recall/ant": 1.0, "recall/b/e": 0.0, "recalls": 0.0}, {}, thresholds)

    assert [(check["metric"], check["holds"]) for check in checks] == [
        ("recall/ant", True),
        ("recall/b/e", False),
    ]


def test_make_checks_skips_absent_classes() -> None:
    thresholds = {"recall": Bounds(min=0.5)}

    checks = make_checks({"recall/ant": math.nan, "recall/bee": math.nan}, {}, thresholds, {"bee"})

    assert [(check["holds"], check["skipped"]) for check in checks] == [
        (False, None),
        (True, "the split has no examples of the class"),
    ]


def test_make_checks_defined_metric_of_absent_class() -> None:
    thresholds = {"precision": Bounds(min=0.5)}

    (check,) = make_checks({"precision/bee": 0.0}, {}, thresholds, {"bee"})

    assert (check["holds"], check["skipped"]) == (False, None)


def test_make_checks_skips_an_undefined_baseline() -> None:
    thresholds = {"precision": Bounds(min=0.5, min_change=-0.25)}

    fixed, change = make_checks({"precision": 1.0}, {"precision": math.nan}, thresholds)

    assert (fixed["holds"], fixed["skipped"]) == (True, None)
    assert (change["holds"], change["skipped"]) == (True, "undefined for the baseline")
    assert change["margin"] is None


numbers = st.sampled_from([0.0, 0.25, 0.5, 1.0, -0.25, math.nan]) | st.floats(0, 10)
limits = st.none() | st.sampled_from([0.0, 0.25, -0.25, 0.5]) | st.floats(-10, 10)


def to_eval_config(bounds: Bounds, has_baseline: bool) -> tfma.EvalConfig:
    """Makes TFMA's configuration of the bounds of `recall`."""
    models = [tfma.ModelSpec(name=tfma.CANDIDATE_KEY if has_baseline else "", label_key="label")]
    if has_baseline:
        models.append(tfma.ModelSpec(name=tfma.BASELINE_KEY, label_key="label", is_baseline=True))
    config = tfma.EvalConfig(model_specs=models, slicing_specs=[tfma.SlicingSpec()])
    spec = config.metrics_specs.add(model_names=[model.name for model in models])
    metric = spec.metrics.add(class_name="Precision", config=json.dumps({"name": "recall"}))
    threshold = metric.per_slice_thresholds.add(slicing_specs=[tfma.SlicingSpec()]).threshold
    if bounds.min is not None:
        threshold.value_threshold.lower_bound.value = bounds.min
    if bounds.max is not None:
        threshold.value_threshold.upper_bound.value = bounds.max
    if has_baseline and bounds.min_change is not None:
        threshold.change_threshold.absolute.value = bounds.min_change
        threshold.change_threshold.direction = tfma.MetricDirection.HIGHER_IS_BETTER
    if has_baseline and bounds.max_change is not None:
        threshold.change_threshold.absolute.value = bounds.max_change
        threshold.change_threshold.direction = tfma.MetricDirection.LOWER_IS_BETTER
    return config


@given(numbers, st.none() | numbers, limits, limits, limits, st.booleans())
@example(math.nan, None, 0.5, None, None, False)
def test_make_checks_agrees_with_tfma(
    value: float,
    baseline: float | None,
    lower: float | None,
    upper: float | None,
    change: float | None,
    lower_is_better: bool,
) -> None:
    # TFMA fails every change from a baseline that is 0 or undefined.
    assume(baseline != 0 and not (baseline is not None and math.isnan(baseline)))
    has_baseline = baseline is not None
    side = "max_change" if lower_is_better else "min_change"
    bounds = Bounds(lower, upper, **{side: change})
    metrics = {MetricKey("recall", tfma.CANDIDATE_KEY if has_baseline else ""): value}
    if baseline is not None:
        metrics[MetricKey("recall", tfma.BASELINE_KEY)] = baseline
        metrics[MetricKey("recall", tfma.CANDIDATE_KEY, is_diff=True)] = value - baseline
    verdict = metrics_validator.validate_metrics(
        ((), metrics), to_eval_config(bounds, has_baseline)
    )

    checks = make_checks(
        {"recall": value}, {} if baseline is None else {"recall": baseline}, {"recall": bounds}
    )

    assert all(check["holds"] for check in checks) == verdict.validation_ok


def test_make_checks_skips_changes_against_an_unreadable_baseline() -> None:
    thresholds = {"accuracy": Bounds(min=0.5, min_change=-0.1)}

    fixed, change = make_checks({"accuracy": 0.25}, {}, thresholds, obstacle="it reads 'x'")

    assert (fixed["holds"], fixed["skipped"]) == (False, None)
    assert (change["holds"], change["skipped"], change["margin"]) == (True, "it reads 'x'", None)
