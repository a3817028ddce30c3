"""The Estimator of a training on one machine, quicker than TensorFlow's where nobody looks."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import tensorflow as tf
from tensorflow_estimator.python.estimator import estimator as estimator_lib

from trainer.settings.train import TrainSettings
from trainer.training.steps_hook import StepsBetween

InputFn = Callable[[], tf.data.Dataset]


class LocalEstimator(tf.estimator.Estimator):
    """An Estimator with the same results, and less work around steps and evaluations.

    A training shows its hooks but the steps at which there is something to see, unless the
    `model_fn` brings hooks of its own, which may have to see each. Evaluations of one `input_fn`
    share a graph and a session, unless the `model_fn` brings hooks or a scaffold for them: to build
    those anew takes longer than to evaluate a small model.
    """

    def __init__(
        self,
        model_fn: Callable[..., tf.estimator.EstimatorSpec],
        model_dir: str,
        config: tf.estimator.RunConfig,
        params: Mapping[str, Any],
        train: TrainSettings,
    ) -> None:
        """Makes it.

        Args:
            model_fn: As of `tf.estimator.Estimator`.
            model_dir: Folder of checkpoints and event files.
            config: Of one machine; its `save_summary_steps` are those of `train`.
            params: What the `model_fn` finds in its `params`.
            train: How often there is something to see.
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
            if self._is_plain:  # which its graph has told
                return evaluation.run(path, self.eval_dir(name))
            self._evaluation = None
        values: dict[str, Any] = super().evaluate(input_fn, steps, hooks, checkpoint_path, name)
        return values

    def _assert_members_are_not_overridden(self) -> None:
        """Lets pass what is overridden here, which Estimator leaves to the subclass's own risk."""

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
        own_hooks = [*spec.training_hooks, *spec.training_chief_hooks]
        summaries = tf.compat.v1.train.SummarySaverHook(
            save_steps=every if own_hooks else 1,
            output_dir=self.model_dir,
            scaffold=spec.scaffold,
        )
        hooks = [*spec.training_hooks, summaries]
        if not own_hooks:
            hooks.append(StepsBetween(self._train_settings))
        return spec._replace(training_hooks=hooks)


class _Evaluation:
    """The graph and the session in which one checkpoint after another is evaluated.

    Attributes:
        input_fn: What gives the examples.
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
        """Gives the metrics over all examples, the loss and the step, and writes them as curves."""
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
    """Tells whether a spec asks nothing of an evaluation but its values."""
    scaffold = spec.scaffold
    own = (scaffold.saver, scaffold.local_init_op, scaffold.ready_op)
    return not spec.evaluation_hooks and all(part is None for part in own)
