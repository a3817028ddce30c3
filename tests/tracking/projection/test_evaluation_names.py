"""Names of slices in MLflow."""

from itertools import combinations
from typing import Any

import pytest

from tracking.projection.evaluation import slice_name


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"Width (cm)": 5, "city": "Köln"}, "Width (cm):5 city:Köln"),
        ({"opens at": "10:30"}, "opens at:10:30"),
        ({"a:b": "c"}, '"a:b":c'),
        ({"a": "1 b:2"}, 'a:"1 b:2"'),
    ],
)
def test_slice_name_has_quotes_only_where_needed(values: dict[str, Any], name: str) -> None:
    assert slice_name(values) == name


def test_slice_names_differ() -> None:
    slices = [{"a": "b:c"}, {"a:b": "c"}, {"a": "1 b:2"}, {"a": "1", "b": "2"}, {"a:1 b": "2"}]

    assert all(slice_name(one) != slice_name(other) for one, other in combinations(slices, 2))
