"""Training steps per second with this `input_fn`, tensors in memory, and Keras, in turns."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.benchmarks.measurements import Row
from tests.benchmarks.results import ResultsFolder
from tests.helpers.e2e_workspace import Workspace
from tests.helpers.transformed_files import write_transformed
from tracking.projection.event_files import CurveReader
from trainer.settings.train import TrainerSettings
from trainer.training import training
from trainer.training.estimator import make_estimator
from trainer.training.input_fn import next_element

pytestmark = [
    pytest.mark.benchmark,
    # The guide's layers, which are deprecated but part of TensorFlow 2.15.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the layers' seeds with randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

ROUNDS = 5
STEPS = 5000
WARM_UP_STEPS = 200
BATCH_SIZE = 100
WIDTHS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABEL = "species"
SETTINGS = TrainerSettings.model_validate(
    {
        "label": LABEL,
        "features": {name: {"kind": "numeric"} for name in WIDTHS},
        "train": {"steps": STEPS, "eval_every_steps": STEPS},  # the defaults for all others
    }
)
OTHERS = {  # name, and ratios: must, aim
    "memory": ("same model_fn, tensors in memory", 0.9, 1.0),
    "keras": ("Keras fit", 2.5, 5.0),
}

Columns = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Data:
    """Transformed examples, in files and in memory."""

    transform_dir: str
    train_file: str
    eval_file: str
    columns: Columns


@pytest.fixture(scope="module")
def transform_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Transform in a run of the Iris pipeline."""
    workspace = Workspace(tmp_path_factory.mktemp("iris") / "artifacts")
    workspace.run("--set", "mlflow.enabled=false")
    return workspace.root / "pipeline_root" / "iris" / "Transform"


@pytest.fixture(params=[150, 1_000_000], ids="{} rows".format)
def data(request: pytest.FixtureRequest, transform_dir: Path, tmp_path: Path) -> Data:
    """Transformed examples, two thirds of which are the train split."""
    (graph,) = (transform_dir / "transform_graph").iterdir()
    (eval_file,) = (transform_dir / "transformed_examples").glob("*/Split-eval/*")
    source, n_examples = np.random.default_rng(1), request.param * 2 // 3
    values = source.normal(size=(n_examples, len(WIDTHS))).astype(np.float32)
    columns = {name: values[:, [index]] for index, name in enumerate(WIDTHS)}
    columns[LABEL] = source.integers(3, size=(n_examples, 1))
    path = tmp_path / "train.parquet"
    write_transformed(path, tft.TFTransformOutput(str(graph)).transformed_feature_spec(), columns)
    return Data(str(graph), str(path), str(eval_file), columns)


def estimator_rate(data: Data, model_dir: Path) -> float:
    """Trains like the Trainer; returns the rate between the first and the last but one point.

    The last point is written after the evaluation of its step, so it would include that.
    """
    transform_output = tft.TFTransformOutput(data.transform_dir)
    estimator = make_estimator(SETTINGS, transform_output, str(model_dir))
    fn_args = FnArgs(train_files=[data.train_file], eval_files=[data.eval_file])
    training.train(estimator, SETTINGS, transform_output, fn_args)
    points = [point for point in CurveReader().read(model_dir) if point.key == "train/loss"]
    first = next(point for point in points if point.step >= WARM_UP_STEPS)
    last = points[-2]
    return 1000 * (last.step - first.step) / (last.timestamp_ms - first.timestamp_ms)


def memory_rate(data: Data, model_dir: Path) -> float:
    """Measures the same training with tensors in memory."""

    def from_memory(*args: Any, shuffle_seed: int, **options: Any) -> Any:
        features = {name: data.columns[name] for name in WIDTHS}
        dataset = tf.data.Dataset.from_tensor_slices((features, data.columns[LABEL][:, 0]))
        return next_element(dataset.shuffle(10_000, seed=shuffle_seed).repeat().batch(BATCH_SIZE))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "next_batch", from_memory)
        return estimator_rate(data, model_dir)


def keras_rate(data: Data, _: Path) -> float:
    """Fits the same network to the same arrays, with the default settings of `fit`.

    There is no progress bar, and the first epoch, which traces the graph, does not count.
    """
    values = np.concatenate([data.columns[name] for name in WIDTHS], axis=1)
    values, labels = (array[: STEPS * BATCH_SIZE] for array in (values, data.columns[LABEL]))
    layers = [tf.keras.layers.Dense(units, "relu") for units in SETTINGS.model.hidden_units]
    model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(3)])
    model.compile(
        tf.keras.optimizers.Adagrad(SETTINGS.model.learning_rate),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    few = slice(0, 10 * BATCH_SIZE)
    model.fit(values[few], labels[few], batch_size=BATCH_SIZE, verbose=0)
    steps_per_epoch = -(-len(values) // BATCH_SIZE)
    epochs = min(STEPS // steps_per_epoch, 1000)
    start = time.perf_counter()
    model.fit(values, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    return epochs * steps_per_epoch / (time.perf_counter() - start)


@pytest.mark.timeout(1800)
def test_training_is_faster_than_keras(data: Data, tmp_path: Path, results: ResultsFolder) -> None:
    programs = [("ours", estimator_rate), ("memory", memory_rate), ("keras", keras_rate)]
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS):
        turn = number % len(programs)
        rates = {
            name: rate(data, tmp_path / f"{name}-{number}")
            for name, rate in (*programs[turn:], *programs[:turn])
        }
        rounds.append(rates)
        print(", ".join(f"{name} {rates[name]:.0f} steps/s" for name, _ in programs), flush=True)
    results.keep(
        *(
            Row(
                name=f"Training on {len(data.columns[LABEL]):,} examples",
                unit="examples/s",
                ours=[rates["ours"] * BATCH_SIZE for rates in rounds],
                other=other,
                theirs=[rates[name] * BATCH_SIZE for rates in rounds],
                bound="at least",
                must=must,
                aim=aim,
            )
            for name, (other, must, aim) in OTHERS.items()
        )
    )
