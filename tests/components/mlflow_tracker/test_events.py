"""Events as lines of JSON."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from components.mlflow_tracker.events import (
    Event,
    NodeOutcome,
    Output,
    RunEnd,
    RunStart,
    read_events,
    to_line,
)

numbers = st.integers() | st.floats(allow_nan=False)
values = st.none() | st.booleans() | numbers | st.text()
outputs = st.builds(
    Output, st.integers(), st.text(), st.dictionaries(st.text(), numbers | st.text())
)
events = st.one_of(
    st.builds(
        RunStart,
        st.text(),
        st.text(),
        st.integers(),
        st.dictionaries(st.text(), values | st.lists(values)),
        st.text(),
        st.text(),
    ),
    st.builds(
        NodeOutcome,
        st.text(),
        st.sampled_from(["done", "cached", "failed", "killed"]),
        st.floats(0),
        st.integers(),
        st.none() | st.integers(),
        st.dictionaries(st.text(), st.lists(outputs)),
        st.none() | st.text(),
        st.none() | st.text(),
    ),
    st.builds(RunEnd, st.sampled_from(["FINISHED", "FAILED", "KILLED"]), st.integers()),
)


@settings(max_examples=50)
@given(st.lists(events, max_size=5))
def test_events_survive_their_lines(sent: list[Event]) -> None:
    lines = "".join(to_line(event) for event in sent).splitlines(keepends=True)

    assert list(read_events(iter(lines))) == sent


@settings(max_examples=50)
@given(events)
def test_to_line_gives_one_line_of_ascii(event: Event) -> None:
    line = to_line(event)

    assert line.isascii()
    assert line.index("\n") == len(line) - 1
    assert json.loads(line)["event"] == type(event).__name__


def test_events_carry_numbers_that_are_none() -> None:
    outcome = NodeOutcome("Trainer", "done", math.nan, 0)

    (read,) = read_events(iter([to_line(outcome)]))

    assert isinstance(read, NodeOutcome)
    assert math.isnan(read.seconds)
