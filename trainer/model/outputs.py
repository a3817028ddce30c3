"""Outputs of a model: the predictions of each task, and the signatures that serve them."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.signatures import CLASSIFY_SIGNATURE, REGRESS_SIGNATURE, SERVING_SIGNATURE

REGRESSION = "regression"
_MIN_PROBABILITY = 1e-30  # its logarithm is finite in float32


class OutputError(ValueError):
    """Predictions that do not suffice to derive the outputs of the task."""


def complete_predictions(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Derives the outputs of the task that a model's predictions lack.

    Probabilities are the softmax of logits, or the sigmoid of a single one; logits are the
    logarithm of probabilities, which for a probability of 0 is -69; the class id is that of the
    highest probability.

    >>> params = {"task": "binary", "n_classes": 2, "classes": ["no", "yes"]}
    >>> outputs = complete_predictions({"probabilities": tf.constant([0.75])}, params)
    >>> outputs["probabilities"].numpy().tolist(), outputs["classes"].numpy().tolist()
    ([[0.25, 0.75]], [[b'yes']])

    Args:
        predictions: For a classification, `logits` or `probabilities`, `[batch_size, n_classes]`;
            with two classes, those of the second class suffice, `[batch_size]` or
            `[batch_size, 1]`. For a regression, `predictions` or a single float tensor of any name,
            `[batch_size]` or `[batch_size, 1]`.
        params: `task`, `n_classes`, and `classes`, the class names by id.

    Returns:
        For a classification, `class_ids` int64 and `classes` string, both `[batch_size, 1]`,
        `probabilities` float32 `[batch_size, n_classes]`, and `logits` float32. For a regression,
        `predictions` float32 `[batch_size, 1]`. Other predictions are kept. Tensors of shape
        `[batch_size]` become `[batch_size, 1]`.

    Raises:
        OutputError: If an output cannot be derived.
    """
    given = {name: _as_column(tensor) for name, tensor in predictions.items()}
    if params["task"] == REGRESSION:
        return {**given, "predictions": _find_number(given)}
    return {**given, **_complete_classes(given, params)}


def make_export_outputs(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.estimator.export.ExportOutput]:
    """Makes the signatures that serve the outputs of a task.

    >>> predictions = {"predictions": tf.constant([[1.5]])}
    >>> outputs = make_export_outputs(predictions, {"task": "regression"})
    >>> {name: type(output).__name__ for name, output in outputs.items()}
    {'serving_default': 'PredictOutput', 'regress': 'RegressionOutput'}

    Args:
        predictions: What `complete_predictions` returns.
        params: `task`, and `classes`, the class names by id.

    Returns:
        `serving_default` with all predictions; and `classify` with the score of every class, or for
        a regression `regress`.
    """
    outputs = {SERVING_SIGNATURE: tf.estimator.export.PredictOutput(dict(predictions))}
    if params["task"] == REGRESSION:
        regress = tf.estimator.export.RegressionOutput(predictions["predictions"])
        return {**outputs, REGRESS_SIGNATURE: regress}
    scores = predictions["probabilities"]
    every_class = tf.tile(tf.constant([params["classes"]]), [tf.shape(scores)[0], 1])
    classify = tf.estimator.export.ClassificationOutput(scores=scores, classes=every_class)
    return {**outputs, CLASSIFY_SIGNATURE: classify}


def _as_column(tensor: tf.Tensor) -> tf.Tensor:
    """Reshapes `[batch_size]` to `[batch_size, 1]`; other shapes stay."""
    tensor = tf.convert_to_tensor(tensor)
    return tensor[:, tf.newaxis] if tensor.shape.rank == 1 else tensor


def _find_number(given: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Finds the number that a regression predicts, float32 `[batch_size, 1]`."""
    numbers = [name for name, tensor in given.items() if tensor.dtype.is_floating]
    name = "predictions" if "predictions" in given else numbers[0] if len(numbers) == 1 else None
    if name is None:
        raise OutputError(
            "predictions lack 'predictions', the predicted number, float of shape [batch_size] or"
            f" [batch_size, 1] (found: {_names(given)})"
        )
    return tf.cast(_with_width(given, name, (1,)), tf.float32)


def _complete_classes(
    given: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    n_classes = params["n_classes"]
    widths = (1, 2) if n_classes == 2 else (n_classes,)
    if "probabilities" in given:
        probabilities = tf.cast(_with_width(given, "probabilities", widths), tf.float32)
        if probabilities.shape[-1] != n_classes:
            probabilities = tf.concat([1 - probabilities, probabilities], axis=1)
    elif "logits" not in given:
        raise OutputError(
            "predictions lack 'probabilities' or 'logits', float of shape"
            f" [batch_size, {n_classes}] (found: {_names(given)})"
        )
    if "logits" in given:
        logits = tf.cast(_with_width(given, "logits", widths), tf.float32)
        if "probabilities" not in given:
            probabilities = _to_probabilities(logits, n_classes)
    else:
        logits = tf.math.log(tf.maximum(probabilities, _MIN_PROBABILITY))
    class_ids = _find_class_ids(given, probabilities)
    classes = given.get("classes")
    if classes is None or classes.dtype != tf.string:
        classes = tf.gather(tf.constant(params["classes"]), class_ids)
    return {
        "class_ids": class_ids,
        "classes": classes,
        "probabilities": probabilities,
        "logits": logits,
    }


def _to_probabilities(logits: tf.Tensor, n_classes: int) -> tf.Tensor:
    if logits.shape[-1] == n_classes:
        return tf.nn.softmax(logits)
    # 1 - sigmoid(x) rounds to 0 at much smaller x than sigmoid(-x) does.
    return tf.concat([tf.sigmoid(-logits), tf.sigmoid(logits)], axis=1)


def _find_class_ids(given: Mapping[str, tf.Tensor], probabilities: tf.Tensor) -> tf.Tensor:
    """Returns the given class ids, under either name, else those of the highest probabilities."""
    for name in ("class_ids", "classes"):
        if name in given and given[name].dtype.is_integer:
            return tf.cast(_with_width(given, name, (1,)), tf.int64)
    return tf.argmax(probabilities, axis=1)[:, tf.newaxis]


def _with_width(given: Mapping[str, tf.Tensor], name: str, widths: tuple[int, ...]) -> tf.Tensor:
    """Returns a prediction of an allowed width; an unknown width is set to the last of `widths`."""
    tensor = given[name]
    if tensor.shape.rank in (2, None) and (tensor.shape.rank is None or tensor.shape[1] is None):
        return tf.reshape(tensor, [-1, widths[-1]])
    if tensor.shape.rank != 2 or tensor.shape[1] not in widths:
        allowed = " or ".join(f"[batch_size, {width}]" for width in widths)
        raise OutputError(f"prediction '{name}' has shape {tensor.shape}, not {allowed}")
    return tensor


def _names(given: Mapping[str, tf.Tensor]) -> str:
    return ", ".join(f"'{name}'" for name in given) or "none"
