"""The Trainer's entry point on a small transformed dataset."""

import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import (
    CLASSES,
    FEATURES,
    LABEL,
    MakeArgs,
    Weights,
    make_rows,
    scalars,
)
from tracking.projection.event_files import CurveReader
from trainer.run import run_fn
from trainer.training.evaluation_listener import UnknownMetricError
from trainer.user_functions import one_line

pytestmark = WARNINGS


# what training writes


@pytest.mark.parametrize(
    ("tag", "first_step"), [("loss", 1), ("accuracy", 1), ("global_step/sec", 20)]
)
def test_run_fn_writes_training_curves(trained: FnArgs, tag: str, first_step: int) -> None:
    steps = [step for step, _ in scalars(Path(trained.model_run_dir))[tag]]

    assert steps[0] == first_step
    assert {after - before for before, after in pairwise(steps)} <= {9, 10, 11}
    assert 30 <= steps[-1] <= 40


def test_run_fn_writes_learning_rate_curve(trained: FnArgs) -> None:
    rates = {rate for _, rate in scalars(Path(trained.model_run_dir))["learning_rate"]}

    assert rates == {0.5}


def test_run_fn_flushes_curves_in_training(make_args: MakeArgs, tmp_path: Path) -> None:
    # With so few points, TensorFlow would write all of them at the end.
    counts = {"steps": 50_000, "eval_every_steps": 50_000, "summary_every_steps": 1000}
    args = make_args(train=counts)
    reader, steps, is_done = CurveReader(), [], threading.Event()

    def look() -> None:
        while not is_done.wait(0.1):
            for folder in (tmp_path / "model_run" / "unfinished").glob("*"):
                points = list(reader.read(folder))
                if not (folder / "model.ckpt-50000.index").exists():
                    steps.extend(point.step for point in points)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        run_fn(args)
    finally:
        is_done.set()
        thread.join()

    assert any(0 < step < 50_000 for step in steps)


@pytest.mark.parametrize("tag", ["loss", "accuracy"])
def test_run_fn_evaluates_every_checkpoint(trained: FnArgs, tag: str) -> None:
    points = scalars(Path(trained.model_run_dir, "eval"))[tag]

    assert [step for step, _ in points] == [20, 40]


def test_run_fn_evaluates_whole_eval_split(trained: FnArgs) -> None:
    # The Estimator's loss is the mean of the batches' means; here all examples are one batch.
    rows = make_rows(30, seed=2)
    model = tf.saved_model.load(trained.serving_model_dir)
    columns = {name: tf.constant([row[name][0] for row in rows], tf.float32) for name in FEATURES}
    predictions = model.signatures["serving_default"](**columns)
    class_ids = [CLASSES.index(row[LABEL][0].decode()) for row in rows]
    losses = -np.log(predictions["probabilities"].numpy()[np.arange(30), class_ids])
    hits = predictions["class_ids"].numpy().ravel() == class_ids

    points = scalars(Path(trained.model_run_dir, "eval"))

    assert points["loss"][-1][1] == pytest.approx(losses.mean(), rel=1e-4)
    assert points["accuracy"][-1][1] == pytest.approx(hits.mean())


def test_run_fn_leaves_last_checkpoint(trained: FnArgs) -> None:
    assert tf.train.latest_checkpoint(trained.model_run_dir) == str(
        Path(trained.model_run_dir, "model.ckpt-40")
    )


def test_run_fn_leaves_no_unfinished_dir(trained: FnArgs) -> None:
    assert os.listdir(Path(trained.model_run_dir).parent) == ["7"]


# repetition


def final_weights(args: FnArgs) -> Weights:
    reader = tf.train.load_checkpoint(args.model_run_dir)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_run_fn_same_seed_same_model(trained: FnArgs, make_args: MakeArgs) -> None:
    args = make_args()

    run_fn(args)

    expected = final_weights(trained)
    assert set(final_weights(args)) == set(expected)
    for name, value in final_weights(args).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
    for tag in ("loss", "accuracy"):
        curves = [scalars(Path(each.model_run_dir, "eval"))[tag] for each in (trained, args)]
        assert curves[0] == curves[1]


def test_run_fn_other_seed_other_model(trained: FnArgs, make_args: MakeArgs) -> None:
    args = make_args(model={"seed": 2})

    run_fn(args)

    kernel = "dense/kernel"
    assert not np.allclose(final_weights(args)[kernel], final_weights(trained)[kernel])


# hyperparameters


def test_run_fn_hyperparameters_replace_settings(make_args: MakeArgs, tmp_path: Path) -> None:
    chosen = make_args(folder=tmp_path / "chosen")
    chosen.hyperparameters = {
        "values": {"model.hidden_units": "[3, 5]", "model.learning_rate": 0.1, "train.steps": 20}
    }
    set_ = make_args(
        folder=tmp_path / "set",
        model={"hidden_units": [3, 5], "learning_rate": 0.1},
        train={"steps": 20},
    )

    run_fn(chosen)
    run_fn(set_)

    assert final_weights(chosen)["dense/kernel"].shape == (2, 3)
    assert set(final_weights(chosen)) == set(final_weights(set_))
    for name, value in final_weights(chosen).items():
        np.testing.assert_array_equal(value, final_weights(set_)[name], err_msg=name)


@pytest.mark.parametrize("values", [{"model.depth": 3}, {"model.learning_rate": 0}, {"deep": 1}])
def test_run_fn_refuses_unknown_hyperparameters(
    make_args: MakeArgs, values: dict[str, Any]
) -> None:
    args = make_args()
    args.hyperparameters = {"values": values}

    with pytest.raises(ValidationError, match=next(iter(values))):
        run_fn(args)


# errors


def test_run_fn_fails_on_nan_loss(make_args: MakeArgs) -> None:
    args = make_args(model={"optimizer": "sgd", "learning_rate": 1e30})

    with pytest.raises(tf.estimator.NanLossDuringTrainingError):
        run_fn(args)

    assert not os.path.exists(args.serving_model_dir)


def test_run_fn_fails_without_examples(make_args: MakeArgs, tmp_path: Path) -> None:
    args = make_args()
    args.train_files = [str(tmp_path / "absent-*")]

    with pytest.raises(tf.errors.NotFoundError, match="absent"):
        run_fn(args)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_run_fn_names_damaged_file(
    data_dir: Path, make_args: MakeArgs, tmp_path: Path, split: str
) -> None:
    args = make_args({})
    (source,) = (data_dir / "examples" / f"Split-{split}").iterdir()
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(source.read_bytes()[:-20])
    setattr(args, f"{split}_files", [str(damaged)])

    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        run_fn(args)

    assert f"ValueError: {damaged}: examples cannot be read: " in one_line(caught.value)
    assert not Path(args.serving_model_dir).exists()


def test_run_fn_unknown_metric_fails_first_evaluation(
    make_args: MakeArgs,
) -> None:
    args = make_args({"steps": 200, "best_metric": "f1", "best_is": "max", "export": "best"})

    with pytest.raises(UnknownMetricError, match=r"train.best_metric: .* 'f1' \(it has: acc"):
        run_fn(args)

    (folder,) = Path(args.model_run_dir).parent.glob("unfinished/*")
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "model.ckpt-20")
    assert not os.path.exists(args.serving_model_dir)


def test_run_fn_class_weight_of_unknown_class(make_args: MakeArgs) -> None:
    args = make_args({"class_weights": {"ant": 2.0, "wasp": 3.0}})

    with pytest.raises(
        ValueError, match=r"'wasp' is not a class of animal \(allowed: ant, bee, cow\)"
    ):
        run_fn(args)
