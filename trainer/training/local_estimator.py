"""An Estimator for training on one machine that does less work per step and per evaluation."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import tensorflow as tf
from tensorflow_estimator.python.estimator import estimator as estimator_lib

from trainer.settings.train import TrainSettings
from trainer.training.steps_hook import UnloggedSteps

InputFn = Callable[[], tf.data.Dataset]


class LocalEstimator(tf.estimator.Estimator):
    """An Estimator with the same results as TensorFlow's, but faster for small models.

    Training calls hooks only at logged steps, unless the `model_fn` returns hooks, which may need
    every step. Evaluations of the same `input_fn` share a graph and a session, since building them
    takes longer than evaluating a small model; unless the `model_fn` returns hooks or a scaffold
    for evaluation.
    """

    def __init__(
        self,
        model_fn: Callable[..., tf.estimator.EstimatorSpec],
        model_dir: str,
        config: tf.estimator.RunConfig,
        params: Mapping[str, Any],
        train: TrainSettings,
    ) -> None:
        """Makes the Estimator.

        Args:
            model_fn: As for `tf.estimator.Estimator`.
            model_dir: Folder of checkpoints and event files.
            config: Configuration without a cluster; `train` replaces its `save_summary_steps`.
            params: The `params` of the `model_fn`.
            train: Settings that determine the logged steps.
        """
        self._train_settings = train
        self._evaluation: _Evaluation | None = None
        self._is_plain = True
        super().__init__(model_fn, model_dir, config.replace(save_summary_steps=0), params)

    def evaluate(
        self,
        input_fn: InputFn,
        steps: int | None = None,
        hooks: Sequence[tf.estimator.SessionRunHook] | None = None,
        checkpoint_path: str | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Evaluates a checkpoint, as `tf.estimator.Estimator` does."""
        path = checkpoint_path or self.latest_checkpoint()
        if path and self._is_plain and not (steps or hooks):
            evaluation = self._evaluation
            if evaluation is None or evaluation.input_fn is not input_fn:
                evaluation = self._evaluation = _Evaluation(self, input_fn)
            if self._is_plain:  # building its graph has set this
                return evaluation.run(path, self.eval_dir(name))
            self._evaluation = None
        values: dict[str, Any] = super().evaluate(input_fn, steps, hooks, checkpoint_path, name)
        return values

    def _assert_members_are_not_overridden(self) -> None:
        """Disables Estimator's check, which forbids subclasses to override methods."""

    def _call_model_fn(
        self, features: Any, labels: Any, mode: str, config: tf.estimator.RunConfig
    ) -> tf.estimator.EstimatorSpec:
        every = self._train_settings.summary_every_steps
        config = config.replace(save_summary_steps=every)
        spec = super()._call_model_fn(features, labels, mode, config)
        if mode == tf.estimator.ModeKeys.EVAL:
            self._is_plain = _is_plain(spec)
        if mode != tf.estimator.ModeKeys.TRAIN:
            return spec
        user_hooks = [*spec.training_hooks, *spec.training_chief_hooks]
        summaries = tf.compat.v1.train.SummarySaverHook(
            save_steps=every if user_hooks else 1,
            output_dir=self.model_dir,
            scaffold=spec.scaffold,
        )
        hooks = [*spec.training_hooks, summaries]
        if not user_hooks:
            hooks.append(UnloggedSteps(self._train_settings))
        return spec._replace(training_hooks=hooks)


class _Evaluation:
    """A graph and a session that evaluate one checkpoint after another.

    Attributes:
        input_fn: The input of the evaluation.
    """

    def __init__(self, estimator: tf.estimator.Estimator, input_fn: InputFn) -> None:
        self.input_fn = input_fn
        self._config = estimator.config.session_config
        self._session: tf.compat.v1.Session | None = None
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._scaffold, self._update, self._values, self._hooks = (
                estimator._evaluate_build_graph(input_fn, [], None)
            )

    def run(self, checkpoint_path: str, output_dir: str) -> dict[str, Any]:
        """Computes metrics, loss and step over all examples, and writes them to the event file."""
        with self._graph.as_default():
            session = self._session = self._session or self._make_session()
            self._scaffold.saver.restore(session, checkpoint_path)
            session.run(self._scaffold.local_init_op)
            for hook in self._hooks:
                hook.after_create_session(session, None)
            with suppress(tf.errors.OutOfRangeError):
                while True:
                    session.run(self._update)
            values: dict[str, Any] = session.run(self._values)
            step = values[tf.compat.v1.GraphKeys.GLOBAL_STEP]
            estimator_lib._write_dict_to_summary(output_dir, values, step)
        return values

    def _make_session(self) -> tf.compat.v1.Session:
        for hook in self._hooks:
            hook.begin()
        self._scaffold.finalize()
        return tf.compat.v1.Session(config=self._config)


def _is_plain(spec: tf.estimator.EstimatorSpec) -> bool:
    """Whether a spec has neither hooks nor a scaffold for evaluation."""
    scaffold = spec.scaffold
    parts = (scaffold.saver, scaffold.local_init_op, scaffold.ready_op)
    return not spec.evaluation_hooks and all(part is None for part in parts)
