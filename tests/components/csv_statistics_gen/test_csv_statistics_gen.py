"""Statistics of CSV files are those that TFX computes of examples."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components.csv_statistics_gen.component import CsvStatisticsGen
from components.csv_statistics_gen.executor import Executor
from tabular.csv.checked_files import ChangedFileError, CheckedFiles, digest_file
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches
from tabular.csv.types import ColumnType, widen_types
from tests.helpers.measured_data import read_statistics, write_statistics

Feature = statistics_pb2.FeatureNameStatistics


RFC_4180 = Dialect()


def check_types(paths: list[Path], dialect: Dialect = RFC_4180) -> CheckedFiles:
    """Checks files like `check_data` checks `validation.skew`: types are not decided."""
    types: dict[str, ColumnType] = {}
    for path in paths:
        for batch in read_batches(path, dialect):
            types |= widen_types(types, batch, dialect.decimal)
    return CheckedFiles(0, types, {str(path): digest_file(str(path)) for path in paths})


def make_component(
    paths: list[Path], folder: Path, dialect: Dialect = RFC_4180
) -> CsvStatisticsGen:
    statistics = write_statistics(
        folder, train={"x": [0.5], "word": ["1"], "count": [1], "label": ["a"]}
    )
    return CsvStatisticsGen(
        list(map(str, paths)),
        dialect,
        check_types(paths, dialect),
        "label",
        channel_utils.as_channel([statistics]),
        tfdv.StatsOptions(),
    )


def generate(tmp_path: Path, *contents: str, dialect: Dialect = RFC_4180) -> dict[str, Feature]:
    paths = [tmp_path / f"{index}.csv" for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    component = make_component(paths, tmp_path / "statistics", dialect)
    execute(component, tmp_path)
    found = read_statistics(tmp_path / "made" / "Split-all" / "FeatureStats.pb").datasets[0]
    return {feature.path.step[0]: feature for feature in found.features}


def execute(component: CsvStatisticsGen, tmp_path: Path) -> None:
    made = standard_artifacts.ExampleStatistics()
    made.uri = str(tmp_path / "made")
    inputs = {key: list(channel.get()) for key, channel in component.inputs.items()}
    context = Executor.Context(tmp_dir=str(tmp_path / "temp"), unique_id="1")
    Executor(context).Do(inputs, {"baseline_statistics": [made]}, dict(component.exec_properties))
    assert artifact_utils.decode_split_names(made.split_names) == ["all"]


def test_measures_all_files(tmp_path: Path) -> None:
    found = generate(tmp_path, "x,word\n1.5,a\n,b\n", "x,word\n2.5,a\n")

    assert found["x"].num_stats.mean == pytest.approx(2)
    assert found["x"].num_stats.common_stats.tot_num_values == 2
    words = found["word"].string_stats.rank_histogram.buckets
    assert {bucket.label: bucket.sample_count for bucket in words} == {"a": 2, "b": 1}


def test_types_columns_like_the_data(tmp_path: Path) -> None:
    found = generate(tmp_path, "x,word,count,new\n1,2,3.5,4\n2,3,4.5,5\n")

    types = {name: feature.type for name, feature in found.items()}
    assert types == {
        "x": Feature.FLOAT,
        "word": Feature.STRING,
        "count": Feature.FLOAT,
        "new": Feature.INT,
    }


def test_reads_numbers_with_leading_zeros_like_the_data(tmp_path: Path) -> None:
    found = generate(tmp_path, "x,word,count,new\n01,01,01,01\n1.5,2,3,4\n")

    types = {name: feature.type for name, feature in found.items()}
    assert types == {
        "x": Feature.FLOAT,
        "word": Feature.STRING,
        "count": Feature.FLOAT,
        "new": Feature.STRING,
    }


def test_reads_labels_without_blanks_like_the_data(tmp_path: Path) -> None:
    found = generate(tmp_path, "x,label,word\n1,a , a\n2, a,\n3, ,\n4,b,\n")

    buckets = found["label"].string_stats.rank_histogram.buckets
    assert {bucket.label: bucket.sample_count for bucket in buckets} == {"a": 2, "b": 1}
    (word,) = found["word"].string_stats.rank_histogram.buckets
    assert word.label == " a"


def test_reads_other_cells_of_numbers_as_words(tmp_path: Path) -> None:
    assert generate(tmp_path, "x\n1.5\nmany\n")["x"].HasField("string_stats")


def test_is_keyed_by_content(tmp_path: Path) -> None:
    def key(folder: str, content: str) -> list[str]:
        path = tmp_path / folder / "rows.csv"
        path.parent.mkdir()
        path.write_text(content)
        component = make_component([path], tmp_path / folder / "statistics")
        checked = CheckedFiles.from_json(component.exec_properties["checked"])
        return list(checked.digests.values())

    assert key("a", "x\n1\n") == key("b", "x\n1\n") != key("c", "x\n2\n")


def test_refuses_a_changed_file(tmp_path: Path) -> None:
    text = Path(tmp_path, "rows.csv")
    text.write_text("x\n1\n")
    component = make_component([text], tmp_path / "statistics")
    text.write_text("x\n2\n")

    with pytest.raises(ChangedFileError, match="has changed since the run began"):
        execute(component, tmp_path)


def test_rounds_numbers_to_float32_like_examples(tmp_path: Path) -> None:
    assert generate(tmp_path, "x\n0.1\n")["x"].num_stats.max == float(np.float32(0.1))


def test_reads_the_dialect_of_the_data(tmp_path: Path) -> None:
    dialect = Dialect(separator=";", decimal=",", null_values=("NA",))

    found = generate(tmp_path, "x;word\n0,5;a\n1,5;NA\n", dialect=dialect)

    assert (found["x"].num_stats.min, found["x"].num_stats.max) == (0.5, 1.5)
    assert found["word"].string_stats.common_stats.num_non_missing == 1


def test_reads_whole_numbers_with_a_point(tmp_path: Path) -> None:
    found = generate(tmp_path, "count,new\n1.0,2.0\n3.0,4.0\n")

    assert (found["count"].type, found["new"].type) == (Feature.INT, Feature.FLOAT)
    assert (found["count"].num_stats.max, found["new"].num_stats.max) == (3, 4)
