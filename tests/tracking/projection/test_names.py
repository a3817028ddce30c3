"""Names that are valid in MLflow."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric, _validate_param

from tracking.projection.names import entity_name, param_names
from trainer.settings.column_names import unescape


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", "accuracy"),
        ("slice/legs:6 color:red/accuracy", "slice/legs:6 color:red/accuracy"),
        ("recall/größe", "recall/größe"),
        ("recall/C++ (new)", "recall/C.x2b..x2b. .x28.new.x29."),
        ("recall/a\nb\t", "recall/a.xa.b.x9."),
        ("recall/..", "recall/.x2e..x2e."),
        ("recall/.", "recall/.x2e."),
        ("recall/a//b/", "recall/a.x2f./b.x2f."),
        ("recall/", "recall.x2f."),
        ("recall/.a..b.", "recall/.a..b."),
        ('features."sepal.length"', "features..x22.sepal.length.x22."),
        ("drift/価格 %", "drift/価格 .x25."),
        ("x" * 250, "x" * 250),
    ],
)
def test_entity_name_replaces_what_mlflow_refuses(name: str, expected: str) -> None:
    assert entity_name(name) == expected


@given(st.text(st.sampled_from("a./x2f:% "), max_size=9))
def test_entity_name_can_be_reversed(name: str) -> None:
    assert unescape(entity_name(name)) == name


def test_param_names_have_quotes_only_to_differ() -> None:
    keys = ["train.steps", 'features."a.b"', 'features."x.fill"', "features.x.fill"]

    assert list(param_names(keys).values()) == [
        "train.steps",
        "features.a.b",
        "features..x22.x.fill.x22.",
        "features.x.fill",
    ]


def test_entity_name_keeps_long_names_apart() -> None:
    assert entity_name("x" * 300 + "/recall") != entity_name("x" * 300 + "/precision")


@given(st.text())
@example("../x")
@example("x" * 300)
@example("/" * 300)
def test_entity_name_is_valid_in_mlflow(word: str) -> None:
    name = entity_name(f"slice/{word}:{word}/recall/{word}")

    _validate_metric(name, 1.0, 0, 0)
    _validate_param(name, "")
