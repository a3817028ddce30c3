"""The Evaluator as TFX runs it: real SavedModels over real examples, judged by TFMA.

The models give back probabilities that stand in the examples, so that every metric can be counted
by hand.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import text_format
from tensorflow_transform.tf_metadata import schema_utils
from tfx.types import Artifact, channel_utils, standard_artifacts

from components.evaluator import metrics, scores
from components.evaluator.component import Evaluator
from components.evaluator.executor import Executor
from components.evaluator.summary import read_summary

# TFMA's confusion matrix takes class ids as arrays of one element.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Conversion of an array with ndim > 0 to a scalar:DeprecationWarning"
)

CLASSES = ["ant", "bee", "cow"]
# Label, class that each model predicts, how sure they are, legs. `poor` never predicts cow; `good`
# does so once, and is less than half sure.
ROWS = [
    ("ant", {"good": 0, "poor": 0}, 0.8, 1),
    ("ant", {"good": 0, "poor": 1}, 0.8, 2),
    ("ant", {"good": 1, "poor": 1}, 0.8, 1),
    ("bee", {"good": 1, "poor": 1}, 0.8, 1),
    ("bee", {"good": 1, "poor": 0}, 0.8, 2),
    ("bee", {"good": 0, "poor": 0}, 0.8, 1),
    ("cow", {"good": 2, "poor": 0}, 0.4, 1),
    ("cow", {"good": 1, "poor": 1}, 0.8, 1),
]
GOOD_ACCURACY, POOR_ACCURACY = 5 / 8, 2 / 8
SPEC = {
    "animal": tf.io.FixedLenFeature([], tf.string),
    "legs": tf.io.FixedLenFeature([], tf.int64),
    "good": tf.io.FixedLenFeature([3], tf.float32),
    "poor": tf.io.FixedLenFeature([3], tf.float32),
}


class GivesBack(tf.Module):
    """A model whose probabilities are a column of the examples."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self._column = column

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def predict(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": tf.io.parse_example(examples, SPEC)[self._column]}


def write_model(folder: Path, column: str, classes: Sequence[str]) -> Artifact:
    module, model_dir = GivesBack(column), folder / "Format-Serving"
    tf.saved_model.save(module, str(model_dir), {"examples": module.predict})
    (model_dir / "assets.extra").mkdir()
    (model_dir / "assets.extra" / "classes").write_text("".join(f"{name}\n" for name in classes))
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def write_examples(folder: Path) -> Artifact:
    (folder / "Split-eval").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "Split-eval" / "data.gz"), "GZIP") as writer:
        for label, predicted, sureness, legs in ROWS:
            features = {
                "animal": tf.train.Feature(bytes_list=tf.train.BytesList(value=[label.encode()])),
                "legs": tf.train.Feature(int64_list=tf.train.Int64List(value=[legs])),
            }
            for column, class_id in predicted.items():
                values = np.where(np.arange(3) == class_id, sureness, (1 - sureness) / 2)
                features[column] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(folder), '["eval"]'
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    return examples


def write_schema(folder: Path) -> Artifact:
    folder.mkdir()
    text = text_format.MessageToString(schema_utils.schema_from_feature_spec(SPEC))
    (folder / "schema.pbtxt").write_text(text)
    schema = standard_artifacts.Schema()
    schema.uri = str(folder)
    return schema


def make_eval_config(**thresholds: Mapping[str, Any]) -> tfma.EvalConfig:
    """Makes an evaluation as `pipeline.evaluation` does, with `MetricThreshold`s as dicts."""

    def metric(class_name: str, name: str, **options: Any) -> tfma.MetricConfig:
        config = tfma.MetricConfig(
            class_name=class_name,
            module=next(
                (module.__name__ for module in (metrics, scores) if hasattr(module, class_name)), ""
            ),
            config=json.dumps({"name": name, **options}),
        )
        if name in thresholds:
            config.per_slice_thresholds.add(
                slicing_specs=[tfma.SlicingSpec()], threshold=thresholds[name]
            )
        return config

    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                model_type=tfma.constants.TF_GENERIC,
                signature_name="examples",
                prediction_key="probabilities",
                label_key="animal",
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["legs"])],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    metric("SparseCategoricalAccuracy", "accuracy"),
                    metric("SparseCategoricalCrossentropy", "cross_entropy"),
                    metric("ExampleCount", "example_count"),
                    metric(
                        "MultiClassConfusionMatrixAtThresholds",
                        "confusion_matrix",
                        thresholds=[0.0],
                    ),
                    metric("Curves", "curves"),
                ]
            ),
            tfma.MetricsSpec(
                metrics=[
                    metric("ClassPrecision", "precision"),
                    metric("ClassRecall", "recall"),
                    metric("ClassAuc", "auc"),
                ]
            ),
        ],
    )


@dataclass(frozen=True)
class Evaluation:
    """What came of an evaluation: the summary, and TFMA's verdict."""

    summary: Mapping[str, Any]
    is_blessed: bool

    def checks(self, metric: str) -> list[dict[str, Any]]:
        return [check for check in self.summary["checks"] if check["metric"] == metric]


def evaluate(
    folder: Path, model: Artifact, baseline: Artifact, eval_config: tfma.EvalConfig
) -> Evaluation:
    inputs = {
        "examples": write_examples(folder / "examples"),
        "model": model,
        "baseline_model": baseline,
        "schema": write_schema(folder / "schema"),
    }
    channels = {key: channel_utils.as_channel([artifact]) for key, artifact in inputs.items()}
    component = Evaluator(**channels, eval_config=eval_config)
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    context = Executor.Context(tmp_dir=str(folder / "temp"), unique_id="1")
    Executor(context).Do(
        {key: [artifact] for key, artifact in inputs.items()},
        {"evaluation": [evaluation], "blessing": [blessing]},
        dict(component.exec_properties),
    )
    is_blessed = blessing.get_int_custom_property("blessed") == 1
    return Evaluation(read_summary(evaluation.uri), is_blessed)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The good model, compared with one of other classes; it meets each bound exactly."""
    folder = tmp_path_factory.mktemp("first")
    model = write_model(folder / "model", "good", CLASSES)
    baseline = write_model(folder / "baseline", "poor", ["ant", "bee", "dog"])
    eval_config = make_eval_config(
        accuracy={
            "value_threshold": {
                "lower_bound": {"value": GOOD_ACCURACY},
                "upper_bound": {"value": GOOD_ACCURACY},
            },
            "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": {"value": 1}},
        },
    )
    return evaluate(folder, model, baseline, eval_config)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The poor model, compared with the good one."""
    folder = tmp_path_factory.mktemp("second")
    model = write_model(folder / "model", "poor", CLASSES)
    baseline = write_model(folder / "baseline", "good", CLASSES)
    eval_config = make_eval_config(
        accuracy={
            "change_threshold": {
                "direction": "HIGHER_IS_BETTER",
                "absolute": {"value": POOR_ACCURACY - GOOD_ACCURACY},
            }
        },
        cross_entropy={
            "change_threshold": {"direction": "LOWER_IS_BETTER", "absolute": {"value": 0.1}}
        },
        precision={"value_threshold": {"lower_bound": {"value": 0}}},
    )
    return evaluate(folder, model, baseline, eval_config)


# one model


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", GOOD_ACCURACY),
        # Four rows right and sure, one right at 0.4, three that give the true class 0.1.
        ("cross_entropy", -(4 * math.log(0.8) + math.log(0.4) + 3 * math.log(0.1)) / 8),
        ("example_count", 8),
        ("precision/ant", 2 / 3),  # of rows 1, 2, 6
        ("recall/ant", 2 / 3),  # of rows 1, 2, 3
        ("precision/bee", 2 / 4),  # of rows 3, 4, 5, 8
        ("recall/bee", 2 / 3),  # of rows 4, 5, 6
        ("precision/cow", 1 / 1),  # of row 7, at 0.4 the highest
        ("recall/cow", 1 / 2),  # of rows 7, 8
        # Of 15 pairs: rows 1 and 2 at 0.8 win 4 and tie row 6; row 3 at 0.1 ties three.
        ("auc/ant", (2 * 4.5 + 1.5) / 15),
        ("auc/cow", (6 + 6 / 2) / 12),  # row 7 at 0.4 wins six, row 8 at 0.1 ties six
    ],
)
def test_evaluator_measures_the_whole_split(
    first: Evaluation, metric: str, expected: float
) -> None:
    overall = first.summary["slices"][0]

    assert overall["slice"] == {}
    assert overall["metrics"][metric] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("index", "legs", "accuracy"), [(1, 1, 3 / 6), (2, 2, 2 / 2)])
def test_evaluator_measures_slices(
    first: Evaluation, index: int, legs: int, accuracy: float
) -> None:
    found = first.summary["slices"][index]

    assert found["slice"] == {"legs": legs}
    assert found["metrics"]["accuracy"] == pytest.approx(accuracy)


def test_evaluator_leaves_out_what_is_undefined_in_a_slice(first: Evaluation) -> None:
    metrics = first.summary["slices"][2]["metrics"]

    # No cow has two legs; row 2 is an ant, row 5 is none.
    assert not {"recall/cow", "auc/cow"} & metrics.keys()
    assert metrics["auc/ant"] == pytest.approx(1)


def test_evaluator_counts_true_classes_by_predicted_ones(first: Evaluation) -> None:
    assert first.summary["confusion_matrix"] == [[2, 1, 0], [1, 2, 0], [0, 1, 1]]


def test_evaluator_draws_the_curves_of_each_class(first: Evaluation) -> None:
    curves = first.summary["curves"]

    assert list(curves) == CLASSES
    # At 0.8 rows 1, 2 and 6; at 0.3 row 7; at 0.1 rows 3, 4, 5 and 8.
    assert np.array(curves["ant"]["roc"]) == pytest.approx(
        np.array([[0, 0], [1 / 5, 2 / 3], [2 / 5, 2 / 3], [1, 1]])
    )
    assert curves["ant"]["auc"] == first.summary["slices"][0]["metrics"]["auc/ant"]
    assert np.array(curves["ant"]["calibration"]) == pytest.approx(
        np.array([[0.1, 1 / 4, 4], [0.3, 0, 1], [0.8, 2 / 3, 3]])
    )


def test_evaluator_names_the_classes(first: Evaluation) -> None:
    assert first.summary["classes"] == CLASSES


def test_evaluator_blesses_a_model_that_meets_its_bounds_exactly(first: Evaluation) -> None:
    assert first.is_blessed
    assert [(check["bound"], check["holds"]) for check in first.summary["checks"]] == [
        ("min", True),
        ("max", True),
    ]


def test_evaluator_compares_with_no_model_of_other_classes(first: Evaluation) -> None:
    assert [found["baseline"] for found in first.summary["slices"]] == [None] * 3


# two models


def test_evaluator_measures_the_baseline_too(second: Evaluation) -> None:
    overall = second.summary["slices"][0]

    assert overall["metrics"]["accuracy"] == pytest.approx(POOR_ACCURACY)
    assert overall["baseline"]["accuracy"] == pytest.approx(GOOD_ACCURACY)


def test_evaluator_lets_a_change_to_its_bound_pass(second: Evaluation) -> None:
    (check,) = second.checks("accuracy")

    assert (check["bound"], check["holds"]) == ("change", True)
    assert check["value"] == pytest.approx(POOR_ACCURACY - GOOD_ACCURACY)


def test_evaluator_refuses_a_change_beyond_its_bound(second: Evaluation) -> None:
    # Three rows change from right to wrong: two from 0.8 to 0.1, one from 0.4 to 0.3.
    (check,) = second.checks("cross_entropy")

    assert (check["bound"], check["holds"]) == ("change", False)
    assert check["value"] == pytest.approx((2 * math.log(8) + math.log(4 / 3)) / 8, rel=1e-5)
    assert check["margin"] == pytest.approx(0.1 - check["value"])


def test_evaluator_refuses_a_bound_of_an_undefined_metric(second: Evaluation) -> None:
    (check,) = second.checks("precision/cow")

    assert math.isnan(check["value"])
    assert not check["holds"]
    assert check["margin"] is None


def test_evaluator_does_not_bless_a_model_that_misses_a_bound(second: Evaluation) -> None:
    assert not second.is_blessed
