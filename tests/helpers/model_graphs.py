"""Graphs of a model_fn over six examples, and NumPy functions to compare them with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.settings.model import ModelSettings
from trainer.signatures import EXAMPLE_WEIGHT

WARNINGS = [
    # The layers of TensorFlow's guide, and the linear model.
    pytest.mark.filterwarnings("ignore:`tf.layers.*is deprecated:UserWarning"),
    pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning"),
    # Keras draws the layers' seeds by randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

CLASSES = ["ant", "bee", "cow"]
FEATURES = {  # six examples of two features, not in alphabetical order
    "b": [[0.5], [-1.0], [2.0], [0.0], [1.5], [-0.5]],
    "a": [[1.0], [0.3], [-2.0], [0.7], [-0.2], [0.1]],
}
IDS = {"c": [[0], [2], [1], [1], [0], [2]]}
LABELS = {
    "multiclass": [0, 1, 2, 0, 1, 1],
    "binary": [0, 1, 1, 0, 1, 0],
    "regression": [180.0, 240.0, 310.0, 205.0, 260.0, 190.0],
}
WEIGHTS = [[1.0], [3.0], [0.0], [0.5], [2.0], [1.0]]
INPUT = np.hstack([FEATURES["a"], FEATURES["b"]])  # input_layer sorts the columns by name
ONE_HOT = np.eye(3)[np.ravel(IDS["c"])]
TARGET = {"target_mean": 230.0, "target_deviation": 45.0}
PREDICT, EVAL, TRAIN = (
    tf.estimator.ModeKeys.PREDICT,
    tf.estimator.ModeKeys.EVAL,
    tf.estimator.ModeKeys.TRAIN,
)
TASKS = ("multiclass", "binary", "regression")

Array = np.ndarray[Any, Any]


def make_params(task: str = "multiclass", **settings: Any) -> dict[str, Any]:
    """Makes a model_fn's params: columns, task, and settings of `model`."""
    numeric = [tf.feature_column.numeric_column(name) for name in FEATURES]
    categorical = [tf.feature_column.categorical_column_with_identity("c", 3)]
    n_classes = {"multiclass": 3, "binary": 2, "regression": 1}[task]
    return {
        **ModelSettings.model_validate(settings).model_dump(),
        **TARGET,
        "task": task,
        "n_classes": n_classes,
        "classes": CLASSES[:n_classes] if n_classes > 1 else [],
        "feature_columns": numeric,
        "linear_columns": [*numeric, *categorical],
        "categorical_columns": categorical,
    }


class Network:
    """A session with the graph of one mode over the examples above."""

    def __init__(
        self,
        model_fn: Callable[..., Any],
        mode: str,
        params: dict[str, Any],
        *,
        seed: int = 2,  # this network does not predict the same class for all examples
        weights: bool = False,
        **arguments: Any,
    ) -> None:
        tf.keras.utils.set_random_seed(seed)
        with tf.Graph().as_default() as graph:
            tf.compat.v1.set_random_seed(seed)
            self.global_step = tf.compat.v1.train.create_global_step()
            features = {name: tf.constant(column) for name, column in FEATURES.items()}
            features |= {name: tf.constant(ids, tf.int64) for name, ids in IDS.items()}
            if weights:
                features[EXAMPLE_WEIGHT] = tf.constant(WEIGHTS)
            task = params.get("task", "multiclass")
            dtype = tf.float32 if task == "regression" else tf.int64
            labels = None if mode == PREDICT else tf.constant(LABELS[task], dtype)
            self.spec = model_fn(
                features=features, labels=labels, mode=mode, params=params, **arguments
            )
            self.summaries = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SUMMARIES)
            self.variables = tf.compat.v1.trainable_variables()
            self.session = tf.compat.v1.Session(graph=graph)
            self.session.run(
                [
                    tf.compat.v1.global_variables_initializer(),
                    tf.compat.v1.local_variables_initializer(),
                    tf.compat.v1.tables_initializer(),
                ]
            )

    def run(self, fetches: Any) -> Any:
        return self.session.run(fetches)

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.run(self.spec.train_op)

    def weights(self) -> list[Array]:
        return list(self.run(self.variables))

    def written(self) -> dict[str, float]:
        """Returns the value of each scalar summary."""
        return {
            value.tag: value.simple_value
            for serialized in self.run(self.summaries)
            for value in tf.compat.v1.Summary.FromString(serialized).value
            if value.HasField("simple_value")
        }

    def metrics(self, batches: int = 1) -> dict[str, float]:
        """Returns the metrics after the same batch has been added `batches` times."""
        for _ in range(batches):
            self.run([update for _, update in self.spec.eval_metric_ops.values()])
        values = {name: value for name, (value, _) in self.spec.eval_metric_ops.items()}
        return dict(self.run(values))


def forward(weights: list[Array], inputs: Array = INPUT) -> Array:
    """Computes dense layers of weights kernel, bias, kernel, ...; ReLU in all but the last."""
    net = inputs
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        net = np.maximum(net @ kernel + bias, 0)
    return np.asarray(net @ weights[-2] + weights[-1])


def softmax(logits: Array) -> Array:
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-logits)))


def example_losses(task: str, logits: Array) -> Array:
    """Computes the loss of each example by its definition."""
    labels = np.asarray(LABELS[task])
    if task == "multiclass":
        return np.asarray(-np.log(softmax(logits)[np.arange(6), labels]))
    if task == "binary":
        positive = sigmoid(logits[:, 0])
        return np.asarray(-np.log(np.where(labels == 1, positive, 1 - positive)))
    z_scores = (labels - TARGET["target_mean"]) / TARGET["target_deviation"]
    return np.asarray((logits[:, 0] - z_scores) ** 2)
