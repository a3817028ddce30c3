"""The Evaluator with two classes, one of which is the positive one."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.evaluated import Evaluation, evaluate, make_config, write_model

# Label, a float as in a column with missing values elsewhere, and probability of 1.
ROWS = [(1.0, 0.9), (1.0, 0.6), (1.0, 0.2), (0.0, 0.7), (0.0, 0.1), (0.0, 0.1), (0.0, 0.3)]
SPEC = {
    "sold": tf.io.FixedLenFeature([], tf.float32),
    "model": tf.io.FixedLenFeature([2], tf.float32),
    "sure": tf.io.FixedLenFeature([2], tf.float32),
}


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A model, compared with one that always predicts 0: recall 0, precision undefined."""
    folder = tmp_path_factory.mktemp("binary")
    model = write_model(folder / "model", SPEC, {"probabilities": "model"}, ["0", "1"])
    baseline = write_model(folder / "baseline", SPEC, {"probabilities": "sure"}, ["0", "1"])
    rows = [
        {"sold": label, "model": [1 - probability, probability], "sure": [1.0, 0.0]}
        for label, probability in ROWS
    ]
    thresholds = {
        "recall": {"min": 0.6, "max_worsening": 0.0},
        "precision": {"min": 0.6, "max_worsening": 0.0},
        "auc": {"min": 0.75},
    }
    config = make_config("binary", "sold", thresholds)
    return evaluate(folder, config, SPEC, {"eval": rows}, model, baseline)


def test_evaluator_measures_the_positive_class(evaluation: Evaluation) -> None:
    losses = [math.log(probability if label else 1 - probability) for label, probability in ROWS]

    assert evaluation.summary["task"] == "binary"
    assert evaluation.metrics == pytest.approx(
        {
            "accuracy": 5 / 7,
            "cross_entropy": -sum(losses) / 7,
            "example_count": 7,
            "precision": 2 / 3,
            "recall": 2 / 3,
            "auc": (4 + 3 + 2) / 12,  # of 0.9, 0.6 and 0.2 against 0.7, 0.3, 0.1 and 0.1
        },
        rel=1e-5,
    )


def test_evaluator_has_curves_of_the_positive_class(evaluation: Evaluation) -> None:
    (curve,) = evaluation.summary["curves"].values()

    assert list(evaluation.summary["curves"]) == ["1"]
    assert evaluation.summary["classes"] == ["0", "1"]
    assert evaluation.summary["confusion_matrix"] == [[3, 1], [1, 2]]
    assert curve["auc"] == pytest.approx(9 / 12)
    assert np.array(curve["calibration"])[:, 2].sum() == 7


def test_evaluator_compares_with_0_not_with_undefined(
    evaluation: Evaluation,
) -> None:
    recall, precision = evaluation.checks("recall")[1], evaluation.checks("precision")[1]

    assert (recall["bound"], recall["holds"], recall["skipped"]) == ("change", True, None)
    assert recall["margin"] == pytest.approx(2 / 3)
    assert (precision["bound"], precision["holds"]) == ("change", True)
    assert precision["skipped"] == "undefined for the baseline"
    assert evaluation.is_blessed
