"""`run_fn`, the Trainer's entry: wires input, model and export into a `tf.estimator.Estimator`."""

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.config import TrainerSettings, apply_overrides
from trainer.serving import export_model, make_serving_input_receiver_fn
from trainer.training import finish, make_estimator, make_specs, unfinished_dir
from trainer.tuner_config import decode


def run_fn(fn_args: FnArgs) -> None:
    """Trains, evaluates at every checkpoint and exports the model.

    Args:
        fn_args: TFX's arguments; `custom_config["settings"]` is a `TrainerSettings` as a dict, and
            `hyperparameters`, where there are some, are a Tuner's, which take the place of settings
            there. The model goes to `serving_model_dir`; checkpoints and event files (TensorBoard)
            go to `model_run_dir`.

    Raises:
        tf.estimator.NanLossDuringTrainingError: If the loss becomes NaN.
        pydantic.ValidationError: If a hyperparameter is no setting, or not allowed for one.
    """
    settings = TrainerSettings.model_validate(fn_args.custom_config["settings"])
    hyperparameters = (fn_args.hyperparameters or {}).get("values", {})
    settings = apply_overrides(settings, decode(hyperparameters))
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    checkpoint_dir = unfinished_dir(
        fn_args.model_run_dir,
        fn_args.custom_config,
        hyperparameters,
        fn_args.train_files,
        fn_args.transform_output,
    )
    estimator = make_estimator(settings, transform_output, checkpoint_dir)
    specs = make_specs(settings, transform_output, fn_args, checkpoint_dir)
    tf.estimator.train_and_evaluate(estimator, *specs)

    export_model(
        estimator,
        make_serving_input_receiver_fn(settings, transform_output),
        transform_output.vocabulary_file_by_name(CLASSES_FILE),
        fn_args.serving_model_dir,
    )
    finish(checkpoint_dir, fn_args.model_run_dir)
