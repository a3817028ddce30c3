"""What is shown during a run."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.run.node_result import NodeResult, NodeState
from pipeline.run.progress import LiveView, PlainView
from pipeline.run.report import Report

LOG_PATH = Path("/state/logs/run.log")
REPORT = Report(
    pipeline_run_id="run-1",
    mlflow_run_id=None,
    nodes=(),
    evaluation={
        "slices": [{"slice": {}, "metrics": {"accuracy": 0.5}, "baseline": None}],
        "checks": [],
    },
    blessed=True,
    pushed_version="17",
    pushed_path="/serving/17",
)


@pytest.fixture
def stream() -> StringIO:
    return StringIO()


@pytest.fixture
def plain(stream: StringIO) -> PlainView:
    return PlainView(Console(file=stream, width=20), LOG_PATH)


def result(node_id: str, state: NodeState, seconds: float) -> NodeResult:
    return NodeResult(node_id, state, seconds, 1000)


# PlainView


def test_plain_view_prints_a_line_per_event(plain: PlainView, stream: StringIO) -> None:
    with plain:
        plain.run_started("run-1", ["A", "B"])
        plain.node_started("A")
        plain.node_finished(result("A", "done", 1.26))
        plain.node_started("B")
        plain.node_finished(result("B", "failed", 61.0))
        plain.run_finished()

    assert stream.getvalue().splitlines() == [
        "run run-1",
        "A: running",
        "A: done in 1.3 s",
        "B: running",
        "B: failed in 61.0 s",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "a sentence that is longer than the console is wide",
        "[bold]no markup[/bold] [/x]",
        "/a/path with 3 numbers and 'quotes'",
        ":smile:",
    ],
)
def test_plain_view_prints_text_unchanged(
    plain: PlainView, stream: StringIO, sentence: str
) -> None:
    plain.say(sentence)

    assert stream.getvalue() == f"{sentence}\n"


def test_plain_view_prints_the_report(stream: StringIO) -> None:
    PlainView(Console(file=stream, width=80), LOG_PATH).show(REPORT)

    lines = stream.getvalue().splitlines()
    assert lines[0].split() == ["metric", "value", "previous", "thresholds"]
    assert lines[1].split() == ["accuracy", "0.5"]
    assert lines[2:] == [
        "blessed: every threshold holds",
        "pushed: version 17 at /serving/17",
        "log: /state/logs/run.log",
    ]


def test_plain_view_is_silent_on_a_quiet_console(stream: StringIO) -> None:
    view = PlainView(Console(file=stream, quiet=True), LOG_PATH)

    with view:
        view.run_started("run-1", ["A"])
        view.show(REPORT)

    assert stream.getvalue() == ""


# LiveView


def render(view: LiveView) -> list[list[str]]:
    """Renders the table of nodes without colors: words of each line."""
    stream = StringIO()
    Console(file=stream, width=80).print(view._render())
    return [line.split() for line in stream.getvalue().splitlines()]


@pytest.fixture
def live(stream: StringIO) -> LiveView:
    return LiveView(Console(file=stream, width=80, force_terminal=True), LOG_PATH)


def test_live_view_shows_loading_before_the_run(live: LiveView) -> None:
    assert render(live) == [["loading", "TensorFlow", "and", "TFX"]]


def test_live_view_shows_every_state(live: LiveView) -> None:
    states: list[NodeState] = ["cached", "done", "failed", "killed"]
    live.run_started("run-1", [*states, "now", "later"])
    for state in states:
        live.node_started(state)
        live.node_finished(result(state, state, 1.26))
    live.node_started("now")

    *ended, now, later = render(live)

    assert ended == [[state, state, "1.3", "s"] for state in states]
    assert now == ["now", "running", "0.0", "s"]
    assert later == ["later", "waiting"]


def test_live_view_keeps_its_table_above_later_text(live: LiveView, stream: StringIO) -> None:
    with live:
        live.run_started("run-1", ["A"])
        live.node_started("A")
        live.node_finished(result("A", "done", 1.26))
        live.run_finished()
        live.say("the end")

    text = stream.getvalue()
    assert text.count("the end") == 1
    assert text.rindex("1.3 s") < text.index("the end")


def test_live_view_stops_after_an_error(live: LiveView) -> None:
    with pytest.raises(ValueError, match="x"), live:
        raise ValueError("x")

    assert not live._live.is_started
