"""Trials, their files, and the median rule."""

import dataclasses
from pathlib import Path

import pytest

from trainer.settings.train import Best
from trainer.tuning.trials import (
    State,
    Trial,
    is_worse_than_median,
    read_trials,
    remove_checkpoints,
    write_trial,
)

TRIAL = Trial(1, {"model.hidden_units": [3]}, objective="loss", objective_is="min", start_ms=5)


def make_trial(*values: float, best: Best = "min", state: State = "complete") -> Trial:
    """Makes a trial with an evaluation every 10 steps."""
    trial = Trial(1, {}, objective="mine", objective_is=best, start_ms=0, state=state)
    for index, value in enumerate(values, start=1):
        trial = trial.evaluated(10 * index, value)
    return trial


@pytest.mark.parametrize(
    ("best", "values", "score", "step"),
    [
        ("min", [0.5, 0.25, 0.5], 0.25, 20),
        ("max", [0.5, 0.25, 0.5], 0.5, 10),  # the first of equals
        ("min", [0.5], 0.5, 10),
        ("min", [], None, None),
    ],
)
def test_trial_score_is_best_evaluation(
    best: Best, values: list[float], score: float | None, step: int | None
) -> None:
    trial = make_trial(*values, best=best)

    assert (trial.score, trial.step) == (score, step)
    assert [value for _, value in trial.evaluations] == values


@pytest.mark.parametrize(
    ("values", "is_stopped"),
    [
        # The median of the others is 0.4 at step 10, and 0.2 at step 20.
        ([0.41], True),
        ([0.4], False),
        ([0.3], False),
        ([0.41, 0.21], True),
        ([0.41, 0.2], False),
        ([0.19, 0.9], False),  # its best value counts, not its last
        ([0.9, 0.9, 0.9], False),  # only two others have an evaluation at that step
        ([], False),
    ],
)
def test_is_worse_than_median_at_last_step(values: list[float], is_stopped: bool) -> None:
    others = [make_trial(0.5, 0.1, 0.1), make_trial(0.4, 0.2, 0.1), make_trial(0.3, 0.3)]

    assert (
        is_worse_than_median(make_trial(*values, state="running"), others, min_others=3)
        is is_stopped
    )


def test_is_worse_than_median_of_highest_metric() -> None:
    others = [make_trial(0.8, best="max")]

    assert is_worse_than_median(make_trial(0.7, best="max"), others, min_others=1)
    assert not is_worse_than_median(make_trial(0.9, best="max"), others, min_others=1)


@pytest.mark.parametrize("state", ["running", "stopped", "failed"])
def test_is_worse_than_median_of_complete_only(state: State) -> None:
    others = [make_trial(0.1), make_trial(0.1, state=state)]

    assert not is_worse_than_median(make_trial(0.5), others, min_others=2)


def test_read_trials_reads_written_trials(tmp_path: Path) -> None:
    first = TRIAL.evaluated(10, 0.5).evaluated(20, 1 / 3).ended("complete")
    second = dataclasses.replace(TRIAL, number=2, params={}).ended("failed", "some error")

    for trial in (TRIAL, first, second):
        write_trial(str(tmp_path), trial)

    assert read_trials(str(tmp_path)) == {1: first, 2: second}
    assert {path.name for path in tmp_path.rglob("*")} == {"001", "002", "trial.json"}


def test_read_trials_without_folder(tmp_path: Path) -> None:
    assert read_trials(str(tmp_path / "none")) == {}


def test_remove_checkpoints_keeps_curves(tmp_path: Path) -> None:
    write_trial(str(tmp_path), TRIAL)
    folder = tmp_path / "001"
    for name in ("checkpoint", "graph.pbtxt", "model.ckpt-10.index", "events.out.tfevents.1.host"):
        (folder / name).touch()
    for name in ("eval/events.out.tfevents.2.host", "export/x"):
        (folder / name).parent.mkdir()
        (folder / name).touch()

    remove_checkpoints(str(tmp_path), 1)

    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "trial.json",
        "events.out.tfevents.1.host",
        "eval/events.out.tfevents.2.host",
    }
    assert not (folder / "export").exists()
