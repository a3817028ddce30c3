"""A small run: its events, and artifacts on disk like those of the nodes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from tracking.events import NodeOutcome, NodeState, Output, RunEnd, RunStart

START_MS = 1_700_000_000_000
END_MS = START_MS + 9_000
END = RunEnd("FINISHED", END_MS)

Point = tuple[str, float, int, int]
"""Tag, value, step, and time in milliseconds since the epoch."""


def make_start(pipeline_run_id: str = "run-1", **changes: Any) -> RunStart:
    """Makes the start of a run; changes replace fields."""
    values: dict[str, Any] = {
        "pipeline_run_id": pipeline_run_id,
        "pipeline_name": "iris",
        "experiment": "iris",
        "run_name": "a run",
        "start_ms": START_MS,
        "params": {"train.steps": 200, "model.hidden_units": [10, 10], "push.directory": None},
        "config_yaml": "name: iris\n# größer\n",
        "provenance": {"code.digest": "ab12", "mlflow.source.type": "PIPELINE"},
        "data_path": "/data/iris.csv",
        "label": "species",
        "push_dir": "/nowhere/serving",
        "primary_metric": "accuracy",
        "greater_is_better": True,
    }
    return RunStart(**{**values, **changes})


def make_outcome(
    node_id: str = "Node",
    state: NodeState = "done",
    *,
    folder: Path | str = "/nowhere",
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    end_ms: int = END_MS,
    **changes: Any,
) -> NodeOutcome:
    """Makes the end of a node; every output is one artifact in `folder` with these properties."""
    given = {
        key: [Output(5 + index, str(folder), properties)]
        for index, (key, properties) in enumerate((outputs or {}).items())
    }
    values: dict[str, Any] = {"seconds": 1.5, "execution_id": 3, "outputs": given}
    return NodeOutcome(node_id, state, end_ms=end_ms, **{**values, **changes})


def append_points(path: Path, points: Iterable[Point]) -> None:
    """Appends points to an event file like an Estimator, one record for each value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        writer = RecordWriter(file)
        for tag, number, step, time_ms in points:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=number)])
            event = Event(wall_time=time_ms / 1000, step=step, summary=summary)
            writer.write(event.SerializeToString())


def events_path(folder: Path) -> Path:
    """Names the event file of a training."""
    return folder / "events.out.tfevents.1700000000.host"


def write_split(folder: Path, split: str, name: str, content: bytes) -> None:
    (folder / f"Split-{split}").mkdir(parents=True)
    (folder / f"Split-{split}" / name).write_bytes(content)


def make_statistics(rows: int) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Makes the statistics of a split with one number and one word in each row."""
    text = f"""
        datasets {{
          num_examples: {rows}
          features {{
            path {{ step: "width" }} type: FLOAT
            num_stats {{
              common_stats {{ num_non_missing: {rows} min_num_values: 1 max_num_values: 1 }}
              mean: 2 std_dev: 1 min: 1 max: 3 median: 2
            }}
          }}
          features {{
            path {{ step: "species" }} type: STRING
            string_stats {{
              common_stats {{ num_non_missing: {rows} min_num_values: 1 max_num_values: 1 }}
              unique: 1
              top_values {{ value: "ant" frequency: {rows} }}
              rank_histogram {{ buckets {{ label: "ant" sample_count: {rows} }} }}
            }}
          }}
        }}
    """
    return text_format.Parse(text, statistics_pb2.DatasetFeatureStatisticsList())


def write_statistics(folder: Path, **rows: int) -> None:
    """Writes the statistics of each split like StatisticsGen."""
    for split, count in rows.items():
        content = make_statistics(count).SerializeToString()
        write_split(folder, split, "FeatureStats.pb", content)


def make_schema() -> schema_pb2.Schema:
    """Makes a schema with a feature of each type, one of them optional."""
    text = """
        feature { name: "width" type: FLOAT presence { min_fraction: 1 min_count: 1 } }
        feature { name: "legs" type: INT presence { min_fraction: 1 min_count: 1 } }
        feature { name: "species" type: BYTES presence { min_count: 1 } }
    """
    return text_format.Parse(text, schema_pb2.Schema())


def write_schema(folder: Path) -> None:
    """Writes the schema like SchemaGen."""
    folder.mkdir(parents=True)
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(make_schema()))


def write_anomalies(folder: Path, **features: Sequence[str]) -> None:
    """Writes anomalies like ExampleValidator: split to features with an anomaly."""
    for split, names in features.items():
        anomalies = anomalies_pb2.Anomalies()
        for name in names:
            anomalies.anomaly_info[name].description = "odd"
        write_split(folder, split, "SchemaDiff.pb", anomalies.SerializeToString())


def make_check(
    metric: str,
    bound: str,
    limit: float,
    value: float,
    holds: bool,
    margin: float | None = None,
    skipped: str | None = None,
) -> dict[str, Any]:
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": value,
        "holds": holds,
        "margin": margin,
        "skipped": skipped,
    }


def make_summary(
    checks: Sequence[Mapping[str, Any]] = (),
    metrics: Mapping[str, float] | None = None,
    baseline: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Makes the summary of an evaluation with two classes and one slice."""
    return {
        "task": "multiclass",
        "classes": ["ant", "b*e"],
        "slices": [
            {
                "slice": {},
                "metrics": metrics or {"accuracy": 0.5, "recall/b*e": 0.25},
                "baseline": baseline,
            },
            {"slice": {"legs": 6, "color": "red"}, "metrics": {"accuracy": 1.0}, "baseline": None},
        ],
        "confusion_matrix": [[1, 0], [0, 1]],
        "curves": {
            word: {
                "roc": [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
                "auc": 1.0,
                "calibration": [[0.05, 0.0, 1], [0.95, 1.0, 1]],
            }
            for word in ("ant", "b*e")
        },
        "checks": list(checks),
    }


def make_regression_summary() -> dict[str, Any]:
    """Makes the summary of an evaluation of a regression."""
    histogram = {"widths": [1.0, 0.5], "cells": [[1, 2, 3.0], [4, 0, 1.0]]}
    return {
        "task": "regression",
        "slices": [{"slice": {}, "metrics": {"rmse": 0.5, "r2": 0.75}, "baseline": None}],
        "histograms": {"actual_predicted": histogram, "predicted_residual": histogram},
        "checks": [make_check("rmse", "max", 1.0, 0.5, True, 0.5)],
    }


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Writes a summary like the Evaluator."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary))


def write_trial(folder: Path, number: int, points: Iterable[Point] = (), **changes: Any) -> Path:
    """Writes a trial like the Tuner, and returns the folder of the trial."""
    values = {
        "number": number,
        "params": {"model.learning_rate": number / 10},
        "state": "running",
        "start_ms": START_MS + number,
        "end_ms": None,
        "objective": "accuracy",
        "objective_is": "max",
        "score": None,
        "step": None,
        "error": None,
    }
    trial_dir = folder / "trials" / str(number)
    trial_dir.mkdir(parents=True, exist_ok=True)
    (trial_dir / "trial.json").write_text(json.dumps({**values, **changes}))
    append_points(events_path(trial_dir / "eval"), points)
    return trial_dir
