"""The Tuner's entry point: real trials on a small transformed dataset."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from keras_tuner.errors import FatalError
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.training_data import SETTINGS
from trainer import tuner as module
from trainer.run import run_fn
from trainer.tuner import EstimatorTuner, tuner_fn
from trainer.tuning.progress import Progress

pytestmark = [
    # The layers of the guide, which TensorFlow 2.15 still has.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the layers' seeds by randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
    # KerasTuner names threads in the old way.
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated"),
]

RATES = {"model.learning_rate": {"log_uniform": [0.01, 1.0]}}
SPACE = {**RATES, "model.hidden_units": {"values": [[8], [4, 4]]}}
GRID = {"model.hidden_units": {"values": [[8], [4, 4]]}, "train.batch_size": {"integers": [15, 16]}}
METHODS = [
    {"method": "random", "space": SPACE, "max_trials": 3},
    {"method": "grid", "space": GRID, "max_trials": None},
    # Three trials at random, then the Gaussian process.
    {"method": "bayesian", "space": RATES, "max_trials": 4},
]
SHORT = {**SETTINGS, "train": {**SETTINGS["train"], "steps": 20}}
Trials = list[dict[str, Any]]


def tuner_args(
    data_dir: Path,
    folder: Path,
    execution: int = 7,
    settings: Mapping[str, Any] = SHORT,
    **tuner: Any,
) -> FnArgs:
    """Makes what TFX gives; `tuner_results` holds a folder for each execution."""
    return FnArgs(
        working_dir=str(folder / "temp" / str(execution)),
        train_files=[str(data_dir / "examples" / "Split-train" / "*")],
        eval_files=[str(data_dir / "examples" / "Split-eval" / "*")],
        transform_graph_path=str(data_dir / "graph"),
        custom_config={
            "settings": dict(settings),
            "tuner": {"max_trials": 4, "space": SPACE, **tuner},
            "results_dir": str(folder / "tuner_results" / str(execution)),
        },
    )


def search(args: FnArgs) -> EstimatorTuner:
    """Searches as TFX does."""
    tuner, fit_kwargs = tuner_fn(args)
    tuner.search(**fit_kwargs)
    return tuner


def read_trials(folder: Path) -> Trials:
    """Reads what the trials left, in the order of their folders."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("trials/*/trial.json"))]


def results(args: FnArgs) -> Trials:
    return read_trials(Path(args.custom_config["results_dir"]))


def unfinished(folder: Path) -> Trials:
    return [
        trial
        for state_dir in (folder / "tuner_results" / "unfinished").glob("*")
        for trial in read_trials(state_dir)
    ]


def params(trials: Trials) -> list[dict[str, Any]]:
    return [trial["params"] for trial in trials]


def scalars(event_dir: Path, tag: str) -> list[tuple[int, float]]:
    """Reads the points of a tag from all event files in a folder."""
    return [
        (event.step, value.simple_value)
        for path in sorted(event_dir.glob("events.out.tfevents.*"))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == tag
    ]


# a whole sweep


@pytest.fixture(scope="module")
def sweep_dir(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def sweep(data_dir: Path, sweep_dir: Path) -> EstimatorTuner:
    """A sweep that has ended."""
    return search(tuner_args(data_dir, sweep_dir, objective="accuracy", settings=SETTINGS))


@pytest.fixture(scope="module")
def trials(sweep: EstimatorTuner, sweep_dir: Path) -> Trials:
    return read_trials(sweep_dir / "tuner_results" / "7")


def test_tuner_fn_numbers_the_trials_in_order(trials: Trials, sweep_dir: Path) -> None:
    folder = sweep_dir / "tuner_results" / "7" / "trials"

    assert sorted(path.name for path in folder.iterdir()) == ["001", "002", "003", "004"]
    assert [trial["number"] for trial in trials] == [1, 2, 3, 4]
    assert [trial["state"] for trial in trials] == ["complete"] * 4
    times = [time for trial in trials for time in (trial["start_ms"], trial["end_ms"])]
    assert times == sorted(times)
    assert time.time() * 1000 - 600_000 < times[0]


def test_tuner_fn_chooses_settings_from_the_space(trials: Trials) -> None:
    for chosen in params(trials):
        assert set(chosen) == set(SPACE)
        assert chosen["model.hidden_units"] in [[8], [4, 4]]
        assert 0.01 <= chosen["model.learning_rate"] <= 1
    assert len({str(chosen) for chosen in params(trials)}) == 4


def test_tuner_fn_scores_a_trial_by_its_best_evaluation(trials: Trials, sweep_dir: Path) -> None:
    for trial in trials:
        folder = sweep_dir / "tuner_results" / "7" / "trials" / f"{trial['number']:03d}"
        points = scalars(folder / "eval", "accuracy")

        assert [step for step, _ in points] == [20, 40]
        best = max(value for _, value in points)
        assert (trial["objective"], trial["score"]) == ("accuracy", best)
        assert trial["step"] == next(step for step, value in points if value == best)


def test_tuner_fn_keeps_the_curves_of_a_trial_and_nothing_else(
    trials: Trials, sweep_dir: Path
) -> None:
    for number in range(1, len(trials) + 1):
        folder = sweep_dir / "tuner_results" / "7" / "trials" / f"{number:03d}"
        kinds = {path.name.partition(".tfevents")[0] for path in folder.rglob("*")}

        assert kinds == {"trial.json", "eval", "events.out"}
        steps = [step for step, _ in scalars(folder, "loss")]
        assert steps[0] in (0, 1)
        assert steps[-1] >= 30


def test_tuner_fn_leaves_nothing_unfinished(sweep: EstimatorTuner, sweep_dir: Path) -> None:
    assert os.listdir(sweep_dir / "tuner_results") == ["7"]


def test_tuner_fn_gives_the_best_trial_first(sweep: EstimatorTuner, trials: Trials) -> None:
    best = max(trials, key=lambda trial: float(trial["score"]))
    (found,) = sweep.get_best_hyperparameters()

    assert found.get("model.learning_rate") == best["params"]["model.learning_rate"]
    assert json.loads(found.get("model.hidden_units")) == best["params"]["model.hidden_units"]


@pytest.mark.parametrize("rank", [0, -1])
def test_run_fn_trains_with_hyperparameters_as_the_trial_did(
    data_dir: Path, tmp_path: Path, sweep: EstimatorTuner, sweep_dir: Path, rank: int
) -> None:
    trial = sweep.oracle.get_best_trials(4)[rank]
    trial_dir = sweep_dir / "tuner_results" / "7" / "trials" / f"{int(trial.trial_id) + 1:03d}"
    args = tuner_args(data_dir, tmp_path, settings=SETTINGS)
    args.transform_output = args.transform_graph_path
    args.serving_model_dir = str(tmp_path / "model" / "8")
    args.model_run_dir = str(tmp_path / "model_run" / "8")
    # TFX writes them as JSON in between.
    args.hyperparameters = json.loads(json.dumps(trial.hyperparameters.get_config()))

    run_fn(args)

    for tag in ("loss", "accuracy"):
        expected = scalars(trial_dir / "eval", tag)
        assert scalars(Path(args.model_run_dir, "eval"), tag) == expected


# methods, and what interrupts them


class _Interrupted:
    """Stands for the Estimator's making; at a trial it raises what Ctrl-C does."""

    def __init__(self, at_trial: int) -> None:
        self.made = 0
        self._at_trial = at_trial
        self._make_estimator = module.make_estimator

    def __call__(self, *args: Any) -> Any:
        self.made += 1
        if self.made == self._at_trial:
            raise KeyboardInterrupt
        return self._make_estimator(*args)


@pytest.mark.slow
@pytest.mark.parametrize("sweep", METHODS, ids=lambda sweep: sweep["method"])
def test_tuner_fn_goes_on_after_an_interrupt_as_if_there_had_been_none(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sweep: dict[str, Any],
) -> None:
    whole = tuner_args(data_dir, tmp_path / "whole", **sweep)
    search(whole)
    monkeypatch.setattr(module, "make_estimator", _Interrupted(at_trial=3))
    with pytest.raises(KeyboardInterrupt):
        search(tuner_args(data_dir, tmp_path / "parts", **sweep))
    before = unfinished(tmp_path / "parts")
    monkeypatch.undo()
    counter = _Interrupted(at_trial=0)
    monkeypatch.setattr(module, "make_estimator", counter)

    args = tuner_args(data_dir, tmp_path / "parts", execution=8, **sweep)
    search(args)

    assert [trial["state"] for trial in before] == ["complete", "complete", "running"]
    assert counter.made == len(results(whole)) - 2
    assert results(args)[:2] == before[:2]
    assert [trial["start_ms"] for trial in results(args)[:3]] == [t["start_ms"] for t in before]
    for key in ("params", "score", "evaluations", "state"):
        assert [t[key] for t in results(args)] == [t[key] for t in results(whole)]
    assert len({str(chosen) for chosen in params(results(whole))}) == (sweep["max_trials"] or 4)
    assert os.listdir(tmp_path / "parts" / "tuner_results") == ["8"]


_SEARCH = """
import json, sys
from tfx.components.trainer.fn_args_utils import FnArgs
from trainer.tuner import tuner_fn
tuner_fn(FnArgs(**json.loads(sys.argv[1]))).tuner.search()
"""


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    while not condition():
        if process.poll() is not None:
            pytest.fail(process.communicate()[1])
        time.sleep(0.01)


@pytest.mark.slow
def test_tuner_fn_goes_on_after_a_kill_from_the_trials_checkpoint(
    data_dir: Path, tmp_path: Path
) -> None:
    # The second trial is long enough to be killed.
    sweep = {
        "method": "grid",
        "space": {"train.steps": {"values": [20, 200]}, "model.seed": {"values": [1]}},
        "max_trials": None,
    }
    args = tuner_args(data_dir, tmp_path, **sweep)
    values = {key: value for key, value in vars(args).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-c", _SEARCH, json.dumps(values)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def is_midway() -> bool:
        trials = unfinished(tmp_path)
        return len(trials) == 2 and len(trials[1]["evaluations"]) >= 2

    wait_for(is_midway, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = unfinished(tmp_path)
    assert [trial["state"] for trial in before] == ["complete", "running"]
    again = tuner_args(data_dir, tmp_path, execution=8, **sweep)

    search(again)

    first, second = results(again)
    assert first == before[0]
    assert [step for step, _ in second["evaluations"]] == [*range(20, 201, 20)]
    known = before[1]["evaluations"]
    assert second["evaluations"][: len(known)] == known
    assert second["seconds"] > before[1]["seconds"]
    trial_dir = Path(again.custom_config["results_dir"], "trials", "002")
    *_, last_events = sorted(trial_dir.glob("events.out.tfevents.*"))
    events = tf.compat.v1.train.summary_iterator(str(last_events))
    assert min(event.step for event in events if event.step) >= known[-1][0]


def test_tuner_fn_makes_up_for_an_evaluation_that_a_kill_prevented(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "evaluated", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(tuner_args(data_dir, tmp_path, max_trials=1, settings=SETTINGS))
    monkeypatch.undo()
    args = tuner_args(data_dir, tmp_path, execution=8, max_trials=1, settings=SETTINGS)

    search(args)

    (trial,) = results(args)
    assert [step for step, _ in trial["evaluations"]] == [20, 40]


def test_tuner_fn_takes_no_cancelled_training_for_a_failed_one(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(*_: Any) -> None:
        raise tf.errors.CancelledError(None, None, "as TensorFlow does after an interrupt")

    monkeypatch.setattr(module, "make_estimator", cancel)

    with pytest.raises(FatalError, match="trial 1 was cancelled"):
        search(tuner_args(data_dir, tmp_path))

    assert [trial["state"] for trial in unfinished(tmp_path)] == ["running"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"objective": "accuracy"}],
    ids=lambda change: next(iter(change)),
)
def test_tuner_fn_does_not_go_on_with_another_sweep(
    data_dir: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    search_part(data_dir, tmp_path)

    args = tuner_args(data_dir, tmp_path, execution=8, **{"max_trials": 1, **change})
    search(args)

    (trial,) = results(args)
    assert trial["start_ms"] > unfinished(tmp_path)[1]["start_ms"]


def search_part(data_dir: Path, folder: Path, **tuner: Any) -> None:
    """Searches until the second trial begins, and interrupts it there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "make_estimator", _Interrupted(at_trial=2))
        with pytest.raises(KeyboardInterrupt):
            search(tuner_args(data_dir, folder, **tuner))


# budgets


def test_tuner_fn_begins_no_trial_once_the_minutes_are_over(data_dir: Path, tmp_path: Path) -> None:
    args = tuner_args(data_dir, tmp_path, max_trials=None, max_minutes=1e-6)

    search(args)

    (trial,) = results(args)
    assert trial["state"] == "complete"
    assert trial["seconds"] > 1e-6 * 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "n_trials"),
    [({"max_trials": 1}, 2), ({"max_trials": 3}, 3), ({"max_minutes": 1e-6}, 2)],
    ids=str,
)
def test_tuner_fn_goes_on_with_another_budget(
    data_dir: Path, tmp_path: Path, budget: dict[str, Any], n_trials: int
) -> None:
    search_part(data_dir, tmp_path)
    first, _ = unfinished(tmp_path)

    args = tuner_args(data_dir, tmp_path, execution=8, **budget)
    search(args)

    # One that has begun is finished, whatever the budget.
    assert results(args)[0] == first
    assert [trial["state"] for trial in results(args)] == ["complete"] * n_trials


# bad and failed trials


def test_tuner_fn_stops_a_trial_that_is_worse_than_the_median(
    data_dir: Path, tmp_path: Path
) -> None:
    rates = [0.5, 0.6, 1e-6, 0.4]
    space = {"model.learning_rate": {"values": rates}}
    args = tuner_args(
        data_dir, tmp_path, method="grid", space=space, stop_bad_trials=2, settings=SETTINGS
    )

    tuner = search(args)

    trials = results(args)
    assert [trial["params"]["model.learning_rate"] for trial in trials] == rates
    assert [trial["state"] for trial in trials][:3] == ["complete", "complete", "stopped"]
    assert [step for step, _ in trials[2]["evaluations"]] == [20]
    assert (trials[2]["step"], trials[2]["error"]) == (20, None)
    folder = Path(args.custom_config["results_dir"], "trials", "003")
    assert [step for step, _ in scalars(folder / "eval", "loss")] == [20]
    assert max(step for step, _ in scalars(folder, "loss")) <= 20
    assert {path.name.partition(".tfevents")[0] for path in folder.iterdir()} == {
        "trial.json",
        "eval",
        "events.out",
    }
    assert tuner.get_best_hyperparameters()[0].get("model.learning_rate") != "1e-06"


def test_tuner_fn_fails_at_once_if_there_is_no_such_objective(
    data_dir: Path, tmp_path: Path
) -> None:
    args = tuner_args(data_dir, tmp_path, objective="auc")

    with pytest.raises(FatalError, match=r"tuner.objective: .* 'auc' \(it has: accuracy, loss\)"):
        search(args)

    assert len(unfinished(tmp_path)) == 1


def test_tuner_fn_searches_settings_within_settings_and_trains_as_the_trainer_does(
    data_dir: Path, tmp_path: Path
) -> None:
    train = {**SETTINGS["train"], "steps": 100, "early_stopping": {"min_change": 100.0}}
    space = {"train.early_stopping.evaluations": {"values": [1, 2]}}
    args = tuner_args(
        data_dir, tmp_path, method="grid", space=space, settings={**SETTINGS, "train": train}
    )

    search(args)

    # No evaluation is so much better than the first, at step 20.
    steps = [[step for step, _ in trial["evaluations"]] for trial in results(args)]
    assert steps == [[20, 40], [20, 40, 60]]
    assert [trial["state"] for trial in results(args)] == ["complete", "complete"]


@pytest.mark.slow
@pytest.mark.parametrize("stop_bad_trials", [3, None])
def test_tuner_fn_stops_no_trial_before_enough_are_complete(
    data_dir: Path, tmp_path: Path, stop_bad_trials: int | None
) -> None:
    space = {"model.learning_rate": {"values": [0.5, 0.6, 1e-6]}}
    args = tuner_args(
        data_dir,
        tmp_path,
        method="grid",
        space=space,
        stop_bad_trials=stop_bad_trials,
        settings=SETTINGS,
    )

    search(args)

    assert [trial["state"] for trial in results(args)] == ["complete"] * 3


DIVERGING = {"model.optimizer": {"values": ["sgd"]}}


def test_tuner_fn_goes_on_after_a_trial_that_fails(data_dir: Path, tmp_path: Path) -> None:
    space = {**DIVERGING, "model.learning_rate": {"values": [1e30, 0.1]}}
    args = tuner_args(data_dir, tmp_path, method="grid", space=space)

    tuner = search(args)

    failed, complete = results(args)
    assert failed["state"] == "failed"
    assert failed["error"].startswith("NanLossDuringTrainingError: NaN loss")
    assert failed["end_ms"] >= failed["start_ms"]
    assert complete["state"] == "complete"
    assert tuner.get_best_hyperparameters()[0].get("model.learning_rate") == "0.1"


@pytest.mark.slow
def test_tuner_fn_fails_if_every_trial_fails_and_then_tries_again(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {**DIVERGING, "model.learning_rate": {"values": [1e30, 1e31]}}
    counter = _Interrupted(at_trial=0)
    monkeypatch.setattr(module, "make_estimator", counter)

    for execution in (7, 8):
        with pytest.raises(RuntimeError, match=r"^every trial failed \(2\); the first: NanLoss"):
            search(tuner_args(data_dir, tmp_path, execution, method="grid", space=space))

    assert counter.made == 4


def test_tuner_fn_fails_a_trial_without_a_finite_evaluation(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated = Progress.evaluated

    def without_value(
        self: Progress, path: str, metrics: Mapping[str, Any], *, is_last: bool
    ) -> None:
        evaluated(self, path, {**metrics, "loss": float("nan")}, is_last=is_last)

    monkeypatch.setattr(Progress, "evaluated", without_value)

    with pytest.raises(RuntimeError, match="the first: no evaluation had a finite loss"):
        search(tuner_args(data_dir, tmp_path, max_trials=1))
