"""Findings about data that does not fit its schema, from anomalies that TFDV found."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data_gate.findings import Finding, Rules, find_anomalies, find_distances
from tests.helpers.measured_data import Columns, make_schema, measure

COLUMNS = frozenset({"label", "x", "word", "flag", "count"})


def find(
    schema: schema_pb2.Schema,
    columns: Columns,
    *,
    is_reviewed: bool = False,
    read: frozenset[str] = COLUMNS,
    filled: Mapping[str, float] | None = None,
) -> list[Finding]:
    statistics = measure(columns)
    anomalies = tfdv.validate_statistics(statistics, schema)
    rules = Rules(is_reviewed, "label", read, filled or {})
    return list(find_anomalies("eval", anomalies, schema, statistics, rules))


def find_inferred(train: Columns, evaluated: Columns, **settings: Any) -> list[Finding]:
    return find(tfdv.infer_schema(measure(train)), evaluated, **settings)


ANTS = {"word": ["ant", "bee", "ant", "bee"]}
UNSEEN = "expected one of 'ant', 'bee'; found 'cow' (2), 'dog' (1), in 3 of 4 examples"


@pytest.mark.parametrize(("filled", "severity"), [(0.5, "warning"), (0.95, "error")])
def test_find_anomalies_warns_of_seldom_filled_columns(filled: float, severity: str) -> None:
    train = {"word": ["ant"] * 6, "size": [1.0, *[None] * 5]}
    evaluated = {"word": ["ant"] * 6, "size": [None] * 6}

    read = COLUMNS | {"size"}
    (finding,) = find_inferred(train, evaluated, read=read, filled={"size": filled})

    assert (finding.column, finding.severity) == ("size", severity)


def test_find_anomalies_of_sound_data_is_empty() -> None:
    assert find_inferred(ANTS, ANTS) == []


@pytest.mark.parametrize(
    ("is_reviewed", "read", "severity"),
    [
        (False, COLUMNS, "warning"),
        (True, COLUMNS, "error"),
        (True, frozenset({"label"}), "error"),
    ],
)
def test_find_anomalies_judges_unseen_words_by_schema(
    is_reviewed: bool, read: frozenset[str], severity: str
) -> None:
    evaluated = {"word": ["cow", "dog", "cow", "ant"]}

    found = find_inferred(ANTS, evaluated, is_reviewed=is_reviewed, read=read)

    assert found == [Finding(severity, "eval", "word", UNSEEN)]  # type: ignore[arg-type]


@pytest.mark.parametrize("labels", [["ant", "bee"], [0, 1]])
def test_find_anomalies_refuses_unseen_labels(labels: list[Any]) -> None:
    unseen = type(labels[0])(7)

    found = find_inferred({"label": labels * 2}, {"label": [*labels, unseen]})

    names = ", ".join(repr(str(label)) for label in labels)
    text = f"expected one of {names}; found '7' (1), in 1 of 3 examples"
    assert found == [Finding("error", "eval", "label", text)]


def test_find_anomalies_takes_whole_number_labels() -> None:
    labels = {"label": [0, 1, 1, 2]}

    assert find_inferred(labels, labels) == []


def test_find_anomalies_only_warns_of_rare_words() -> None:
    generator = np.random.default_rng(1)
    sizes = {"few": 30, "many": 90, "most": 5000}

    def make(rows: int) -> Columns:
        columns: dict[str, list[Any]] = {
            name: [f"w{word % size}" for word in generator.zipf(1.3, rows)]
            for name, size in sizes.items()
        }
        columns["gappy"] = [None if share < 0.002 else "a" for share in generator.random(rows)]
        columns["flag"] = ["true" if share < 0.002 else "false" for share in generator.random(rows)]
        columns["x"] = generator.normal(size=rows).tolist()
        columns["label"] = generator.integers(0, 3, rows).tolist()
        return columns

    train, evaluated = make(400), make(2000)
    found = find_inferred(train, evaluated, read=frozenset({"label", *train}))

    assert {finding.severity for finding in found} == {"warning"}
    assert {finding.column for finding in found} >= {"many", "gappy"}


def test_find_anomalies_counts_unseen_words() -> None:
    words = [f"w{index % 40}" for index in range(200)]

    (found,) = find_inferred({"word": words[:30]}, {"word": words})

    unseen = sum(Counter(words)[f"w{index}"] for index in range(30, 40))
    assert found.text.startswith("expected one of the schema's 30 words; found ")
    assert found.text.endswith(f" and 5 more, in {unseen} of 200 examples")


@pytest.mark.parametrize(("column", "severity"), [("x", "error"), ("other", "warning")])
def test_find_anomalies_refuses_empty_columns_if_used(column: str, severity: str) -> None:
    (found,) = find_inferred(
        {column: [1.0, 2.0], "word": ["a", "b"]}, {column: [None, None], "word": ["a", "b"]}
    )

    assert (found.severity, found.column) == (severity, column)


def test_find_anomalies_counts_missing_values() -> None:
    schema = make_schema(
        'feature { name: "x" type: FLOAT presence { min_fraction: 0.75 min_count: 1 } }'
    )

    found = find(schema, {"x": [1.5, None, None, 2.5]}, is_reviewed=True)

    text = (
        "expected a value in at least 0.75 of the examples; found an empty cell in 2 of 4 examples"
    )
    assert found == [Finding("error", "eval", "x", text)]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ("min: 20", "expected at least 20; found down to 0, in about 20 of 100 examples"),
        ("max: 89", "expected at most 89; found up to 99, in about 10 of 100 examples"),
        ("max: 98.9", "expected at most 98.9; found up to 99, in about 1 of 100 examples"),
    ],
)
def test_find_anomalies_counts_out_of_range_numbers(bounds: str, text: str) -> None:
    schema = make_schema(f'feature {{ name: "x" type: FLOAT float_domain {{ {bounds} }} }}')
    numbers = [float(number) for number in range(100)]

    (found,) = find(schema, {"x": numbers}, is_reviewed=True)

    assert found.text == text


def test_find_anomalies_names_wrong_types() -> None:
    schema = make_schema('feature { name: "count" type: INT presence { min_count: 1 } }')

    (found,) = find(schema, {"count": ["a", "b", "c"]})

    assert found.severity == "error"
    assert found.text == "expected INT; found BYTES in 3 of 3 examples"


def test_find_anomalies_names_unexpected_columns() -> None:
    schema = make_schema('feature { name: "x" type: FLOAT }')

    (found,) = find(schema, {"x": [1.5, 2.5], "y": [1.5, None]})

    assert found.column == "y"
    assert found.text == "expected no column of this name; found values in 1 of 2 examples"


def make_report(**changes: Any) -> dict[str, Any]:
    found = {
        "column": "x",
        "measure": "jensen_shannon",
        "distance": 0.25,
        "limit": 0.1,
        "obstacle": None,
    }
    return {
        "kind": "drift",
        "baseline": "the data of span 3",
        "distances": [{**found, **changes}],
        "examples": 2000,
    }


RULES = Rules(is_reviewed=False, label="label", columns=COLUMNS)


@pytest.mark.parametrize("changes", [{"limit": None}, {"limit": 0.25}])
def test_find_distances_within_limits_is_empty(changes: dict[str, Any]) -> None:
    assert list(find_distances(make_report(**changes), RULES)) == []


@pytest.mark.parametrize(("column", "severity"), [("x", "error"), ("site", "warning")])
def test_find_distances_refuses_columns_that_are_used(column: str, severity: str) -> None:
    (found,) = find_distances(make_report(column=column), RULES)

    assert (found.severity, found.split, found.column) == (severity, "drift", column)
    assert found.text == (
        "expected a Jensen-Shannon distance of at most 0.1 to the data of span 3; found 0.25, over"
        " 2,000 examples"
    )


def test_find_distances_explains_obstacles() -> None:
    report = make_report(
        measure=None, distance=None, obstacle="found words, but numbers in that data"
    )

    (found,) = find_distances(report, RULES)

    assert "at most 0.1 to the data of span 3; found words, but numbers in that data" in found.text
