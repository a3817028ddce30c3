"""Trains and evaluates the Estimator; used by Trainer and Tuner."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.settings.train import TrainerSettings
from trainer.training.best_checkpoint import BestCheckpoint
from trainer.training.class_weights import class_names, make_class_weights
from trainer.training.evaluation_listener import EvaluationListener
from trainer.training.hooks import FlushSummaries, StopAtNan, StopEarly, WarmStart
from trainer.training.input_fn import next_batch
from trainer.training.shuffle import is_dense

_EVAL_BATCH_EXAMPLES = 16_000
_SPARSE_EVAL_BATCH_EXAMPLES = 1_000


def train(
    estimator: tf.estimator.Estimator,
    settings: TrainerSettings,
    transform_output: tft.TFTransformOutput,
    fn_args: FnArgs,
    listeners: Sequence[EvaluationListener] = (),
) -> BestCheckpoint:
    """Trains to the end, from the last checkpoint if there is one, and evaluates each checkpoint.

    Args:
        estimator: The Estimator.
        settings: The model and its training.
        transform_output: Transform's output.
        fn_args: TFX's arguments: `train_files`, `eval_files`, and `base_model`, if there is one,
            whose weights `train.warm_start` uses.
        listeners: Receive each evaluation once.

    Returns:
        The best evaluation and the step of an early stop.

    Raises:
        tf.estimator.NanLossDuringTrainingError: If the loss becomes NaN.
        UnknownMetricError: If a setting names a metric that the first evaluation does not have.
        ValueError: If `train.class_weights` names an unknown class.
    """
    best = BestCheckpoint(estimator.model_dir, settings.train)
    listeners = [best, *listeners]
    hooks: list[tf.estimator.SessionRunHook] = [
        FlushSummaries(estimator.model_dir),
        StopAtNan(),
        StopEarly(lambda: best.should_stop),
    ]
    if settings.train.warm_start and fn_args.base_model:
        hooks.append(WarmStart(fn_args.base_model))
    train_spec = tf.estimator.TrainSpec(
        _make_train_input_fn(settings, transform_output, fn_args),
        max_steps=settings.train.steps,
        hooks=hooks,
    )
    eval_spec = tf.estimator.EvalSpec(
        _make_eval_input_fn(settings, transform_output, fn_args),
        steps=None,
        exporters=listeners,
        throttle_secs=0,
        start_delay_secs=0,
    )
    _evaluate_after_kill(estimator, eval_spec, listeners, settings.train.steps)
    if not best.should_stop:
        tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    if best.stopped_step is not None:
        write_step_summary(estimator.model_dir, "stopped_at_step", best.stopped_step)
    return best


def write_step_summary(model_dir: str, tag: str, step: int) -> None:
    """Writes a point to the training curves, at `step` and with the value `step`."""
    value = tf.compat.v1.Summary.Value(tag=tag, simple_value=step)
    writer = tf.compat.v1.summary.FileWriterCache.get(model_dir)
    writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
    writer.flush()


def _evaluate_after_kill(
    estimator: tf.estimator.Estimator,
    eval_spec: tf.estimator.EvalSpec,
    listeners: Sequence[EvaluationListener],
    last_step: int,
) -> None:
    """Evaluates the last checkpoint if a kill prevented that, since Estimator does not."""
    checkpoint = estimator.latest_checkpoint()
    step = int(checkpoint.rpartition("-")[2]) if checkpoint else 0
    late = [listener for listener in listeners if listener.step < step]
    if late:
        metrics = estimator.evaluate(eval_spec.input_fn)
        for listener in late:
            listener.evaluated(checkpoint, metrics, is_last=step >= last_step)


def _make_train_input_fn(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, fn_args: FnArgs
) -> Callable[[], Any]:
    feature_spec = transform_output.transformed_feature_spec()
    class_weights = make_class_weights(settings, transform_output, fn_args.train_files)
    return lambda: next_batch(
        fn_args.train_files,
        feature_spec,
        settings.label,
        settings.train.batch_size,
        shuffle_seed=settings.model.seed,
        weight=settings.weight,
        class_weights=class_weights,
    )


def _make_eval_input_fn(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, fn_args: FnArgs
) -> Callable[[], Any]:
    """Makes the input of evaluations, in which class weights do not count.

    If class weights are set, examples still have a weight, since the user's `model_fn` may read it.
    Batches are large, since most of the time with many small batches is overhead. They are smaller
    if examples differ in their number of words, each of which becomes a vector.
    """
    feature_spec = transform_output.transformed_feature_spec()
    batch_size = _EVAL_BATCH_EXAMPLES if is_dense(feature_spec) else _SPARSE_EVAL_BATCH_EXAMPLES
    n_classes = len(class_names(transform_output)) if settings.train.class_weights else 0
    return lambda: next_batch(
        fn_args.eval_files,
        feature_spec,
        settings.label,
        max(settings.train.batch_size, batch_size),
        shuffle_seed=None,
        weight=settings.weight,
        class_weights=[1.0] * n_classes or None,
    )
