"""`tuner_fn`, the entry of the Tuner: a KerasTuner search whose trials train the Estimator.

The state of a search is stored in the files of its trials only. After a kill, the search is
repeated from its beginning, but the results of trials that have ended are read instead of trained:
given the same results, the oracles choose the same settings again. KerasTuner's own files are not
enough: a kill may leave them half-written, they do not store the position in a grid, and they count
a trial that has just ended as unfinished until the next one begins.
"""

import math
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from keras_tuner.engine import base_tuner
from keras_tuner.engine import trial as keras_trial
from keras_tuner.errors import FailedTrialError, FatalError
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from trainer.settings.train import apply_overrides
from trainer.settings.tuner import TunerSettings, decode
from trainer.training.estimator import make_estimator
from trainer.training.evaluation_listener import UnknownMetricError
from trainer.training.state_dir import move_finished, unfinished_dir
from trainer.training.training import train
from trainer.tuning import trials
from trainer.tuning.oracles import make_oracle
from trainer.tuning.progress import StoppedEarlyError, TrialProgress
from trainer.tuning.trials import Trial

_BUDGET = {"max_trials", "max_minutes"}


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the tuner, whose search TFX then runs.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `settings` (a `TrainerSettings` as a dict),
            `tuner` (a `TunerSettings` as a dict), `code_digest`, and `results_dir`, the folder of
            this execution that gets the trials once all have ended.
    """
    return TunerFnResult(tuner=EstimatorTuner(fn_args), fit_kwargs={})


class EstimatorTuner(base_tuner.BaseTuner):
    """Searches for the best settings; each trial is a training as the Trainer does it."""

    def __init__(self, fn_args: FnArgs) -> None:
        """Reads the trials of the same search, if it was killed before.

        Args:
            fn_args: As for `tuner_fn`.
        """
        config = dict(fn_args.custom_config)
        self._results_dir = config.pop("results_dir")
        self._tuner_settings = TunerSettings.model_validate(config["tuner"])
        self._settings = config["settings"]  # without the settings that trials set
        self._transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
        self._fn_args = fn_args
        # Not the budget: with another one, the search begins with the same trials.
        config["tuner"] = self._tuner_settings.model_dump(mode="json", exclude=_BUDGET)
        self._state_dir = unfinished_dir(
            self._results_dir,
            config,
            fn_args.train_files,
            fn_args.transform_graph_path,
            fn_args.base_model,
        )
        self._trials_dir = os.path.join(self._state_dir, "trials")
        self._trials = trials.read_trials(self._trials_dir)
        oracle = make_oracle(self._tuner_settings)
        oracle.max_trials = max(oracle.max_trials, len(self._trials))
        super().__init__(
            oracle, directory=fn_args.working_dir, project_name="oracle", overwrite=True
        )

    def pre_create_trial(self) -> None:
        """Ends the search once its time is over; trials that have begun are completed."""
        minutes = sum(trial.seconds for trial in self._trials.values()) / 60
        if minutes >= (self._tuner_settings.max_minutes or math.inf):
            self.oracle.max_trials = len(self._trials)

    def run_trial(self, trial: keras_trial.Trial, **_: Any) -> dict[str, float]:
        """Trains and evaluates a trial, unless it ended before the search was killed.

        Args:
            trial: The trial, with the settings that the oracle chose.

        Returns:
            The objective's best value, by its name.

        Raises:
            FailedTrialError: If training fails; the search continues.
            FatalError: If training is cancelled; the search ends, and the next run continues it.
                Also if the model does not have the objective, which all trials would lack.
        """
        number = int(trial.trial_id) + 1
        known = self._trials.get(number) or Trial(
            number=number,
            params=decode(trial.hyperparameters.values),
            objective=self._tuner_settings.objective,
            objective_is=self._tuner_settings.best,
            start_ms=trials.now_ms(),
        )
        trial.hyperparameters.values = self._tuner_settings.encode(known.params)
        ended = self._train(known) if known.state == "running" else known
        trials.remove_checkpoints(self._trials_dir, number)
        if ended.state == "failed" or ended.score is None:
            raise FailedTrialError(ended.error)
        return {ended.objective: ended.score}

    def on_search_end(self) -> None:
        """Moves the trials to the folder of this execution.

        Raises:
            RuntimeError: If all of them failed.
        """
        if all(trial.state == "failed" for trial in self._trials.values()):
            tf.io.gfile.rmtree(self._state_dir)  # so that the next run starts again
            raise RuntimeError(
                f"every trial failed ({len(self._trials)}); the first: {self._trials[1].error}"
            )
        move_finished(self._state_dir, self._results_dir)

    def _train(self, trial: Trial) -> Trial:
        """Trains a trial to its end, from its last checkpoint if there is one."""
        progress = TrialProgress(trial, self._write, self._should_stop)
        try:
            self._train_and_evaluate(progress)
            progress.ended("complete")
        except StoppedEarlyError:
            progress.ended("stopped")
        except tf.errors.CancelledError as error:  # an interrupt may arrive as this error
            raise FatalError(f"trial {trial.number} was cancelled") from error
        except UnknownMetricError as error:
            raise FatalError(str(error)) from error
        except Exception as error:
            logging.exception("trial %d failed", trial.number)
            progress.ended("failed", error)
        finally:
            tf.compat.v1.summary.FileWriterCache.clear()  # writes the last points now
        return progress.trial

    def _train_and_evaluate(self, progress: TrialProgress) -> None:
        trial = progress.trial
        settings = apply_overrides(self._settings, trial.params)
        model_dir = trials.trial_dir(self._trials_dir, trial.number)
        estimator = make_estimator(settings, self._transform_output, model_dir)
        train(estimator, settings, self._transform_output, self._fn_args, [progress])

    def _write(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        trials.write_trial(self._trials_dir, trial)

    def _should_stop(self, trial: Trial) -> bool:
        min_others = self._tuner_settings.stop_bad_trials
        return min_others is not None and trials.is_worse_than_median(
            trial, self._trials.values(), min_others
        )
