"""Steps per second of a training with and without tracking, measured in turns."""

from pathlib import Path

import pytest

from tests.benchmarks.measurements import Row
from tests.benchmarks.results import ResultsFolder
from tests.helpers.e2e_workspace import Workspace
from tracking.projection.event_files import CurveReader

pytestmark = pytest.mark.benchmark

PAIRS = 5
STEPS = 40_000
ALLOWED_COST = 0.02
GROSS_COST = 0.10
SETTINGS = (
    f"train.steps={STEPS}",
    f"train.eval_every_steps={STEPS}",
    "evaluation.thresholds={accuracy: {min: 0.1}}",
)


def steps_per_second(workspace: Workspace, seed: int, *, tracked: bool) -> float:
    """Trains, and returns the rate between the first and the last but one point of the curve.

    The last point is written after the evaluation of its step, so it would include that.
    """
    settings = (*SETTINGS, f"model.seed={seed}", f"mlflow.enabled={str(tracked).lower()}")
    workspace.run(*(word for setting in settings for word in ("--set", setting)))
    folders = (workspace.root / "pipeline_root" / "iris" / "Trainer" / "model_run").iterdir()
    newest = max(folders, key=lambda folder: int(folder.name))
    points = [point for point in CurveReader().read(newest) if point.key == "train/loss"]
    first, last = points[0], points[-2]
    return 1000 * (last.step - first.step) / (last.timestamp_ms - first.timestamp_ms)


@pytest.mark.timeout(1800)
def test_tracking_costs_few_training_steps(tmp_path: Path, results: ResultsFolder) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    workspace.run("--set", "train.steps=20", "--set", "evaluation.thresholds={accuracy: {min: 0}}")
    figures = []
    for pair in range(PAIRS):
        order = (True, False) if pair % 2 else (False, True)
        # A new seed for each run, since a seed used before would come from the cache.
        rates = {
            tracked: steps_per_second(workspace, 10 + 2 * pair + tracked, tracked=tracked)
            for tracked in order
        }
        figures.append((rates[True], rates[False]))
        print(f"steps/s with {rates[True]:.0f}, without {rates[False]:.0f}", flush=True)
    tracked, untracked = zip(*figures, strict=True)
    row = Row(
        name="Training, tracked",
        unit="steps/s",
        ours=tracked,
        other="untracked",
        theirs=untracked,
        bound="at least",
        must=1 - ALLOWED_COST,
    )
    results.keep(row)
    assert row.ratio > 1 - GROSS_COST
