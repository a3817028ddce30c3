"""Records runs as a runner does: nodes in MLMD, artifacts on disk, events in the history."""

from collections.abc import Iterator
from pathlib import Path

from tfx.types import Artifact, standard_artifacts

from pipeline.run.history import History
from pipeline.run.mlmd import read_execution
from tests.helpers.mlmd_recorder import Recorder, make_artifact
from tests.helpers.tracked_run import (
    END,
    START_MS,
    append_points,
    events_path,
    make_check,
    make_summary,
    write_anomalies,
    write_schema,
    write_statistics,
    write_summary,
)
from tracking.events import Event, NodeOutcome, RunStart


def finish(recorder: Recorder, node_id: str, execution_id: int, end_ms: int) -> NodeOutcome:
    """Makes the outcome that the runner tracks for an execution."""
    execution = read_execution(recorder.handle.store, execution_id)
    return NodeOutcome(
        node_id,
        "cached" if execution.is_cached else "done",
        1.5,
        end_ms,
        execution_id,
        execution.outputs,
        execution.computed_by,
    )


def make_artifacts(folder: Path) -> Iterator[tuple[str, dict[str, list[Artifact]]]]:
    """Writes small artifacts, and yields them node by node."""
    uri = {key: str(folder / key) for key in ("statistics", "schema", "anomalies", "model_run")}
    write_statistics(folder / "statistics", train=99, eval=51)
    write_schema(folder / "schema")
    write_anomalies(folder / "anomalies", train=[], eval=["width"])
    append_points(events_path(folder / "model_run"), [("loss", 1.5, 1, START_MS + 1)])
    append_points(
        events_path(folder / "model_run" / "eval"),
        [("accuracy", 0.75, 1, START_MS + 2), ("accuracy", 0.5, 2, START_MS + 3)],
    )
    checks = [make_check("accuracy", "min", 0.25, 0.5, True, 0.25)]
    write_summary(folder / "evaluation", make_summary(checks, baseline={"accuracy": 0.75}))
    types = standard_artifacts
    yield (
        "CsvExampleGen",
        {"examples": [make_artifact(types.Examples, "/examples", input_fingerprint="ab12")]},
    )
    yield (
        "StatisticsGen",
        {"statistics": [make_artifact(types.ExampleStatistics, uri["statistics"])]},
    )
    yield "SchemaGen", {"schema": [make_artifact(types.Schema, uri["schema"])]}
    yield (
        "ExampleValidator",
        {"anomalies": [make_artifact(types.ExampleAnomalies, uri["anomalies"])]},
    )
    yield "Trainer", {"model_run": [make_artifact(types.ModelRun, uri["model_run"])]}
    yield (
        "Evaluator",
        {
            "evaluation": [make_artifact(types.ModelEvaluation, str(folder / "evaluation"))],
            "blessing": [make_artifact(types.ModelBlessing, "/blessing", blessed=1)],
        },
    )
    yield (
        "Pusher",
        {
            "pushed_model": [
                make_artifact(
                    types.PushedModel,
                    "/pushed",
                    pushed=1,
                    pushed_version="17",
                    pushed_destination="/nowhere/serving/17",
                )
            ]
        },
    )


def record_run(
    history: History, recorder: Recorder, start: RunStart, folder: Path | None
) -> list[Event]:
    """Records a run.

    Args:
        history: Where its events are recorded.
        recorder: Records its nodes in the same MLMD.
        start: How it begins.
        folder: Where its artifacts are written; None takes all nodes from the previous run.

    Returns:
        The events that the runner sends to the tracker, except for the node starts.
    """
    history.start(start)
    outcomes = []
    if folder is not None:
        nodes = {
            node_id: recorder.run(node_id, start.pipeline_run_id, **outputs)
            for node_id, outputs in make_artifacts(folder)
        }
    else:
        nodes = {
            node_id: recorder.run_from_cache(
                node_id, start.pipeline_run_id, **recorder.outputs_before(node_id)
            )
            for node_id in ("CsvExampleGen", "StatisticsGen", "SchemaGen", "Trainer", "Evaluator")
        }
    for index, (node_id, execution_id) in enumerate(nodes.items()):
        outcome = finish(recorder, node_id, execution_id, start.start_ms + 100 + index)
        history.add(start.pipeline_run_id, outcome)
        outcomes.append(outcome)
    history.end(start.pipeline_run_id, END)
    return [start, *outcomes, END]
