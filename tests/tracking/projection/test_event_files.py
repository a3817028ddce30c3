"""Training curves, read from growing event files."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf

from tests.helpers.tracked_run import Point, append_points, events_path
from tracking.projection.event_files import CurveReader, Metric, best_points, changed_since

POINTS: Sequence[Point] = [
    ("loss", 1.5, 1, 1_000_250),
    ("accuracy", 0.25, 1, 1_000_250),
    ("global_step/sec", 80.0, 11, 1_001_500),
    ("loss", 0.5, 11, 1_001_500),
]
METRICS = [Metric(f"train/{tag}", *values) for tag, *values in POINTS]


# CurveReader


def test_curve_reader_reads_scalars_from_tensorflow(
    tmp_path: Path,
) -> None:
    with tf.Graph().as_default(), tf.compat.v1.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_graph(tf.compat.v1.get_default_graph())
        for value in (
            tf.compat.v1.Summary.Value(tag="h", histo=tf.compat.v1.HistogramProto(num=1)),
            tf.compat.v1.Summary.Value(tag="loss", simple_value=0.5),
        ):
            summary = tf.compat.v1.Summary(value=[value])
            writer.add_event(tf.compat.v1.Event(wall_time=1000.25, step=1, summary=summary))

    assert list(CurveReader().read(tmp_path)) == [Metric("train/loss", 0.5, 1, 1_000_250)]


def test_curve_reader_yields_each_point_once(tmp_path: Path) -> None:
    reader, path = CurveReader(), events_path(tmp_path)

    found = []
    for point in POINTS:
        append_points(path, [point])
        found.append(list(reader.read(tmp_path)))

    assert found == [[metric] for metric in METRICS]
    assert list(reader.read(tmp_path)) == []


def test_curve_reader_of_a_file_growing_by_bytes(tmp_path: Path) -> None:
    append_points(events_path(tmp_path / "whole"), POINTS)
    content = events_path(tmp_path / "whole").read_bytes()
    reader, path = CurveReader(), events_path(tmp_path / "growing")
    path.parent.mkdir()

    counts, found = [], []
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        found += reader.read(path.parent)
        counts.append(len(found))

    assert found == METRICS
    assert set(counts) == {0, 1, 2, 3, 4}
    assert counts[-2:] == [3, 4]  # the last byte is part of the last record


def test_curve_reader_of_a_truncated_file(tmp_path: Path) -> None:
    path = events_path(tmp_path)
    append_points(path, POINTS)
    content = path.read_bytes()

    for size in range(len(content)):
        path.write_bytes(content[:size])
        found = list(CurveReader().read(tmp_path))
        assert found == METRICS[: len(found)]
        assert len(found) < len(METRICS)


def test_curve_reader_follows_a_moved_folder(tmp_path: Path) -> None:
    reader = CurveReader()
    append_points(events_path(tmp_path / "unfinished"), POINTS[:2])
    before = list(reader.read(tmp_path / "unfinished"))

    (tmp_path / "unfinished").rename(tmp_path / "7")
    append_points(events_path(tmp_path / "7"), POINTS[2:])

    assert before + list(reader.read(tmp_path / "7")) == METRICS
    assert list(reader.read(tmp_path / "unfinished")) == []


def test_curve_reader_separates_train_and_eval(tmp_path: Path) -> None:
    append_points(events_path(tmp_path), POINTS[:1])  # files of the same name
    append_points(events_path(tmp_path / "eval"), POINTS[1:2])

    found = list(CurveReader().read(tmp_path))

    assert [metric.key for metric in found] == ["train/loss", "eval/accuracy"]


def test_curve_reader_reads_a_resumed_training(tmp_path: Path) -> None:
    reader = CurveReader()
    append_points(tmp_path / "events.out.tfevents.1.host", POINTS[:2])
    before = list(reader.read(tmp_path))

    append_points(tmp_path / "events.out.tfevents.2.host", POINTS[2:])

    assert before + list(reader.read(tmp_path)) == METRICS


def test_curve_reader_makes_valid_names(tmp_path: Path) -> None:
    append_points(events_path(tmp_path), [("a\\b", 1.0, 1, 0)])

    (metric,) = CurveReader().read(tmp_path)

    assert metric.key == "train/a.x5c.b"


# changed_since


def test_changed_since_finds_changed_trainings(tmp_path: Path) -> None:
    for name, seconds in (("old", 999.0), ("begun", 1000.0), ("resumed", 1001.5)):
        path = events_path(tmp_path / name / "eval")
        append_points(path, POINTS)
        os.utime(path, (seconds, seconds))
    append_points(tmp_path / "other" / "checkpoint", POINTS)

    found = list(changed_since(tmp_path, 1_000_000))

    assert found == [tmp_path / "begun", tmp_path / "resumed"]


def test_changed_since_of_a_missing_folder(tmp_path: Path) -> None:
    assert list(changed_since(tmp_path / "absent", 0)) == []


def test_changed_since_ignores_moved_files(tmp_path: Path) -> None:
    path = events_path(tmp_path / "training")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "moved")  # listed, but not there

    assert list(changed_since(tmp_path, 0)) == []


# best_points


def curve(tag: str, *values: float) -> list[Metric]:
    return [Metric(tag, value, step, 1000 * step) for step, value in enumerate(values)]


@pytest.mark.parametrize(
    ("points", "best"),
    [
        (curve("eval/accuracy", 0.5, 0.75, 0.7), Metric("best_accuracy", 0.75, 0, 1000)),
        (curve("eval/loss", 0.5, 0.25, 0.3), Metric("best_loss", 0.25, 0, 1000)),
        (curve("eval/average_loss", 2.0, 3.0), Metric("best_average_loss", 2.0, 0, 0)),
        (curve("eval/rmse", 0.5, 0.25, 0.3), Metric("best_rmse", 0.25, 0, 1000)),
        (curve("eval/r2", 0.5, 0.75, 0.7), Metric("best_r2", 0.75, 0, 1000)),
        (curve("eval/auc", 0.5, 0.75), Metric("best_auc", 0.75, 0, 1000)),
        (curve("eval/accuracy", 0.5, 0.75, 0.75), Metric("best_accuracy", 0.75, 0, 1000)),
        (curve("eval/loss", 0.5, 0.25, 0.25), Metric("best_loss", 0.25, 0, 1000)),
        (curve("eval/loss", math.nan, 0.25, math.nan), Metric("best_loss", 0.25, 0, 1000)),
        (curve("eval/accuracy", math.nan, -1.0), Metric("best_accuracy", -1.0, 0, 1000)),
    ],
    ids=[
        "greatest",
        "least",
        "any loss",
        "error",
        "greatest by name",
        "area",
        "tie",
        "tie of losses",
        "NaN",
        "below zero",
    ],
)
def test_best_points_picks_the_first_best(points: Sequence[Metric], best: Metric) -> None:
    assert list(best_points(points)) == [best]


def test_best_points_skips_nan_and_training() -> None:
    assert list(best_points([*curve("eval/loss", math.nan), *curve("train/loss", 1.0)])) == []


def test_best_points_prefers_given_directions() -> None:
    points = [*curve("eval/gini", 0.5, 0.75), *curve("eval/hits", 3.0, 2.0)]

    assert list(best_points(points)) == []
    assert [(best.key, best.value) for best in best_points(points, {"gini": 1, "hits": -1})] == [
        ("best_gini", 0.75),
        ("best_hits", 2.0),
    ]


def test_best_points_has_one_per_metric() -> None:
    points = [*curve("eval/accuracy", 0.5, 1.0), *curve("eval/loss", 0.5, 1.0)]

    assert [(best.key, best.timestamp_ms) for best in best_points(points)] == [
        ("best_accuracy", 1000),
        ("best_loss", 0),
    ]
