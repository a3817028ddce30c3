"""A training, as Trainer and Tuner do it: the Estimator, its input, and where its state stands."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.export import move_children
from trainer.model.params import make_params, select_model_fn
from trainer.settings.train import TrainerSettings
from trainer.training.best_checkpoint import BEST_DIR, BestSoFar, EvaluationListener
from trainer.training.estimator import LocalEstimator
from trainer.training.hooks import FlushSummaries, StopAtNan, StopWhenOver, WarmStart
from trainer.training.input_fn import balance, count_classes, make_dataset, take

_SETTINGS_FILE = "settings.json"
_EVAL_BATCH_EXAMPLES = 16_000


def make_estimator(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, model_dir: str
) -> tf.estimator.Estimator:
    """Builds the Estimator, and seeds TensorFlow for its training.

    Args:
        settings: The model and its training.
        transform_output: What Transform learned.
        model_dir: Folder of checkpoints and event files; a checkpoint in it is gone on from.

    Raises:
        UserFunctionError: If the user's own `model_fn` cannot be used.
    """
    # The layers' initializers draw their seeds from Python, not from the Estimator's graph.
    tf.keras.utils.set_random_seed(settings.model.seed)
    model_fn = select_model_fn(settings.model)
    params = make_params(settings, transform_output)
    config = _make_run_config(settings)
    if config.cluster_spec:
        return tf.estimator.Estimator(model_fn, model_dir, config, params)
    return LocalEstimator(model_fn, model_dir, config, params, settings.train)


def _make_run_config(settings: TrainerSettings) -> tf.estimator.RunConfig:
    config = tf.estimator.RunConfig(
        tf_random_seed=settings.model.seed,
        save_checkpoints_steps=settings.train.eval_every_steps,
        save_summary_steps=settings.train.summary_every_steps,
        log_step_count_steps=settings.train.summary_every_steps,
    )
    if config.cluster_spec:  # Estimator knows which machines a session concerns
        return config
    # The ops of a step are so short that handing them to other threads costs more than it saves; a
    # long one still uses every core.
    session_config = tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=-1, allow_soft_placement=True
    )
    optimizations = session_config.graph_options.rewrite_options
    optimizations.meta_optimizer_iterations = type(optimizations).ONE  # Estimator's own default
    return config.replace(session_config=session_config)


def train(
    estimator: tf.estimator.Estimator,
    settings: TrainerSettings,
    transform_output: tft.TFTransformOutput,
    fn_args: FnArgs,
    listeners: Sequence[EvaluationListener] = (),
) -> BestSoFar:
    """Trains to the end, from the last checkpoint on if there is one, evaluating each.

    Args:
        estimator: The Estimator.
        settings: The model and its training.
        transform_output: What Transform learned.
        fn_args: TFX's arguments: `train_files`, `eval_files`, and `base_model`, whose weights
            a training with `train.warm_start` begins with, if there is one.
        listeners: Told of each evaluation, once.

    Returns:
        What came of the evaluations.

    Raises:
        tf.estimator.NanLossDuringTrainingError: If the loss becomes NaN.
        UnknownMetricError: If the first evaluation lacks a metric that the settings name.
        ValueError: If `train.class_weights` names a class that there is not.
    """
    best = BestSoFar(estimator.model_dir, settings.train)
    listeners = [best, *listeners]
    hooks: list[tf.estimator.SessionRunHook] = [
        FlushSummaries(estimator.model_dir),
        StopAtNan(),
        StopWhenOver(lambda: best.is_over),
    ]
    if settings.train.warm_start and fn_args.base_model:
        hooks.append(WarmStart(fn_args.base_model))
    train_spec, eval_spec = (
        tf.estimator.TrainSpec(
            _make_train_input_fn(settings, transform_output, fn_args),
            max_steps=settings.train.steps,
            hooks=hooks,
        ),
        tf.estimator.EvalSpec(
            _make_eval_input_fn(settings, transform_output, fn_args),
            steps=None,
            exporters=listeners,
            throttle_secs=0,
            start_delay_secs=0,
        ),
    )
    _make_up_evaluation(estimator, eval_spec, listeners, settings.train.steps)
    if not best.is_over:
        tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    if best.stopped_step is not None:
        note(estimator.model_dir, "stopped_at_step", best.stopped_step)
    return best


def note(model_dir: str, tag: str, step: int) -> None:
    """Writes a step among the training curves, as a point there whose value is the step itself."""
    value = tf.compat.v1.Summary.Value(tag=tag, simple_value=step)
    writer = tf.compat.v1.summary.FileWriterCache.get(model_dir)
    writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
    writer.flush()


def _make_up_evaluation(
    estimator: tf.estimator.Estimator,
    eval_spec: tf.estimator.EvalSpec,
    listeners: Sequence[EvaluationListener],
    last_step: int,
) -> None:
    """Evaluates the last checkpoint if a kill came before its evaluation, or amidst it.

    Estimator does not.
    """
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
    class_weights = _make_class_weights(settings, transform_output, fn_args)
    return lambda: take(
        make_dataset(
            fn_args.train_files,
            feature_spec,
            settings.label,
            settings.train.batch_size,
            shuffle_seed=settings.model.seed,
            weight=settings.weight,
            class_weights=class_weights,
        )
    )


def _make_eval_input_fn(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, fn_args: FnArgs
) -> Callable[[], tf.data.Dataset]:
    """Weighs examples by their column only; the model may ask for weights of 1 all the same.

    Batches are large: of many small ones, most of the time is spent between them.
    """
    feature_spec = transform_output.transformed_feature_spec()
    n_classes = len(_classes(transform_output)) if settings.train.class_weights else 0
    return lambda: make_dataset(
        fn_args.eval_files,
        feature_spec,
        settings.label,
        max(settings.train.batch_size, _EVAL_BATCH_EXAMPLES),
        weight=settings.weight,
        class_weights=[1.0] * n_classes or None,
    )


def _make_class_weights(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, fn_args: FnArgs
) -> list[float] | None:
    """Gives the weight of each class by its id; None if they have none."""
    if settings.train.class_weights is None:
        return None
    classes = _classes(transform_output)
    if settings.train.class_weights == "balanced":
        feature_spec = transform_output.transformed_feature_spec()
        return balance(
            count_classes(fn_args.train_files, feature_spec, settings.label, len(classes))
        )
    for word in settings.train.class_weights:
        if word not in classes:
            raise ValueError(
                f"train.class_weights: '{word}' is no class of {settings.label}"
                f" (there are: {', '.join(classes)})"
            )
    return [settings.train.class_weights.get(word, 1.0) for word in classes]


def _classes(transform_output: tft.TFTransformOutput) -> list[str]:
    return [word.decode() for word in transform_output.vocabulary_by_name(CLASSES_FILE)]


def write_settings(settings: TrainerSettings, model_dir: str) -> None:
    """Keeps with a training what it was told, a sweep's choices included."""
    tf.io.gfile.makedirs(model_dir)
    with tf.io.gfile.GFile(os.path.join(model_dir, _SETTINGS_FILE), "w") as file:
        file.write(settings.model_dump_json(indent=1))


def read_settings(model_dir: str) -> TrainerSettings:
    """Reads what a training was told."""
    with tf.io.gfile.GFile(os.path.join(model_dir, _SETTINGS_FILE)) as file:
        return TrainerSettings.model_validate(json.loads(file.read()))


def exported_checkpoint(model_dir: str) -> str:
    """Finds the checkpoint of a finished training that was exported.

    Args:
        model_dir: The training's folder.

    Returns:
        What `Estimator.predict` takes as `checkpoint_path`.

    Raises:
        FileNotFoundError: If there is none.
    """
    path: str | None = tf.train.latest_checkpoint(os.path.join(model_dir, BEST_DIR))
    path = path or tf.train.latest_checkpoint(model_dir)
    if path is None:
        raise FileNotFoundError(f"no checkpoint in {model_dir}")
    return path


def unfinished_dir(output_dir: str, *determinants: Any) -> str:
    """Names where state goes while work goes on: the same folder for the same work.

    TFX gives each execution a new folder for its outputs, so work that was killed would never find
    its state there. This folder is named by all that determines the work, and stands beside the
    executions' own.

    Args:
        output_dir: Folder of an output of this execution.
        determinants: What determines the work, as JSON knows it.
    """
    key = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()[:16]
    return os.path.join(os.path.dirname(output_dir), "unfinished", key)


def finish(state_dir: str, output_dir: str) -> None:
    """Moves what an `unfinished_dir` holds to where it belongs once the work is done."""
    move_children(state_dir, output_dir)
    tf.io.gfile.rmtree(state_dir)
    if not tf.io.gfile.listdir(os.path.dirname(state_dir)):  # no other work was killed
        tf.io.gfile.rmtree(os.path.dirname(state_dir))
