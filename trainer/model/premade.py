"""TensorFlow's premade Estimators, trained and served as the models of our own are."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

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
    """Builds the graph of one mode, that of a premade Estimator.

    Network and loss are the premade's; what minimizes the loss, the metrics, predictions and
    signatures are those of our own models, so that nothing behind the Trainer sees a difference.

    Args:
        features: As of `trainer.model.model_fn.model_fn`.
        labels: As there.
        mode: One of `tf.estimator.ModeKeys`.
        params: As there, all of them; `type` is the name of a class in `tf.estimator`.
        config: The Estimator's.
    """
    weights = example_weights(features)
    seen, target = dict(features), labels
    if weights is not None:
        seen[EXAMPLE_WEIGHT] = _mean_one(weights)
    if labels is not None and params["task"] == REGRESSION:
        target = standardize(labels, params)
    premade = _make_premade(params, config, is_weighted=weights is not None)
    spec = premade.model_fn(seen, target, mode, config)
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
        "weight_column": EXAMPLE_WEIGHT if is_weighted else None,
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
        arguments["linear_optimizer"] = _Nothing
    arguments["batch_norm"] = params["batch_norm"]
    return getattr(tf.estimator, kind)(**layers, **arguments)


def _select(
    predictions: Mapping[str, tf.Tensor], params: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Picks what our own models predict too; a premade one's words are but its class ids."""
    if params["task"] == REGRESSION:
        return {"predictions": unstandardize(predictions["predictions"], params)}
    return {name: predictions[name] for name in _OUTPUTS}


def _mean_one(weights: tf.Tensor) -> tf.Tensor:
    """Scales weights to the mean 1, float32 `[batch_size, 1]`; all 0 stay so.

    A premade Estimator divides the weighted sum of losses by the number of examples: with these
    weights, that is the weighted mean.
    """
    return tf.math.divide_no_nan(weights, tf.reduce_mean(weights))[:, tf.newaxis]


class _Minimize(tf.keras.optimizers.legacy.Optimizer):
    """Our optimizers in the only form that a premade Estimator takes."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(name="Minimize")
        self._params = params

    def get_updates(self, loss: tf.Tensor, params: Any) -> list[tf.Operation]:
        """Moves all variables, those of the linear part among them, whichever are asked for."""
        with tf.compat.v1.name_scope(""):  # else its summaries would be named 'training/...'
            return [minimize(loss, self._params)]

    def get_config(self) -> dict[str, Any]:
        """Gives nothing: it is not saved."""
        return {}


class _Nothing(tf.keras.optimizers.legacy.Optimizer):
    """Stands for the optimizer of the linear part, which the network's moves as well."""

    def __init__(self) -> None:
        super().__init__(name="Nothing")

    def get_updates(self, loss: tf.Tensor, params: Any) -> list[tf.Operation]:
        """Moves nothing."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Gives nothing: it is not saved."""
        return {}
