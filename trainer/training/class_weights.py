"""Weights of the classes in the loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_transform as tft

from trainer.classes import CLASSES_FILE
from trainer.settings.train import TrainerSettings
from trainer.training.transformed_examples import find_files, read_dense

_BLOCK_EXAMPLES = 16_000


def make_class_weights(
    settings: TrainerSettings,
    transform_output: tft.TFTransformOutput,
    train_files: Sequence[str],
) -> list[float] | None:
    """Makes the weights of the classes by id; None if `train.class_weights` is not set.

    Args:
        settings: `train.class_weights`, and the label.
        transform_output: Transform's output, which lists the classes.
        train_files: Patterns of the train split's files, read for balanced weights.

    Raises:
        ValueError: If `train.class_weights` names an unknown class.
    """
    if settings.train.class_weights is None:
        return None
    names = class_names(transform_output)
    if settings.train.class_weights == "balanced":
        spec = transform_output.transformed_feature_spec()
        return balanced_weights(count_classes(train_files, spec, settings.label, len(names)))
    for name in settings.train.class_weights:
        if name not in names:
            raise ValueError(
                f"train.class_weights: '{name}' is not a class of {settings.label}"
                f" (allowed: {', '.join(names)})"
            )
    return [settings.train.class_weights.get(name, 1.0) for name in names]


def class_names(transform_output: tft.TFTransformOutput) -> list[str]:
    """Lists the names of the classes by id."""
    return [name.decode() for name in transform_output.vocabulary_by_name(CLASSES_FILE)]


def count_classes(
    file_patterns: Sequence[str], feature_spec: Mapping[str, Any], label: str, n_classes: int
) -> np.ndarray[Any, Any]:
    """Counts the examples of each class, int64 `[n_classes]`.

    Args:
        file_patterns: Patterns of Transform's Parquet files.
        feature_spec: Specs of features, the label among them.
        label: Name of the label, whose values are class ids.
        n_classes: Number of classes.

    Raises:
        tf.errors.NotFoundError: If no file matches.
    """
    counts = np.zeros(n_classes, np.int64)
    spec = {label: feature_spec[label]}
    for block in read_dense(find_files(file_patterns), spec, _BLOCK_EXAMPLES):
        counts += np.bincount(block[label].ravel(), minlength=n_classes)
    return counts


def balanced_weights(counts: np.ndarray[Any, Any]) -> list[float]:
    """Computes weights that give every class the same total weight, and examples a mean of 1.

    The weight is n / (k * count) for a class with `count` of n examples, among k classes. A class
    without examples gets the weight of a class with one example.

    Args:
        counts: Number of examples of each class, `[n_classes]`.
    """
    weights: list[float] = (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()
    return weights
