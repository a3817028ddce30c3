"""Wraps the user's `model_fn`: checks it, and adds the outputs and signatures of the task."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.model.outputs import OutputError, complete_predictions, make_export_outputs
from trainer.signatures import EXAMPLE_WEIGHT, EXAMPLES_SIGNATURE, SERVING_SIGNATURE
from trainer.user_functions import UserFunctionError, load_function, user_errors

_REQUIRED = ("features", "labels")
_OPTIONAL = ("mode", "params", "config")


def make_user_model_fn(dotted_path: str) -> Callable[..., tf.estimator.EstimatorSpec]:
    """Makes a `model_fn` that calls the user's `model_fn`.

    Everything that the user's function returns is kept: predictions, metrics, hooks, scaffold, and
    `export_outputs` as further signatures. For PREDICT, missing outputs and signatures of the task
    are added.

    >>> model_fn = make_user_model_fn("trainer.model.model_fn.model_fn")
    >>> columns = [tf.feature_column.numeric_column("x")]
    >>> params = {"type": "linear", "task": "regression", "linear_columns": columns}
    >>> params |= {"target_mean": 100.0, "target_deviation": 20.0}
    >>> with tf.Graph().as_default():
    ...     features = {"x": tf.constant([[3.0]])}
    ...     config = tf.estimator.RunConfig()
    ...     spec = model_fn(features, None, tf.estimator.ModeKeys.PREDICT, params, config)
    ...     sorted(spec.export_outputs)
    ['regress', 'serving_default']
    >>> make_user_model_fn("math.hypot")
    Traceback (most recent call last):
    trainer.user_functions.UserFunctionError: math.hypot: ...

    Args:
        dotted_path: Dotted path of the user's function or any other callable.

    Returns:
        The `model_fn`. It raises a UserFunctionError if the user's function fails, or if the
        outputs of the task cannot be derived from what it returns.

    Raises:
        UserFunctionError: If the function cannot be loaded or does not accept the arguments that
            Estimator passes.
    """
    function = load_function(dotted_path)
    names = _accepted_arguments(function, dotted_path)

    def model_fn(
        features: Mapping[str, tf.Tensor | tf.SparseTensor],
        labels: tf.Tensor | None,
        mode: str,
        params: Mapping[str, Any],
        config: tf.estimator.RunConfig,
    ) -> tf.estimator.EstimatorSpec:
        if mode == tf.estimator.ModeKeys.TRAIN:
            _check_predict(model_fn, features, params, config)
        arguments = {
            "features": features,
            "labels": labels,
            "mode": mode,
            "params": dict(params),
            "config": config,
        }
        with user_errors(function):
            spec = function(**{name: arguments[name] for name in names})
        if not isinstance(spec, tf.estimator.EstimatorSpec):
            raise UserFunctionError(
                f"{dotted_path}: returned {_describe(spec)} for mode '{mode}', not a"
                " tf.estimator.EstimatorSpec"
            )
        if mode != tf.estimator.ModeKeys.PREDICT:
            return spec
        return _complete(spec, params, dotted_path)

    return model_fn


def _check_predict(
    model_fn: Callable[..., Any],
    features: Mapping[str, tf.Tensor | tf.SparseTensor],
    params: Mapping[str, Any],
    config: tf.estimator.RunConfig,
) -> None:
    """Builds the graph of PREDICT before training, so that its errors do not come after it."""
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        served = {
            name: tf.compat.v1.sparse_placeholder(tensor.dtype, tensor.shape)
            if isinstance(tensor, tf.SparseTensor)
            else tf.compat.v1.placeholder(tensor.dtype, tensor.shape)
            for name, tensor in features.items()
            if name != EXAMPLE_WEIGHT
        }
        model_fn(served, None, tf.estimator.ModeKeys.PREDICT, params, config)


def _accepted_arguments(function: Callable[..., Any], dotted_path: str) -> list[str]:
    """Lists the arguments of Estimator that the function accepts.

    Raises:
        UserFunctionError: If it lacks features or labels, or requires an argument that Estimator
            does not pass.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function that is not written in Python
        raise UserFunctionError(f"{dotted_path}: is not a model_fn: {_EXPECTED}") from None
    parameters = signature.parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return [*_REQUIRED, *_OPTIONAL]
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
    if not {*_REQUIRED} <= {*names} or not required <= {*_REQUIRED, *_OPTIONAL}:
        raise UserFunctionError(f"{dotted_path}: takes {signature}: {_EXPECTED}")
    return [name for name in (*_REQUIRED, *_OPTIONAL) if name in names]


_EXPECTED = "expected arguments named features and labels, and optionally mode, params and config"


def _complete(
    spec: tf.estimator.EstimatorSpec, params: Mapping[str, Any], dotted_path: str
) -> tf.estimator.EstimatorSpec:
    """Adds the outputs of the task, and their signatures, to the user's spec for PREDICT."""
    outputs = dict(spec.export_outputs or {})
    if EXAMPLES_SIGNATURE in outputs:
        raise UserFunctionError(
            f"{dotted_path}: export_outputs may not contain '{EXAMPLES_SIGNATURE}', the name of a"
            " signature of every model: choose another name"
        )
    given = spec.predictions
    exported = _exported_predictions(outputs.pop(SERVING_SIGNATURE, None))
    if not isinstance(given, Mapping):  # a single tensor; EstimatorSpec outputs it as 'output'
        given, exported = {"predictions": given}, {}
    try:
        predictions = complete_predictions({**exported, **given}, params)
    except OutputError as error:
        raise UserFunctionError(f"{dotted_path}: {error}") from error
    return spec._replace(
        predictions=predictions,
        export_outputs={**make_export_outputs(predictions, params), **outputs},
    )


def _exported_predictions(output: tf.estimator.export.ExportOutput | None) -> dict[str, tf.Tensor]:
    """Returns the outputs of the user's default signature, named as predictions."""
    if isinstance(output, tf.estimator.export.PredictOutput):
        return dict(output.outputs)
    if isinstance(output, tf.estimator.export.RegressionOutput):
        return {"predictions": output.value}
    if isinstance(output, tf.estimator.export.ClassificationOutput) and output.scores is not None:
        return {"probabilities": output.scores}
    return {}


def _describe(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
