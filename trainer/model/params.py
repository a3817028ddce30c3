"""Which `model_fn` the settings ask for, and the `params` it finds."""

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
from trainer.model.user_model_fn import make_own_model_fn
from trainer.settings.model import ModelSettings, Premade
from trainer.settings.train import TrainerSettings


def select_model_fn(settings: ModelSettings) -> Callable[..., tf.estimator.EstimatorSpec]:
    """Picks the `model_fn`: the user's own, that of a premade Estimator, or ours.

    Raises:
        UserFunctionError: If the user's own cannot be used.
    """
    if settings.model_fn is not None:
        return make_own_model_fn(settings.model_fn)
    return premade_model_fn if settings.type in get_args(Premade) else model_fn


def make_params(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput
) -> dict[str, Any]:
    """Makes what a `model_fn` finds in its `params`.

    Args:
        settings: The model and its training.
        transform_output: What Transform learned.

    Returns:
        `task`; `feature_columns` (all dense, for a network), `linear_columns` (those with ids as
        such) and of these `categorical_columns`; `n_classes` and `classes`, the word of each class
        id (1 and none of a regression); `target_mean` and `target_deviation` of a regression; the
        settings of `model`, its `schedule` as a dict with `steps` set; and the user's own
        `model.params` in place of any of these.
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
