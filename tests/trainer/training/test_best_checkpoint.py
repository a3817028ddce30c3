"""The best checkpoint and early stopping, on made-up evaluations."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from trainer.settings.train import TrainSettings
from trainer.training.best_checkpoint import BestCheckpoint
from trainer.training.evaluation_listener import UnknownMetricError
from trainer.training.state_dir import exported_checkpoint


def make(folder: Path, **settings: Any) -> BestCheckpoint:
    return BestCheckpoint(str(folder), TrainSettings.model_validate(settings))


def write_checkpoint(folder: Path, step: int) -> str:
    """Writes files with the names of a checkpoint's, and the step as their content."""
    for end in ("index", "data-00000-of-00001", "meta"):
        (folder / f"model.ckpt-{step}.{end}").write_text(str(step))
    return str(folder / f"model.ckpt-{step}")


def evaluate(best: BestCheckpoint, folder: Path, *losses: float, **metrics: float) -> None:
    """Passes on an evaluation every 10 steps; the folder keeps only the last checkpoint."""
    for loss in losses:
        step = best.step + 10
        for file in folder.glob("model.ckpt-*"):
            file.unlink()
        path = write_checkpoint(folder, step)
        tf.compat.v1.train.update_checkpoint_state(str(folder), path)
        best.evaluated(path, {"loss": loss, "global_step": step, **metrics}, is_last=False)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "best").iterdir())


def files_of(step: int) -> list[str]:
    name = f"model.ckpt-{step}"
    return ["checkpoint", f"{name}.data-00000-of-00001", f"{name}.index", f"{name}.meta"]


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        ([0.5, 0.25, 0.5], 20),
        ([0.5, 0.25, 0.25], 20),  # the first of equals
        ([0.5], 10),
        ([math.nan, 0.5, math.nan], 20),
        ([math.inf, 0.5], 20),
    ],
)
def test_best_checkpoint_is_kept(tmp_path: Path, losses: list[float], step: int) -> None:
    best = make(tmp_path, export="best")

    evaluate(best, tmp_path, *losses)

    assert best.best_step == step
    assert kept(tmp_path) == files_of(step)
    assert exported_checkpoint(str(tmp_path)) == str(tmp_path / "best" / f"model.ckpt-{step}")
    assert (tmp_path / "best" / f"model.ckpt-{step}.index").read_text() == str(step)


def test_best_checkpoint_of_highest_metric(tmp_path: Path) -> None:
    best = make(tmp_path, export="best", best_metric="accuracy")

    for accuracy in (0.5, 0.75, 0.7):
        evaluate(best, tmp_path, 1.0, accuracy=accuracy)

    assert kept(tmp_path) == files_of(20)


def test_best_checkpoint_ignores_diverged_model(tmp_path: Path) -> None:
    best = make(tmp_path, export="best", best_metric="accuracy")

    evaluate(best, tmp_path, 1.0, accuracy=0.5)
    evaluate(best, tmp_path, math.nan, accuracy=0.9)

    assert best.best_step == 10


def test_best_checkpoint_restores_state(tmp_path: Path) -> None:
    settings = {"export": "best", "early_stopping": {"evaluations": 3}}
    evaluate(make(tmp_path, **settings), tmp_path, 0.5, 0.25, 0.3)

    again = make(tmp_path, **settings)

    assert (again.step, again.best_step, again.should_stop) == (30, 20, False)
    evaluate(again, tmp_path, 0.3, 0.3)
    assert (again.step, again.best_step, again.should_stop) == (50, 20, True)
    assert kept(tmp_path) == files_of(20)


def test_best_checkpoint_state_needs_checkpoint(
    tmp_path: Path,
) -> None:
    evaluate(make(tmp_path), tmp_path, 0.5, 0.25)
    (tmp_path / "checkpoint").unlink()

    assert make(tmp_path).step == 0


def test_best_checkpoint_not_kept_for_export_last(tmp_path: Path) -> None:
    evaluate(make(tmp_path), tmp_path, 0.5)

    assert not (tmp_path / "best").exists()


def test_exported_checkpoint_after_folder_moved(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    evaluate(make(before, export="best"), before, 0.5)

    before.rename(after)

    assert exported_checkpoint(str(after)) == str(after / "best" / "model.ckpt-10")


def test_exported_checkpoint_falls_back_to_last(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, 30)
    tf.compat.v1.train.update_checkpoint_state(str(tmp_path), path)

    assert exported_checkpoint(str(tmp_path)) == path


def test_exported_checkpoint_fails_without_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        exported_checkpoint(str(tmp_path))


@pytest.mark.parametrize(
    ("losses", "min_change", "should_stop"),
    [
        ([0.5, 0.6, 0.7], 0, True),
        ([0.5, 0.5, 0.5], 0, True),
        ([0.5, 0.6, 0.4], 0, False),
        ([0.5, 0.6, 0.4, 0.5, 0.5], 0, True),
        ([0.5, 0.45, 0.42], 0.1, True),  # each is better, but by too little
        ([0.5, 0.45, 0.39], 0.1, False),  # 0.11 in two evaluations
        ([0.5, math.nan, math.nan], 0, True),
        ([math.nan, 0.5, 0.6], 0, False),
        ([0.5, 0.6], 0, False),
    ],
)
def test_should_stop_without_improvement(
    tmp_path: Path, losses: list[float], min_change: float, should_stop: bool
) -> None:
    best = make(tmp_path, early_stopping={"evaluations": 2, "min_change": min_change})

    evaluate(best, tmp_path, *losses)

    assert best.should_stop is should_stop
    assert best.stopped_step == (10 * len(losses) if should_stop else None)


def test_should_stop_min_change_of_highest_metric(
    tmp_path: Path,
) -> None:
    early_stopping = {"evaluations": 2, "min_change": 0.1}
    best = make(tmp_path, early_stopping=early_stopping, best_metric="accuracy")

    for accuracy in (0.5, 0.55, 0.65, 0.7):
        evaluate(best, tmp_path, 1.0, accuracy=accuracy)
    assert not best.should_stop

    evaluate(best, tmp_path, 1.0, accuracy=0.74)
    assert best.should_stop


def test_stopped_step_is_none_at_last_step(
    tmp_path: Path,
) -> None:
    best = make(tmp_path, steps=30, early_stopping={"evaluations": 2})

    evaluate(best, tmp_path, 0.5, 0.6, 0.6)

    assert best.should_stop
    assert best.stopped_step is None


def test_should_stop_needs_early_stopping(tmp_path: Path) -> None:
    best = make(tmp_path)

    evaluate(best, tmp_path, *[0.5] * 30)

    assert not best.should_stop


def test_evaluated_names_known_metrics(tmp_path: Path) -> None:
    best = make(tmp_path, best_metric="f1", best_is="max")

    with pytest.raises(UnknownMetricError, match=r"'f1' \(it has: accuracy, loss\)$"):
        evaluate(best, tmp_path, 0.5, accuracy=0.5)


@pytest.mark.parametrize(
    ("settings", "losses", "message"),
    [
        ({}, [0.5, math.nan], "loss evaluated at step 20 is not finite"),
        ({"export": "best"}, [math.nan, math.inf], "no evaluation had a finite loss$"),
    ],
)
def test_check_finite_refuses_diverged_model(
    tmp_path: Path, settings: dict[str, Any], losses: list[float], message: str
) -> None:
    best = make(tmp_path, **settings)
    evaluate(best, tmp_path, *losses)

    with pytest.raises(RuntimeError, match=message):
        best.check_finite()


@pytest.mark.parametrize(
    ("settings", "losses"), [({}, [math.nan, 0.5]), ({"export": "best"}, [0.5, math.nan])]
)
def test_check_finite_accepts_finite_checkpoint(
    tmp_path: Path, settings: dict[str, Any], losses: list[float]
) -> None:
    best = make(tmp_path, **settings)
    evaluate(best, tmp_path, *losses)

    best.check_finite()


def test_best_checkpoint_state_is_strict_json(tmp_path: Path) -> None:
    evaluate(make(tmp_path), tmp_path, math.nan)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)  # JSON has no NaN

    json.loads((tmp_path / "evaluations.json").read_text(), parse_constant=refuse)
