"""A training, as Trainer and Tuner do it: the Estimator, its input, and where its state stands."""

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.config import TrainerSettings
from trainer.features import make_feature_columns
from trainer.hooks import FlushSummaries
from trainer.input_fn import make_dataset
from trainer.model import model_fn
from trainer.serving import move_children


def make_estimator(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, model_dir: str
) -> tf.estimator.Estimator:
    """Builds the Estimator, and seeds TensorFlow for its training.

    Args:
        settings: The model and its training.
        transform_output: What Transform learned.
        model_dir: Folder of checkpoints and event files; a checkpoint in it is gone on from.
    """
    # The layers' initializers draw their seeds from Python, not from the Estimator's graph.
    tf.keras.utils.set_random_seed(settings.model.seed)
    classes = [word.decode() for word in transform_output.vocabulary_by_name(CLASSES_FILE)]
    return tf.estimator.Estimator(
        model_fn,
        model_dir=model_dir,
        params={
            "feature_columns": make_feature_columns(settings, transform_output).deep,
            "hidden_units": settings.model.hidden_units,
            "n_classes": len(classes),
            "classes": classes,
            "optimizer": settings.model.optimizer,
            "learning_rate": settings.model.learning_rate,
        },
        config=tf.estimator.RunConfig(
            tf_random_seed=settings.model.seed,
            save_checkpoints_steps=settings.train.eval_every_steps,
            save_summary_steps=settings.train.summary_every_steps,
            log_step_count_steps=settings.train.summary_every_steps,
        ),
    )


def make_specs(
    settings: TrainerSettings,
    transform_output: tft.TFTransformOutput,
    fn_args: FnArgs,
    model_dir: str,
    exporters: Sequence[tf.estimator.Exporter] = (),
) -> tuple[tf.estimator.TrainSpec, tf.estimator.EvalSpec]:
    """Makes what `train_and_evaluate` trains on, and evaluates whole at every checkpoint.

    Args:
        settings: The model and its training.
        transform_output: What Transform learned.
        fn_args: TFX's arguments, for `train_files` and `eval_files`.
        model_dir: The Estimator's folder.
        exporters: Called after each evaluation.
    """
    feature_spec = transform_output.transformed_feature_spec()

    def train_input_fn() -> tf.data.Dataset:
        return make_dataset(
            fn_args.train_files,
            feature_spec,
            settings.label,
            settings.train.batch_size,
            shuffle_seed=settings.model.seed,
        )

    def eval_input_fn() -> tf.data.Dataset:
        return make_dataset(
            fn_args.eval_files, feature_spec, settings.label, settings.train.batch_size
        )

    return (
        tf.estimator.TrainSpec(
            train_input_fn, max_steps=settings.train.steps, hooks=[FlushSummaries(model_dir)]
        ),
        tf.estimator.EvalSpec(
            eval_input_fn, steps=None, exporters=exporters, throttle_secs=0, start_delay_secs=0
        ),
    )


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
