"""The properties that CsvExampleGen passes to TFX."""

from typing import Any

from google.protobuf import json_format
from tfx.proto import example_gen_pb2, range_config_pb2

from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.options import Options
from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import Budget
from tests.helpers.checked_csv import make_options
from tests.helpers.csv_examples import BUCKETS, SETTINGS

OPTIONS = make_options([], SETTINGS, Dialect(";", null_values=("NA",)), Budget(3, 0.5))


def properties(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return dict(CsvExampleGen("data", *args, options=OPTIONS, **kwargs).exec_properties)


def test_component_splits_one_pattern_by_a_hash() -> None:
    found = properties("*.csv", BUCKETS, split_by="customer")

    output = json_format.Parse(found["output_config"], example_gen_pb2.Output())
    assert {split.name: split.hash_buckets for split in output.split_config.splits} == BUCKETS
    assert output.split_config.partition_feature_name == "customer"


def test_component_keeps_given_splits() -> None:
    found = properties({"train": "a.csv", "eval": "b.csv"})

    given = json_format.Parse(found["input_config"], example_gen_pb2.Input())
    assert {split.name: split.pattern for split in given.splits} == {
        "train": "a.csv",
        "eval": "b.csv",
    }
    output = json_format.Parse(found["output_config"], example_gen_pb2.Output())
    assert not output.split_config.splits


def test_component_takes_a_given_span_or_the_newest() -> None:
    found = properties("{SPAN}.csv", BUCKETS, span=7)

    spans = json_format.Parse(found["range_config"], range_config_pb2.RangeConfig()).static_range
    assert (spans.start_span_number, spans.end_span_number) == (7, 7)
    assert not properties("{SPAN}.csv", BUCKETS).get("range_config")


def test_component_passes_options_unchanged() -> None:
    assert Options.from_properties(properties("*.csv", BUCKETS)) == OPTIONS
