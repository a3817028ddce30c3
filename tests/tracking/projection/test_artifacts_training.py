"""Artifacts of Trainer and Tuner, projected."""

from pathlib import Path

import pytest

from tests.helpers.projections import keys_of, project, tags_of
from tests.helpers.tracked_run import (
    END_MS,
    append_points,
    events_path,
    make_outcome,
    make_start,
    write_statistics,
    write_trial,
)
from tracking.events import NodeStart
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection
from tracking.projection.projector import Projector

# training


def test_model_run_has_curves_and_best_points(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("metric", "best_is", "expected"),
    [
        ("gini", "max", 0.5),
        ("gini", "min", 0.25),
        ("gini", "greatest", 0.5),  # version 0.1
        ("gini", "least", 0.25),
        ("accuracy", None, 0.5),  # by its name
        ("loss", None, 0.25),
    ],
)
def test_artifacts_have_the_best_by_the_settings(
    tmp_path: Path, metric: str, best_is: str | None, expected: float
) -> None:
    append_points(events_path(tmp_path / "eval"), [(metric, 0.5, 1, 0), (metric, 0.25, 2, 0)])
    params = {"train.best_metric": metric, "train.best_is": best_is}
    outcome = make_outcome("Trainer", folder=tmp_path, outputs={"model_run": {}})

    projection = Projector(make_start(params=params), "7").project(outcome)

    assert Metric(f"best_{metric}", expected, 0, 0) in projection.metrics


def test_model_has_statistics_of_the_train_split(projector: Projector, tmp_path: Path) -> None:
    write_statistics(tmp_path, train=99, eval=51)
    projector.project(make_outcome(folder=tmp_path, outputs={"statistics": {}}))

    model = projector.project(make_outcome("Trainer", folder="/7", outputs={"model": {}})).model

    assert model is not None
    assert (model.saved_model_dir, model.trained_ms) == ("/7/Format-Serving", END_MS)
    assert model.statistics.datasets[0].num_examples == 99


def test_baseline_is_not_the_model_of_the_run() -> None:
    assert project(make_outcome("BaselineResolver", outputs={"model": {}})).model is None


def test_poll_has_new_points_only(projector: Projector, tmp_path: Path) -> None:
    path = events_path(tmp_path / "unfinished" / "training")
    projector.project(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))

    assert projector.poll() == Projection()
    append_points(path, [("loss", 1.5, 1, 1000)])
    assert projector.poll().metrics == [Metric("train/loss", 1.5, 1, 1000)]
    assert projector.poll() == Projection()
    append_points(path, [("loss", 1.0, 2, 2000)])
    assert projector.poll().metrics == [Metric("train/loss", 1.0, 2, 2000)]


def test_model_run_omits_points_already_polled(projector: Projector, tmp_path: Path) -> None:
    training = tmp_path / "unfinished" / "training"
    projector.project(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))
    append_points(events_path(training / "eval"), [("accuracy", 1.0, 1, 1000)])
    projector.poll()

    append_points(events_path(training / "eval"), [("accuracy", 0.5, 2, 2000)])
    training.rename(tmp_path / "7")
    projection = projector.project(make_outcome(folder=tmp_path / "7", outputs={"model_run": {}}))

    assert projection.metrics == [
        Metric("eval/accuracy", 0.5, 2, 2000),
        Metric("best_accuracy", 1.0, 0, 1000),  # of all points
    ]


def test_poll_skips_earlier_unfinished_trainings(projector: Projector, tmp_path: Path) -> None:
    append_points(events_path(tmp_path / "training"), [("loss", 1.5, 1, 1000)])
    changed_ms = events_path(tmp_path / "training").stat().st_mtime * 1000

    projector.project(NodeStart("Trainer", int(changed_ms) + 1, str(tmp_path)))

    assert projector.poll() == Projection()


def test_poll_is_empty_outside_a_training(projector: Projector, tmp_path: Path) -> None:
    append_points(events_path(tmp_path / "training"), [("loss", 1.5, 1, 1000)])
    assert projector.poll() == Projection()

    projector.project(NodeStart("Transform", 0))
    assert projector.poll() == Projection()

    projector.project(NodeStart("Trainer", 0, str(tmp_path)))
    projector.project(make_outcome("Trainer"))
    assert projector.poll() == Projection()


def test_killed_training_has_its_curves(tmp_path: Path) -> None:
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


def test_tuner_results_have_trials_and_the_best(tmp_path: Path) -> None:
    write_sweep(tmp_path)

    projection = project(make_outcome("Tuner", folder=tmp_path, outputs={"tuner_results": {}}))

    assert [trial.number for trial in projection.trials] == [1, 2, 3]
    assert tags_of(projection) == BEST_TAGS
    assert projection.metrics == [Metric("tuner/best_accuracy", 0.75, 20, END_MS)]


def test_poll_has_the_trials_of_a_running_sweep(projector: Projector, tmp_path: Path) -> None:
    projector.project(NodeStart("Tuner", 0, str(tmp_path)))
    write_trial(tmp_path / "sweep", 1, [("accuracy", 0.5, 10, 1000)])

    (trial,) = projector.poll().trials

    assert (trial.number, trial.state, len(trial.metrics)) == (1, "running", 1)
    assert projector.poll() == Projection()


def test_cached_tuner_results_have_the_best_only(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    outcome = make_outcome(
        "Tuner", "cached", folder=tmp_path, outputs={"tuner_results": {}}, computed_by="run-0"
    )

    projection = project(outcome)

    assert projection.trials == []
    assert tags_of(projection) == {"cached.Tuner": "run-0", **BEST_TAGS}
    assert projection.metrics == [Metric("tuner/best_accuracy", 0.75, 20, END_MS)]
