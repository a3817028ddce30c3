"""Weights of classes and examples, computed and applied in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import FEATURES, LABEL, MakeArgs, scalars
from tests.helpers.transformed_files import write_transformed
from trainer.settings.train import TrainerSettings
from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training import class_weights
from trainer.training.class_weights import balanced_weights, count_classes
from trainer.training.input_fn import make_dataset
from trainer.training.training import train

pytestmark = WARNINGS


def test_count_classes_counts_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_weights, "_BLOCK_EXAMPLES", 7)
    spec = {"x": tf.io.FixedLenFeature([1], tf.float32), "y": tf.io.FixedLenFeature([1], tf.int64)}
    for name, numbers in (("a", np.arange(12)), ("b", np.arange(12, 20))):
        tensors = {"x": np.zeros([len(numbers), 1]), "y": numbers[:, np.newaxis] % 10}
        write_transformed(tmp_path / name, spec, tensors)

    counts = count_classes([str(tmp_path / "*")], spec, "y", 11)

    assert counts.tolist() == [*[2] * 10, 0]  # the last digits of twenty numbers


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ([1, 3], [2, 2 / 3]),  # 4 / (2 * 1), 4 / (2 * 3)
        ([5, 5], [1, 1]),
        ([4, 0], [0.5, 2]),  # 4 / (2 * 1), as for one example
    ],
)
def test_balanced_weights(counts: list[int], weights: list[float]) -> None:
    np.testing.assert_allclose(balanced_weights(np.array(counts)), weights)


def weight_model_fn(features: Any, labels: Any, mode: str) -> tf.estimator.EstimatorSpec:
    """Reports the mean weight of a batch's examples as its loss."""
    loss = tf.reduce_mean(features[EXAMPLE_WEIGHT])
    step = tf.compat.v1.train.get_global_step()
    metrics = {"weight": tf.compat.v1.metrics.mean(features[EXAMPLE_WEIGHT])}
    train_op = tf.compat.v1.assign_add(step, 1)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def mean_weights(folder: Path, args: FnArgs, **changes: Any) -> tuple[float, float]:
    """Returns the mean weights in training and in evaluation."""
    settings = TrainerSettings.model_validate({**args.custom_config["settings"], **changes})
    config = tf.estimator.RunConfig(str(folder), save_summary_steps=1)
    estimator = tf.estimator.Estimator(weight_model_fn, config=config)
    train(estimator, settings, tft.TFTransformOutput(args.transform_output), args)
    return scalars(folder)["loss"][0][1], scalars(folder / "eval")["weight"][-1][1]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [({"ant": 4.0}, 2.0), ({"ant": 4.0, "cow": 2.5, "bee": 1.0}, 2.5), ("balanced", 1.0)],
)
def test_train_applies_class_weights_in_training_only(
    make_args: MakeArgs, tmp_path: Path, weights: Any, expected: float
) -> None:
    # A batch is the whole train split, 30 examples of each class.
    args = make_args({"class_weights": weights, "batch_size": 90, "steps": 2})

    trained, evaluated = mean_weights(tmp_path, args)

    assert trained == pytest.approx(expected)
    assert evaluated == 1


def test_train_applies_weight_column_everywhere(make_args: MakeArgs, tmp_path: Path) -> None:
    args = make_args({"class_weights": dict.fromkeys(("ant", "bee", "cow"), 2.0)})
    args.custom_config["settings"]["train"].update(batch_size=90, steps=2)
    spec = tft.TFTransformOutput(args.transform_output).transformed_feature_spec()
    means = []
    for patterns in (args.train_files, args.eval_files):
        features, _ = next(iter(make_dataset(patterns, spec, LABEL, 90)))
        means.append(float(tf.reduce_mean(features[FEATURES[0]])))

    found = mean_weights(tmp_path, args, weight=FEATURES[0])

    assert means[1] != 0
    assert found == pytest.approx((2 * means[0], means[1]), abs=1e-6)
