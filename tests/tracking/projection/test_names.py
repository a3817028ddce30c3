"""Names that are valid in MLflow."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric, _validate_param

from tracking.projection.names import entity_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", "accuracy"),
        ("slice/legs:6 color:red/accuracy", "slice/legs:6 color:red/accuracy"),
        ("recall/größe", "recall/größe"),
        ("recall/C++ (new)", "recall/C__ _new_"),
        ("recall/a\nb\t", "recall/a_b_"),
        ("recall/..", "recall/_"),
        ("recall/.", "recall/_"),
        ("recall/a//b/", "recall/a/_/b/_"),
        ("recall/", "recall/_"),
        ("recall/.a..b.", "recall/.a..b."),
        ("x" * 250, "x" * 250),
    ],
)
def test_entity_name_replaces_what_mlflow_refuses(name: str, expected: str) -> None:
    assert entity_name(name) == expected


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
