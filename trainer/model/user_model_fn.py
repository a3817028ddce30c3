"""A `model_fn` of the user's own, in any form that Estimator takes, with the signatures of ours."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.model.outputs import OutputError, complete_predictions, make_export_outputs
from trainer.signatures import EXAMPLE_WEIGHT, EXAMPLES_SIGNATURE, SERVING_SIGNATURE
from trainer.user_functions import UserFunctionError, load_function, user_errors

_NEEDED = ("features", "labels")
_OFFERED = ("mode", "params", "config")


def make_own_model_fn(dotted_path: str) -> Callable[..., tf.estimator.EstimatorSpec]:
    """Makes the `model_fn` that calls the user's.

    What that returns is kept: predictions, metrics, hooks, scaffold, and `export_outputs` as
    further signatures. For PREDICT, outputs and signatures of the task are added where they lack.

    Args:
        dotted_path: Where the user's function is; anything that can be called.

    Raises:
        UserFunctionError: If it cannot be loaded, or does not take what Estimator gives; when
            called, also if it fails, or returns what does not suffice.
    """
    function = load_function(dotted_path)
    taken = _taken_arguments(function, dotted_path)

    def model_fn(
        features: Mapping[str, tf.Tensor],
        labels: tf.Tensor | None,
        mode: str,
        params: Mapping[str, Any],
        config: tf.estimator.RunConfig,
    ) -> tf.estimator.EstimatorSpec:
        if mode == tf.estimator.ModeKeys.TRAIN:
            _rehearse(model_fn, features, params, config)
        offered = {
            "features": features,
            "labels": labels,
            "mode": mode,
            "params": dict(params),
            "config": config,
        }
        with user_errors(function):
            spec = function(**{name: offered[name] for name in taken})
        if not isinstance(spec, tf.estimator.EstimatorSpec):
            raise UserFunctionError(
                f"{dotted_path}: returned {_kind(spec)} for mode '{mode}', not a"
                " tf.estimator.EstimatorSpec"
            )
        if mode != tf.estimator.ModeKeys.PREDICT:
            return spec
        return _complete(spec, params, dotted_path)

    return model_fn


def _rehearse(
    model_fn: Callable[..., Any],
    features: Mapping[str, tf.Tensor],
    params: Mapping[str, Any],
    config: tf.estimator.RunConfig,
) -> None:
    """Builds the graph of PREDICT for its errors: after the training they would come too late."""
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        served = {
            name: tf.compat.v1.placeholder(tensor.dtype, tensor.shape)
            for name, tensor in features.items()
            if name != EXAMPLE_WEIGHT
        }
        model_fn(served, None, tf.estimator.ModeKeys.PREDICT, params, config)


def _taken_arguments(function: Callable[..., Any], dotted_path: str) -> list[str]:
    """Names the arguments that the function is to be called with.

    Raises:
        UserFunctionError: If it lacks one that it needs, or needs another.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of functions that are not written in Python
        raise UserFunctionError(f"{dotted_path}: is no model_fn, {_EXPECTED}") from None
    parameters = signature.parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return [*_NEEDED, *_OFFERED]
    names = [
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    required = {
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    }
    if not {*_NEEDED} <= {*names} or not required <= {*_NEEDED, *_OFFERED}:
        raise UserFunctionError(f"{dotted_path}: takes {signature}, {_EXPECTED}")
    return [name for name in (*_NEEDED, *_OFFERED) if name in names]


_EXPECTED = (
    "but Estimator calls it by name with features and labels and, where it takes them, mode,"
    " params and config"
)


def _complete(
    spec: tf.estimator.EstimatorSpec, params: Mapping[str, Any], dotted_path: str
) -> tf.estimator.EstimatorSpec:
    """Adds the outputs of the task, and the signatures that serve them, to a spec of PREDICT."""
    exports = dict(spec.export_outputs or {})
    if EXAMPLES_SIGNATURE in exports:
        raise UserFunctionError(
            f"{dotted_path}: '{EXAMPLES_SIGNATURE}' among its export_outputs is the name of a"
            " signature that every model has: give it another"
        )
    given = spec.predictions
    served = _exported(exports.pop(SERVING_SIGNATURE, None))
    if not isinstance(given, Mapping):  # a single tensor, which EstimatorSpec serves as 'output'
        given, served = {"predictions": given}, {}
    try:
        predictions = complete_predictions({**served, **given}, params)
    except OutputError as error:
        raise UserFunctionError(f"{dotted_path}: {error}") from error
    return spec._replace(
        predictions=predictions,
        export_outputs={**make_export_outputs(predictions, params), **exports},
    )


def _exported(output: tf.estimator.export.ExportOutput | None) -> dict[str, tf.Tensor]:
    """Gives what the user's own default signature serves, under the names of predictions."""
    if isinstance(output, tf.estimator.export.PredictOutput):
        return dict(output.outputs)
    if isinstance(output, tf.estimator.export.RegressionOutput):
        return {"predictions": output.value}
    if isinstance(output, tf.estimator.export.ClassificationOutput) and output.scores is not None:
        return {"probabilities": output.scores}
    return {}


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
