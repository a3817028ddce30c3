"""`run_fn`, the Trainer's entry: wires input, model and export into a `tf.estimator.Estimator`."""

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer.classes import CLASSES_FILE
from trainer.export import export_model, make_serving_input_receiver_fn
from trainer.model.outputs import REGRESSION
from trainer.settings.train import apply_overrides
from trainer.settings.tuner import decode
from trainer.training.training import (
    exported_checkpoint,
    finish,
    make_estimator,
    note,
    train,
    unfinished_dir,
    write_settings,
)
from trainer.user_functions import graph_errors


def run_fn(fn_args: FnArgs) -> None:
    """Trains, evaluates at every checkpoint and exports the model.

    Args:
        fn_args: TFX's arguments; `custom_config["settings"]` is a `TrainerSettings` as a dict, and
            `hyperparameters`, where there are some, are a Tuner's, which take the place of settings
            there. The model goes to `serving_model_dir`; checkpoints and event files (TensorBoard)
            go to `model_run_dir`, where `exported_checkpoint` finds the one that was exported.
            `base_model`, where there is one, is what training begins with.

    Raises:
        NanLossDuringTrainingError: If the loss becomes NaN; says at which step.
        UserFunctionError: If the user's own `model_fn` fails, or cannot be used.
        RuntimeError: If the model to export has diverged.
        pydantic.ValidationError: If a hyperparameter is no setting, or not allowed for one.
        ValueError: If the settings name a metric or a class that there is not.
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
    best.check()
    if settings.train.export == "best" and best.best_step is not None:
        note(checkpoint_dir, "exported_step", best.best_step)

    export_model(
        estimator,
        make_serving_input_receiver_fn(settings, transform_output),
        None
        if settings.task == REGRESSION
        else transform_output.vocabulary_file_by_name(CLASSES_FILE),
        fn_args.serving_model_dir,
        exported_checkpoint(checkpoint_dir),
    )
    finish(checkpoint_dir, fn_args.model_run_dir)
