"""The built-in model_fn in its three modes, compared with NumPy."""

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
    TRAIN,
    WARNINGS,
    Array,
    example_losses,
    forward,
    make_params,
    softmax,
)
from trainer.model.model_fn import model_fn
from trainer.model.optimizers import OPTIMIZERS

pytestmark = WARNINGS

ALL_PARAMS = make_params(hidden_units=[7, 5], optimizer="sgd", learning_rate=0.1)
# The params of TensorFlow's guide; all others have their defaults.
PARAMS = {
    name: ALL_PARAMS[name]
    for name in ("feature_columns", "hidden_units", "n_classes", "classes", "optimizer")
}


class Network(model_graphs.Network):
    """A graph of the built-in model_fn with the guide's params, some of them replaced."""

    def __init__(self, mode: str, **params: Any) -> None:
        super().__init__(model_fn, mode, {**PARAMS, "learning_rate": 0.1, **params})

    def logits(self) -> Array:
        return forward(self.weights())


def cross_entropy(logits: Array) -> float:
    """Mean over the examples of -log(probability of the true class)."""
    return float(example_losses("multiclass", logits).mean())


# the network


@pytest.mark.parametrize("hidden_units", [(7, 5), (4,), (3, 3, 3)])
def test_model_fn_makes_configured_layers(hidden_units: tuple[int, ...]) -> None:
    network = Network(PREDICT, hidden_units=hidden_units)

    widths = [2, *hidden_units, 3]
    kernels = [variable.shape for variable in network.variables[::2]]
    assert kernels == [[before, after] for before, after in pairwise(widths)]


def test_model_fn_hidden_units_are_relu() -> None:
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
def test_predict_dtypes_and_shapes(
    predictions: Mapping[str, Array], key: str, dtype: type, width: int
) -> None:
    assert (predictions[key].dtype, predictions[key].shape) == (dtype, (6, width))


def test_predict_has_no_other_outputs(predictions: Mapping[str, Array]) -> None:
    assert set(predictions) == {"class_ids", "classes", "probabilities", "logits"}


def test_predict_probabilities_are_softmax(
    predictions: Mapping[str, Array],
) -> None:
    expected = softmax(predictions["logits"].astype(np.float64))

    np.testing.assert_allclose(predictions["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(predictions["probabilities"].sum(axis=1), 1, atol=1e-6)


def test_predict_class_has_highest_logit(
    predictions: Mapping[str, Array],
) -> None:
    class_ids = predictions["logits"].argmax(axis=1)

    assert len(set(class_ids)) > 1  # otherwise the check below proves nothing
    np.testing.assert_array_equal(predictions["class_ids"].ravel(), class_ids)
    names = [CLASSES[class_id].encode() for class_id in class_ids]
    assert predictions["classes"].ravel().tolist() == names


def test_predict_exports_all_predictions(predict: Network) -> None:
    output = predict.spec.export_outputs["serving_default"]

    assert isinstance(output, tf.estimator.export.PredictOutput)
    assert output.outputs == predict.spec.predictions


def test_predict_exports_score_per_class(
    predict: Network, predictions: Mapping[str, Array]
) -> None:
    output = predict.spec.export_outputs["classify"]

    assert isinstance(output, tf.estimator.export.ClassificationOutput)
    classes, scores = predict.run([output.classes, output.scores])
    assert classes.tolist() == [[b"ant", b"bee", b"cow"]] * 6
    np.testing.assert_array_equal(scores, predictions["probabilities"])


def test_predict_has_no_other_signatures(predict: Network) -> None:
    assert set(predict.spec.export_outputs) == {"serving_default", "classify"}


# EVAL


def test_eval_loss_is_mean_cross_entropy() -> None:
    network = Network(EVAL)

    assert network.run(network.spec.loss) == pytest.approx(cross_entropy(network.logits()))


def test_eval_accuracy_covers_all_batches() -> None:
    network = Network(EVAL)
    (value, update) = network.spec.eval_metric_ops["accuracy"]

    network.run(update)
    network.run(update)

    expected = np.mean(network.logits().argmax(axis=1) == LABELS["multiclass"])
    assert 0 < expected < 1  # else any counting would give it
    assert network.run(value) == pytest.approx(expected)


def test_eval_has_no_other_metrics() -> None:
    assert set(Network(EVAL).spec.eval_metric_ops) == {"accuracy"}


# TRAIN


def test_train_loss_is_mean_cross_entropy() -> None:
    network = Network(TRAIN)

    assert network.run(network.spec.loss) == pytest.approx(cross_entropy(network.logits()))


def test_train_increments_global_step() -> None:
    network = Network(TRAIN)

    network.train(3)

    assert network.run(network.global_step) == 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_train_learns_with_every_optimizer(optimizer: str) -> None:
    network = Network(TRAIN, optimizer=optimizer, learning_rate=0.1)
    before = cross_entropy(network.logits())

    network.train(100)

    assert cross_entropy(network.logits()) < 0.8 * before


def test_train_step_is_that_of_adagrad() -> None:
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


def test_train_step_scales_with_learning_rate() -> None:
    # Gradient descent: weight -= rate * gradient, so that a doubled rate makes a doubled step.
    steps = []
    for learning_rate in (0.1, 0.2):
        network = Network(TRAIN, learning_rate=learning_rate)
        before = network.weights()[0]
        network.train(1)
        steps.append(network.weights()[0] - before)

    np.testing.assert_allclose(2 * steps[0], steps[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
def test_model_fn_writes_accuracy_summary(mode: str) -> None:
    network = Network(mode)
    expected = np.mean(network.logits().argmax(axis=1) == LABELS["multiclass"])

    assert network.written()["accuracy"] == pytest.approx(expected)


def test_train_writes_learning_rate_summary() -> None:
    assert Network(TRAIN, learning_rate=0.25).written()["learning_rate"] == 0.25
    assert "learning_rate" not in Network(EVAL).written()
