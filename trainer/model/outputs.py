"""What a model answers: the predictions of each task, and the signatures that serve them."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.signatures import CLASSIFY_SIGNATURE, REGRESS_SIGNATURE, SERVING_SIGNATURE

REGRESSION = "regression"
_LEAST_PROBABILITY = 1e-30  # whose logarithm is finite in float32


class OutputError(ValueError):
    """Predictions from which the outputs of the task cannot be derived."""


def complete_predictions(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Adds to the predictions of a model what is lacking of the outputs of its task.

    Args:
        predictions: Of a classification `logits` or `probabilities`, `[batch_size, n_classes]`, of
            two classes also that of the second alone, `[batch_size]` or `[batch_size, 1]`; of a
            regression `predictions`, or one float tensor of any name, `[batch_size]` or
            `[batch_size, 1]`.
        params: `task`, `n_classes`, and `classes`, the word of each class id.

    Returns:
        Of a classification `class_ids` int64 and `classes` string, both `[batch_size, 1]`,
        `probabilities` float32 `[batch_size, n_classes]` and `logits` float32, each as given or
        derived: probabilities by softmax, or of one logit by its sigmoid; logits as the logarithm
        of the probabilities, that of 0 being -69; the class id as that of the greatest probability.
        Of a regression `predictions` float32 `[batch_size, 1]`. All others as they are given, those
        of shape `[batch_size]` as `[batch_size, 1]`.

    Raises:
        OutputError: If they cannot be derived.
    """
    given = {name: _as_column(tensor) for name, tensor in predictions.items()}
    if params["task"] == REGRESSION:
        return {**given, "predictions": _find_number(given)}
    return {**given, **_complete_classes(given, params)}


def make_export_outputs(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.estimator.export.ExportOutput]:
    """Makes the signatures that serve complete predictions.

    Args:
        predictions: What `complete_predictions` gives.
        params: `task`, and `classes`, the word of each class id.

    Returns:
        `serving_default`, all predictions; `classify`, the score of every word, or `regress`.
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
    """Gives `[batch_size]` as `[batch_size, 1]`."""
    tensor = tf.convert_to_tensor(tensor)
    return tensor[:, tf.newaxis] if tensor.shape.rank == 1 else tensor


def _find_number(given: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Finds what a regression predicts: float32 `[batch_size, 1]`."""
    numbers = [name for name, tensor in given.items() if tensor.dtype.is_floating]
    name = "predictions" if "predictions" in given else numbers[0] if len(numbers) == 1 else None
    if name is None:
        raise OutputError(
            "its predictions lack 'predictions', the number predicted, float of shape [batch_size]"
            f" or [batch_size, 1] (there: {_names(given)})"
        )
    return tf.cast(_of_width(given, name, (1,)), tf.float32)


def _complete_classes(
    given: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    n_classes = params["n_classes"]
    widths = (1, 2) if n_classes == 2 else (n_classes,)
    if "probabilities" in given:
        probabilities = tf.cast(_of_width(given, "probabilities", widths), tf.float32)
        if probabilities.shape[-1] != n_classes:
            probabilities = tf.concat([1 - probabilities, probabilities], axis=1)
    elif "logits" not in given:
        raise OutputError(
            "its predictions lack 'probabilities' or 'logits', float of shape"
            f" [batch_size, {n_classes}] (there: {_names(given)})"
        )
    if "logits" in given:
        logits = tf.cast(_of_width(given, "logits", widths), tf.float32)
        if "probabilities" not in given:
            probabilities = _probabilities_of(logits, n_classes)
    else:
        logits = tf.math.log(tf.maximum(probabilities, _LEAST_PROBABILITY))
    class_ids = _find_class_ids(given, probabilities)
    words = given.get("classes")
    if words is None or words.dtype != tf.string:
        words = tf.gather(tf.constant(params["classes"]), class_ids)
    return {
        "class_ids": class_ids,
        "classes": words,
        "probabilities": probabilities,
        "logits": logits,
    }


def _probabilities_of(logits: tf.Tensor, n_classes: int) -> tf.Tensor:
    if logits.shape[-1] == n_classes:
        return tf.nn.softmax(logits)
    # 1 - sigmoid(x) would round to 0 long before sigmoid(-x) does.
    return tf.concat([tf.sigmoid(-logits), tf.sigmoid(logits)], axis=1)


def _find_class_ids(given: Mapping[str, tf.Tensor], probabilities: tf.Tensor) -> tf.Tensor:
    """Takes the class ids as given, under either name, or those of the greatest probabilities."""
    for name in ("class_ids", "classes"):
        if name in given and given[name].dtype.is_integer:
            return tf.cast(_of_width(given, name, (1,)), tf.int64)
    return tf.argmax(probabilities, axis=1)[:, tf.newaxis]


def _of_width(given: Mapping[str, tf.Tensor], name: str, widths: tuple[int, ...]) -> tf.Tensor:
    """Picks a prediction of shape `[batch_size, width]`; one of unknown width is of the last."""
    tensor = given[name]
    if tensor.shape.rank in (2, None) and (tensor.shape.rank is None or tensor.shape[1] is None):
        return tf.reshape(tensor, [-1, widths[-1]])
    if tensor.shape.rank != 2 or tensor.shape[1] not in widths:
        allowed = " or ".join(f"[batch_size, {width}]" for width in widths)
        raise OutputError(f"its prediction '{name}' is of shape {tensor.shape}, not {allowed}")
    return tensor


def _names(given: Mapping[str, tf.Tensor]) -> str:
    return ", ".join(f"'{name}'" for name in given) or "none"
