"""Events of a run, projected one by one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.projections import keys_of, project, tags_of
from tests.helpers.tracked_run import (
    END,
    END_MS,
    START_MS,
    append_points,
    events_path,
    make_check,
    make_outcome,
    make_start,
    make_summary,
    write_summary,
)
from tracking.events import NodeOutcome, Output, RunEnd, Samples
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection
from tracking.projection.projector import Projector

# start


def test_start_has_params_tags_and_config(projector: Projector) -> None:
    projection = projector.project(make_start())

    assert projection.params == {
        "train.steps": "200",
        "model.hidden_units": "[10, 10]",
        "push.directory": "None",
    }
    assert projection.tags == {
        "tfx.pipeline_run_id": "run-1",
        "code.digest": "ab12",
        "mlflow.source.type": "PIPELINE",
    }
    assert projection.artifacts["pipeline_config.yaml"]() == "name: iris\n# größer\n".encode()


# nodes


def test_end_has_the_seconds_of_nodes(projector: Projector) -> None:
    assert projector.project(make_outcome("Trainer", execution_id=None)) == Projection()

    assert projector.project(END).metrics == [Metric("seconds/Trainer", 1.5, 0, END_MS)]


def test_end_omits_unknown_seconds(projector: Projector) -> None:
    projector.project(make_outcome("Trainer", "killed", seconds=None))

    assert projector.project(END).metrics == []


def test_failed_node_has_its_error() -> None:
    tags = tags_of(project(make_outcome("Trainer", "failed", error="ValueError: x")))

    assert tags == {"failed_node": "Trainer", "error": "ValueError: x"}


def test_node_has_its_ids_in_mlmd() -> None:
    two = [Output(5, "/a", {}), Output(6, "/b", {})]
    outcome = NodeOutcome("Trainer", "done", 1.5, END_MS, 3, {"a": two, "b": [Output(7, "/c", {})]})

    assert project(outcome).tags == {
        "mlmd.execution.Trainer": "3",
        "mlmd.artifact.Trainer.a": "5, 6",
        "mlmd.artifact.Trainer.b": "7",
    }


def test_unknown_outputs_are_ignored() -> None:
    outcome = make_outcome(folder="/absent", outputs={"transform_graph": {}})

    projection = project(outcome)

    assert keys_of(projection) == []
    assert tags_of(projection) == {}


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
        (
            "pushed_model",
            {"pushed": 0, "rolled_back_version": "16"},
            {"pushed_version": "none", "rolled_back_version": "16"},
        ),
    ],
)
def test_properties_become_tags(
    key: str, properties: Mapping[str, Any], tags: Mapping[str, str]
) -> None:
    assert tags_of(project(make_outcome(outputs={key: properties}))) == tags


def test_cached_node_names_the_computing_run(projector: Projector) -> None:
    outcome = make_outcome("Pusher", "cached", outputs={"pushed_model": {}}, computed_by="run-0")

    assert tags_of(projector.project(outcome)) == {
        "cached.Pusher": "run-0",
        "pushed_version": "none",  # cached values are shown, too
    }
    assert projector.project(END).tags["cached_nodes"] == "Pusher"


# samples


def test_samples_become_metrics() -> None:
    projection = Projector(make_start()).project(Samples(START_MS, {"system/cpu (%)": 50.0}))

    assert projection.metrics == [Metric("system/cpu .x28..x25..x29.", 50.0, 0, START_MS)]


# end


def test_last_ms_is_the_latest_time(projector: Projector) -> None:
    assert projector.last_ms == START_MS

    projector.project(Samples(START_MS + 5, {"system/cpu": 1.0}))
    projector.project(Samples(START_MS + 3, {"system/cpu": 1.0}))
    projector.project(RunEnd("KILLED", None))

    assert projector.last_ms == START_MS + 5


def test_metrics_has_the_last_values(projector: Projector, tmp_path: Path) -> None:
    points = [("loss", 1.5, 1, 1000), ("loss", 0.5, 2, 2000)]
    append_points(events_path(tmp_path), points)

    projector.project(make_outcome(folder=tmp_path, outputs={"model_run": {}}))

    assert projector.metrics == {"train/loss": 0.5}


def test_end_describes_the_run(projector: Projector, tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary([make_check("accuracy", "min", 0.9, 0.5, False, -0.4)]))
    projector.project(
        make_outcome(
            "Evaluator", "cached", folder=tmp_path, outputs={"evaluation": {}}, computed_by="run-0"
        )
    )

    tags = projector.project(END).tags

    assert set(tags) == {"cached_nodes", "mlflow.note.content"}
    note = tags["mlflow.note.content"]
    assert note.startswith("**Not pushed**: accuracy 0.5, min 0.9.")
    assert "| accuracy | 0.5 |" in note
    assert "[run-0](#/experiments/7/runs?" in note


def test_end_without_cached_nodes(projector: Projector) -> None:
    assert projector.project(END).tags["cached_nodes"] == "none"
