"""The checks of the summary, and where they are those of TFMA."""

import json
import math

import pytest
import tensorflow_model_analysis as tfma
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics.metric_types import MetricKey

from components.evaluator.summarize import make_checks, thresholds_of, values_of

LOWER, HIGHER = (
    tfma.MetricDirection.LOWER_IS_BETTER,
    tfma.MetricDirection.HIGHER_IS_BETTER,
)


def make_threshold(
    lower: float | None = None,
    upper: float | None = None,
    change: float | None = None,
    direction: int = HIGHER,
) -> tfma.MetricThreshold:
    threshold = tfma.MetricThreshold()
    if lower is not None:
        threshold.value_threshold.lower_bound.value = lower
    if upper is not None:
        threshold.value_threshold.upper_bound.value = upper
    if change is not None:
        threshold.change_threshold.absolute.value = change
        threshold.change_threshold.direction = direction
    return threshold


def make_eval_config(
    *thresholds: tuple[str, tfma.MetricThreshold], has_baseline: bool = False
) -> tfma.EvalConfig:
    models = [tfma.ModelSpec(name=tfma.CANDIDATE_KEY if has_baseline else "", label_key="label")]
    if has_baseline:
        models.append(tfma.ModelSpec(name=tfma.BASELINE_KEY, label_key="label", is_baseline=True))
    config = tfma.EvalConfig(model_specs=models, slicing_specs=[tfma.SlicingSpec()])
    spec = config.metrics_specs.add(model_names=[model.name for model in models])
    for name, threshold in thresholds:
        metric = spec.metrics.add(class_name="Precision", config=json.dumps({"name": name}))
        metric.per_slice_thresholds.add(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
    return config


# thresholds_of


def test_thresholds_of_lists_the_thresholds_of_all_specs_by_metric() -> None:
    first, second = make_threshold(lower=0.5), make_threshold(upper=2)
    config = make_eval_config(("accuracy", first))
    config.metrics_specs.extend(make_eval_config(("loss", second)).metrics_specs)
    config.metrics_specs[0].metrics.add(class_name="ExampleCount", config='{"name": "n"}')

    assert list(thresholds_of(config)) == [("accuracy", first), ("loss", second)]


# values_of


def test_values_of_names_metrics_by_the_words_of_their_classes() -> None:
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


def test_values_of_leaves_out_what_is_no_number_or_a_difference() -> None:
    results = {"": {"matrix": {"matrices": []}, "accuracy_diff": {"doubleValue": 0.5}}}

    assert values_of(results, []) == {}


@pytest.mark.parametrize("value", ["NaN", math.nan])
def test_values_of_keeps_an_undefined_metric(value: object) -> None:
    (found,) = values_of({"": {"accuracy": {"doubleValue": value}}}, []).values()

    assert math.isnan(found)


# make_checks


@pytest.mark.parametrize(
    ("value", "baseline", "threshold", "expected"),
    [
        (0.5, None, make_threshold(lower=0.5), [("min", 0.5, 0.5, 0.0)]),
        (0.25, None, make_threshold(lower=0.5), [("min", 0.5, 0.25, -0.25)]),
        (0.5, None, make_threshold(upper=0.5), [("max", 0.5, 0.5, 0.0)]),
        (0.75, None, make_threshold(upper=0.5), [("max", 0.5, 0.75, -0.25)]),
        (
            *(0.5, None, make_threshold(lower=0.75, upper=1.0)),
            [("min", 0.75, 0.5, -0.25), ("max", 1.0, 0.5, 0.5)],
        ),
        # No baseline, no change.
        (0.5, None, make_threshold(change=-0.25), []),
        # The metric may fall by 0.25, or rise by 0.25 where lower is better.
        (0.5, 0.75, make_threshold(change=-0.25), [("change", -0.25, -0.25, 0.0)]),
        (0.5, 1.0, make_threshold(change=-0.25), [("change", -0.25, -0.5, -0.25)]),
        (1.0, 0.25, make_threshold(change=-0.25), [("change", -0.25, 0.75, 1.0)]),
        (1.0, 0.75, make_threshold(change=0.25, direction=LOWER), [("change", 0.25, 0.25, 0.0)]),
        (1.0, 0.5, make_threshold(change=0.25, direction=LOWER), [("change", 0.25, 0.5, -0.25)]),
        (0.0, 0.5, make_threshold(change=0.25, direction=LOWER), [("change", 0.25, -0.5, 0.75)]),
        (1.0, 0.0, make_threshold(change=-0.25), [("change", -0.25, 1.0, 1.25)]),
        # Nothing holds of what is no number.
        (math.inf, None, make_threshold(upper=0.5), [("max", 0.5, math.inf, None)]),
    ],
)
def test_make_checks_holds_a_metric_against_its_bounds(
    value: float,
    baseline: float | None,
    threshold: tfma.MetricThreshold,
    expected: list[tuple[str, float, float, float | None]],
) -> None:
    config = make_eval_config(("accuracy", threshold))

    checks = make_checks(
        {"accuracy": value, "other": 1.0},
        {} if baseline is None else {"accuracy": baseline},
        config,
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


def test_make_checks_holds_every_class_against_the_bounds() -> None:
    config = make_eval_config(("recall", make_threshold(lower=0.5)))

    checks = make_checks({"recall/ant": 1.0, "recall/b/e": 0.0, "recalls": 0.0}, {}, config)

    assert [(check["metric"], check["holds"]) for check in checks] == [
        ("recall/ant", True),
        ("recall/b/e", False),
    ]


def test_make_checks_skips_what_is_undefined_of_an_absent_class() -> None:
    config = make_eval_config(("recall", make_threshold(lower=0.5)))

    checks = make_checks({"recall/ant": math.nan, "recall/bee": math.nan}, {}, config, {"bee"})

    assert [(check["holds"], check["skipped"]) for check in checks] == [
        (False, None),
        (True, "the split has no examples of the class"),
    ]


def test_make_checks_holds_what_is_defined_of_an_absent_class() -> None:
    config = make_eval_config(("precision", make_threshold(lower=0.5)))

    (check,) = make_checks({"precision/bee": 0.0}, {}, config, {"bee"})

    assert (check["holds"], check["skipped"]) == (False, None)


def test_make_checks_skips_a_change_to_what_was_undefined() -> None:
    config = make_eval_config(("precision", make_threshold(lower=0.5, change=-0.25)))

    fixed, change = make_checks({"precision": 1.0}, {"precision": math.nan}, config)

    assert (fixed["holds"], fixed["skipped"]) == (True, None)
    assert (change["holds"], change["skipped"]) == (True, "undefined for the baseline")
    assert change["margin"] is None


numbers = st.sampled_from([0.0, 0.25, 0.5, 1.0, -0.25, math.nan]) | st.floats(0, 10)
limits = st.none() | st.sampled_from([0.0, 0.25, -0.25, 0.5]) | st.floats(-10, 10)


@given(numbers, st.none() | numbers, limits, limits, limits, st.sampled_from([LOWER, HIGHER]))
@example(math.nan, None, 0.5, None, None, HIGHER)
def test_make_checks_agrees_with_tfma(
    value: float,
    baseline: float | None,
    lower: float | None,
    upper: float | None,
    change: float | None,
    direction: int,
) -> None:
    # TFMA lets no change hold against a baseline that is 0 or undefined.
    assume(baseline != 0 and not (baseline is not None and math.isnan(baseline)))
    has_baseline = baseline is not None
    threshold = make_threshold(lower, upper, change if has_baseline else None, direction)
    config = make_eval_config(("recall", threshold), has_baseline=has_baseline)
    metrics = {MetricKey("recall", tfma.CANDIDATE_KEY if has_baseline else ""): value}
    if baseline is not None:
        metrics[MetricKey("recall", tfma.BASELINE_KEY)] = baseline
        metrics[MetricKey("recall", tfma.CANDIDATE_KEY, is_diff=True)] = value - baseline
    verdict = metrics_validator.validate_metrics(((), metrics), config)

    checks = make_checks(
        {"recall": value}, {} if baseline is None else {"recall": baseline}, config
    )

    assert all(check["holds"] for check in checks) == verdict.validation_ok
