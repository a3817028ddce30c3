"""Comparison of runs."""

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.commands.comparison import Comparison, Row, compare_runs, find_runs, make_tables
from pipeline.errors import RunNotFoundError
from pipeline.run.history import Run
from tests.helpers.tracked_run import (
    END,
    START_MS,
    make_check,
    make_outcome,
    make_start,
    make_summary,
)
from tests.helpers.tracked_run import write_summary as write_evaluation

# find_runs


def make_run(number: int, name: str, mlflow_run_id: str | None = None) -> Run:
    start = make_start(
        f"2024-01-0{number}T00:00:00+00:00", run_name=name, start_ms=START_MS + number
    )
    return Run(start, (), END, (), mlflow_run_id)


FIRST = make_run(1, "model.seed=1", "abc1")
SECOND = make_run(2, "model.seed=2", "abd2")
THIRD = make_run(3, "train.steps=500")
RUNS = [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("abc1", FIRST),
        ("abc", FIRST),
        ("2024-01-02T00:00:00+00:00", SECOND),
        ("2024-01-02", SECOND),
        ("model.seed=2", SECOND),
        ("latest", THIRD),
        ("latest~0", THIRD),
        ("latest~1", SECOND),
        ("latest~2", FIRST),
    ],
)
def test_find_runs_takes_id_name_or_age(name: str, run: Run) -> None:
    assert find_runs(RUNS, [name], "iris") == [run]


def test_find_runs_keeps_order_of_names() -> None:
    assert find_runs(RUNS, ["latest", "abc", "latest~1"], "iris") == [THIRD, FIRST, SECOND]


def test_find_runs_counts_runs_of_the_pipeline_only() -> None:
    start = make_start("2024-01-05T00:00:00+00:00", pipeline_name="other")
    other = Run(start, (), END, (), None)

    assert find_runs([*RUNS, other], ["latest"], "iris") == [THIRD]
    assert find_runs([*RUNS, other], ["latest", "abc"], "other") == [other, FIRST]


def test_find_runs_prefers_whole_id_to_prefix() -> None:
    longer = make_run(4, "other", "abc12")

    assert find_runs([*RUNS, longer], ["abc1"], "iris") == [FIRST]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.sed=1", "model.sed=1: no run has this id or name; did you mean 'model.seed=1'?"),
        ("latst", "latst: no run has this id or name; did you mean 'latest'?"),
        ("model.seed", "model.seed: no run has this id or name; did you mean 'model.seed="),
        ("xyz", "xyz: no run has this id or name"),
        ("latest~x", "latest~x: no run has this id or name"),
        ("latest~3", "latest~3: there are only 3 runs of 'iris'"),
        (
            "ab",
            "ab: matches several runs: 2024-01-01T00:00:00+00:00, 2024-01-02T00:00:00+00:00",
        ),
    ],
)
def test_find_runs_explains_wrong_name(name: str, message: str) -> None:
    with pytest.raises(RunNotFoundError) as caught:
        find_runs(RUNS, ["latest", name], "iris")

    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_find_runs_refuses_ambiguous_name() -> None:
    twin = make_run(4, FIRST.start.run_name)

    with pytest.raises(RunNotFoundError, match=r"matches several runs: 2024-01-01.*, 2024-01-04"):
        find_runs([*RUNS, twin], ["model.seed=1"], "iris")


def test_find_runs_finds_none_without_runs() -> None:
    with pytest.raises(RunNotFoundError, match="there are only 0 runs"):
        find_runs([], ["latest"], "iris")


# compare


def make_evaluated(
    folder: Path,
    name: str,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, Any] | None = None,
    origin: Mapping[str, str] | None = None,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Makes a run with an evaluation of these metrics, if any."""
    outcomes = []
    if metrics is not None:
        checks = [make_check("accuracy", "min", 0.9, 0.5, False, -0.4)]
        summary = make_summary(checks, metrics, baseline={"accuracy": 0.5})
        del summary["slices"][1:]
        write_evaluation(folder / name, summary)
        evaluated = {"evaluation": {}, **(outputs or {})}
        outcomes.append(make_outcome("Evaluator", folder=folder / name, outputs=evaluated))
    start = make_start(name, run_name=name, params=params or {}, provenance=origin or {})
    return Run(start, tuple(outcomes), END, (), None)


def compared(folder: Path, *metrics: Mapping[str, float] | None) -> dict[str, Row]:
    """Compares the metrics of runs, and returns the rows by name."""
    runs = [make_evaluated(folder, str(index), found) for index, found in enumerate(metrics)]
    return {row.name: row for row in compare_runs(runs).metrics}


def test_compare_shows_differing_settings(tmp_path: Path) -> None:
    first = {"train.steps": 200, "model.seed": 1, "model.hidden_units": [10]}
    second = {"train.steps": 500, "model.seed": 1, "model.hidden_units": [10], "data.schema": "s"}
    settings = (("a", {**first, "paths.root": "x"}), ("b", {**second, "paths.root": "y"}))

    comparison = compare_runs(
        [make_evaluated(tmp_path, name, params=params) for name, params in settings]
    )

    assert comparison.runs == ("a", "b")
    assert comparison.settings == (
        Row("train.steps", (200, 500)),
        Row("data.schema", (None, "s")),
    )
    assert (comparison.origin, comparison.metrics) == ((), ())


def test_compare_shows_differing_data_and_code(tmp_path: Path) -> None:
    first = {"code.digest": "a" * 64, "git.commit": "c" * 40, "git.dirty": "false"}
    second = {**first, "code.digest": "b" * 64, "git.dirty": "true", "mlflow.user": "other"}

    comparison = compare_runs(
        [make_evaluated(tmp_path, name, origin=o) for name, o in (("a", first), ("b", second))]
    )

    assert comparison.origin == (
        Row("code", ("a" * 12, "b" * 12)),
        Row("git: uncommitted changes", ("false", "true")),
    )


def test_compare_shows_how_each_run_was_judged(tmp_path: Path) -> None:
    judged = {
        "blessing": {"blessed": 0},
        "pushed_model": {"pushed": 0},
    }
    runs = [
        make_evaluated(tmp_path, "a", {"accuracy": 0.5}, outputs=judged),
        make_evaluated(tmp_path, "b"),
    ]

    assert compare_runs(runs).outcome == (
        Row("status", ("FINISHED", "FINISHED")),
        Row("blessed", ("false", None)),
        Row("thresholds.missed", ("accuracy 0.5, min 0.9", None)),
        Row("pushed_version", ("none", None)),
    )


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("accuracy", (0.5, 0.75, 0.7), {1}),
        ("cross_entropy", (0.5, 0.25, 0.75), {1}),
        ("rmse", (0.5, 0.25, 0.75), {1}),
        ("r2", (-0.5, 0.25), {1}),
        ("mean_label", (0.5, 0.25), set()),
        ("recall/ant", (0.5, 0.75), {1}),
        ("precision/ant", (1.0, 0.75), {0}),
        ("accuracy", (0.5, 0.75, 0.75), {1, 2}),
        ("accuracy", (0.5, 0.5), set()),
        ("example_count", (51.0, 52.0), set()),
    ],
    ids=[
        "greatest",
        "least",
        "error",
        "share",
        "mean",
        "class",
        "class 2",
        "ties",
        "all alike",
        "neither",
    ],
)
def test_compare_marks_the_best(
    tmp_path: Path, metric: str, values: Sequence[float], best: set[int]
) -> None:
    rows = compared(tmp_path, *({metric: value} for value in values))

    assert rows[metric] == Row(metric, tuple(values), frozenset(best))


def test_compare_marks_best_of_runs_with_metric(tmp_path: Path) -> None:
    rows = compared(tmp_path, {"accuracy": 0.5}, None, {"accuracy": 0.75, "recall/ant": 1.0})

    assert rows["accuracy"] == Row("accuracy", (0.5, None, 0.75), frozenset({2}))
    assert rows["recall/ant"] == Row("recall/ant", (None, None, 1.0))


def test_compare_leaves_out_other_metrics(tmp_path: Path) -> None:
    rows = compared(tmp_path, {"accuracy": 0.5}, {"accuracy": 0.75})

    assert list(rows) == ["accuracy"]  # no baseline, threshold, margin, or seconds of a node


def test_compare_shows_own_metrics_of_slice(tmp_path: Path) -> None:
    run = make_evaluated(tmp_path, "a", {"accuracy": 0.5})
    summary = make_summary(baseline={"accuracy": 0.5})
    summary["slices"][1] |= {"slice": {"kind": "train"}, "baseline": {"accuracy": 0.75}}
    write_evaluation(tmp_path / "a", summary)

    slices = [row.name for row in compare_runs([run]).metrics if row.name.startswith("slice/")]

    assert slices == ["slice/kind:train/accuracy"]


# to_json, tables


def make_comparison(folder: Path) -> Comparison:
    return compare_runs(
        [
            make_evaluated(folder, "[b]a[/b]", {"accuracy": 0.51234}, params={"train.steps": 200}),
            make_evaluated(folder, "b", {"accuracy": 0.75}, params={"train.steps": 500}),
        ]
    )


def test_comparison_is_plain_json(tmp_path: Path) -> None:
    found = json.loads(json.dumps(make_comparison(tmp_path).to_json()))

    assert list(found) == ["runs", "settings", "origin", "outcome", "metrics"]
    assert found["runs"] == ["[b]a[/b]", "b"]
    assert found["settings"] == {"train.steps": {"values": [200, 500], "best": []}}
    assert found["metrics"] == {"accuracy": {"values": [0.51234, 0.75], "best": [1]}}


def test_tables_show_parts_with_rows(tmp_path: Path) -> None:
    stream = StringIO()
    for table in make_tables(make_comparison(tmp_path)):
        Console(file=stream, width=100).print(table)

    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert ["train.steps", "200", "500"] in lines
    assert ["accuracy", "0.5123", "0.75", "*"] in lines
    titles = {"settings", "origin", "outcome", "metrics"}
    assert [line[0] for line in lines if line[0] in titles] == ["settings", "outcome", "metrics"]


def test_tables_show_any_name(tmp_path: Path) -> None:
    stream = StringIO()
    for table in make_tables(make_comparison(tmp_path)):
        Console(file=stream, width=100).print(table)

    assert stream.getvalue().splitlines()[0].split() == ["settings", "[b]a[/b]", "b"]
