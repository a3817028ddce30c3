"""Runs the Evaluator as TFX does: real SavedModels on real examples, evaluated by TFMA.

The outputs of the models are columns of the examples, so that every metric can be counted by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow_transform.tf_metadata import schema_utils
from tfx.types import Artifact, channel_utils, standard_artifacts

from components.evaluator.component import Evaluator
from components.evaluator.executor import Executor
from components.evaluator.summary import read_summary
from pipeline.graph.eval_config import make_eval_config, make_thresholds
from pipeline.settings.config import Config
from tabular.examples.columns import write_columns

Row = Mapping[str, Any]
Spec = Mapping[str, tf.io.FixedLenFeature]


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation: the summary, and whether the model is blessed."""

    summary: Mapping[str, Any]
    is_blessed: bool

    @property
    def metrics(self) -> dict[str, float]:
        return dict(self.summary["slices"][0]["metrics"])

    def checks(self, metric: str) -> list[dict[str, Any]]:
        return [check for check in self.summary["checks"] if check["metric"] == metric]


class GivesBack(tf.Module):
    """A model whose outputs are columns of the examples."""

    def __init__(self, spec: Spec, outputs: Mapping[str, str]) -> None:
        super().__init__()
        self._spec, self._outputs = dict(spec), dict(outputs)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def predict(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = tf.io.parse_example(examples, self._spec)
        return {name: columns[column] for name, column in self._outputs.items()}


def write_model(
    folder: Path, spec: Spec, outputs: Mapping[str, str], classes: Sequence[str] | None = None
) -> Artifact:
    """Writes a model with the given columns as outputs: output name to column."""
    module, model_dir = GivesBack(spec, outputs), folder / "Format-Serving"
    tf.saved_model.save(module, str(model_dir), {"examples": module.predict})
    if classes is not None:
        (model_dir / "assets.extra").mkdir()
        words = "".join(f"{name}\n" for name in classes)
        (model_dir / "assets.extra" / "classes").write_text(words)
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def to_feature(value: Any) -> tf.train.Feature:
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], str):
        words = [word.encode() for word in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=words))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def write_examples(folder: Path, splits: Mapping[str, Sequence[Row]]) -> Artifact:
    for split, rows in splits.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}" / "data.gz"), "GZIP") as writer:
            for row in rows:
                feature = {name: to_feature(value) for name, value in row.items()}
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = "[" + ", ".join(f'"{split}"' for split in splits) + "]"
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    return examples


def write_schema(folder: Path, spec: Spec) -> Artifact:
    folder.mkdir()
    text = text_format.MessageToString(schema_utils.schema_from_feature_spec(dict(spec)))
    (folder / "schema.pbtxt").write_text(text)
    schema = standard_artifacts.Schema()
    schema.uri = str(folder)
    return schema


def make_config(
    task: str,
    label: str,
    thresholds: Mapping[str, Any],
    slices: Sequence[str] = (),
    **data: Any,
) -> Config:
    return Config.model_validate(
        {
            "name": "zoo",
            "task": task,
            "data": {"path": "zoo.csv", "label": label, **data},
            "features": {"legs": "numeric"},
            "evaluation": {"thresholds": thresholds, "slices": list(slices)},
        }
    )


def evaluate(
    folder: Path,
    config: Config,
    spec: Spec,
    splits: Mapping[str, Sequence[Row]],
    model: Artifact,
    baseline: Artifact | None = None,
) -> Evaluation:
    inputs = {
        "examples": [write_examples(folder / "examples", splits)],
        "model": [model],
        "baseline_model": [] if baseline is None else [baseline],
        "schema": [write_schema(folder / "schema", spec)],
    }
    write_columns(
        str(folder / "examples"), {name: column.dtype.name for name, column in spec.items()}
    )
    channels = {
        key: channel_utils.as_channel(artifacts or [standard_artifacts.Model()])
        for key, artifacts in inputs.items()
    }
    component = Evaluator(
        **channels,
        eval_config=make_eval_config(config),
        task=config.task,
        thresholds=make_thresholds(config),
        split=config.data.judged_split,
    )
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    context = Executor.Context(tmp_dir=str(folder / "temp"), unique_id="1")
    Executor(context).Do(
        inputs,
        {"evaluation": [evaluation], "blessing": [blessing]},
        dict(component.exec_properties),
    )
    is_blessed = blessing.get_int_custom_property("blessed") == 1
    assert [path.name for path in (folder / "blessing").iterdir()] == [
        "BLESSED" if is_blessed else "NOT_BLESSED"
    ]
    return Evaluation(read_summary(evaluation.uri), is_blessed)
