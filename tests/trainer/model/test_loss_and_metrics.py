"""Losses and metrics, compared with NumPy and scikit-learn."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from tests.helpers.model_graphs import LABELS, TARGET, TASKS, WEIGHTS, example_losses, sigmoid
from trainer.model.loss_and_metrics import compute_loss, make_metrics, standardize, unstandardize
from trainer.model.outputs import complete_predictions

N_LOGITS = {"multiclass": 3, "binary": 1, "regression": 1}
Weights = list[list[float]]


def logits_of(task: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(4).normal(size=(6, N_LOGITS[task]), scale=2).astype(np.float32)


def params_of(task: str) -> dict[str, Any]:
    classes = ["ant", "bee", "cow"][: {"multiclass": 3, "binary": 2, "regression": 0}[task]]
    return {"task": task, "n_classes": len(classes) or 1, "classes": classes, **TARGET}


def loss_of(task: str, logits: Any, weights: Weights | None = None) -> float:
    dtype = tf.float32 if task == "regression" else tf.int64
    ravelled = None if weights is None else tf.reshape(weights, [-1])
    labels = tf.constant(LABELS[task], dtype)
    return float(compute_loss(tf.constant(logits), labels, ravelled, params_of(task)))


def metrics_of(
    task: str,
    logits: Any,
    weights: Weights | None = None,
    labels: Any = None,
    batches: int = 2,
) -> dict[str, float]:
    """Computes the metrics of six examples in equal batches."""
    params = params_of(task)
    labels = LABELS[task] if labels is None else labels
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        size = len(labels) // batches
        index = tf.compat.v1.placeholder(tf.int64, [])
        chosen = slice(index * size, (index + 1) * size)
        all_labels = tf.constant(labels, tf.float32 if task == "regression" else tf.int64)
        batch = tf.constant(logits)[chosen]
        given = (
            {"predictions": unstandardize(batch, params)}
            if task == "regression"
            else {"logits": batch}
        )
        weight = None if weights is None else tf.reshape(weights, [-1])[chosen]
        metrics = make_metrics(
            complete_predictions(given, params), all_labels[chosen], weight, params
        )
        session.run(tf.compat.v1.local_variables_initializer())
        for number in range(batches):
            session.run([update for _, update in metrics.values()], {index: number})
        return dict(session.run({name: value for name, (value, _) in metrics.items()}))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("task", TASKS)
def test_compute_loss_is_weighted_mean(task: str, weights: Weights | None) -> None:
    logits = logits_of(task)

    expected = np.average(
        example_losses(task, logits), weights=None if weights is None else np.ravel(weights)
    )
    assert loss_of(task, logits, weights) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_compute_loss_zero_weights_give_zero(task: str) -> None:
    assert loss_of(task, logits_of(task), [[0.0]] * 6) == 0


def test_compute_loss_large_logits_stay_finite() -> None:
    # -log(sigmoid(-200)) = 200, although sigmoid(-200) is 0 in float32.
    logits = np.array([[200.0], [-200], [200], [-200], [200], [-200]], np.float32)

    # Labels 0, 1, 1, 0, 1, 0: the first two are wrong.
    assert loss_of("binary", logits) == pytest.approx(400 / 6)


def test_compute_loss_of_mean_prediction_is_one() -> None:
    labels = np.array([185.0, 275.0], np.float32)  # one deviation off the mean
    loss = compute_loss(tf.zeros([2, 1]), tf.constant(labels), None, params_of("regression"))

    assert float(loss) == pytest.approx(1)


def test_unstandardize_reverses_standardize() -> None:
    params = params_of("regression")

    z_scores = standardize(tf.constant([[230.0], [275.0]]), params)

    np.testing.assert_allclose(z_scores, [[0], [1]], atol=1e-6)
    np.testing.assert_allclose(unstandardize(z_scores, params), [[230], [275]], rtol=1e-6)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_make_metrics_multiclass(weights: Weights | None) -> None:
    logits = logits_of("multiclass")

    hits = logits.argmax(axis=1) == LABELS["multiclass"]
    expected = np.average(hits, weights=None if weights is None else np.ravel(weights))
    assert metrics_of("multiclass", logits, weights) == {"accuracy": pytest.approx(expected)}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_make_metrics_binary(weights: Weights | None) -> None:
    # Labels 0, 1, 1, 0, 1, 0: the second is missed, the last taken for 1.
    logits = np.array([[-1.0], [-0.5], [2.0], [-2.0], [0.7], [0.3]], np.float32)
    weight = None if weights is None else np.ravel(weights)

    found = metrics_of("binary", logits, weights)

    labels, hits = LABELS["binary"], (logits[:, 0] > 0).astype(int)
    for name in ("accuracy", "precision", "recall"):
        score = getattr(sklearn_metrics, f"{name}_score")
        assert found[name] == pytest.approx(score(labels, hits, sample_weight=weight)), name
    auc = sklearn_metrics.roc_auc_score(labels, sigmoid(logits), sample_weight=weight)
    assert found["auc"] == pytest.approx(auc, abs=1e-3)
    assert set(found) == {"accuracy", "precision", "recall", "auc"}


@pytest.mark.parametrize(("class_id", "auc"), [(0, 1), (1, 0)])
def test_make_metrics_binary_one_class_absent(class_id: int, auc: float) -> None:
    found = metrics_of("binary", np.full((6, 1), -1.0, np.float32), labels=[class_id] * 6)

    assert (found["precision"], found["recall"]) == (0, 0)
    assert found["auc"] == pytest.approx(auc)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_make_metrics_regression(weights: Weights | None) -> None:
    logits = logits_of("regression")
    weight = None if weights is None else np.ravel(weights)

    found = metrics_of("regression", logits, weights)

    labels = LABELS["regression"]
    values = TARGET["target_mean"] + TARGET["target_deviation"] * logits[:, 0]
    mse = sklearn_metrics.mean_squared_error(labels, values, sample_weight=weight)
    mae = sklearn_metrics.mean_absolute_error(labels, values, sample_weight=weight)
    r2 = sklearn_metrics.r2_score(labels, values, sample_weight=weight)
    expected = {"mse": mse, "rmse": np.sqrt(mse), "mae": mae, "r2": r2}
    assert found == {name: pytest.approx(value, rel=1e-4) for name, value in expected.items()}


def test_make_metrics_r2_of_equal_labels_is_zero() -> None:
    found = metrics_of("regression", logits_of("regression"), labels=[230.0] * 6)

    assert found["r2"] == 0
