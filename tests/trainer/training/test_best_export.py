"""Trainings whose best checkpoint is exported."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import (
    FEATURES,
    LABEL,
    MakeArgs,
    assert_same_weights,
    checkpoint_weights,
    saved_weights,
    scalars,
)
from tests.helpers.transformed_files import write_transformed
from trainer.run import run_fn
from trainer.settings.train import TrainerSettings
from trainer.training.best_checkpoint import BestCheckpoint
from trainer.training.estimator import make_estimator
from trainer.training.state_dir import exported_checkpoint
from trainer.training.transformed_examples import read_dense

pytestmark = WARNINGS


@pytest.fixture
def misleading(data_dir: Path, tmp_path: Path) -> str:
    """An eval split with wrong labels, on which the model gets worse."""
    path = tmp_path / "misleading.parquet"
    spec = tft.TFTransformOutput(str(data_dir / "graph")).transformed_feature_spec()
    (source,) = (data_dir / "examples" / "Split-eval").iterdir()
    (columns,) = read_dense([str(source)], spec, 100)
    write_transformed(path, spec, {**columns, LABEL: (columns[LABEL] + 1) % 3})
    return str(path)


@pytest.fixture
def best_args(make_args: MakeArgs, misleading: str) -> Callable[[str], FnArgs]:
    def make(execution: str) -> FnArgs:
        args = make_args({"steps": 200, "export": "best"}, execution=execution)
        args.eval_files = [misleading]
        return args

    return make


def assert_exports_step_20(args: FnArgs) -> None:
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert min(evaluated, key=lambda point: point[1])[0] == 20
    assert [step for step, _ in evaluated] == [*range(20, 201, 20)]
    assert not list(
        Path(args.model_run_dir).glob("model.ckpt-20.*")
    )  # Estimator keeps the last five
    path = exported_checkpoint(args.model_run_dir)
    assert path == f"{args.model_run_dir}/best/model.ckpt-20"
    assert_same_weights(saved_weights(args), checkpoint_weights(path))
    assert scalars(Path(args.model_run_dir))["exported_step"] == [(20, 20.0)]


def test_best_checkpoint_is_exported(best_args: Callable[[str], FnArgs]) -> None:
    args = best_args("7")

    run_fn(args)

    assert_exports_step_20(args)
    assert sorted(os.listdir(os.path.dirname(args.model_run_dir))) == ["7"]


def test_best_checkpoint_predicts_like_export(
    best_args: Callable[[str], FnArgs],
) -> None:
    args = best_args("7")
    run_fn(args)
    settings = TrainerSettings.model_validate(args.custom_config["settings"])
    transform_output = tft.TFTransformOutput(args.transform_output)
    estimator = make_estimator(settings, transform_output, args.model_run_dir)
    values = [[4.0], [8.0]]

    def input_fn() -> tf.data.Dataset:
        raw = {name: tf.constant(values) for name in FEATURES}
        return tf.data.Dataset.from_tensors(transform_output.transform_raw_features(raw))

    checkpoint_path = exported_checkpoint(args.model_run_dir)
    predictions = list(estimator.predict(input_fn, checkpoint_path=checkpoint_path))
    served = tf.saved_model.load(args.serving_model_dir).signatures["serving_default"](
        **{name: tf.constant(values)[:, 0] for name in FEATURES}
    )

    for index, prediction in enumerate(predictions):
        np.testing.assert_allclose(
            prediction["probabilities"], served["probabilities"][index], rtol=1e-5
        )


def test_best_checkpoint_is_exported_after_kill(
    best_args: Callable[[str], FnArgs], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated = BestCheckpoint.evaluated

    def interrupt(self: BestCheckpoint, path: str, metrics: Mapping[str, Any], **_: Any) -> None:
        if (
            metrics["global_step"] == 120
        ):  # the checkpoint is written, its evaluation is not recorded
            raise KeyboardInterrupt
        evaluated(self, path, metrics, is_last=False)

    monkeypatch.setattr(BestCheckpoint, "evaluated", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_fn(best_args("7"))
    monkeypatch.undo()
    args = best_args("8")

    run_fn(args)

    evaluations = scalars(Path(args.model_run_dir, "eval"))["loss"]
    # Only the evaluation of step 120 was lost and is repeated.
    assert [step for step, _ in evaluations] == [*range(20, 121, 20), *range(120, 201, 20)]
    path = exported_checkpoint(args.model_run_dir)
    assert path == f"{args.model_run_dir}/best/model.ckpt-20"
    assert_same_weights(saved_weights(args), checkpoint_weights(path))
