"""The built-in model_fn for each task, compared with NumPy."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.model_graphs import (
    CLASSES,
    EVAL,
    PREDICT,
    TARGET,
    TASKS,
    TRAIN,
    WARNINGS,
    WEIGHTS,
    Network,
    example_losses,
    forward,
    make_params,
    sigmoid,
)
from trainer.model.model_fn import model_fn

pytestmark = WARNINGS


def task_network(mode: str, task: str, **arguments: Any) -> Network:
    params = make_params(task, hidden_units=[7, 5], optimizer="sgd")
    return Network(model_fn, mode, params, **arguments)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
@pytest.mark.parametrize("task", TASKS)
def test_model_fn_loss_is_mean_loss_of_task(task: str, mode: str) -> None:
    network = task_network(mode, task)

    expected = example_losses(task, forward(network.weights())).mean()
    assert network.run(network.spec.loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
@pytest.mark.parametrize("task", TASKS)
def test_model_fn_loss_is_weighted(task: str, mode: str) -> None:
    network = task_network(mode, task, weights=True)

    losses = example_losses(task, forward(network.weights()))
    expected = np.average(losses, weights=np.ravel(WEIGHTS))
    assert expected != pytest.approx(losses.mean(), rel=1e-2)
    assert network.run(network.spec.loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_model_fn_learns_task(task: str) -> None:
    network = task_network(TRAIN, task)
    before = network.run(network.spec.loss)

    network.train(100)

    assert network.run(network.spec.loss) < 0.8 * before


def test_predict_binary_from_one_logit() -> None:
    network = task_network(PREDICT, "binary", seed=4)  # predicts both classes

    predictions = network.run(network.spec.predictions)

    logits = forward(network.weights())
    positive = sigmoid(logits)
    assert predictions["logits"].shape == (6, 1)
    np.testing.assert_allclose(
        predictions["probabilities"], np.hstack([1 - positive, positive]), atol=1e-6
    )
    class_ids = (logits > 0).astype(np.int64)
    assert 0 < class_ids.mean() < 1  # otherwise the check below proves nothing
    np.testing.assert_array_equal(predictions["class_ids"], class_ids)
    names = [CLASSES[class_id].encode() for class_id in class_ids.ravel()]
    assert predictions["classes"].ravel().tolist() == names


def test_predict_regression_in_target_unit() -> None:
    network = task_network(PREDICT, "regression")

    predictions = network.run(network.spec.predictions)

    expected = TARGET["target_mean"] + TARGET["target_deviation"] * forward(network.weights())
    assert set(predictions) == {"predictions"}
    assert predictions["predictions"].dtype == np.float32
    np.testing.assert_allclose(predictions["predictions"], expected, rtol=1e-5)


def test_predict_regression_exports_regress() -> None:
    network = task_network(PREDICT, "regression")

    outputs = network.spec.export_outputs

    assert set(outputs) == {"serving_default", "regress"}
    assert isinstance(outputs["regress"], tf.estimator.export.RegressionOutput)
    value, predictions = network.run([outputs["regress"].value, network.spec.predictions])
    np.testing.assert_array_equal(value, predictions["predictions"])


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("multiclass", {"accuracy"}),
        ("binary", {"accuracy", "precision", "recall", "auc"}),
        ("regression", {"rmse", "mse", "mae", "r2"}),
    ],
)
def test_model_fn_writes_metric_summaries(task: str, names: set[str], mode: str) -> None:
    network = task_network(mode, task)

    assert set(network.written()) == names | ({"learning_rate"} if mode == TRAIN else set())
