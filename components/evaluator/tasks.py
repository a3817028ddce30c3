"""What an evaluation is of, as TFMA's configuration says it."""

from collections.abc import Mapping

import tensorflow_model_analysis as tfma

from trainer.settings.train import Task

PREDICTION_KEYS: Mapping[Task, str] = {
    "multiclass": "probabilities",
    "binary": "probabilities",
    "regression": "predictions",
}
"""The model's output that each task is judged by."""


def task_of(eval_config: tfma.EvalConfig) -> Task:
    """Tells the task of an evaluation.

    Args:
        eval_config: The evaluation. Metrics of a single class stand in specs that have `binarize`:
            its class ids are those of the positive class in a binary task, and not known yet where
            every class has metrics of its own.

    Returns:
        The task.
    """
    if eval_config.model_specs[0].prediction_key == PREDICTION_KEYS["regression"]:
        return "regression"
    has_positive = any(spec.binarize.class_ids.values for spec in eval_config.metrics_specs)
    return "binary" if has_positive else "multiclass"
