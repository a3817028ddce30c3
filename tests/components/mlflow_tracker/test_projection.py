"""What MLflow is to hold of a node, read from artifacts on disk."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric, _validate_param
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.mlflow_tracker.events import NodeOutcome, Output
from components.mlflow_tracker.projection import Metric, entity_name, project, read_scalars

END_MS = 1_700_000_000_123


def outcome_of(folder: Path | str, key: str, **properties: Any) -> NodeOutcome:
    """Makes the outcome of a node that gave one artifact out."""
    outputs = {key: [Output(5, str(folder), properties)]}
    return NodeOutcome("Node", "done", 1.5, END_MS, execution_id=3, outputs=outputs)


# any node


def test_project_gives_the_seconds_of_a_node() -> None:
    projection = project(NodeOutcome("Trainer", "done", 1.5, END_MS))

    assert projection.metrics == [Metric("seconds/Trainer", 1.5, 0, END_MS)]
    assert (projection.tags, projection.files) == ({}, {})


def test_project_gives_the_error_of_a_failed_node() -> None:
    projection = project(NodeOutcome("Trainer", "failed", 1.5, END_MS, error="ValueError: x"))

    assert projection.tags == {"failed_node": "Trainer", "error": "ValueError: x"}


def test_project_leaves_alone_what_it_does_not_know(tmp_path: Path) -> None:
    projection = project(outcome_of(tmp_path / "absent", "transform_graph"))

    assert [metric.key for metric in projection.metrics] == ["seconds/Node"]


@pytest.mark.parametrize(
    ("key", "properties", "tags"),
    [
        ("examples", {"input_fingerprint": "ab12"}, {"data.fingerprint": "ab12"}),
        ("examples", {}, {}),
        ("blessing", {"blessed": 1}, {"blessed": "true"}),
        ("blessing", {"blessed": 0}, {"blessed": "false"}),
        ("blessing", {}, {"blessed": "false"}),
        (
            "pushed_model",
            {"pushed": 1, "pushed_version": "17", "pushed_destination": "/serving/17"},
            {"pushed_version": "17", "pushed_path": "/serving/17"},
        ),
        ("pushed_model", {"pushed": 0}, {"pushed_version": "none"}),
    ],
)
def test_project_gives_tags_of_properties(
    key: str, properties: Mapping[str, Any], tags: Mapping[str, str]
) -> None:
    assert project(outcome_of("/nowhere", key, **properties)).tags == tags


# statistics


def test_project_counts_the_rows_of_every_split(tmp_path: Path) -> None:
    for split, count in (("train", 99), ("eval", 51)):
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        statistics.datasets.add(num_examples=count)
        (tmp_path / f"Split-{split}").mkdir()
        path = tmp_path / f"Split-{split}" / "FeatureStats.pb"
        path.write_bytes(statistics.SerializeToString())

    metrics = project(outcome_of(tmp_path, "statistics")).metrics

    assert metrics[1:] == [
        Metric("rows/eval", 51.0, 0, END_MS),
        Metric("rows/train", 99.0, 0, END_MS),
    ]


# training curves

Point = tuple[str, float, int, float]
POINTS: Sequence[Point] = [
    ("loss", 1.5, 1, 1000.25),
    ("accuracy", 0.25, 1, 1000.25),
    ("global_step/sec", 80.0, 11, 1001.5),
    ("loss", 0.5, 11, 1001.5),
]


def write_events(folder: Path, points: Sequence[Point]) -> Path:
    """Writes points as an Estimator does: by TensorFlow's summary writer, a value at a time."""
    with tf.Graph().as_default(), tf.compat.v1.summary.FileWriter(str(folder)) as writer:
        writer.add_graph(tf.compat.v1.get_default_graph())
        for tag, number, step, seconds in points:
            value = tf.compat.v1.Summary.Value(tag=tag, simple_value=number)
            summary = tf.compat.v1.Summary(value=[value])
            writer.add_event(tf.compat.v1.Event(wall_time=seconds, step=step, summary=summary))
    (path,) = folder.glob("events.out.tfevents.*")
    return path


def test_read_scalars_gives_the_points_in_order(tmp_path: Path) -> None:
    path = write_events(tmp_path, POINTS)

    assert list(read_scalars(path, "train")) == [
        Metric("train/loss", 1.5, 1, 1_000_250),
        Metric("train/accuracy", 0.25, 1, 1_000_250),
        Metric("train/global_step/sec", 80.0, 11, 1_001_500),
        Metric("train/loss", 0.5, 11, 1_001_500),
    ]


def test_read_scalars_leaves_out_other_summaries(tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf.compat.v1.summary.FileWriter(str(tmp_path)) as writer:
        value = tf.compat.v1.Summary.Value(tag="h", histo=tf.compat.v1.HistogramProto(num=1))
        writer.add_summary(tf.compat.v1.Summary(value=[value]), 1)

    assert list(read_scalars(next(tmp_path.iterdir()), "train")) == []


def test_read_scalars_reads_a_cut_file_up_to_the_cut(tmp_path: Path) -> None:
    path = write_events(tmp_path, POINTS)
    content, whole = path.read_bytes(), list(read_scalars(path, "train"))

    counts = []
    for size in range(len(content)):
        path.write_bytes(content[:size])
        found = list(read_scalars(path, "train"))
        assert found == whole[: len(found)]
        counts.append(len(found))

    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3}


def test_project_gives_the_curves_of_training_and_evaluation(tmp_path: Path) -> None:
    write_events(tmp_path, POINTS[:1])
    write_events(tmp_path / "eval", POINTS[1:2])

    projection = project(outcome_of(tmp_path, "model_run"))

    assert [metric.key for metric in projection.metrics[1:]] == ["train/loss", "eval/accuracy"]
    assert projection.tags == {"tensorboard.logdir": str(tmp_path)}


# evaluation


def check(metric: str, bound: str, limit: float, value: float, holds: bool) -> dict[str, Any]:
    return {"metric": metric, "bound": bound, "limit": limit, "value": value, "holds": holds}


def write_summary(folder: Path, checks: Sequence[Mapping[str, Any]] = ()) -> None:
    summary = {
        "classes": ["ant", "b*e"],
        "slices": [
            {
                "slice": {},
                "metrics": {"accuracy": 0.5, "recall/b*e": 0.25},
                "baseline": {"accuracy": 0.75},
            },
            {"slice": {"legs": 6, "color": "red"}, "metrics": {"accuracy": 1.0}, "baseline": None},
        ],
        "confusion_matrix": [[1, 0], [0, 1]],
        "checks": list(checks),
    }
    (folder / "summary.json").write_text(json.dumps(summary))


def test_project_gives_the_metrics_of_every_slice_and_the_baseline(tmp_path: Path) -> None:
    write_summary(tmp_path)

    metrics = project(outcome_of(tmp_path, "evaluation")).metrics[1:]

    assert metrics == [
        Metric("accuracy", 0.5, 0, END_MS),
        Metric("recall/b_e", 0.25, 0, END_MS),
        Metric("baseline/accuracy", 0.75, 0, END_MS),
        Metric("slice/legs:6 color:red/accuracy", 1.0, 0, END_MS),
    ]


def test_project_names_the_thresholds_that_were_missed(tmp_path: Path) -> None:
    write_summary(
        tmp_path,
        [
            check("accuracy", "min", 0.9, 0.51234, False),
            check("accuracy", "max", 1.0, 0.51234, True),
            check("cross_entropy", "change", 0.1, 0.25, False),
            check("recall/ant", "min", 0.5, float("nan"), False),
        ],
    )

    tags = project(outcome_of(tmp_path, "evaluation")).tags

    assert tags["thresholds.missed"] == (
        "accuracy 0.5123, min 0.9; cross_entropy 0.25, change 0.1; recall/ant nan, min 0.5"
    )


def test_project_says_that_no_threshold_was_missed(tmp_path: Path) -> None:
    write_summary(tmp_path, [check("accuracy", "min", 0.5, 0.5, True)])

    assert project(outcome_of(tmp_path, "evaluation")).tags == {"thresholds.missed": "none"}


def test_project_keeps_the_summary(tmp_path: Path) -> None:
    write_summary(tmp_path)

    files = project(outcome_of(tmp_path, "evaluation")).files

    assert files == {"evaluation": [str(tmp_path / "summary.json")]}


# names


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
def test_entity_name_gives_names_that_mlflow_takes(word: str) -> None:
    name = entity_name(f"slice/{word}:{word}/recall/{word}")

    _validate_metric(name, 1.0, 0, 0)
    _validate_param(name, "")


def test_read_scalars_gives_names_that_mlflow_takes(tmp_path: Path) -> None:
    path = write_events(tmp_path, [("a\\b", 1.0, 1, 0.0)])

    (metric,) = read_scalars(path, "train")

    assert metric.key == "train/a_b"
