"""Trainings that early stopping ends."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import (
    MakeArgs,
    assert_same_weights,
    checkpoint_weights,
    saved_weights,
    scalars,
)
from trainer import run
from trainer.run import run_fn
from trainer.training.state_dir import exported_checkpoint

pytestmark = WARNINGS

# No evaluation improves by that much on the first one, at step 20.
STOPPING = {"steps": 200, "early_stopping": {"evaluations": 2, "min_change": 100.0}}


def test_early_stopping_ends_training(make_args: MakeArgs) -> None:
    args = make_args(STOPPING)

    run_fn(args)

    assert tf.train.latest_checkpoint(args.model_run_dir) == f"{args.model_run_dir}/model.ckpt-60"
    points = scalars(Path(args.model_run_dir))
    assert points["stopped_at_step"] == [(60, 60.0)]
    assert max(step for step, _ in points["loss"]) <= 60
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert [step for step, _ in evaluated] == [20, 40, 60]
    assert_same_weights(
        saved_weights(args), checkpoint_weights(f"{args.model_run_dir}/model.ckpt-60")
    )


def test_early_stopping_survives_kill(make_args: MakeArgs, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "export_model", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_fn(make_args(STOPPING))
    monkeypatch.undo()
    args = make_args(STOPPING, execution="8")

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir) == f"{args.model_run_dir}/model.ckpt-60"
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert [step for step, _ in evaluated] == [20, 40, 60]


def test_early_stopping_lets_improving_training_end(make_args: MakeArgs) -> None:
    args = make_args({"early_stopping": {"evaluations": 1}})

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir).endswith("model.ckpt-40")
    assert "stopped_at_step" not in scalars(Path(args.model_run_dir))
