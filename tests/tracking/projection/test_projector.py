"""What MLflow is to hold of a run, event by event, read from artifacts on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

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
    write_anomalies,
    write_schema,
    write_statistics,
    write_summary,
    write_trial,
)
from tracking.events import NodeOutcome, NodeStart, Output, RunEnd, Samples
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection
from tracking.projection.projector import Projector


@pytest.fixture
def projector() -> Projector:
    return Projector(make_start(), experiment_id="7")


def project(outcome: NodeOutcome) -> Projection:
    return Projector(make_start()).project(outcome)


def tags_of(projection: Projection) -> dict[str, str]:
    """Gives the tags but for those that say where MLMD has a node."""
    return {key: tag for key, tag in projection.tags.items() if not key.startswith("mlmd.")}


def keys_of(projection: Projection) -> list[str]:
    return [metric.key for metric in projection.metrics]


# the run's beginning


def test_projector_gives_what_a_run_began_with(projector: Projector) -> None:
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


# any node


def test_projector_gives_the_seconds_of_nodes_when_the_run_ends(projector: Projector) -> None:
    assert projector.project(make_outcome("Trainer", execution_id=None)) == Projection()

    assert projector.project(END).metrics == [Metric("seconds/Trainer", 1.5, 0, END_MS)]


def test_projector_gives_no_seconds_where_nobody_was_left_to_say(projector: Projector) -> None:
    projector.project(make_outcome("Trainer", "killed", seconds=None))

    assert projector.project(END).metrics == []


def test_projector_gives_the_error_of_a_failed_node() -> None:
    tags = tags_of(project(make_outcome("Trainer", "failed", error="ValueError: x")))

    assert tags == {"failed_node": "Trainer", "error": "ValueError: x"}


def test_projector_names_execution_and_artifacts_in_mlmd() -> None:
    two = [Output(5, "/a", {}), Output(6, "/b", {})]
    outcome = NodeOutcome("Trainer", "done", 1.5, END_MS, 3, {"a": two, "b": [Output(7, "/c", {})]})

    assert project(outcome).tags == {
        "mlmd.execution.Trainer": "3",
        "mlmd.artifact.Trainer.a": "5, 6",
        "mlmd.artifact.Trainer.b": "7",
    }


def test_projector_leaves_alone_what_it_does_not_know() -> None:
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
def test_projector_gives_tags_of_properties(
    key: str, properties: Mapping[str, Any], tags: Mapping[str, str]
) -> None:
    assert tags_of(project(make_outcome(outputs={key: properties}))) == tags


def test_projector_names_the_run_that_computed_a_cached_node(projector: Projector) -> None:
    outcome = make_outcome("Pusher", "cached", outputs={"pushed_model": {}}, computed_by="run-0")

    assert tags_of(projector.project(outcome)) == {
        "cached.Pusher": "run-0",
        "pushed_version": "none",  # the value shows all the same
    }
    assert projector.project(END).tags["cached_nodes"] == "Pusher"


# data


def test_projector_counts_the_rows_of_every_split(projector: Projector, tmp_path: Path) -> None:
    write_statistics(tmp_path, train=99, eval=51)

    projection = projector.project(make_outcome(folder=tmp_path, outputs={"statistics": {}}))

    assert projection.metrics == []
    end = projector.project(END)
    assert end.metrics[1:] == [
        Metric("rows/train", 99.0, 0, END_MS),
        Metric("rows/eval", 51.0, 0, END_MS),
    ]
    assert "99 rows to train, 51 rows to eval" in end.tags["mlflow.note.content"]
    assert set(projection.artifacts) == {"data/statistics.html", "data/class_balance.png"}


def test_projector_draws_a_label_that_is_a_number_as_one(tmp_path: Path) -> None:
    write_statistics(tmp_path, train=2, eval=1)
    outcome = make_outcome("StatisticsGen", folder=tmp_path, outputs={"statistics": {}})

    projection = Projector(make_start(label="width"), "7").project(outcome)

    assert projection.artifacts["data/label_histogram.png"]().startswith(b"\x89PNG")
    assert "data/class_balance.png" not in projection.artifacts


def test_projector_takes_the_word_of_the_settings_for_what_is_best(tmp_path: Path) -> None:
    append_points(events_path(tmp_path / "eval"), [("gini", 0.5, 1, 0), ("gini", 0.25, 2, 0)])
    params = {"train.best_metric": "gini", "train.best_is": "max"}
    outcome = make_outcome("Trainer", folder=tmp_path, outputs={"model_run": {}})

    projection = Projector(make_start(params=params), "7").project(outcome)

    assert Metric("best_gini", 0.5, 0, 0) in projection.metrics


def test_projector_makes_datasets_of_what_it_was_told_before(
    projector: Projector, tmp_path: Path
) -> None:
    write_statistics(tmp_path / "statistics", train=99, eval=51)
    write_schema(tmp_path / "schema")
    projector.project(make_outcome(outputs={"examples": {"input_fingerprint": "ab12"}}))
    projector.project(make_outcome(folder=tmp_path / "statistics", outputs={"statistics": {}}))

    projection = projector.project(make_outcome(folder=tmp_path / "schema", outputs={"schema": {}}))

    assert [(data.name, data.context) for data in projection.datasets] == [
        ("iris.csv (train)", "training"),
        ("iris.csv (eval)", "evaluation"),
    ]
    schema = projection.artifacts["data/schema.txt"]()
    assert schema == (tmp_path / "schema" / "schema.pbtxt").read_bytes()


@pytest.mark.parametrize(
    ("path", "properties", "tags"),
    [
        ("/data/iris.csv", {"span": 0}, {}),
        ("/data/{SPAN}", {"span": 7}, {"data.path": "/data/7", "data.span": "7"}),
        (
            "/data/{SPAN:3}/v{VERSION}",
            {"span": 0, "version": 12},
            {"data.path": "/data/000/v12", "data.span": "0", "data.version": "12"},
        ),
        (
            "/data/{YYYY}-{MM}-{DD}.csv",
            {"span": 19_723},
            {"data.path": "/data/2024-01-01.csv", "data.span": "19723"},
        ),
    ],
)
def test_projector_names_the_span_that_was_read(
    path: str, properties: dict[str, Any], tags: dict[str, str]
) -> None:
    projector = Projector(make_start(data_path=path))

    projection = projector.project(make_outcome(outputs={"examples": properties}))

    assert tags_of(projection) == tags


def test_projector_makes_datasets_of_the_span_that_was_read(tmp_path: Path) -> None:
    projector = Projector(make_start(data_path="/data/{SPAN}"))
    write_statistics(tmp_path / "statistics", train=99, eval=51)
    write_schema(tmp_path / "schema")
    projector.project(make_outcome(outputs={"examples": {"span": 7}}))
    projector.project(make_outcome(folder=tmp_path / "statistics", outputs={"statistics": {}}))

    projection = projector.project(make_outcome(folder=tmp_path / "schema", outputs={"schema": {}}))

    assert [(data.name, data.source) for data in projection.datasets] == [
        ("7 (train)", '{"uri": "/data/7"}'),
        ("7 (eval)", '{"uri": "/data/7"}'),
    ]


@pytest.mark.parametrize(
    ("train", "evaluated", "tag"),
    [([], [], "none"), (["b", "a"], ["c", "a"], "a, b, c")],
)
def test_projector_names_the_features_with_anomalies(
    tmp_path: Path, train: list[str], evaluated: list[str], tag: str
) -> None:
    write_anomalies(tmp_path, train=train, eval=evaluated)

    projection = project(make_outcome(folder=tmp_path, outputs={"anomalies": {}}))

    assert tags_of(projection) == {"anomalies": tag}
    assert set(projection.artifacts) == {"data/anomalies.html"}


def test_projector_gives_the_distances_of_every_column(tmp_path: Path) -> None:
    found = [
        {"column": "petal width", "distance": 0.25},
        {"column": "größe", "distance": 0.5},
        {"column": "gone", "distance": None},
    ]
    report = {"kind": "skew", "baseline": "asked.csv", "distances": found}
    (tmp_path / "distances.json").write_text(json.dumps(report))

    projection = project(make_outcome(folder=tmp_path, outputs={"distances": {}}))

    assert projection.metrics == [
        Metric("skew/petal width", 0.25, 0, END_MS),
        Metric("skew/größe", 0.5, 0, END_MS),
    ]
    assert tags_of(projection) == {"skew.baseline": "asked.csv"}
    assert json.loads(projection.artifacts["data/skew.json"]()) == report


def test_projector_says_that_there_was_nothing_to_compare_with(tmp_path: Path) -> None:
    report = {"kind": "drift", "baseline": None, "distances": []}
    (tmp_path / "distances.json").write_text(json.dumps(report))

    projection = project(make_outcome(folder=tmp_path, outputs={"distances": {}}))

    assert tags_of(projection) == {"drift.baseline": "none"}


@pytest.mark.parametrize(
    ("count", "tag"),
    [
        (0, "none"),
        (1, "eval: x: 0"),
        (7, "\n".join([*(f"eval: x: {i}" for i in range(5)), "and 2 more"])),
    ],
)
def test_projector_gives_what_is_wrong_with_the_data(tmp_path: Path, count: int, tag: str) -> None:
    found = [{"split": "eval", "column": "x", "text": str(index)} for index in range(count)]
    (tmp_path / "findings.json").write_text(json.dumps({"findings": found, "notes": []}))

    projection = project(make_outcome(folder=tmp_path, outputs={"findings": {}}))

    assert tags_of(projection) == {"data.warnings": tag}
    files = {name: content().decode() for name, content in projection.artifacts.items()}
    lines = "".join(f"eval: x: {index}\n" for index in range(count))
    assert files == ({"data/warnings.txt": lines} if count else {})


def test_projector_shows_the_reviewed_schema_in_place_of_the_inferred(tmp_path: Path) -> None:
    write_schema(tmp_path / "inferred")
    write_schema(tmp_path / "reviewed")
    start = make_start(params={"data.schema": "schema.pbtxt"})

    def shown(node_id: str, folder: str) -> bool:
        outcome = make_outcome(node_id, folder=tmp_path / folder, outputs={"schema": {}})
        return "data/schema.txt" in Projector(start).project(outcome).artifacts

    assert not shown("SchemaGen", "inferred")
    assert shown("ImportSchemaGen", "reviewed")


# training


def test_projector_gives_the_curves_of_training_and_evaluation(tmp_path: Path) -> None:
    append_points(events_path(tmp_path), [("loss", 1.5, 1, 1000)])
    append_points(events_path(tmp_path / "eval"), [("loss", 2.5, 1, 2000), ("loss", 1.0, 2, 3000)])

    projection = project(make_outcome(folder=tmp_path, outputs={"model_run": {}}))

    assert projection.metrics == [
        Metric("train/loss", 1.5, 1, 1000),
        Metric("eval/loss", 2.5, 1, 2000),
        Metric("eval/loss", 1.0, 2, 3000),
        Metric("best_loss", 1.0, 0, 3000),
    ]
    assert tags_of(projection) == {"tensorboard.logdir": str(tmp_path)}


def test_projector_gives_the_model_of_the_trainer_with_what_it_was_trained_on(
    projector: Projector, tmp_path: Path
) -> None:
    write_statistics(tmp_path, train=99, eval=51)
    projector.project(make_outcome(folder=tmp_path, outputs={"statistics": {}}))

    model = projector.project(make_outcome("Trainer", folder="/7", outputs={"model": {}})).model

    assert model is not None
    assert (model.saved_model_dir, model.trained_ms) == ("/7/Format-Serving", END_MS)
    assert model.statistics.datasets[0].num_examples == 99


def test_projector_takes_no_model_from_the_resolver_of_the_baseline() -> None:
    assert project(make_outcome("BaselineResolver", outputs={"model": {}})).model is None


def test_poll_gives_what_a_training_has_written_since(projector: Projector, tmp_path: Path) -> None:
    path = events_path(tmp_path / "unfinished" / "training")
    projector.project(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))

    assert projector.poll() == Projection()
    append_points(path, [("loss", 1.5, 1, 1000)])
    assert projector.poll().metrics == [Metric("train/loss", 1.5, 1, 1000)]
    assert projector.poll() == Projection()
    append_points(path, [("loss", 1.0, 2, 2000)])
    assert projector.poll().metrics == [Metric("train/loss", 1.0, 2, 2000)]


def test_projector_gives_at_the_end_of_a_training_only_what_poll_has_not(
    projector: Projector, tmp_path: Path
) -> None:
    training = tmp_path / "unfinished" / "training"
    projector.project(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))
    append_points(events_path(training / "eval"), [("accuracy", 1.0, 1, 1000)])
    projector.poll()

    append_points(events_path(training / "eval"), [("accuracy", 0.5, 2, 2000)])
    training.rename(tmp_path / "7")
    projection = projector.project(make_outcome(folder=tmp_path / "7", outputs={"model_run": {}}))

    assert projection.metrics == [
        Metric("eval/accuracy", 0.5, 2, 2000),
        Metric("best_accuracy", 1.0, 0, 1000),  # of all there are
    ]


def test_poll_leaves_out_trainings_that_others_left_unfinished(
    projector: Projector, tmp_path: Path
) -> None:
    append_points(events_path(tmp_path / "training"), [("loss", 1.5, 1, 1000)])
    changed_ms = events_path(tmp_path / "training").stat().st_mtime * 1000

    projector.project(NodeStart("Trainer", int(changed_ms) + 1, str(tmp_path)))

    assert projector.poll() == Projection()


def test_poll_gives_nothing_of_other_nodes_nor_after_a_node_has_ended(
    projector: Projector, tmp_path: Path
) -> None:
    append_points(events_path(tmp_path / "training"), [("loss", 1.5, 1, 1000)])
    assert projector.poll() == Projection()

    projector.project(NodeStart("Transform", 0))
    assert projector.poll() == Projection()

    projector.project(NodeStart("Trainer", 0, str(tmp_path)))
    projector.project(make_outcome("Trainer"))
    assert projector.poll() == Projection()


def test_projector_gives_the_curves_that_were_kept_of_a_killed_training(tmp_path: Path) -> None:
    append_points(events_path(tmp_path), [("loss", 1.5, 1, 1000)])
    append_points(events_path(tmp_path / "eval"), [("loss", 2.5, 1, 2000)])

    projection = project(make_outcome("Trainer", "killed", unfinished_dir=str(tmp_path)))

    assert keys_of(projection) == ["train/loss", "eval/loss"]


# tuning


def write_sweep(folder: Path) -> None:
    for number, score in ((1, 0.5), (2, 0.75), (3, 0.7)):
        write_trial(
            folder,
            number,
            [("accuracy", score, 10 * number, 1000)],
            params={"model.learning_rate": number / 10, "model.optimizer": "adam"},
            state="complete",
            end_ms=END_MS,
            score=score,
            step=10 * number,
        )


BEST_TAGS = {
    "tuned.model.learning_rate": "0.2",
    "tuned.model.optimizer": '"adam"',
    "tuner.best_trial": "2",
}


def test_projector_gives_the_trials_of_a_sweep_and_the_best(tmp_path: Path) -> None:
    write_sweep(tmp_path)

    projection = project(make_outcome("Tuner", folder=tmp_path, outputs={"tuner_results": {}}))

    assert [trial.number for trial in projection.trials] == [1, 2, 3]
    assert tags_of(projection) == BEST_TAGS
    assert projection.metrics == [Metric("tuner/best_accuracy", 0.75, 20, END_MS)]


def test_poll_gives_the_trials_of_a_sweep_that_goes_on(
    projector: Projector, tmp_path: Path
) -> None:
    projector.project(NodeStart("Tuner", 0, str(tmp_path)))
    write_trial(tmp_path / "sweep", 1, [("accuracy", 0.5, 10, 1000)])

    (trial,) = projector.poll().trials

    assert (trial.number, trial.state, len(trial.metrics)) == (1, "running", 1)
    assert projector.poll() == Projection()


def test_projector_gives_of_a_cached_sweep_the_best_and_no_trials(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    outcome = make_outcome(
        "Tuner", "cached", folder=tmp_path, outputs={"tuner_results": {}}, computed_by="run-0"
    )

    projection = project(outcome)

    assert projection.trials == []
    assert tags_of(projection) == {"cached.Tuner": "run-0", **BEST_TAGS}
    assert projection.metrics == [Metric("tuner/best_accuracy", 0.75, 20, END_MS)]


# evaluation


def test_projector_gives_the_metrics_of_an_evaluation(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary(baseline={"accuracy": 0.75}))

    projection = project(make_outcome(folder=tmp_path, outputs={"evaluation": {}}))

    assert projection.metrics == [
        Metric("accuracy", 0.5, 0, END_MS),
        Metric("recall/b_e", 0.25, 0, END_MS),
        Metric("baseline/accuracy", 0.75, 0, END_MS),
        Metric("difference/accuracy", -0.25, 0, END_MS),
        Metric("slice/legs:6 color:red/accuracy", 1.0, 0, END_MS),
    ]
    assert "evaluation/summary.json" in projection.artifacts


def test_projector_names_the_thresholds_that_were_missed(tmp_path: Path) -> None:
    checks = [
        make_check("accuracy", "min", 0.9, 0.5, False, -0.4),
        make_check("accuracy", "max", 1.0, 0.5, True, 0.5),
        make_check("cross_entropy", "max", 0.1, 0.25, False, -0.15),
    ]
    write_summary(tmp_path, make_summary(checks))

    tags = tags_of(project(make_outcome(folder=tmp_path, outputs={"evaluation": {}})))

    assert tags["thresholds.missed"] == "accuracy 0.5, min 0.9; cross_entropy 0.25, max 0.1"


def test_projector_says_that_no_threshold_was_missed(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary([make_check("accuracy", "min", 0.5, 0.5, True, 0.0)]))

    tags = tags_of(project(make_outcome(folder=tmp_path, outputs={"evaluation": {}})))

    assert tags["thresholds.missed"] == "none"


def test_projector_tells_the_ui_where_the_table_is(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary())

    projection = project(make_outcome(folder=tmp_path, outputs={"evaluation": {}}))

    (table,) = json.loads(projection.tags["mlflow.loggedArtifacts"])
    assert table == {"path": "evaluation/metrics.json", "type": "table"}
    assert table["path"] in projection.artifacts


# samples


def test_projector_gives_samples_as_metrics() -> None:
    projection = Projector(make_start()).project(Samples(START_MS, {"system/cpu (%)": 50.0}))

    assert projection.metrics == [Metric("system/cpu ___", 50.0, 0, START_MS)]


# the run's end


def test_projector_remembers_the_time_of_the_last_thing(projector: Projector) -> None:
    assert projector.last_ms == START_MS

    projector.project(Samples(START_MS + 5, {"system/cpu": 1.0}))
    projector.project(Samples(START_MS + 3, {"system/cpu": 1.0}))
    projector.project(RunEnd("KILLED", None))

    assert projector.last_ms == START_MS + 5


def test_projector_remembers_the_last_value_of_each_metric(
    projector: Projector, tmp_path: Path
) -> None:
    points = [("loss", 1.5, 1, 1000), ("loss", 0.5, 2, 2000)]
    append_points(events_path(tmp_path), points)

    projector.project(make_outcome(folder=tmp_path, outputs={"model_run": {}}))

    assert projector.metrics == {"train/loss": 0.5}


def test_projector_describes_a_run_that_has_ended(projector: Projector, tmp_path: Path) -> None:
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


def test_projector_says_that_nothing_came_from_the_cache(projector: Projector) -> None:
    assert projector.project(END).tags["cached_nodes"] == "none"


# the serving check


def test_projector_gives_what_the_serving_check_found(tmp_path: Path) -> None:
    report = {"rows": 3, "faults": ["a", "b"], "greatest_difference": 1e-7, "milliseconds": 0.5}
    (tmp_path / "serving_check.json").write_text(json.dumps(report))

    projection = project(
        make_outcome("ServingCheck", folder=tmp_path, outputs={"serving_blessing": {}})
    )

    assert tags_of(projection) == {"serving.faults": "a; b"}
    assert [(metric.key, metric.value) for metric in projection.metrics] == [
        ("serving/greatest_difference", 1e-7),
        ("serving/milliseconds", 0.5),
    ]


def test_projector_takes_a_model_that_did_not_answer(tmp_path: Path) -> None:
    (tmp_path / "serving_check.json").write_text('{"rows": 3, "faults": []}')

    projection = project(
        make_outcome("ServingCheck", folder=tmp_path, outputs={"serving_blessing": {}})
    )

    assert tags_of(projection) == {"serving.faults": "none"}
    assert projection.metrics == []


# rows put aside


@pytest.mark.parametrize(("quarantined", "expected"), [(0, []), (3, [("rows/quarantine", 3)])])
def test_projector_counts_the_rows_that_are_put_aside(
    projector: Projector, tmp_path: Path, quarantined: int, expected: list[tuple[str, int]]
) -> None:
    write_statistics(tmp_path, train=20)
    outputs = {"examples": {"rows": 23, "quarantined": quarantined}}
    projector.project(make_outcome("CsvExampleGen", outputs=outputs))
    projector.project(make_outcome("StatisticsGen", folder=tmp_path, outputs={"statistics": {}}))

    metrics = projector.project(END).metrics

    rows = [(metric.key, metric.value) for metric in metrics if metric.key.startswith("rows/")]
    assert rows == [("rows/train", 20), *expected]
