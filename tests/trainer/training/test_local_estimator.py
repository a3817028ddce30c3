"""LocalEstimator gives the same training and evaluations as TensorFlow's Estimator."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.training_data import scalars
from trainer.settings.train import TrainSettings
from trainer.training.hooks import NanLossDuringTrainingError
from trainer.training.local_estimator import LocalEstimator

ModelFn = Callable[..., tf.estimator.EstimatorSpec]
TRAIN = TrainSettings(steps=53, batch_size=1, eval_every_steps=25, summary_every_steps=10)


class Steps(tf.estimator.SessionRunHook):
    """Records the global step after each run that calls hooks."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def after_run(self, run_context: Any, run_values: Any) -> None:
        step = tf.compat.v1.train.get_global_step()
        self.seen.append(int(run_context.session.run(step)))


class Calls(tf.estimator.SessionRunHook):
    """Counts evaluations."""

    def __init__(self) -> None:
        self.count = 0

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.count += 1


def input_fn(n_passes: int | None = None) -> tf.data.Dataset:
    """Makes batches of one example: a number from 0 to 6, and its double as label."""
    numbers = tf.data.Dataset.range(7).map(lambda number: tf.cast(number, tf.float32))
    return numbers.map(lambda number: ({"x": number}, 2 * number)).repeat(n_passes)


def eval_input_fn() -> tf.data.Dataset:
    return input_fn(1)


def make_model_fn(
    modes: list[str] | None = None,
    training_hooks: Sequence[tf.estimator.SessionRunHook] = (),
    **eval_fields: Any,
) -> ModelFn:
    """Makes a `model_fn` with one weight, which records its modes; its spec gets more fields."""

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> tf.estimator.EstimatorSpec:
        if modes is not None:
            modes.append(mode)
        weight = tf.compat.v1.get_variable("weight", initializer=0.5)
        loss = (labels - weight * features["x"]) ** 2
        error = tf.compat.v1.metrics.mean_absolute_error(labels, weight * features["x"])
        tf.compat.v1.summary.scalar("slope", weight)
        step = tf.compat.v1.train.get_global_step()
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.001)
        return tf.estimator.EstimatorSpec(
            mode,
            loss=loss,
            train_op=optimizer.minimize(loss, global_step=step),
            eval_metric_ops={"error": error},
            training_hooks=training_hooks,
            **(eval_fields if mode == tf.estimator.ModeKeys.EVAL else {}),
        )

    return model_fn


def make(
    folder: Path, model_fn: ModelFn | None = None, train: TrainSettings = TRAIN
) -> LocalEstimator:
    config = tf.estimator.RunConfig(
        save_checkpoints_steps=train.eval_every_steps, log_step_count_steps=None
    )
    return LocalEstimator(model_fn or make_model_fn(), str(folder), config, {}, train)


def make_stock(folder: Path) -> tf.estimator.Estimator:
    config = tf.estimator.RunConfig(save_checkpoints_steps=TRAIN.eval_every_steps)
    return tf.estimator.Estimator(make_model_fn(), str(folder), config, {})


def steps_of_checkpoints(folder: Path) -> list[int]:
    return sorted(int(path.stem.partition("-")[2]) for path in folder.glob("*.index"))


# training


def test_train_gives_same_weights(tmp_path: Path) -> None:
    estimators = make(tmp_path / "ours"), make_stock(tmp_path / "stock")

    for estimator in estimators:
        estimator.train(input_fn, max_steps=TRAIN.steps)

    ours, stock = estimators
    assert ours.get_variable_value("global_step") == 53
    assert ours.get_variable_value("weight") == stock.get_variable_value("weight")
    assert steps_of_checkpoints(tmp_path / "ours") == [0, 25, 50, 53]


def test_train_calls_hooks_at_logged_steps(tmp_path: Path) -> None:
    hook = Steps()

    make(tmp_path).train(input_fn, [hook], max_steps=TRAIN.steps)

    assert hook.seen == [1, 10, 20, 25, 30, 40, 50, 53]
    for tag in ("slope", "loss"):
        assert [step for step, _ in scalars(tmp_path)[tag]] == hook.seen


def test_train_continues_from_unlogged_step(tmp_path: Path) -> None:
    make(tmp_path).train(input_fn, max_steps=TRAIN.steps)
    hook, longer = Steps(), TRAIN.model_copy(update={"steps": 90})

    make(tmp_path, train=longer).train(input_fn, [hook], max_steps=longer.steps)

    assert hook.seen == [54, 63, 73, 78, 83, 90]
    assert steps_of_checkpoints(tmp_path)[-2:] == [78, 90]


def test_train_calls_model_hooks_at_every_step(tmp_path: Path) -> None:
    hook = Steps()

    make(tmp_path, make_model_fn(training_hooks=[hook])).train(input_fn, max_steps=TRAIN.steps)

    assert hook.seen == list(range(1, 54))
    points = [step for step, _ in scalars(tmp_path)["slope"]]
    # TensorFlow reads the step while it is incremented, so that a point may be one step off.
    assert {after - before for before, after in pairwise(points)} <= {9, 10, 11}


def test_train_stops_at_nan_in_unlogged_step(tmp_path: Path) -> None:
    def bad_fn() -> tf.data.Dataset:
        return (
            input_fn()
            .enumerate()
            .map(lambda index, row: (row[0], tf.where(tf.equal(index, 13), math.nan, row[1])))
        )

    with pytest.raises(NanLossDuringTrainingError, match="NaN loss at step 14:"):
        make(tmp_path).train(bad_fn, max_steps=TRAIN.steps)


# evaluation


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    make(tmp_path).train(input_fn, max_steps=TRAIN.steps)
    return tmp_path


def test_evaluate_gives_same_values(trained: Path) -> None:
    ours, stock = make(trained), make_stock(trained)

    for step in (25, 50, 25, 53):
        path = str(trained / f"model.ckpt-{step}")
        found = ours.evaluate(eval_input_fn, checkpoint_path=path)
        expected = stock.evaluate(eval_input_fn, checkpoint_path=path, name="stock")

        assert found == {name: pytest.approx(value) for name, value in expected.items()}
        assert found["global_step"] == step
    for tag in ("loss", "error"):
        assert scalars(trained / "eval")[tag] == scalars(trained / "eval_stock")[tag]


def test_evaluate_resets_metrics(trained: Path) -> None:
    # The mean of |2x - wx| over 0 to 6 is 3 (2 - w).
    estimator = make(trained)
    expected = 3 * (2 - estimator.get_variable_value("weight"))

    errors = [estimator.evaluate(eval_input_fn)["error"] for _ in range(3)]

    np.testing.assert_allclose(errors, expected, rtol=1e-6)


def test_evaluate_builds_graph_once_per_input(trained: Path) -> None:
    modes: list[str] = []
    estimator = make(trained, make_model_fn(modes))

    for _ in range(3):
        estimator.evaluate(eval_input_fn)
    assert modes == ["eval"]

    few = estimator.evaluate(lambda: eval_input_fn().take(2))
    assert modes == ["eval", "eval"]
    assert few["error"] < estimator.evaluate(eval_input_fn)["error"]


def test_evaluate_calls_hooks(trained: Path) -> None:
    model_hook, caller_hook = Calls(), Calls()

    estimator = make(trained, make_model_fn(evaluation_hooks=[model_hook]))
    values = [estimator.evaluate(eval_input_fn)["error"] for _ in range(2)]
    assert model_hook.count == 2
    assert values[0] == values[1] == make(trained).evaluate(eval_input_fn)["error"]

    for _ in range(2):
        make(trained).evaluate(eval_input_fn, hooks=[caller_hook])
    assert caller_hook.count == 2


def test_evaluate_with_scaffold_uses_estimator(trained: Path) -> None:
    modes: list[str] = []

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> tf.estimator.EstimatorSpec:
        spec = make_model_fn(modes)(features, labels, mode, params)
        init_op = tf.compat.v1.local_variables_initializer()
        return spec._replace(scaffold=tf.compat.v1.train.Scaffold(local_init_op=init_op))

    estimator = make(trained, model_fn)
    values = [estimator.evaluate(eval_input_fn) for _ in range(3)]

    assert values == [make(trained).evaluate(eval_input_fn)] * 3
    assert len(modes) == 1 + 3  # once to look at the spec


def test_evaluate_before_training(tmp_path: Path) -> None:
    values = make(tmp_path).evaluate(eval_input_fn)

    assert values["error"] == pytest.approx(3 * (2 - 0.5))
    assert values["global_step"] == 0
