"""How a training begins and ends, what is exported of it, and what its examples weigh."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.training_data import FEATURES, LABEL, SETTINGS, fn_args, scalars
from tests.helpers.transformed_files import write_transformed
from trainer import run as module
from trainer.run import run_fn
from trainer.settings.train import TrainerSettings
from trainer.training.best_checkpoint import BestSoFar, UnknownMetricError
from trainer.training.input_fn import make_dataset
from trainer.training.training import exported_checkpoint, make_estimator, train
from trainer.training.transformed_examples import read_dense
from trainer.user_functions import one_line

pytestmark = [
    # The layers of the guide, which TensorFlow 2.15 still has.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the layers' seeds by randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

LONG = {"steps": 200}
# No evaluation is so much better than the first, at step 20.
STOPPING = {**LONG, "early_stopping": {"evaluations": 2, "min_change": 100.0}}

MakeArgs = Callable[..., FnArgs]


@pytest.fixture
def make_args(data_dir: Path, tmp_path: Path) -> MakeArgs:
    def make(
        train: Mapping[str, Any], model: Mapping[str, Any] | None = None, name: str = "7"
    ) -> FnArgs:
        """Makes the arguments of an execution by its name, settings of two sections changed."""
        settings = {
            **SETTINGS,
            "train": {**SETTINGS["train"], **train},
            "model": {**SETTINGS["model"], **(model or {})},
        }
        args = fn_args(data_dir, tmp_path, settings)
        args.model_run_dir = str(tmp_path / "model_run" / name)
        args.serving_model_dir = str(tmp_path / "model" / name)
        return args

    return make


def weights(checkpoint: str) -> dict[str, np.ndarray[Any, Any]]:
    """Reads the variables of a checkpoint or SavedModel but the step, and but the optimizer's."""
    reader = tf.train.load_checkpoint(checkpoint)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name != "global_step" and not name.endswith("/Adagrad")
    }


def saved_weights(args: FnArgs) -> dict[str, np.ndarray[Any, Any]]:
    return weights(f"{args.serving_model_dir}/variables/variables")


def assert_same(
    found: Mapping[str, np.ndarray[Any, Any]], expected: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    assert set(found) == set(expected)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6, err_msg=name)


# early stopping


def test_run_fn_stops_a_training_that_gets_no_better(make_args: MakeArgs) -> None:
    args = make_args(STOPPING)

    run_fn(args)

    assert tf.train.latest_checkpoint(args.model_run_dir) == f"{args.model_run_dir}/model.ckpt-60"
    points = scalars(Path(args.model_run_dir))
    assert points["stopped_at_step"] == [(60, 60.0)]
    assert max(step for step, _ in points["loss"]) <= 60
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert [step for step, _ in evaluated] == [20, 40, 60]
    assert_same(saved_weights(args), weights(f"{args.model_run_dir}/model.ckpt-60"))


def test_run_fn_does_not_train_on_what_was_stopped_before_a_kill(
    make_args: MakeArgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "export_model", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_fn(make_args(STOPPING))
    monkeypatch.undo()
    args = make_args(STOPPING, name="8")

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir) == f"{args.model_run_dir}/model.ckpt-60"
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert [step for step, _ in evaluated] == [20, 40, 60]


def test_run_fn_trains_to_the_end_what_gets_better(make_args: MakeArgs) -> None:
    args = make_args({"early_stopping": {"evaluations": 1}})

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir).endswith("model.ckpt-40")
    assert "stopped_at_step" not in scalars(Path(args.model_run_dir))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_run_fn_says_which_file_is_damaged(
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


# the best checkpoint


@pytest.fixture
def misleading(data_dir: Path, tmp_path: Path) -> str:
    """An eval split of which the labels are wrong, so that the model gets worse by it."""
    path = tmp_path / "misleading.parquet"
    spec = tft.TFTransformOutput(str(data_dir / "graph")).transformed_feature_spec()
    (source,) = (data_dir / "examples" / "Split-eval").iterdir()
    (columns,) = read_dense([str(source)], spec, 100)
    write_transformed(path, spec, {**columns, LABEL: (columns[LABEL] + 1) % 3})
    return str(path)


@pytest.fixture
def best_args(make_args: MakeArgs, misleading: str) -> Callable[[str], FnArgs]:
    def make(name: str) -> FnArgs:
        args = make_args({**LONG, "export": "best"}, name=name)
        args.eval_files = [misleading]
        return args

    return make


def assert_exports_step_20(args: FnArgs) -> None:
    evaluated = scalars(Path(args.model_run_dir, "eval"))["loss"]
    assert min(evaluated, key=lambda point: point[1])[0] == 20
    assert [step for step, _ in evaluated] == [*range(20, 201, 20)]
    assert not list(Path(args.model_run_dir).glob("model.ckpt-20.*"))  # Estimator keeps five
    path = exported_checkpoint(args.model_run_dir)
    assert path == f"{args.model_run_dir}/best/model.ckpt-20"
    assert_same(saved_weights(args), weights(path))
    assert scalars(Path(args.model_run_dir))["exported_step"] == [(20, 20.0)]


def test_run_fn_exports_the_best_checkpoint(best_args: Callable[[str], FnArgs]) -> None:
    args = best_args("7")

    run_fn(args)

    assert_exports_step_20(args)
    assert sorted(os.listdir(os.path.dirname(args.model_run_dir))) == ["7"]


def test_run_fn_leaves_a_checkpoint_that_predicts_as_the_exported_model(
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


def test_run_fn_exports_the_best_checkpoint_of_a_training_that_was_killed(
    best_args: Callable[[str], FnArgs], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated = BestSoFar.evaluated

    def interrupt(self: BestSoFar, path: str, metrics: Mapping[str, Any], **_: Any) -> None:
        if metrics["global_step"] == 120:  # the checkpoint stands, its evaluation is not kept
            raise KeyboardInterrupt
        evaluated(self, path, metrics, is_last=False)

    monkeypatch.setattr(BestSoFar, "evaluated", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_fn(best_args("7"))
    monkeypatch.undo()
    args = best_args("8")

    run_fn(args)

    evaluations = scalars(Path(args.model_run_dir, "eval"))["loss"]
    # That of step 120 was lost; no other is made again.
    assert [step for step, _ in evaluations] == [*range(20, 121, 20), *range(120, 201, 20)]
    path = exported_checkpoint(args.model_run_dir)
    assert path == f"{args.model_run_dir}/best/model.ckpt-20"
    assert_same(saved_weights(args), weights(path))


def test_run_fn_fails_at_the_first_evaluation_if_there_is_no_such_metric(
    make_args: MakeArgs,
) -> None:
    args = make_args({**LONG, "best_metric": "f1", "best_is": "max", "export": "best"})

    with pytest.raises(UnknownMetricError, match=r"train.best_metric: .* 'f1' \(it has: acc"):
        run_fn(args)

    (folder,) = Path(args.model_run_dir).parent.glob("unfinished/*")
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "model.ckpt-20")
    assert not os.path.exists(args.serving_model_dir)


# a model to begin with


@pytest.fixture
def base(make_args: MakeArgs) -> FnArgs:
    """A model to begin with."""
    args = make_args({}, name="base")
    run_fn(args)
    return args


STILL = {"learning_rate": 1e-12, "seed": 2}
"""Hardly learns, and would begin elsewhere."""


def warm_args(make_args: MakeArgs, base: FnArgs, **model: Any) -> FnArgs:
    args = make_args({"steps": 20, "warm_start": True}, {**STILL, **model})
    args.base_model = base.serving_model_dir
    return args


def test_run_fn_begins_with_the_weights_of_the_base_model(
    make_args: MakeArgs, base: FnArgs
) -> None:
    args = warm_args(make_args, base)

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir).endswith("model.ckpt-20")
    assert_same(saved_weights(args), saved_weights(base))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What absl logs."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, logger = Keep(), logging.getLogger("absl")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.setLevel(before)
    logger.removeHandler(handler)


def test_run_fn_begins_anew_with_weights_that_do_not_fit(
    make_args: MakeArgs, base: FnArgs, logged: list[str]
) -> None:
    args = warm_args(make_args, base, hidden_units=[8, 4])

    run_fn(args)

    found, before = saved_weights(args), saved_weights(base)
    same = {name for name in found if name in before and found[name].shape == before[name].shape}
    assert 0 < len(same) < len(found)
    for name in same:
        np.testing.assert_allclose(found[name], before[name], rtol=1e-6, err_msg=name)
    (line,) = (line for line in logged if line.startswith("begins with"))
    assert f"begins with {len(same)} weights of {base.serving_model_dir}" in line
    for name in set(found) - same:
        assert name in line


def test_run_fn_begins_at_random_where_there_is_no_base_model(
    make_args: MakeArgs, base: FnArgs
) -> None:
    args = warm_args(make_args, base)
    args.base_model = None

    run_fn(args)

    kernels = [name for name in saved_weights(args) if name.endswith("kernel")]
    assert kernels
    for name in kernels:
        assert not np.allclose(saved_weights(args)[name], saved_weights(base)[name])


# weights of examples


def weight_model_fn(features: Any, labels: Any, mode: str) -> tf.estimator.EstimatorSpec:
    """Has as its loss what the examples of a batch weigh on average."""
    loss = tf.reduce_mean(features["example_weight"])
    step = tf.compat.v1.train.get_global_step()
    metrics = {"weight": tf.compat.v1.metrics.mean(features["example_weight"])}
    train_op = tf.compat.v1.assign_add(step, 1)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def mean_weights(folder: Path, args: FnArgs, **changes: Any) -> tuple[float, float]:
    """Gives the mean weight over the train split, as trained on, and over the eval split."""
    settings = TrainerSettings.model_validate({**args.custom_config["settings"], **changes})
    config = tf.estimator.RunConfig(str(folder), save_summary_steps=1)
    estimator = tf.estimator.Estimator(weight_model_fn, config=config)
    train(estimator, settings, tft.TFTransformOutput(args.transform_output), args)
    return scalars(folder)["loss"][0][1], scalars(folder / "eval")["weight"][-1][1]


@pytest.mark.parametrize(
    ("class_weights", "expected"),
    [({"ant": 4.0}, 2.0), ({"ant": 4.0, "cow": 2.5, "bee": 1.0}, 2.5), ("balanced", 1.0)],
)
def test_train_weighs_classes_in_training_only(
    make_args: MakeArgs, tmp_path: Path, class_weights: Any, expected: float
) -> None:
    # A batch is the whole train split, 30 examples of each class.
    args = make_args({"class_weights": class_weights, "batch_size": 90, "steps": 2})

    trained, evaluated = mean_weights(tmp_path, args)

    assert trained == pytest.approx(expected)
    assert evaluated == 1


def test_train_weighs_examples_by_their_column_in_training_and_evaluation(
    make_args: MakeArgs, tmp_path: Path
) -> None:
    args = make_args({"class_weights": dict.fromkeys(("ant", "bee", "cow"), 2.0)})
    args.custom_config["settings"]["train"].update(batch_size=90, steps=2)
    spec = tft.TFTransformOutput(args.transform_output).transformed_feature_spec()
    means = []
    for patterns in (args.train_files, args.eval_files):
        features, _ = next(iter(make_dataset(patterns, spec, LABEL, 90)))
        means.append(float(tf.reduce_mean(features[FEATURES[0]])))

    found = mean_weights(tmp_path, args, weight=FEATURES[0])

    assert means[1] != 0
    assert found == pytest.approx((2 * means[0], means[1]), abs=1e-6)


def test_run_fn_names_the_classes_if_a_weight_is_of_none(make_args: MakeArgs) -> None:
    args = make_args({"class_weights": {"ant": 2.0, "wasp": 3.0}})

    with pytest.raises(
        ValueError, match=r"'wasp' is no class of animal \(there are: ant, bee, cow\)"
    ):
        run_fn(args)
