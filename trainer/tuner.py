"""`tuner_fn`, the Tuner's entry: a search of KerasTuner's whose trials train the Estimator.

What has happened stands in the trials' own files, and nowhere else. A search that was killed is
done again from its beginning, but the trials that have ended are read instead of trained: after the
same results, the oracles choose the same settings. KerasTuner's own files would not do: a kill may
leave them half-written, a grid's place is not in them, and until the next trial begins they call
the one that has just ended unfinished.
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
from trainer.training.best_checkpoint import UnknownMetricError
from trainer.training.training import finish, make_estimator, train, unfinished_dir
from trainer.tuning import trials
from trainer.tuning.oracles import make_oracle
from trainer.tuning.progress import Progress, StoppedEarlyError
from trainer.tuning.trials import Trial

_BUDGET = {"max_trials", "max_minutes"}


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the tuner that TFX then lets search.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `settings` (a `TrainerSettings` as a dict),
            `tuner` (a `TunerSettings`), `code_digest`, and `results_dir`, this execution's folder
            for the trials once all have ended.
    """
    return TunerFnResult(tuner=EstimatorTuner(fn_args), fit_kwargs={})


class EstimatorTuner(base_tuner.BaseTuner):
    """Searches for the best settings; each trial is a training as the Trainer would do it."""

    def __init__(self, fn_args: FnArgs) -> None:
        """Finds the trials of the same search, if it was killed."""
        config = dict(fn_args.custom_config)
        self._results_dir = config.pop("results_dir")
        self._tuner_settings = TunerSettings.model_validate(config["tuner"])
        self._settings = config["settings"]  # lacks what a trial sets
        self._transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
        self._fn_args = fn_args
        # The budget does not matter: with another one, the search would begin alike.
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
        """Lets no trial begin once the time is over; those that have begun are finished."""
        minutes = sum(trial.seconds for trial in self._trials.values()) / 60
        if minutes >= (self._tuner_settings.max_minutes or math.inf):
            self.oracle.max_trials = len(self._trials)

    def run_trial(self, trial: keras_trial.Trial, **_: Any) -> dict[str, float]:
        """Trains and evaluates, unless the trial has ended in an earlier session.

        Args:
            trial: What the oracle chose.

        Returns:
            The objective at its best evaluation, by name.

        Raises:
            FailedTrialError: If the training fails; the search goes on.
            FatalError: If it is cancelled; the search ends, and the next run goes on with it. Also
                if there is no such objective: no other trial would have it either.
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
        trials.keep_curves(self._trials_dir, number)
        if ended.state == "failed" or ended.score is None:
            raise FailedTrialError(ended.error)
        return {ended.objective: ended.score}

    def on_search_end(self) -> None:
        """Moves the trials to this execution's folder.

        Raises:
            RuntimeError: If all of them failed.
        """
        if all(trial.state == "failed" for trial in self._trials.values()):
            tf.io.gfile.rmtree(self._state_dir)  # the next run is to try again
            raise RuntimeError(
                f"every trial failed ({len(self._trials)}); the first: {self._trials[1].error}"
            )
        finish(self._state_dir, self._results_dir)

    def _train(self, trial: Trial) -> Trial:
        """Trains a trial from its beginning, or its last checkpoint, to its end."""
        progress = Progress(trial, self._write, self._is_bad)
        try:
            self._train_and_evaluate(progress)
            progress.ended("complete")
        except StoppedEarlyError:
            progress.ended("stopped")
        except tf.errors.CancelledError as error:  # what an interrupt may become on its way
            raise FatalError(f"trial {trial.number} was cancelled") from error
        except UnknownMetricError as error:
            raise FatalError(str(error)) from error
        except Exception as error:
            logging.exception("trial %d failed", trial.number)
            progress.ended("failed", error)
        finally:
            tf.compat.v1.summary.FileWriterCache.clear()  # else the last points come too late
        return progress.trial

    def _train_and_evaluate(self, progress: Progress) -> None:
        trial = progress.trial
        settings = apply_overrides(self._settings, trial.params)
        model_dir = trials.trial_dir(self._trials_dir, trial.number)
        estimator = make_estimator(settings, self._transform_output, model_dir)
        train(estimator, settings, self._transform_output, self._fn_args, [progress])

    def _write(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        trials.write_trial(self._trials_dir, trial)

    def _is_bad(self, trial: Trial) -> bool:
        least_others = self._tuner_settings.stop_bad_trials
        return least_others is not None and trials.is_bad(
            trial, self._trials.values(), least_others
        )
