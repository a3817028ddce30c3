"""Examples transformed file by file, compared with TFX's Transform."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from apache_beam.testing.util import assert_that, equal_to
from google.protobuf import text_format
from pyarrow import parquet
from tfx.components.transform import executor as stock
from tfx.components.util import examples_utils, tfxio_utils
from tfx.proto import example_gen_pb2, transform_pb2
from tfx.types import channel_utils, standard_artifacts

from components.transform import executor
from components.transform.component import Transform
from tests.helpers.example_files import (
    OWN_WORKERS,
    ROWS,
    SHARDS,
    Row,
    cut,
    make_schema,
    write_files,
)

SPLITS: dict[str, Sequence[Sequence[Row]]] = {
    "train": SHARDS,
    "eval": [ROWS[5:12]],
    "test": [ROWS[:2]],
}


def transform(
    executor_class: Any,
    folder: Path,
    *,
    damaged: bool = False,
    beam_args: Sequence[str] = (),
    function: str = "preprocessing_fn",
    splits: Mapping[str, Sequence[Sequence[Row]]] = SPLITS,
) -> Path:
    """Analyzes train, transforms train and eval, and returns the folder of the outputs."""
    folder.mkdir(exist_ok=True)
    examples = write_files(folder / "examples", splits)
    if damaged:
        cut(next((folder / "examples" / "Split-eval").iterdir()))
    (folder / "schema").mkdir()
    (folder / "schema" / "schema.pbtxt").write_text(text_format.MessageToString(make_schema()))
    schema = standard_artifacts.Schema()
    schema.uri = str(folder / "schema")
    component = Transform(
        examples=channel_utils.as_channel([examples]),
        schema=channel_utils.as_channel([schema]),
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["train", "eval"]),
        preprocessing_fn=f"tests.helpers.user_preprocessing.{function}",
        custom_config={"factor": 2.0},
        disable_analyzer_cache=True,
        disable_statistics=True,
    )
    graph, transformed = standard_artifacts.TransformGraph(), standard_artifacts.Examples()
    graph.uri, transformed.uri = str(folder / "graph"), str(folder / "transformed")
    context = executor_class.Context(list(beam_args), tmp_dir=str(folder / "temp"), unique_id="1")
    executor_class(context).Do(
        {"examples": [examples], "schema": [schema]},
        {"transform_graph": [graph], "transformed_examples": [transformed]},
        dict(component.exec_properties),
    )
    assert json.loads(transformed.split_names) == ["train", "eval"]
    if executor_class is executor.Executor:
        assert examples_utils.get_payload_format(transformed) == example_gen_pb2.FORMAT_PARQUET
        assert examples_utils.get_file_format(transformed) == "FILE_FORMAT_PARQUET"
    return folder


def read(folder: Path, split: str) -> list[list[Any]]:
    """Reads the transformed examples of a split, sorted, each as a list of names and values."""
    paths = sorted(map(str, (folder / "transformed" / f"Split-{split}").iterdir()))
    found: list[Mapping[str, Sequence[Any]]] = []
    if paths[0].endswith(".parquet"):
        found = [row for path in paths for row in parquet.read_table(path).to_pylist()]
    else:
        for serialized in tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(serialized).features.feature
            found.append(
                {
                    name: getattr(feature, feature.WhichOneof("kind") or "float_list").value
                    for name, feature in features.items()
                }
            )
    rows = [[(name, list(values)) for name, values in sorted(row.items())] for row in found]
    return sorted(rows, key=repr)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return transform(executor.Executor, tmp_path_factory.mktemp("bulk"))


def test_transform_writes_the_examples_of_tfx(bulk: Path, tmp_path: Path) -> None:
    expected = transform(stock.Executor, tmp_path)

    for split in ("train", "eval"):
        found_rows, expected_rows = read(bulk, split), read(expected, split)
        assert len(found_rows) == sum(map(len, SPLITS[split]))
        for found, row in zip(found_rows, expected_rows, strict=True):
            assert [name for name, _ in found] == [name for name, _ in row]
            for (_, values), (name, expected_values) in zip(found, row, strict=True):
                if name != "text":
                    expected_values = pytest.approx(expected_values, rel=1e-6)
                assert values == expected_values, name


def test_transform_writes_the_graph_of_tfx(bulk: Path, tmp_path: Path) -> None:
    expected = transform(stock.Executor, tmp_path)

    found_graph = tft.TFTransformOutput(str(bulk / "graph"))
    expected_graph = tft.TFTransformOutput(str(expected / "graph"))
    assert found_graph.vocabulary_by_name("words") == expected_graph.vocabulary_by_name("words")
    assert found_graph.transformed_feature_spec() == expected_graph.transformed_feature_spec()
    assert found_graph.raw_feature_spec().keys() == expected_graph.raw_feature_spec().keys()
    for name, spec in expected_graph.raw_feature_spec().items():
        found = found_graph.raw_feature_spec()[name]
        if name == "x":  # may be missing in another split than train
            assert math.isnan(found.default_value)
            found = found._replace(default_value=None)
        assert found == spec
    assert sorted(path.name for path in (bulk / "graph").iterdir()) == sorted(
        path.name for path in (expected / "graph").iterdir()
    )


def test_transform_writes_the_same_in_a_worker(bulk: Path, tmp_path: Path) -> None:
    found = transform(executor.Executor, tmp_path, beam_args=OWN_WORKERS)

    for split in ("train", "eval"):
        assert read(found, split) == read(bulk, split)


def test_transform_writes_a_file_for_each_file(bulk: Path) -> None:
    found = sorted(path.name for path in (bulk / "transformed" / "Split-train").iterdir())

    assert found == [f"transformed_examples-{index:05d}-of-00003.parquet" for index in range(3)]
    assert not (bulk / "transformed" / "Split-test").exists()


def test_transform_writes_what_tfx_reads(bulk: Path) -> None:
    schema = tft.TFTransformOutput(str(bulk / "graph")).transformed_metadata.schema
    tfxio = tfxio_utils.make_tfxio(
        str(bulk / "transformed" / "Split-eval" / "*"),
        ["tests"],
        example_gen_pb2.FORMAT_PARQUET,
        schema=schema,
        file_format="FILE_FORMAT_PARQUET",
    )
    expected = parquet.read_table(next((bulk / "transformed" / "Split-eval").iterdir()))

    with beam.Pipeline() as pipeline:
        rows = pipeline | tfxio.BeamSource() | beam.FlatMap(pa.RecordBatch.to_pylist)
        assert_that(rows, equal_to(expected.to_pylist()))
    assert tfxio.ArrowSchema().equals(expected.schema)
    (batch,) = expected.to_batches()
    tensors = tfxio.TensorAdapter().ToBatchTensors(batch)
    assert tensors["several"].shape == (len(SPLITS["eval"][0]), 2)


def test_transform_says_which_file_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(
        Exception, match=r"Split-eval/data-\S* (cannot be transformed|was cut off): "
    ):
        transform(executor.Executor, tmp_path, damaged=True)


def test_transform_takes_a_value_missing_in_eval_only(tmp_path: Path) -> None:
    without_x = {name: value for name, value in ROWS[1].items() if name != "x"}
    splits = {**SPLITS, "eval": [[ROWS[1], without_x]]}

    folder = transform(executor.Executor, tmp_path, splits=splits)

    values = [dict(row)["x"] for row in read(folder, "eval")]
    assert [math.isnan(value) for (value,) in values].count(True) == 1


def test_transform_analyzes_in_phases(tmp_path: Path) -> None:
    folder = transform(executor.Executor, tmp_path, function="analyze_in_phases")

    numbers = [dict(row)["x"][0] for row in read(folder, "train")]
    assert (min(numbers), max(numbers)) == (0, 1)
