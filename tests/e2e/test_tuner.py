"""A sweep in the shipped pipeline, whose best settings the Trainer takes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.helpers.e2e_workspace import Workspace, ran, states

pytestmark = pytest.mark.e2e

SPACE = "{model.learning_rate: {values: [0.001, 0.2]}, model.hidden_units: {values: [[4], [8, 8]]}}"
SWEEP = [
    *("--set", f"tuner={{method: grid, space: {SPACE}}}"),
    *("--set", "train.steps=40", "--set", "train.eval_every_steps=20"),
]


def newest(workspace: Workspace, node: str, output: str) -> Path:
    """Finds the newest output folder of a node."""
    folders = (workspace.root / "pipeline_root" / "iris" / node / output).glob("[0-9]*")
    return max(folders, key=lambda folder: int(folder.name))


def curve(event_dir: Path) -> Sequence[tuple[int, str, float]]:
    return [
        (event.step, value.tag, value.simple_value)
        for path in event_dir.glob("events.out.tfevents.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag in ("accuracy", "loss")
    ]


@pytest.fixture(scope="module")
def sweep(workspace: Workspace, first_run: dict[str, Any]) -> dict[str, Any]:
    """The report of a run with a sweep, after one without."""
    return workspace.run(*SWEEP)


@pytest.fixture(scope="module")
def trials(workspace: Workspace, sweep: dict[str, Any]) -> list[dict[str, Any]]:
    folder = newest(workspace, "Tuner", "tuner_results") / "trials"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/trial.json"))]


def test_sweep_runs_from_the_tuner_on(sweep: dict[str, Any]) -> None:
    assert {"Tuner", "Trainer"} <= ran(sweep) <= {*states(sweep)} - {"Transform"}


def test_sweep_leaves_its_trials_with_the_results(
    workspace: Workspace, trials: list[dict[str, Any]]
) -> None:
    assert [trial["state"] for trial in trials] == ["complete"] * 4
    assert (newest(workspace, "Tuner", "tuner_results") / "tuner_results.json").exists()
    assert not (workspace.root / "pipeline_root/iris/Tuner/tuner_results/unfinished").exists()


def test_sweep_gives_trainer_best_settings(
    workspace: Workspace, trials: list[dict[str, Any]]
) -> None:
    best = min(trials, key=lambda trial: float(trial["score"]))
    trial_dir = newest(workspace, "Tuner", "tuner_results") / "trials" / f"{best['number']:03d}"

    trained = curve(newest(workspace, "Trainer", "model_run") / "eval")

    assert best["params"]["model.learning_rate"] == 0.2
    assert len(trained) == 4
    assert trained == curve(trial_dir / "eval")


def test_second_sweep_is_cached(workspace: Workspace, sweep: dict[str, Any]) -> None:
    again = workspace.run(*SWEEP, "--set", "model.learning_rate=0.7")

    assert not {"Tuner", "Trainer"} & ran(again)
    assert again["metrics"] == sweep["metrics"]


@pytest.mark.slow
def test_sweep_without_good_trial_fails_once(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    space = "{model.learning_rate: {values: [1.0e+30]}, model.optimizer: {values: [sgd]}}"

    done = workspace.call("run", "--set", f"tuner={{method: grid, space: {space}}}")

    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(
        "error: Tuner failed: RuntimeError: every trial failed (1); the first: NanLossDuring"
    )
