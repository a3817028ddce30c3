"""The Trainer's entry point on a small transformed dataset, laid out as TFX lays it out."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import attr
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from pydantic import ValidationError
from tensorflow.core.protobuf import saved_model_pb2
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.training_data import (
    CLASSES,
    FEATURES,
    LABEL,
    SETTINGS,
    Row,
    fn_args,
    make_rows,
    scalars,
)
from tracking.projection.event_files import CurveReader
from trainer.features.columns import make_feature_columns
from trainer.model.model_fn import model_fn
from trainer.run import run_fn
from trainer.settings.train import TrainerSettings

pytestmark = [
    # The layers of the guide, which TensorFlow 2.15 still has.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the layers' seeds by randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

OUTPUTS = {"class_ids", "classes", "probabilities", "logits"}
LONG_SETTINGS = {**SETTINGS, "train": {**SETTINGS["train"], "steps": 300, "eval_every_steps": 100}}

MakeArgs = Callable[..., FnArgs]


ROWS = make_rows(20, seed=3)


@pytest.fixture
def make_args(data_dir: Path, tmp_path: Path) -> MakeArgs:
    def make(folder: Path = tmp_path, **changes: Mapping[str, Any]) -> FnArgs:
        """Makes the arguments of a training in `folder`, sections of the settings changed."""
        settings = {
            section: {**value, **changes.get(section, {})} if isinstance(value, dict) else value
            for section, value in SETTINGS.items()
        }
        return fn_args(data_dir, folder, settings)

    return make


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FnArgs:
    """A finished training."""
    args = fn_args(data_dir, tmp_path_factory.mktemp("trained"), SETTINGS)
    run_fn(args)
    return args


# the exported model


@pytest.fixture(scope="module")
def model(trained: FnArgs) -> Any:
    return tf.saved_model.load(trained.serving_model_dir)


def serialize(rows: list[Row]) -> tf.Tensor:
    """Makes examples of the raw columns, without the label."""
    examples = []
    for row in rows:
        features = {
            name: tf.train.Feature(float_list=tf.train.FloatList(value=row[name]))
            for name in FEATURES
        }
        examples.append(
            tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
        )
    return tf.constant(examples)


def columns_of(rows: list[Row]) -> dict[str, tf.Tensor]:
    return {name: tf.constant([row[name][0] for row in rows], tf.float32) for name in FEATURES}


def signature_defs(saved_model_dir: str) -> Mapping[str, Any]:
    content = Path(saved_model_dir, "saved_model.pb").read_bytes()
    (meta_graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    return dict(meta_graph.signature_def)


@pytest.fixture(scope="module")
def estimator_predictions(trained: FnArgs) -> dict[str, np.ndarray[Any, Any]]:
    """What the Estimator itself predicts for ROWS from its last checkpoint."""
    settings = TrainerSettings.model_validate(SETTINGS)
    transform_output = tft.TFTransformOutput(trained.transform_output)
    estimator = tf.estimator.Estimator(
        model_fn,
        trained.model_run_dir,
        params={
            "feature_columns": make_feature_columns(settings, transform_output).deep,
            "hidden_units": settings.model.hidden_units,
            "n_classes": 3,
            "classes": CLASSES,
        },
    )

    def input_fn() -> tf.data.Dataset:
        raw = {name: column[:, tf.newaxis] for name, column in columns_of(ROWS).items()}
        return tf.data.Dataset.from_tensors(transform_output.transform_raw_features(raw))

    predictions = list(estimator.predict(input_fn))
    return {key: np.stack([row[key] for row in predictions]) for key in OUTPUTS}


@pytest.mark.parametrize(
    ("name", "method", "inputs", "outputs"),
    [
        ("serving_default", "tensorflow/serving/predict", set(FEATURES), OUTPUTS),
        ("examples", "tensorflow/serving/predict", {"examples"}, OUTPUTS),
        ("classify", "tensorflow/serving/classify", {"inputs"}, {"classes", "scores"}),
    ],
)
def test_run_fn_exports_the_signature(
    trained: FnArgs, name: str, method: str, inputs: set[str], outputs: set[str]
) -> None:
    signature = signature_defs(trained.serving_model_dir)[name]

    assert signature.method_name == method
    assert (set(signature.inputs), set(signature.outputs)) == (inputs, outputs)


def test_run_fn_exports_no_other_signature(trained: FnArgs) -> None:
    assert set(signature_defs(trained.serving_model_dir)) == {
        "serving_default",
        "examples",
        "classify",
    }


def test_run_fn_exports_raw_columns_of_one_dimension(trained: FnArgs) -> None:
    inputs = signature_defs(trained.serving_model_dir)["serving_default"].inputs

    for name in FEATURES:
        assert tf.TensorShape(inputs[name].tensor_shape).as_list() == [None]
        assert inputs[name].dtype == tf.float32.as_datatype_enum


def test_run_fn_exports_a_model_that_predicts_from_columns_as_the_estimator_does(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    predictions = model.signatures["serving_default"](**columns_of(ROWS))

    assert_same_predictions(predictions, estimator_predictions)


def test_run_fn_exports_a_model_that_predicts_from_examples_as_the_estimator_does(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    predictions = model.signatures["examples"](examples=serialize(ROWS))

    assert_same_predictions(predictions, estimator_predictions)


def assert_same_predictions(
    found: Mapping[str, tf.Tensor], expected: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    assert set(found) == OUTPUTS
    for key in ("class_ids", "classes"):
        np.testing.assert_array_equal(found[key].numpy(), expected[key])
    for key in ("probabilities", "logits"):
        np.testing.assert_allclose(found[key].numpy(), expected[key], atol=1e-6)


def test_run_fn_exports_a_model_that_classifies_as_the_estimator_does(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    result = model.signatures["classify"](inputs=serialize(ROWS))

    assert result["classes"].numpy().tolist() == [[b"ant", b"bee", b"cow"]] * len(ROWS)
    np.testing.assert_allclose(
        result["scores"].numpy(), estimator_predictions["probabilities"], atol=1e-6
    )


def test_run_fn_exports_a_model_that_has_learned(model: Any) -> None:
    predictions = model.signatures["serving_default"](**columns_of(ROWS))

    hits = [
        predicted == row[LABEL]
        for predicted, row in zip(predictions["classes"].numpy().tolist(), ROWS, strict=True)
    ]
    assert np.mean(hits) > 0.9


def test_run_fn_exports_a_model_that_answers_for_a_single_row(model: Any) -> None:
    one = model.signatures["serving_default"](**columns_of(ROWS[:1]))
    all_ = model.signatures["serving_default"](**columns_of(ROWS))

    np.testing.assert_allclose(one["probabilities"], all_["probabilities"][:1], atol=1e-6)


def test_run_fn_exports_the_words_of_the_classes(trained: FnArgs) -> None:
    path = Path(trained.serving_model_dir, "assets.extra", "classes")

    assert path.read_text("utf-8") == "ant\nbee\ncow\n"


def test_run_fn_describes_the_serving_signature(trained: FnArgs) -> None:
    path = Path(trained.serving_model_dir, "assets.extra", "signature.json")

    assert json.loads(path.read_text("utf-8")) == {
        "inputs": {name: {"dtype": "float32", "shape": [-1]} for name in FEATURES},
        "outputs": {
            "class_ids": {"dtype": "int64", "shape": [-1, 1]},
            "classes": {"dtype": "string", "shape": [-1, 1]},
            "logits": {"dtype": "float32", "shape": [-1, 3]},
            "probabilities": {"dtype": "float32", "shape": [-1, 3]},
        },
    }


def test_run_fn_exports_nothing_but_the_model(trained: FnArgs) -> None:
    assert {path.name for path in Path(trained.serving_model_dir).iterdir()} == {
        "saved_model.pb",
        "variables",
        "assets",
        "assets.extra",
    }


# what the training leaves


@pytest.mark.parametrize(
    ("tag", "first_step"), [("loss", 1), ("accuracy", 1), ("global_step/sec", 20)]
)
def test_run_fn_writes_training_curves(trained: FnArgs, tag: str, first_step: int) -> None:
    steps = [step for step, _ in scalars(Path(trained.model_run_dir))[tag]]

    assert steps[0] == first_step
    assert {after - before for before, after in pairwise(steps)} <= {9, 10, 11}
    assert 30 <= steps[-1] <= 40


def test_run_fn_writes_the_learning_rate_as_a_curve(trained: FnArgs) -> None:
    rates = {rate for _, rate in scalars(Path(trained.model_run_dir))["learning_rate"]}

    assert rates == {0.5}


def test_run_fn_shows_the_curves_while_it_trains(make_args: MakeArgs, tmp_path: Path) -> None:
    # So few points that TensorFlow by itself writes them at the end.
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
def test_run_fn_writes_an_evaluation_of_every_checkpoint(trained: FnArgs, tag: str) -> None:
    points = scalars(Path(trained.model_run_dir, "eval"))[tag]

    assert [step for step, _ in points] == [20, 40]


def test_run_fn_evaluates_the_whole_eval_split(trained: FnArgs, model: Any) -> None:
    # The Estimator's loss is the mean of the batches' means; here all examples are one batch.
    rows = make_rows(30, seed=2)
    predictions = model.signatures["serving_default"](**columns_of(rows))
    class_ids = [CLASSES.index(row[LABEL][0].decode()) for row in rows]
    losses = -np.log(predictions["probabilities"].numpy()[np.arange(30), class_ids])
    hits = predictions["class_ids"].numpy().ravel() == class_ids

    points = scalars(Path(trained.model_run_dir, "eval"))

    assert points["loss"][-1][1] == pytest.approx(losses.mean(), rel=1e-4)
    assert points["accuracy"][-1][1] == pytest.approx(hits.mean())


def test_run_fn_leaves_checkpoints_that_can_be_found(trained: FnArgs) -> None:
    assert tf.train.latest_checkpoint(trained.model_run_dir) == str(
        Path(trained.model_run_dir, "model.ckpt-40")
    )


def test_run_fn_leaves_nothing_unfinished(trained: FnArgs) -> None:
    assert os.listdir(Path(trained.model_run_dir).parent) == ["7"]


# repetition


def final_weights(args: FnArgs) -> dict[str, np.ndarray[Any, Any]]:
    reader = tf.train.load_checkpoint(args.model_run_dir)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_run_fn_gives_the_same_model_for_the_same_seed(
    trained: FnArgs, make_args: MakeArgs
) -> None:
    args = make_args()

    run_fn(args)

    expected = final_weights(trained)
    assert set(final_weights(args)) == set(expected)
    for name, value in final_weights(args).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
    for tag in ("loss", "accuracy"):
        curves = [scalars(Path(each.model_run_dir, "eval"))[tag] for each in (trained, args)]
        assert curves[0] == curves[1]


def test_run_fn_gives_another_model_for_another_seed(trained: FnArgs, make_args: MakeArgs) -> None:
    args = make_args(model={"seed": 2})

    run_fn(args)

    kernel = "dense/kernel"
    assert not np.allclose(final_weights(args)[kernel], final_weights(trained)[kernel])


# what may go wrong


def test_run_fn_fails_if_the_loss_becomes_nan(make_args: MakeArgs) -> None:
    args = make_args(model={"optimizer": "sgd", "learning_rate": 1e30})

    with pytest.raises(tf.estimator.NanLossDuringTrainingError):
        run_fn(args)

    assert not os.path.exists(args.serving_model_dir)


def test_run_fn_fails_without_examples(make_args: MakeArgs, tmp_path: Path) -> None:
    args = make_args()
    args.train_files = [str(tmp_path / "absent-*")]

    with pytest.raises(tf.errors.NotFoundError, match="absent"):
        run_fn(args)


_TRAIN = """
import json, sys
from tfx.components.trainer.fn_args_utils import FnArgs
from trainer.run import run_fn
run_fn(FnArgs(**json.loads(sys.argv[1])))
"""


def last_checkpoint_step(folder: Path) -> int:
    """Gives the step of the last checkpoint below `model_run`; 0 if there is none."""
    # No glob reads the folder of checkpoints itself, where files come and go in a training.
    for pattern in ("model_run/*/checkpoint", "model_run/*/*/checkpoint"):
        for path in folder.glob(pattern):
            latest = tf.train.latest_checkpoint(str(path.parent))
            if latest:
                return int(latest.rpartition("-")[2])
    return 0


@pytest.fixture(scope="module")
def killed_dir(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training leaves whose process was killed once there was a checkpoint on the way."""
    folder = tmp_path_factory.mktemp("killed")
    args = fn_args(data_dir, folder, LONG_SETTINGS)
    values = {key: value for key, value in vars(args).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-c", _TRAIN, json.dumps(values)],
        stderr=subprocess.PIPE,
        text=True,
    )
    while last_checkpoint_step(folder) == 0:
        if process.poll() is not None:
            pytest.fail(process.communicate()[1])
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return folder


@pytest.fixture
def killed_step(killed_dir: Path, tmp_path: Path) -> int:
    """Puts what the killed training left into `tmp_path`, and gives the step of its checkpoint."""
    shutil.copytree(killed_dir, tmp_path, dirs_exist_ok=True)
    step = last_checkpoint_step(tmp_path)
    assert 0 < step < LONG_SETTINGS["train"]["steps"]
    return step


def first_step(args: FnArgs) -> int:
    """Gives the first step after 0 in the last event file of a training.

    That of a killed process may lack its end, or all.
    """
    *_, path = sorted(Path(args.model_run_dir).glob("events.out.tfevents.*"))
    return min(event.step for event in tf.compat.v1.train.summary_iterator(str(path)) if event.step)


def test_run_fn_continues_a_killed_training_from_its_checkpoint(
    data_dir: Path, tmp_path: Path, killed_step: int
) -> None:
    args = fn_args(data_dir, tmp_path, LONG_SETTINGS)
    args.model_run_dir = str(tmp_path / "model_run" / "8")  # that of the next execution

    run_fn(args)

    assert first_step(args) == killed_step
    assert last_checkpoint_step(tmp_path) == 300
    assert os.listdir(tmp_path / "model_run") == ["8"]


@pytest.mark.usefixtures("killed_step")
@pytest.mark.parametrize(
    "change",
    [
        {"custom_config": {"settings": LONG_SETTINGS, "code_digest": "of code edited meanwhile"}},
        {"hyperparameters": {"values": {"model.learning_rate": 0.1}}},
        {"base_model": "another to begin with"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_run_fn_does_not_continue_another_training(
    data_dir: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    args = attr.evolve(fn_args(data_dir, tmp_path, LONG_SETTINGS), **change)

    run_fn(args)

    assert first_step(args) == 1


# hyperparameters


def test_run_fn_trains_with_the_hyperparameters_in_place_of_the_settings(
    make_args: MakeArgs, tmp_path: Path
) -> None:
    chosen = make_args(tmp_path / "chosen")
    chosen.hyperparameters = {
        "values": {"model.hidden_units": "[3, 5]", "model.learning_rate": 0.1, "train.steps": 20}
    }
    set_ = make_args(
        tmp_path / "set",
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
def test_run_fn_refuses_hyperparameters_that_are_no_settings(
    make_args: MakeArgs, values: dict[str, Any]
) -> None:
    args = make_args()
    args.hyperparameters = {"values": values}

    with pytest.raises(ValidationError, match=next(iter(values))):
        run_fn(args)
