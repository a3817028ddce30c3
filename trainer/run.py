"""`run_fn`, the entry of the Trainer: trains, evaluates and exports an Estimator."""

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.export import export_model, make_serving_input_receiver_fn
from trainer.model.outputs import REGRESSION
from trainer.settings.train import apply_overrides
from trainer.settings.tuner import decode
from trainer.training.estimator import make_estimator
from trainer.training.state_dir import (
    exported_checkpoint,
    move_finished,
    unfinished_dir,
    write_settings,
)
from trainer.training.training import train, write_step_summary
from trainer.user_functions import graph_errors


def run_fn(fn_args: FnArgs) -> None:
    """Trains the model, evaluates it at every checkpoint, and exports it.

    The SavedModel is written to `serving_model_dir`. Checkpoints and event files (TensorBoard) are
    written to `model_run_dir`, where `exported_checkpoint` finds the exported one.

    Args:
        fn_args: TFX's arguments. `custom_config["settings"]` is a `TrainerSettings` as a dict;
            `hyperparameters`, if any, are those of a Tuner and replace settings; `base_model`, if
            any, is the model for `train.warm_start`.

    Raises:
        NanLossDuringTrainingError: If the loss becomes NaN; has the step.
        UserFunctionError: If the user's `model_fn` fails or cannot be used.
        RuntimeError: If the model to export has diverged.
        pydantic.ValidationError: If a hyperparameter is not a setting, or has a value that is not
            allowed.
        ValueError: If the settings name an unknown metric or class.
    """
    hyperparameters = (fn_args.hyperparameters or {}).get("values", {})
    settings = apply_overrides(fn_args.custom_config["settings"], decode(hyperparameters))
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    checkpoint_dir = unfinished_dir(
        fn_args.model_run_dir,
        fn_args.custom_config,
        hyperparameters,
        fn_args.train_files,
        fn_args.transform_output,
        fn_args.base_model,
    )
    estimator = make_estimator(settings, transform_output, checkpoint_dir)
    write_settings(settings, checkpoint_dir)
    with graph_errors():
        best = train(estimator, settings, transform_output, fn_args)
    best.check_finite()
    if settings.train.export == "best" and best.best_step is not None:
        write_step_summary(checkpoint_dir, "exported_step", best.best_step)

    export_model(
        estimator,
        make_serving_input_receiver_fn(settings, transform_output),
        None
        if settings.task == REGRESSION
        else transform_output.vocabulary_file_by_name(CLASSES_FILE),
        fn_args.serving_model_dir,
        exported_checkpoint(checkpoint_dir),
    )
    move_finished(checkpoint_dir, fn_args.model_run_dir)
