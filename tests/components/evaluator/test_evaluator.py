"""The Evaluator with several classes, compared with metrics counted by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from tests.helpers.evaluated import Evaluation, evaluate, make_config, write_model

CLASSES = ["ant", "bee", "cow"]
# Label, class that each model predicts, how sure they are, legs. `poor` never predicts cow; `good`
# does so once, and is less than half sure.
ROWS = [
    ("ant", {"good": 0, "poor": 0}, 0.8, 1),
    ("ant", {"good": 0, "poor": 1}, 0.8, 2),
    ("ant", {"good": 1, "poor": 1}, 0.8, 1),
    ("bee", {"good": 1, "poor": 1}, 0.8, 1),
    ("bee", {"good": 1, "poor": 0}, 0.8, 2),
    ("bee", {"good": 0, "poor": 0}, 0.8, 1),
    ("cow", {"good": 2, "poor": 0}, 0.4, 1),
    ("cow", {"good": 1, "poor": 1}, 0.8, 1),
]
GOOD_ACCURACY, POOR_ACCURACY = 5 / 8, 2 / 8
SPEC = {
    "animal": tf.io.FixedLenFeature([], tf.string),
    "legs": tf.io.FixedLenFeature([], tf.int64),
    "good": tf.io.FixedLenFeature([3], tf.float32),
    "poor": tf.io.FixedLenFeature([3], tf.float32),
}
GOOD, POOR = {"probabilities": "good"}, {"probabilities": "poor"}


def make_rows() -> list[dict[str, object]]:
    return [
        {
            "animal": label,
            "legs": legs,
            **{
                column: [
                    sureness if index == class_id else (1 - sureness) / 2 for index in range(3)
                ]
                for column, class_id in predicted.items()
            },
        }
        for label, predicted, sureness, legs in ROWS
    ]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The good model, compared with one that has other classes; it meets each bound exactly."""
    folder = tmp_path_factory.mktemp("first")
    model = write_model(folder / "model", SPEC, GOOD, CLASSES)
    baseline = write_model(folder / "baseline", SPEC, POOR, ["ant", "bee", "dog"])
    bounds = {"min": GOOD_ACCURACY, "max": GOOD_ACCURACY, "max_worsening": 0.0}
    config = make_config("multiclass", "animal", {"accuracy": bounds}, ["legs"])
    return evaluate(folder, config, SPEC, {"eval": make_rows()}, model, baseline)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The poor model, compared with the good one."""
    folder = tmp_path_factory.mktemp("second")
    model = write_model(folder / "model", SPEC, POOR, CLASSES)
    baseline = write_model(folder / "baseline", SPEC, GOOD, CLASSES)
    thresholds = {
        "accuracy": {"max_worsening": GOOD_ACCURACY - POOR_ACCURACY},
        "cross_entropy": {"max_worsening": 0.1},
        "precision": {"min": 0.0},
        "auc": {"min": 0.0},
    }
    config = make_config("multiclass", "animal", thresholds, ["legs"])
    return evaluate(folder, config, SPEC, {"eval": make_rows()}, model, baseline)


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The good model on weighted examples of a test split without one of the classes."""
    folder = tmp_path_factory.mktemp("third")
    spec = {**SPEC, "weight": tf.io.FixedLenFeature([], tf.float32)}
    model = write_model(folder / "model", spec, GOOD, CLASSES)
    # The ants weigh 2, the bees a half.
    rows = [{**row, "weight": 2.0 if row["animal"] == "ant" else 0.5} for row in make_rows()[:-2]]
    config = make_config(
        "multiclass",
        "animal",
        {"recall": {"min": 0.5}, "auc": {"min": 0.25}},
        weight="weight",
        split={"test": 1},
    )
    return evaluate(folder, config, spec, {"eval": make_rows(), "test": rows}, model)


# one model


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", GOOD_ACCURACY),
        # Four rows right and sure, one right at 0.4, three that give the true class 0.1.
        ("cross_entropy", -(4 * math.log(0.8) + math.log(0.4) + 3 * math.log(0.1)) / 8),
        ("example_count", 8),
        ("precision/ant", 2 / 3),  # of rows 1, 2, 6
        ("recall/ant", 2 / 3),  # of rows 1, 2, 3
        ("precision/bee", 2 / 4),  # of rows 3, 4, 5, 8
        ("recall/bee", 2 / 3),  # of rows 4, 5, 6
        ("precision/cow", 1 / 1),  # of row 7, at 0.4 the highest
        ("recall/cow", 1 / 2),  # of rows 7, 8
        # Of 15 pairs: rows 1 and 2 at 0.8 win 4 and tie row 6; row 3 at 0.1 ties three.
        ("auc/ant", (2 * 4.5 + 1.5) / 15),
        ("auc/cow", (6 + 6 / 2) / 12),  # row 7 at 0.4 wins six, row 8 at 0.1 ties six
    ],
)
def test_evaluator_measures_the_whole_split(
    first: Evaluation, metric: str, expected: float
) -> None:
    overall = first.summary["slices"][0]

    assert overall["slice"] == {}
    assert overall["metrics"][metric] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("index", "legs", "accuracy"), [(1, 1, 3 / 6), (2, 2, 2 / 2)])
def test_evaluator_measures_slices(
    first: Evaluation, index: int, legs: int, accuracy: float
) -> None:
    found = first.summary["slices"][index]

    assert found["slice"] == {"legs": legs}
    assert found["metrics"]["accuracy"] == pytest.approx(accuracy)


def test_evaluator_omits_undefined_slice_metrics(first: Evaluation) -> None:
    metrics = first.summary["slices"][2]["metrics"]

    # No cow has two legs. Row 2 is an ant, row 5 is not.
    assert not {"recall/cow", "auc/cow"} & metrics.keys()
    assert metrics["auc/ant"] == pytest.approx(1)


def test_evaluator_counts_confusions(first: Evaluation) -> None:
    assert first.summary["confusion_matrix"] == [[2, 1, 0], [1, 2, 0], [0, 1, 1]]


def test_evaluator_draws_the_curves_of_each_class(first: Evaluation) -> None:
    curves = first.summary["curves"]

    assert list(curves) == CLASSES
    # At 0.8 rows 1, 2 and 6; at 0.3 row 7; at 0.1 rows 3, 4, 5 and 8.
    assert np.array(curves["ant"]["roc"]) == pytest.approx(
        np.array([[0, 0], [1 / 5, 2 / 3], [2 / 5, 2 / 3], [1, 1]])
    )
    assert curves["ant"]["auc"] == first.summary["slices"][0]["metrics"]["auc/ant"]
    assert np.array(curves["ant"]["calibration"]) == pytest.approx(
        np.array([[0.1, 1 / 4, 4], [0.3, 0, 1], [0.8, 2 / 3, 3]])
    )


def test_evaluator_names_the_classes(first: Evaluation) -> None:
    assert first.summary["classes"] == CLASSES


def test_evaluator_blesses_at_the_exact_bounds(first: Evaluation) -> None:
    assert first.is_blessed
    assert [(check["bound"], check["holds"]) for check in first.summary["checks"]] == [
        ("min", True),
        ("max", True),
        ("change", True),
    ]


def test_evaluator_skips_a_baseline_of_other_classes(first: Evaluation) -> None:
    assert [found["baseline"] for found in first.summary["slices"]] == [None] * 3
    assert first.summary["baseline_obstacle"] == "the baseline has other classes"
    assert first.summary["checks"][-1]["skipped"] == "the baseline has other classes"


# two models


def test_evaluator_measures_the_baseline_too(second: Evaluation) -> None:
    overall = second.summary["slices"][0]

    assert overall["metrics"]["accuracy"] == pytest.approx(POOR_ACCURACY)
    assert overall["baseline"]["accuracy"] == pytest.approx(GOOD_ACCURACY)


def test_evaluator_passes_a_change_at_its_bound(second: Evaluation) -> None:
    (check,) = second.checks("accuracy")

    assert (check["bound"], check["holds"]) == ("change", True)
    assert check["value"] == pytest.approx(POOR_ACCURACY - GOOD_ACCURACY)


def test_evaluator_fails_a_change_beyond_its_bound(second: Evaluation) -> None:
    # Three rows change from right to wrong: two from 0.8 to 0.1, one from 0.4 to 0.3.
    (check,) = second.checks("cross_entropy")

    assert (check["bound"], check["holds"]) == ("change", False)
    assert check["value"] == pytest.approx((2 * math.log(8) + math.log(4 / 3)) / 8, rel=1e-5)
    assert check["margin"] == pytest.approx(0.1 - check["value"])


def test_evaluator_fails_bounds_of_undefined_metrics(second: Evaluation) -> None:
    (check,) = second.checks("precision/cow")

    assert math.isnan(check["value"])
    assert not check["holds"]
    assert check["margin"] is None


def test_evaluator_checks_auc_of_every_class(
    second: Evaluation,
) -> None:
    found = [check["metric"] for check in second.summary["checks"] if "auc" in check["metric"]]

    assert found == ["auc/ant", "auc/bee", "auc/cow"]


def test_evaluator_does_not_bless_a_missed_bound(second: Evaluation) -> None:
    assert not second.is_blessed


# weights, splits, and an absent class


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", (2 + 2 + 0.5 + 0.5) / 7.5),
        ("cross_entropy", -(5 * math.log(0.8) + 2.5 * math.log(0.1)) / 7.5),
        ("example_count", 6),
        ("precision/ant", 4 / 4.5),  # of rows 1, 2, 6
        ("recall/bee", 1 / 1.5),  # of rows 4, 5, 6
        # Of 6 x 1.5 in weight: rows 1 and 2 win rows 4 and 5 and tie row 6; row 3 ties 4 and 5.
        ("auc/ant", (4 * (1 + 0.5 / 2) + 2 * 1 / 2) / 9),
    ],
)
def test_evaluator_weighs_examples_of_the_split(
    third: Evaluation, metric: str, expected: float
) -> None:
    assert third.metrics[metric] == pytest.approx(expected, rel=1e-6)


def test_evaluator_weighs_confusions_and_calibration(third: Evaluation) -> None:
    assert third.summary["confusion_matrix"] == [[4, 2, 0], [0.5, 1, 0], [0, 0, 0]]
    assert np.array(third.summary["curves"]["ant"]["calibration"]) == pytest.approx(
        np.array([[0.1, 2 / 3, 3], [0.8, 4 / 4.5, 4.5]])
    )


def test_evaluator_skips_absent_classes(third: Evaluation) -> None:
    (recall,) = third.checks("recall/cow")
    (auc,) = third.checks("auc/cow")

    assert recall["skipped"] == auc["skipped"] == "the split has no examples of the class"
    assert [check["skipped"] for check in third.checks("recall/ant")] == [None]
    assert third.is_blessed


# its work


def test_examples_are_not_printed_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    print_tensor = ops.numpy_text

    def count(tensor: tf.Tensor, is_repr: bool = False) -> str:
        text: str = print_tensor(tensor, is_repr)
        lengths.append(len(text))
        return text

    monkeypatch.setattr(ops, "numpy_text", count)
    model = write_model(tmp_path / "model", SPEC, GOOD, CLASSES)
    config = make_config("multiclass", "animal", {"accuracy": {"min": 0.1}})

    evaluation = evaluate(tmp_path, config, SPEC, {"eval": make_rows() * 10}, model)

    assert evaluation.metrics["example_count"] == 80
    assert max(lengths, default=0) < 5_000  # 80 examples have some 25,000 characters
