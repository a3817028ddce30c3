"""The rules that features, label and weight make for their columns."""

import re
from typing import Any

import pyarrow as pa
import pytest

from pipeline.data.column_rules import make_column_rules
from tabular.csv.column_rules import LabelRule, NumberRule
from tabular.csv.types import ColumnType
from trainer.settings.train import TrainerSettings

CELLS: list[tuple[Any, list[str | None], list[str | None]]] = [
    # feature, cells that fit, cells that do not
    (
        "numeric",
        ["1", "-.5", "3.4e38", "+1", "\u22121"],
        [None, "x", "nan", "inf", "3.5e38", "1,5", "+-1", "+"],
    ),
    ({"kind": "numeric", "fill": "mean"}, ["1", None], ["x", "nan"]),
    ({"kind": "numeric", "fill": 0.0}, ["1", None], ["x"]),
    ({"kind": "numeric", "scale": "log1p"}, ["0", "7"], ["-0.1", None]),
    ({"kind": "numeric", "scale": "log1p", "clip": [0.0, 9.0]}, ["-3", "99"], [None, "x"]),
    ({"kind": "numeric", "scale": "log1p", "clip": [-1.0, 9.0]}, ["0"], ["-3"]),
    ("bucketized", ["1", None], ["x", "inf"]),
    ("categorical", ["any word", "1", None], []),
    ({"kind": "categorical", "ids": "hash", "size": 9}, ["any word", None], []),
    (
        {"kind": "categorical", "ids": "identity", "size": 3},
        ["0", "2", "1.0", None],
        ["3", "-1", "1.5", "x", "nan"],
    ),
    ("boolean", ["true", "NO", "1", "0.0", None], ["yep", "2", " 1", "true\n"]),
    (
        {"kind": "boolean", "true_words": ["JÄ"], "false_words": ["a.b"]},
        ["jä", "A.B"],
        ["axb", "yes"],
    ),
    (
        "datetime",
        ["2024-02-29", "2024-05-01T13:45:00Z", "2024-05-01 13:45+02:00", None],
        ["2023-02-29", "2024-13-01", "01.05.2024", "2024-05-01T24:00", "x", "0000-01-01"],
    ),
    (
        {"kind": "datetime", "format": "unix"},
        ["0", "-1.5", "1.7e9", None],
        ["x", "1e18", "nan", "2024-05-01"],
    ),
    (
        {"kind": "datetime", "format": "%d.%m.%Y %H"},
        ["31.12.1999 23", "1.2.2000 0", None],
        ["31.11.1999 0", "1.1.2000", "1.1.2000 24", "1.1.99 0"],
    ),
    ("tags", ["red|blue", "red:x", "|", "Größe", "a\nb", None], []),
    (
        {"kind": "tags", "weight_separator": ":"},
        ["red:2|blue : .5", "red", "a:b:1e3 | c", "", "|", "a\nb:1", None],
        ["red:2|blue:x", "red:", ":2", "a:-1", "a:1e39", "a:nan|b:1", "http://x"],
    ),
    (
        {"kind": "tags", "separator": " ", "weight_separator": "=>"},
        ["a=>1 b=>2", "a=b"],
        ["a=>1 b=>", "a=>b"],
    ),
    ("text", ["any text", "5", None], []),
]


@pytest.mark.parametrize(("feature", "good", "bad"), CELLS)
def test_rule_finds_cells_that_do_not_fit(
    feature: Any, good: list[str | None], bad: list[str | None]
) -> None:
    settings = TrainerSettings.model_validate({"label": "y", "features": {"x": feature}})
    rule = make_column_rules(settings, ".").cells.get("x")

    if rule is None:
        assert not bad
        return
    column = pa.array([*good, *bad, *good], pa.string())
    expected = [False] * len(good) + [True] * len(bad) + [False] * len(good)
    assert rule.find_wrong(column).tolist() == expected
    assert rule.find_wrong(column.slice(len(good))).tolist() == expected[len(good) :]
    for text in bad:
        assert re.search("expected|: correct", rule.explain(text))


@pytest.mark.parametrize(
    ("feature", "same", "is_same"),
    [
        ("numeric", {"kind": "numeric", "scale": "min_max", "missing_indicator": True}, True),
        ("numeric", {"kind": "numeric", "fill": 0.0}, False),
        ("numeric", {"kind": "numeric", "scale": "log1p"}, False),
        ("bucketized", {"kind": "bucketized", "buckets": 3}, True),
        ("categorical", {"kind": "categorical", "encode": "embedding"}, True),
        ("categorical", "bucketized", False),
        ("datetime", {"kind": "datetime", "parts": ["year"]}, True),
        ("categorical", "text", True),
        ("tags", {"kind": "tags", "separator": ","}, True),
        ("tags", {"kind": "tags", "weight_separator": ":"}, False),
        ("datetime", {"kind": "datetime", "format": "unix"}, False),
    ],
)
def test_rules_change_only_with_cells_and_types(feature: Any, same: Any, is_same: bool) -> None:
    # Else CsvExampleGen and the nodes after it would run again for the same output.
    first, second = (
        make_column_rules(
            TrainerSettings.model_validate({"label": "y", "features": {"x": kind}}), "."
        ).to_json()
        for kind in (feature, same)
    )

    assert (first == second) == is_same


def test_weight_is_a_number_from_0() -> None:
    settings = TrainerSettings.model_validate({"label": "y", "weight": "w", "features": {}})

    rules = make_column_rules(settings, ".")

    assert rules.cells == {"w": NumberRule(".", name="weight", least=0), "y": LabelRule()}
    assert (rules.types, rules.label) == ({"w": ColumnType.FLOAT}, "y")


def test_label_of_a_regression_is_a_number() -> None:
    settings = TrainerSettings.model_validate({"label": "y", "task": "regression", "features": {}})

    rules = make_column_rules(settings, ",")

    assert rules.cells == {"y": NumberRule(",", name="label")}
    assert rules.types == {"y": ColumnType.FLOAT}
