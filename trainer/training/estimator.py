"""Makes the Estimator of a training from the settings."""

import tensorflow as tf
import tensorflow_transform as tft

from trainer.model.params import make_params, select_model_fn
from trainer.settings.train import TrainerSettings
from trainer.training.local_estimator import LocalEstimator


def make_estimator(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput, model_dir: str
) -> tf.estimator.Estimator:
    """Makes the Estimator, and sets TensorFlow's seed for its training.

    Args:
        settings: The model and its training.
        transform_output: Transform's output.
        model_dir: Folder of checkpoints and event files; training continues from a checkpoint in
            it.

    Raises:
        UserFunctionError: If the user's `model_fn` cannot be used.
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
    if config.cluster_spec:  # Estimator sets the session's devices for a cluster itself
        return config
    # The ops of a step are so short that passing them to other threads costs more than it saves;
    # a long op still uses all cores.
    session_config = tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=-1, allow_soft_placement=True
    )
    optimizations = session_config.graph_options.rewrite_options
    optimizations.meta_optimizer_iterations = type(optimizations).ONE  # as Estimator's default
    return config.replace(session_config=session_config)
