"""Chooses the `model_fn` and makes its `params` from the settings."""

from collections.abc import Callable
from typing import Any, get_args

import tensorflow as tf
import tensorflow_transform as tft

from trainer.classes import CLASSES_FILE
from trainer.features.columns import make_feature_columns
from trainer.features.target_scaling import read_target
from trainer.model.model_fn import model_fn
from trainer.model.outputs import REGRESSION
from trainer.model.premade import premade_model_fn
from trainer.model.user_model_fn import make_user_model_fn
from trainer.settings.model import ModelSettings, Premade
from trainer.settings.train import TrainerSettings


def select_model_fn(settings: ModelSettings) -> Callable[..., tf.estimator.EstimatorSpec]:
    """Returns the user's `model_fn`, that of a premade Estimator, or the built-in one.

    >>> select_model_fn(ModelSettings(type="wide_deep")).__name__
    'model_fn'
    >>> select_model_fn(ModelSettings(type="DNNClassifier")).__name__
    'premade_model_fn'

    Args:
        settings: The settings of the model.

    Raises:
        UserFunctionError: If the user's `model_fn` cannot be used.
    """
    if settings.model_fn is not None:
        return make_user_model_fn(settings.model_fn)
    return premade_model_fn if settings.type in get_args(Premade) else model_fn


def make_params(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput
) -> dict[str, Any]:
    """Makes the `params` of a `model_fn`.

    >>> from types import SimpleNamespace
    >>> transform_output = SimpleNamespace(vocabulary_by_name=lambda name: [b"no", b"yes"])
    >>> model = ModelSettings(learning_rate=0.5)
    >>> settings = TrainerSettings(label="y", features={"x": "numeric"}, model=model)
    >>> params = make_params(settings, transform_output)
    >>> params["n_classes"], params["classes"], params["learning_rate"]
    (2, ['no', 'yes'], 0.5)
    >>> [column.name for column in params["feature_columns"]]
    ['x']

    Args:
        settings: The model and its training.
        transform_output: Transform's output.

    Returns:
        * `task`;
        * `feature_columns`, all features as dense columns, for a network;
        * `linear_columns`, all features, those with ids as categorical columns;
        * `categorical_columns`, only those with ids;
        * `n_classes` and `classes`, the class names by id; 1 and empty for a regression;
        * `target_mean` and `target_deviation`, for a regression only;
        * the settings of `model`; `schedule` is a dict whose `steps` are set;
        * the user's `model.params`, which replace any of the above with the same name.
    """
    columns = make_feature_columns(settings, transform_output)
    params = settings.model.model_dump(exclude={"model_fn", "params", "preprocessing_fn"})
    if params["schedule"] is not None:
        params["schedule"]["steps"] = params["schedule"]["steps"] or settings.train.steps
    if settings.task == REGRESSION:
        classes = []
        params["target_mean"], params["target_deviation"] = read_target(transform_output)
    else:
        classes = [word.decode() for word in transform_output.vocabulary_by_name(CLASSES_FILE)]
    return {
        **params,
        "task": settings.task,
        "feature_columns": columns.deep,
        "linear_columns": columns.linear,
        "categorical_columns": list(columns.categorical),
        "n_classes": len(classes) or 1,
        "classes": classes,
        **settings.model.params,
    }
