"""The model_fn in its three modes, held against NumPy."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.model import OPTIMIZERS, model_fn

pytestmark = [
    # The layers of the guide, which TensorFlow 2.15 still has.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the layers' seeds by randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

SEED = 2  # gives a network that does not predict one class for all
CLASSES = ["ant", "bee", "cow"]
FEATURES = {  # six examples of two features, the names in no alphabetical order
    "b": [[0.5], [-1.0], [2.0], [0.0], [1.5], [-0.5]],
    "a": [[1.0], [0.3], [-2.0], [0.7], [-0.2], [0.1]],
}
LABELS = [0, 1, 2, 0, 1, 1]
INPUT = np.hstack([FEATURES["a"], FEATURES["b"]])  # input_layer sorts the columns by name
PARAMS = {
    "feature_columns": [tf.feature_column.numeric_column(name) for name in FEATURES],
    "hidden_units": (7, 5),
    "n_classes": len(CLASSES),
    "classes": CLASSES,
    "optimizer": "sgd",
    "learning_rate": 0.1,
}
PREDICT, EVAL, TRAIN = (
    tf.estimator.ModeKeys.PREDICT,
    tf.estimator.ModeKeys.EVAL,
    tf.estimator.ModeKeys.TRAIN,
)

Array = np.ndarray[Any, Any]


class Network:
    """The graph of one mode over the examples above, in a session."""

    def __init__(self, mode: str, **params: Any) -> None:
        tf.keras.utils.set_random_seed(SEED)
        with tf.Graph().as_default() as graph:
            self.global_step = tf.compat.v1.train.create_global_step()
            features = {name: tf.constant(column) for name, column in FEATURES.items()}
            labels = None if mode == PREDICT else tf.constant(LABELS, tf.int64)
            self.spec = model_fn(features, labels, mode, {**PARAMS, **params})
            self.summaries = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SUMMARIES)
            self.variables = tf.compat.v1.trainable_variables()
            self.session = tf.compat.v1.Session(graph=graph)
            self.session.run(
                [
                    tf.compat.v1.global_variables_initializer(),
                    tf.compat.v1.local_variables_initializer(),
                ]
            )

    def run(self, fetches: Any) -> Any:
        return self.session.run(fetches)

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.run(self.spec.train_op)

    def weights(self) -> list[Array]:
        return list(self.run(self.variables))

    def logits(self) -> Array:
        return forward(self.weights())


MakeNetwork = Callable[..., Network]


def forward(weights: list[Array]) -> Array:
    """Runs INPUT through the layers, kernels and biases in turn: ReLU in all but the last."""
    net = INPUT
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        net = np.maximum(net @ kernel + bias, 0)
    return np.asarray(net @ weights[-2] + weights[-1])


def softmax(logits: Array) -> Array:
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def cross_entropy(logits: Array) -> float:
    """Mean over the examples of -log(probability of the true class)."""
    return float(-np.log(softmax(logits)[np.arange(len(LABELS)), LABELS]).mean())


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

    expected = np.mean(network.logits().argmax(axis=1) == LABELS)
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
    error = (softmax(INPUT @ kernel + bias) - np.eye(3)[LABELS]) / len(LABELS)
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
    expected = np.mean(network.logits().argmax(axis=1) == LABELS)

    assert written(network)["accuracy"] == pytest.approx(expected)


def test_model_fn_writes_the_learning_rate_as_a_summary_of_the_training() -> None:
    assert written(Network(TRAIN, learning_rate=0.25))["learning_rate"] == 0.25
    assert "learning_rate" not in written(Network(EVAL))


def written(network: Network) -> dict[str, float]:
    """Gives the value of each summary."""
    return {
        value.tag: value.simple_value
        for serialized in network.run(network.summaries)
        for value in tf.compat.v1.Summary.FromString(serialized).value
    }
