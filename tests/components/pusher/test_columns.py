"""Raw columns of a pushed version, described by statistics and schemas from TFDV."""

from typing import Any

import numpy as np
import pytest
import tensorflow_data_validation as tfdv

from components.pusher.columns import describe_columns
from serving.models.columns import Column
from tests.helpers.measured_data import make_schema, measure
from trainer.settings.features import (
    Boolean,
    Bucketized,
    Categorical,
    Crossed,
    Datetime,
    Feature,
    Ignore,
    Numeric,
)
from trainer.settings.words import Tags, Text

MISSING = None
NUMBERS = np.array([4.3, 5.1, 7.9], np.float32).tolist()  # 4.300000190734863 and so on
MANY = [f"word-{index:04}" for index in range(1001)]


def describe(feature: Feature, values: list[Any], schema: str | None = None) -> Column:
    """Describes the column `x` by a given schema, or by the one that TFDV infers."""
    statistics = measure({"x": values})
    found = tfdv.infer_schema(statistics) if schema is None else make_schema(schema)
    columns = describe_columns({"x": feature}, found, statistics.datasets[0])
    assert list(columns) == ["x"]
    return columns["x"]


@pytest.mark.parametrize(
    ("feature", "values", "column"),
    [
        pytest.param(Numeric(), NUMBERS, Column(5.1, True, 4.3, 7.9), id="float32"),
        pytest.param(Numeric(), [1, 2, 8], Column(2, True, 1, 8), id="whole"),
        pytest.param(Numeric(), [0, 1, 1], Column(1, True, 0, 1), id="zero and one"),
        pytest.param(
            Numeric(), [-2.5, MISSING, 8.0, 0.5], Column(0.5, False, -2.5, 8), id="missing"
        ),
        pytest.param(Numeric(fill="mean"), [1.5], Column(1.5, False, 1.5, 1.5), id="mean"),
        pytest.param(Numeric(fill=0.0), [1.5], Column(1.5, False, 1.5, 1.5), id="number"),
        pytest.param(Numeric(clip=(2.0, 3.0)), [1.5], Column(1.5, True, 1.5, 1.5), id="clip"),
        pytest.param(Numeric(), [MISSING, MISSING], Column(0, False), id="only missing"),
        pytest.param(Bucketized(), [1.5, 2.5, 3.5], Column(2.5, True, 1.5, 3.5), id="bucketized"),
        pytest.param(
            Categorical(ids="identity", size=9), [0, 3, 3], Column(3, True, 0, 3), id="identity"
        ),
    ],
)
def test_describe_columns_takes_bounds_from_train(
    feature: Feature, values: list[Any], column: Column
) -> None:
    assert describe(feature, values) == column


@pytest.mark.parametrize(
    ("feature", "values", "column"),
    [
        pytest.param(
            Categorical(), ["b", "ä", "b"], Column("b", True, words=("b", "ä")), id="domain"
        ),
        pytest.param(
            Categorical(),
            ["true", "false"],
            Column("true", True, words=("false", "true")),
            id="bool",
        ),
        pytest.param(Categorical(), ["b", MISSING], Column("b", False, words=("b",)), id="empty"),
        pytest.param(
            Categorical(size=1, min_count=2, oov_buckets=3),
            ["b", "b", "a"],
            Column("b", True, words=("a", "b")),
            id="rarer than the vocabulary",
        ),
        pytest.param(
            Categorical(ids="hash", size=1), ["8", "9", "8"], Column("8", True, words=("8", "9"))
        ),
        pytest.param(
            # More than TFDV puts into an inferred schema.
            Categorical(),
            [*MANY[:1000], MANY[7]],
            Column(MANY[7], True, words=tuple(MANY[:1000])),
            id="1000",
        ),
        pytest.param(Categorical(), [*MANY, MANY[7]], Column(MANY[7], True), id="1001"),
        pytest.param(Categorical(), [b"\xff", b"\xff", "a"], Column("a", True), id="bytes"),
        pytest.param(Categorical(), ["a" * 2000, "a" * 2000, "b"], Column("b", True), id="long"),
        pytest.param(
            Datetime(),
            ["2024-05-01", "2024-05-01"],
            Column("2024-05-01", True, date_format="iso"),
            id="iso",
        ),
        pytest.param(
            Datetime(format="%b %Y"),
            ["May 2024", MISSING],
            Column("May 2024", False, date_format="%b %Y"),
            id="pattern",
        ),
        pytest.param(Tags(), ["a|b", "a", "a"], Column("a", False), id="tags"),
        pytest.param(Text(), ["Good food", "Good food"], Column("Good food", False), id="text"),
        pytest.param(
            Boolean(true_words=("ja",), false_words=("nein", "0")),
            ["jA", "nein", "jA"],
            Column("jA", True, words=("0", "JA", "Ja", "NEIN", "Nein", "ja", "jA", "nein")),
            id="boolean",
        ),
    ],
)
def test_describe_columns_takes_words_from_train(
    feature: Feature, values: list[Any], column: Column
) -> None:
    if column.words is not None:
        column = Column(column.example, column.required, words=tuple(sorted(column.words)))

    assert describe(feature, values) == column


ALWAYS = "presence { min_fraction: 1 }"


@pytest.mark.parametrize(
    ("feature", "schema", "column"),
    [
        pytest.param(
            Numeric(),
            f"feature {{ name: 'x' type: FLOAT float_domain {{ min: 0.1 max: 99 }} {ALWAYS} }}",
            Column(5.1, True, 0.1, 99),
            id="both",
        ),
        pytest.param(
            Numeric(),
            "feature { name: 'x' type: FLOAT float_domain { max: 99 } }",
            Column(5.1, False, 4.3, 99),
            id="one",
        ),
        pytest.param(
            Numeric(),
            "feature { name: 'x' type: INT int_domain { min: -3 } }",
            Column(5.1, False, -3, 7.9),
            id="whole",
        ),
        pytest.param(
            Numeric(),
            "feature { name: 'x' type: FLOAT float_domain { min: -inf max: inf } }",
            Column(5.1, False),
            id="none",
        ),
        pytest.param(
            Bucketized(),
            "feature { name: 'x' type: FLOAT shape { dim { size: 1 } } }",
            Column(5.1, True, 4.3, 7.9),
            id="shape",
        ),
        pytest.param(
            Numeric(fill="mean"),
            f"feature {{ name: 'x' type: FLOAT {ALWAYS} }}",
            Column(5.1, False, 4.3, 7.9),
            id="missing",
        ),
        pytest.param(
            Numeric(),
            "feature { name: 'y' type: FLOAT }",
            Column(5.1, False, 4.3, 7.9),
            id="absent",
        ),
    ],
)
def test_describe_columns_prefers_schema_bounds(
    feature: Feature, schema: str, column: Column
) -> None:
    assert describe(feature, NUMBERS, schema) == column


@pytest.mark.parametrize(
    "schema",
    [
        "feature { name: 'x' type: BYTES string_domain { value: 'b' value: 'a' value: 'c' } }",
        "feature { name: 'x' type: BYTES domain: 'some' }"
        " string_domain { name: 'some' value: 'b' value: 'c' value: 'a' }"
        " string_domain { name: 'others' value: 'z' }",
    ],
)
@pytest.mark.parametrize("seen", [["a", "b"], MANY])
def test_describe_columns_prefers_schema_words(schema: str, seen: list[str]) -> None:
    assert describe(Categorical(), seen, schema).words == ("a", "b", "c")


def test_describe_columns_keeps_the_feature_order() -> None:
    statistics = measure({"word": ["a"], "b": [1.5], "a": [2.5], "other": [3.5], "label": ["a"]})
    features: dict[str, Feature] = {
        "b": Bucketized(),
        "pair": Crossed(columns=("b", "word")),
        "other": Ignore(),
        "word": Categorical(),
        "a": Numeric(),
    }

    columns = describe_columns(features, tfdv.infer_schema(statistics), statistics.datasets[0])

    assert list(columns) == ["b", "word", "a"]
