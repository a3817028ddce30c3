"""`run_fn`, the Trainer's entry: wires input, model and export into a `tf.estimator.Estimator`."""

import hashlib
import json
import os

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.config import TrainerSettings
from trainer.features import make_feature_columns, select_raw_spec
from trainer.input_fn import make_dataset
from trainer.model import model_fn
from trainer.serving import export_model, make_serving_input_receiver_fn, move_children


def run_fn(fn_args: FnArgs) -> None:
    """Trains, evaluates at every checkpoint and exports the model.

    Args:
        fn_args: TFX's arguments; `custom_config["settings"]` is a `TrainerSettings` as a dict. The
            model goes to `serving_model_dir`; checkpoints and event files (TensorBoard) go to
            `model_run_dir`.

    Raises:
        tf.estimator.NanLossDuringTrainingError: If the loss becomes NaN.
    """
    settings = TrainerSettings.model_validate(fn_args.custom_config["settings"])
    # The layers' initializers draw their seeds from Python, not from the Estimator's graph.
    tf.keras.utils.set_random_seed(settings.model.seed)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    checkpoint_dir = _checkpoint_dir(fn_args)
    estimator = _make_estimator(settings, transform_output, checkpoint_dir)
    tf.estimator.train_and_evaluate(estimator, *_make_specs(settings, transform_output, fn_args))

    raw_spec = select_raw_spec(transform_output.raw_feature_spec(), settings.feature_names)
    export_model(
        estimator,
        make_serving_input_receiver_fn(raw_spec, transform_output),
        transform_output.vocabulary_file_by_name(CLASSES_FILE),
        fn_args.serving_model_dir,
    )
    move_children(checkpoint_dir, fn_args.model_run_dir)
    tf.io.gfile.rmtree(checkpoint_dir)
    if not tf.io.gfile.listdir(os.path.dirname(checkpoint_dir)):  # no other training was killed
        tf.io.gfile.rmtree(os.path.dirname(checkpoint_dir))


def _checkpoint_dir(fn_args: FnArgs) -> str:
    """Where checkpoints go while training goes on: the same folder for the same training.

    TFX gives each execution a new `model_run_dir`, so a training that was killed would never find
    its checkpoint there. This folder is named by all that determines the training, and stands
    beside the executions' own.
    """
    determinants = [fn_args.custom_config, fn_args.train_files, fn_args.transform_output]
    key = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()[:16]
    return os.path.join(os.path.dirname(fn_args.model_run_dir), "unfinished", key)


def _make_estimator(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, model_dir: str
) -> tf.estimator.Estimator:
    """Builds the Estimator; it resumes from a checkpoint in `model_dir`."""
    classes = [word.decode() for word in transform_output.vocabulary_by_name(CLASSES_FILE)]
    return tf.estimator.Estimator(
        model_fn,
        model_dir=model_dir,
        params={
            "feature_columns": make_feature_columns(settings),
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


def _make_specs(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, fn_args: FnArgs
) -> tuple[tf.estimator.TrainSpec, tf.estimator.EvalSpec]:
    """Makes what `train_and_evaluate` trains on, and evaluates whole at every checkpoint."""
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
        tf.estimator.TrainSpec(train_input_fn, max_steps=settings.train.steps),
        tf.estimator.EvalSpec(eval_input_fn, steps=None, throttle_secs=0, start_delay_secs=0),
    )
