"""Users' `model_fn`s in many forms, right and wrong, for tests to name by a dotted path."""

import functools
from pathlib import Path
from typing import Any

import tensorflow as tf

NOTES: list[str] = []
"""Words that hooks and scaffolds appended when they were called."""


def logits_of(features: Any, params: Any, units: int) -> tf.Tensor:
    net = tf.compat.v1.feature_column.input_layer(features, params["feature_columns"])
    return tf.compat.v1.layers.dense(net, units)


def train(mode: str, logits: tf.Tensor, labels: tf.Tensor, **others: Any) -> Any:
    loss = tf.compat.v1.losses.sparse_softmax_cross_entropy(labels, logits)
    accuracy = tf.compat.v1.metrics.accuracy(labels, tf.argmax(logits, 1))
    optimizer = tf.compat.v1.train.AdagradOptimizer(0.5)
    step = tf.compat.v1.train.get_global_step()
    return tf.estimator.EstimatorSpec(
        mode,
        loss=loss,
        train_op=optimizer.minimize(loss, step),
        eval_metric_ops={"accuracy": accuracy, "hits": accuracy},
        **others,
    )


class Note(tf.estimator.SessionRunHook):
    """Appends its word to NOTES when a session ends."""

    def __init__(self, word: str) -> None:
        self.word = word

    def end(self, session: Any) -> None:
        NOTES.append(self.word)


def guide(features, labels, mode, params):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Like TensorFlow's guide: without export_outputs, with its own class ids."""
    logits = logits_of(features, params, params["n_classes"])
    if mode == tf.estimator.ModeKeys.PREDICT:
        class_ids = tf.argmax(logits, 1)
        predictions = {
            "class_ids": class_ids[:, tf.newaxis],
            "probabilities": tf.nn.softmax(logits),
            "logits": logits,
        }
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    return train(mode, logits, labels)


def production(features: Any, labels: Any, mode: str, params: Any, config: Any) -> Any:
    """Uses hooks, a scaffold, further signatures, and the config."""
    assert isinstance(config, tf.estimator.RunConfig)
    logits = logits_of(features, params, params["n_classes"])
    predictions = {"logits": logits, "code": tf.nn.tanh(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        probabilities = tf.nn.softmax(logits)
        return tf.estimator.EstimatorSpec(
            mode,
            predictions=predictions,
            export_outputs={
                "serving_default": tf.estimator.export.PredictOutput({"score": probabilities}),
                "codes": tf.estimator.export.PredictOutput({"code": predictions["code"]}),
                "ranks": tf.estimator.export.ClassificationOutput(scores=probabilities),
            },
            prediction_hooks=[Note("predicted")],
        )

    def ready(scaffold: Any, session: Any) -> None:
        NOTES.append("ready")

    return train(
        mode,
        logits,
        labels,
        scaffold=tf.compat.v1.train.Scaffold(init_fn=ready),
        training_hooks=[Note("trained")],
        evaluation_hooks=[Note("evaluated")],
    )


def without_params(features: Any, labels: Any, mode: str) -> Any:
    """Reads features by name instead of columns, and predicts only probabilities."""
    values = [features[name] for name in ("a", "b")]
    logits = tf.compat.v1.layers.dense(tf.concat(values, 1), 3)
    if mode == tf.estimator.ModeKeys.PREDICT:
        probabilities = {"probabilities": tf.nn.softmax(logits)}
        return tf.estimator.EstimatorSpec(mode, predictions=probabilities)
    return train(mode, logits, labels)


class Classifier:
    """A callable object as a model_fn."""

    def __init__(self, depth: int) -> None:
        self._depth = depth

    def __call__(self, features: Any, labels: Any, mode: str, params: Any) -> Any:
        assert params["depth"] == self._depth
        return guide(features, labels, mode, params)

    def method(self, features: Any, labels: Any, mode: str, params: Any) -> Any:
        return guide(features, labels, mode, params)


instance = Classifier(depth=3)
method = instance.method


def _partial(depth: int, features: Any, labels: Any, mode: str, params: Any) -> Any:
    return guide(features, labels, mode, params)


partial = functools.partial(_partial, 3)


@functools.wraps(guide)
def decorated(*args: Any, **kwargs: Any) -> Any:
    return guide(*args, **kwargs)


def any_arguments(**kwargs: Any) -> Any:
    return guide(kwargs["features"], kwargs["labels"], kwargs["mode"], kwargs["params"])


def number(features: Any, labels: Any, mode: str, params: Any) -> Any:
    """A regression that predicts a single tensor, `[batch_size]`."""
    values = tf.squeeze(logits_of(features, params, 1), axis=1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=values)
    loss = tf.compat.v1.losses.mean_squared_error(labels, values)
    step = tf.compat.v1.train.get_global_step()
    train_op = tf.compat.v1.train.AdagradOptimizer(0.5).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


# faulty ones


def wrong_arguments(x: Any, y: Any, mode: str) -> Any:
    return None


def further_argument(features: Any, labels: Any, depth: int) -> Any:
    return None


def returns_nothing(features: Any, labels: Any, mode: str) -> Any:
    return None


def returns_loss(features: Any, labels: Any, mode: str) -> Any:
    return tf.constant(1.0)


def no_loss(features: Any, labels: Any, mode: str) -> Any:
    return tf.estimator.EstimatorSpec(mode)


def no_train_op(features: Any, labels: Any, mode: str) -> Any:
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"logits": tf.zeros([6, 3])})
    return tf.estimator.EstimatorSpec(mode, loss=tf.constant(1.0))


def only_class_ids(features: Any, labels: Any, mode: str) -> Any:
    numbers = [value for value in features.values() if value.dtype.is_floating]
    logits = tf.compat.v1.layers.dense(tf.concat(numbers, 1), 3)
    if mode == tf.estimator.ModeKeys.PREDICT:
        class_ids = {"class_ids": tf.argmax(logits, 1)}
        return tf.estimator.EstimatorSpec(mode, predictions=class_ids)
    NOTES.append(mode)
    return train(mode, logits, labels)


def reserved_signature(features: Any, labels: Any, mode: str) -> Any:
    predictions = {"logits": tf.zeros([6, 3])}
    output = tf.estimator.export.PredictOutput(predictions)
    outputs = {"serving_default": output, "examples": output}
    return tf.estimator.EstimatorSpec(mode, predictions=predictions, export_outputs=outputs)


def fails(features: Any, labels: Any, mode: str) -> Any:
    return tf.matmul(features["a"], features["b"])  # of shapes [6, 1] and [6, 1]


FAILS_AT = f"user_models.py:{fails.__code__.co_firstlineno + 1}"
PATH = Path(__file__)
