"""Events as lines of JSON."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.events import (
    Event,
    NodeOutcome,
    NodeStart,
    Output,
    Promotion,
    RunEnd,
    RunStart,
    Samples,
    read_events,
    to_line,
)

numbers = st.integers() | st.floats(allow_nan=False)
values = st.none() | st.booleans() | numbers | st.text()
outputs = st.builds(
    Output, st.integers(), st.text(), st.dictionaries(st.text(), numbers | st.text())
)
KINDS = {
    RunStart: st.builds(
        RunStart,
        pipeline_run_id=st.text(),
        pipeline_name=st.text(),
        experiment=st.text(),
        run_name=st.text(),
        start_ms=st.integers(),
        params=st.dictionaries(st.text(), values | st.lists(values)),
        config_yaml=st.text(),
        provenance=st.dictionaries(st.text(), st.text()),
        data_path=st.text(),
        label=st.text(),
        push_dir=st.text(),
        primary_metric=st.text(),
        greater_is_better=st.booleans(),
    ),
    NodeStart: st.builds(NodeStart, st.text(), st.integers(), st.none() | st.text()),
    NodeOutcome: st.builds(
        NodeOutcome,
        node_id=st.text(),
        state=st.sampled_from(["done", "cached", "failed", "killed"]),
        seconds=st.none() | st.floats(0),
        end_ms=st.integers(),
        execution_id=st.none() | st.integers(),
        outputs=st.dictionaries(st.text(), st.lists(outputs)),
        computed_by=st.none() | st.text(),
        error=st.none() | st.text(),
        unfinished_dir=st.none() | st.text(),
    ),
    Samples: st.builds(Samples, st.integers(), st.dictionaries(st.text(), st.floats(0))),
    RunEnd: st.builds(
        RunEnd, st.sampled_from(["FINISHED", "FAILED", "KILLED"]), st.none() | st.integers()
    ),
    Promotion: st.builds(Promotion, st.text(), st.text()),
}
events = st.one_of(*KINDS.values())


@settings(max_examples=20, deadline=None)
@given(st.tuples(*KINDS.values()).flatmap(st.permutations))
def test_events_survive_their_lines(sent: list[Event]) -> None:
    lines = "".join(to_line(event) for event in sent).splitlines(keepends=True)

    assert list(read_events(iter(lines))) == sent


@given(KINDS[RunStart])
def test_read_events_reads_starts_of_version_0_1(start: RunStart) -> None:
    values = json.loads(to_line(start))
    values["origin"] = values.pop("provenance")

    assert list(read_events([json.dumps(values)])) == [start]


@settings(max_examples=50, deadline=None)
@given(events)
def test_to_line_is_one_line_of_ascii(event: Event) -> None:
    line = to_line(event)

    assert line.isascii()
    assert line.index("\n") == len(line) - 1
    assert json.loads(line)["event"] == type(event).__name__


def test_events_carry_nan() -> None:
    outcome = NodeOutcome("Trainer", "done", math.nan, 0)

    (read,) = read_events(iter([to_line(outcome)]))

    assert isinstance(read, NodeOutcome)
    assert read.seconds is not None
    assert math.isnan(read.seconds)
