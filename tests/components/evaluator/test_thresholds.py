"""Thresholds as an execution property."""

from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.thresholds import Bounds, thresholds_from_json, thresholds_to_json

bounds = st.builds(Bounds, *[st.none() | st.floats(allow_nan=False, allow_infinity=False)] * 4)


@given(st.dictionaries(st.text(), bounds))
def test_thresholds_survive_json(thresholds: dict[str, Bounds]) -> None:
    found = thresholds_from_json(thresholds_to_json(thresholds))

    assert found == thresholds
    assert list(found) == list(thresholds)
