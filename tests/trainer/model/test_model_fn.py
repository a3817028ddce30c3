"""The model_fn in its three modes, held against NumPy."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import model_graphs
from tests.helpers.model_graphs import (
    CLASSES,
    EVAL,
    INPUT,
    LABELS,
    PREDICT,
    TARGET,
    TASKS,
    TRAIN,
    WARNINGS,
    WEIGHTS,
    Array,
    example_losses,
    forward,
    make_params,
    sigmoid,
    softmax,
)
from trainer.model.model_fn import model_fn
from trainer.model.optimizers import OPTIMIZERS

pytestmark = WARNINGS

ALL_PARAMS = make_params(hidden_units=[7, 5], optimizer="sgd", learning_rate=0.1)
# What the guide's model_fn is told; all else has its default.
PARAMS = {
    name: ALL_PARAMS[name]
    for name in ("feature_columns", "hidden_units", "n_classes", "classes", "optimizer")
}


class Network(model_graphs.Network):
    """The graph of our model_fn, params of the guide's changed."""

    def __init__(self, mode: str, **params: Any) -> None:
        super().__init__(model_fn, mode, {**PARAMS, "learning_rate": 0.1, **params})

    def logits(self) -> Array:
        return forward(self.weights())


def task_network(mode: str, task: str, **arguments: Any) -> model_graphs.Network:
    params = make_params(task, hidden_units=[7, 5], optimizer="sgd")
    return model_graphs.Network(model_fn, mode, params, **arguments)


def cross_entropy(logits: Array) -> float:
    """Mean over the examples of -log(probability of the true class)."""
    return float(example_losses("multiclass", logits).mean())


# the network


@pytest.mark.parametrize("hidden_units", [(7, 5), (4,), (3, 3, 3)])
def test_model_fn_stacks_the_hidden_layers_it_is_told(hidden_units: tuple[int, ...]) -> None:
    network = Network(PREDICT, hidden_units=hidden_units)

    widths = [2, *hidden_units, 3]
    kernels = [variable.shape for variable in network.variables[::2]]
    assert kernels == [[before, after] for before, after in pairwise(widths)]


def test_model_fn_makes_hidden_layers_of_relu_units() -> None:
    network = Network(PREDICT)

    logits = network.run(network.spec.predictions["logits"])

    np.testing.assert_allclose(logits, network.logits(), rtol=1e-5, atol=1e-6)


# PREDICT


@pytest.fixture(scope="module")
def predict() -> Network:
    return Network(PREDICT)


@pytest.fixture(scope="module")
def predictions(predict: Network) -> dict[str, Array]:
    return dict(predict.run(predict.spec.predictions))


@pytest.mark.parametrize(
    ("key", "dtype", "width"),
    [
        ("class_ids", np.int64, 1),
        ("classes", np.object_, 1),
        ("probabilities", np.float32, 3),
        ("logits", np.float32, 3),
    ],
)
def test_model_fn_predict_gives_a_row_per_example(
    predictions: Mapping[str, Array], key: str, dtype: type, width: int
) -> None:
    assert (predictions[key].dtype, predictions[key].shape) == (dtype, (6, width))


def test_model_fn_predict_gives_nothing_else(predictions: Mapping[str, Array]) -> None:
    assert set(predictions) == {"class_ids", "classes", "probabilities", "logits"}


def test_model_fn_predict_gives_probabilities_that_are_the_softmax_of_the_logits(
    predictions: Mapping[str, Array],
) -> None:
    expected = softmax(predictions["logits"].astype(np.float64))

    np.testing.assert_allclose(predictions["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(predictions["probabilities"].sum(axis=1), 1, atol=1e-6)


def test_model_fn_predict_names_the_class_of_the_highest_logit(
    predictions: Mapping[str, Array],
) -> None:
    class_ids = predictions["logits"].argmax(axis=1)

    assert len(set(class_ids)) > 1  # else the words below would say nothing
    np.testing.assert_array_equal(predictions["class_ids"].ravel(), class_ids)
    words = [CLASSES[class_id].encode() for class_id in class_ids]
    assert predictions["classes"].ravel().tolist() == words


def test_model_fn_predict_exports_all_predictions(predict: Network) -> None:
    output = predict.spec.export_outputs["serving_default"]

    assert isinstance(output, tf.estimator.export.PredictOutput)
    assert output.outputs == predict.spec.predictions


def test_model_fn_predict_exports_the_score_of_every_word(
    predict: Network, predictions: Mapping[str, Array]
) -> None:
    output = predict.spec.export_outputs["classify"]

    assert isinstance(output, tf.estimator.export.ClassificationOutput)
    classes, scores = predict.run([output.classes, output.scores])
    assert classes.tolist() == [[b"ant", b"bee", b"cow"]] * 6
    np.testing.assert_array_equal(scores, predictions["probabilities"])


def test_model_fn_predict_exports_nothing_else(predict: Network) -> None:
    assert set(predict.spec.export_outputs) == {"serving_default", "classify"}


# EVAL


def test_model_fn_eval_gives_the_mean_cross_entropy() -> None:
    network = Network(EVAL)

    assert network.run(network.spec.loss) == pytest.approx(cross_entropy(network.logits()))


def test_model_fn_eval_measures_accuracy_over_all_batches() -> None:
    network = Network(EVAL)
    (value, update) = network.spec.eval_metric_ops["accuracy"]

    network.run(update)
    network.run(update)

    expected = np.mean(network.logits().argmax(axis=1) == LABELS["multiclass"])
    assert 0 < expected < 1  # else any counting would give it
    assert network.run(value) == pytest.approx(expected)


def test_model_fn_eval_measures_nothing_else() -> None:
    assert set(Network(EVAL).spec.eval_metric_ops) == {"accuracy"}


# TRAIN


def test_model_fn_train_gives_the_mean_cross_entropy() -> None:
    network = Network(TRAIN)

    assert network.run(network.spec.loss) == pytest.approx(cross_entropy(network.logits()))


def test_model_fn_train_advances_the_global_step() -> None:
    network = Network(TRAIN)

    network.train(3)

    assert network.run(network.global_step) == 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_model_fn_train_learns_with_every_optimizer(optimizer: str) -> None:
    network = Network(TRAIN, optimizer=optimizer, learning_rate=0.1)
    before = cross_entropy(network.logits())

    network.train(100)

    assert cross_entropy(network.logits()) < 0.8 * before


def test_model_fn_train_steps_as_adagrad_does() -> None:
    # Without hidden layers the gradient of the mean cross-entropy is X^T (softmax - one_hot) / n.
    # Adagrad: accumulator += gradient^2, from 0.1; weight -= rate * gradient / sqrt(accumulator).
    network = Network(TRAIN, hidden_units=(), optimizer="adagrad", learning_rate=0.1)
    kernel, bias = network.weights()
    error = (softmax(INPUT @ kernel + bias) - np.eye(3)[LABELS["multiclass"]]) / 6
    gradients = [INPUT.T @ error, error.sum(axis=0)]

    network.train(1)

    for weight, before, gradient in zip(network.weights(), [kernel, bias], gradients, strict=True):
        expected = before - 0.1 * gradient / np.sqrt(0.1 + gradient**2)
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)


def test_model_fn_train_steps_by_the_learning_rate() -> None:
    # Gradient descent: weight -= rate * gradient, so that a doubled rate makes a doubled step.
    steps = []
    for learning_rate in (0.1, 0.2):
        network = Network(TRAIN, learning_rate=learning_rate)
        before = network.weights()[0]
        network.train(1)
        steps.append(network.weights()[0] - before)

    np.testing.assert_allclose(2 * steps[0], steps[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
def test_model_fn_writes_the_accuracy_as_a_summary(mode: str) -> None:
    network = Network(mode)
    expected = np.mean(network.logits().argmax(axis=1) == LABELS["multiclass"])

    assert network.written()["accuracy"] == pytest.approx(expected)


def test_model_fn_writes_the_learning_rate_as_a_summary_of_the_training() -> None:
    assert Network(TRAIN, learning_rate=0.25).written()["learning_rate"] == 0.25
    assert "learning_rate" not in Network(EVAL).written()


# tasks


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
@pytest.mark.parametrize("task", TASKS)
def test_model_fn_gives_the_mean_loss_of_the_task(task: str, mode: str) -> None:
    network = task_network(mode, task)

    expected = example_losses(task, forward(network.weights())).mean()
    assert network.run(network.spec.loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
@pytest.mark.parametrize("task", TASKS)
def test_model_fn_weighs_the_loss_of_each_example(task: str, mode: str) -> None:
    network = task_network(mode, task, weights=True)

    losses = example_losses(task, forward(network.weights()))
    expected = np.average(losses, weights=np.ravel(WEIGHTS))
    assert expected != pytest.approx(losses.mean(), rel=1e-2)
    assert network.run(network.spec.loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_model_fn_learns_the_task(task: str) -> None:
    network = task_network(TRAIN, task)
    before = network.run(network.spec.loss)

    network.train(100)

    assert network.run(network.spec.loss) < 0.8 * before


def test_model_fn_predicts_two_classes_from_one_logit() -> None:
    network = task_network(PREDICT, "binary", seed=4)  # one that does not predict a class for all

    predictions = network.run(network.spec.predictions)

    logits = forward(network.weights())
    positive = sigmoid(logits)
    assert predictions["logits"].shape == (6, 1)
    np.testing.assert_allclose(
        predictions["probabilities"], np.hstack([1 - positive, positive]), atol=1e-6
    )
    class_ids = (logits > 0).astype(np.int64)
    assert 0 < class_ids.mean() < 1  # else the classes below would say nothing
    np.testing.assert_array_equal(predictions["class_ids"], class_ids)
    words = [CLASSES[class_id].encode() for class_id in class_ids.ravel()]
    assert predictions["classes"].ravel().tolist() == words


def test_model_fn_predicts_a_number_in_the_unit_of_the_target() -> None:
    network = task_network(PREDICT, "regression")

    predictions = network.run(network.spec.predictions)

    expected = TARGET["target_mean"] + TARGET["target_deviation"] * forward(network.weights())
    assert set(predictions) == {"predictions"}
    assert predictions["predictions"].dtype == np.float32
    np.testing.assert_allclose(predictions["predictions"], expected, rtol=1e-5)


def test_model_fn_serves_a_number_as_a_regression() -> None:
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
def test_model_fn_writes_the_metrics_of_the_task_as_summaries(
    task: str, names: set[str], mode: str
) -> None:
    network = task_network(mode, task)

    assert set(network.written()) == names | ({"learning_rate"} if mode == TRAIN else set())
