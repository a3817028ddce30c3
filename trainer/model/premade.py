"""TensorFlow's premade Estimators, trained and served like the built-in models."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.features.columns import numeric_column
from trainer.model.loss_and_metrics import (
    example_weights,
    make_metrics,
    standardize,
    unstandardize,
    write_summaries,
)
from trainer.model.networks import ACTIVATIONS, wide_columns
from trainer.model.optimizers import minimize
from trainer.model.outputs import REGRESSION, complete_predictions, make_export_outputs
from trainer.signatures import EXAMPLE_WEIGHT

_OUTPUTS = ("logits", "probabilities", "class_ids")
_COMBINED = "DNNLinearCombined"


def premade_model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
    config: tf.estimator.RunConfig,
) -> tf.estimator.EstimatorSpec:
    """Builds the graph of one mode of a premade Estimator.

    Network and loss are those of the premade Estimator. Optimizer, metrics, predictions and
    signatures are those of the built-in models, so that the nodes after the Trainer see no
    difference.

    A linear regression begins with weights of 0, hence predicts the mean of the target:

    >>> columns = [tf.feature_column.numeric_column("x")]
    >>> params = {"type": "LinearRegressor", "task": "regression", "linear_columns": columns}
    >>> params |= {"target_mean": 100.0, "target_deviation": 20.0}
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     config = tf.estimator.RunConfig("model_dir")
    ...     features = {"x": tf.constant([[3.0]])}
    ...     mode = tf.estimator.ModeKeys.PREDICT
    ...     spec = premade_model_fn(features, None, mode, params, config)
    ...     session.run(tf.compat.v1.global_variables_initializer())
    ...     session.run(spec.predictions["predictions"]).tolist()
    [[100.0]]

    Args:
        features: As for `trainer.model.model_fn.model_fn`.
        labels: As for `trainer.model.model_fn.model_fn`.
        mode: One of `tf.estimator.ModeKeys`.
        params: All `params` of `make_params`; `type` is the name of a class in `tf.estimator`.
        config: The Estimator's configuration.
    """
    weights = example_weights(features)
    inputs, target = dict(features), labels
    if weights is not None:
        inputs[EXAMPLE_WEIGHT] = _mean_one(weights)
    if labels is not None and params["task"] == REGRESSION:
        target = standardize(labels, params)
    premade = _make_premade(params, config, is_weighted=weights is not None)
    spec = premade.model_fn(inputs, target, mode, config)
    predictions = complete_predictions(_select(spec.predictions, params), params)
    if mode == tf.estimator.ModeKeys.PREDICT:
        export_outputs = make_export_outputs(predictions, params)
        return spec._replace(predictions=predictions, export_outputs=export_outputs)
    metrics = make_metrics(predictions, labels, weights, params)
    write_summaries(metrics)
    return spec._replace(
        eval_metric_ops=metrics if mode == tf.estimator.ModeKeys.EVAL else spec.eval_metric_ops
    )


def _make_premade(
    params: Mapping[str, Any], config: tf.estimator.RunConfig, *, is_weighted: bool
) -> tf.estimator.Estimator:
    kind = params["type"]
    arguments: dict[str, Any] = {
        "config": config,
        "weight_column": numeric_column(EXAMPLE_WEIGHT) if is_weighted else None,
    }
    if kind.endswith("Classifier"):
        arguments["n_classes"] = params["n_classes"]
    if not kind.startswith("DNN"):
        arguments["feature_columns"] = params["linear_columns"]
        arguments["optimizer"] = lambda: _Minimize(params)
        return getattr(tf.estimator, kind)(**arguments)
    layers = {
        "hidden_units": params["hidden_units"],
        "feature_columns": params["feature_columns"],
        "optimizer": lambda: _Minimize(params),
        "activation_fn": ACTIVATIONS[params["activation"]],
        "dropout": params["dropout"] or None,
    }
    if kind.startswith(_COMBINED):
        layers = {f"dnn_{name}": value for name, value in layers.items()}
        arguments["linear_feature_columns"] = wide_columns(params)
        arguments["linear_optimizer"] = _NoOp
    arguments["batch_norm"] = params["batch_norm"]
    return getattr(tf.estimator, kind)(**layers, **arguments)


def _select(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Selects the outputs that built-in models have too.

    `classes` is not among them, since a premade Estimator gives class ids there instead of names.
    """
    if params["task"] == REGRESSION:
        return {"predictions": unstandardize(predictions["predictions"], params)}
    return {name: predictions[name] for name in _OUTPUTS}


def _mean_one(weights: tf.Tensor) -> tf.Tensor:
    """Scales weights to a mean of 1, float32 `[batch_size, 1]`; if all are 0, they stay 0.

    A premade Estimator divides the weighted sum of losses by the number of examples; with weights
    of mean 1, the result is the weighted mean.
    """
    return tf.math.divide_no_nan(weights, tf.reduce_mean(weights))[:, tf.newaxis]


class _Minimize(tf.keras.optimizers.legacy.Optimizer):
    """Wraps `minimize` as a Keras optimizer, the only form that a premade Estimator accepts."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(name="Minimize")
        self._params = params

    def get_updates(self, loss: tf.Tensor, params: Any) -> list[tf.Operation]:
        """Updates all variables, those of the linear part included, whatever `params` lists."""
        with tf.compat.v1.name_scope(""):  # otherwise its summaries would be named 'training/...'
            return [minimize(loss, self._params)]

    def get_config(self) -> dict[str, Any]:
        """Returns nothing, since it is never saved."""
        return {}


class _NoOp(tf.keras.optimizers.legacy.Optimizer):
    """Takes the place of the linear part's optimizer, since `_Minimize` updates that part too."""

    def __init__(self) -> None:
        super().__init__(name="Nothing")

    def get_updates(self, loss: tf.Tensor, params: Any) -> list[tf.Operation]:
        """Updates nothing."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Returns nothing, since it is never saved."""
        return {}
