"""Trials of a sweep, read while it is running."""

from pathlib import Path

import pytest

from tests.helpers.tracked_run import START_MS, append_points, events_path, write_trial
from tracking.projection.event_files import Metric
from tracking.projection.trials import Trial, TrialReader


def test_trial_reader_reads_a_trial(tmp_path: Path) -> None:
    write_trial(tmp_path, 3, [("accuracy", 0.5, 10, 2000)])

    (trial,) = TrialReader().read(tmp_path)

    assert trial == Trial(
        number=3,
        params={"model.learning_rate": 0.3},
        state="running",
        start_ms=START_MS + 3,
        end_ms=None,
        objective="accuracy",
        objective_is="max",
        score=None,
        step=None,
        error=None,
        metrics=[Metric("eval/accuracy", 0.5, 10, 2000)],
    )


def test_trial_reader_yields_each_change_once(tmp_path: Path) -> None:
    reader = TrialReader()
    folder = write_trial(tmp_path, 1, [("accuracy", 0.5, 10, 2000)])
    write_trial(tmp_path, 2)

    assert [trial.number for trial in reader.read(tmp_path)] == [1, 2]
    assert list(reader.read(tmp_path)) == []

    append_points(events_path(folder / "eval"), [("accuracy", 0.75, 20, 3000)])
    (grown,) = reader.read(tmp_path)
    assert grown.metrics == [Metric("eval/accuracy", 0.75, 20, 3000)]

    write_trial(tmp_path, 2, state="failed", end_ms=START_MS + 9, error="ValueError: x")
    (ended,) = reader.read(tmp_path)
    assert (ended.number, ended.state, ended.error) == (2, "failed", "ValueError: x")
    assert list(reader.read(tmp_path)) == []


def test_trial_reader_adds_best_points_at_the_end(tmp_path: Path) -> None:
    reader = TrialReader()
    write_trial(tmp_path, 1, [("accuracy", 0.75, 10, 2000)])
    list(reader.read(tmp_path))  # the best point is read before the end

    write_trial(tmp_path, 1, [("accuracy", 0.5, 20, 3000)], state="complete", end_ms=START_MS + 9)

    (ended,) = reader.read(tmp_path)
    assert ended.metrics == [
        Metric("eval/accuracy", 0.5, 20, 3000),
        Metric("best_accuracy", 0.75, 0, 2000),
    ]


def test_trial_reader_follows_a_moved_folder(tmp_path: Path) -> None:
    reader = TrialReader()
    write_trial(tmp_path / "unfinished", 1, [("accuracy", 0.5, 10, 2000)])
    list(reader.read(tmp_path / "unfinished"))

    (tmp_path / "unfinished").rename(tmp_path / "7")

    assert list(reader.read(tmp_path / "7")) == []


def test_trial_reader_ignores_moved_files(tmp_path: Path) -> None:
    (tmp_path / "trials" / "1").mkdir(parents=True)
    (tmp_path / "trials" / "1" / "trial.json").symlink_to(tmp_path / "moved")  # listed, not there

    assert list(TrialReader().read(tmp_path)) == []


def test_trial_reader_of_a_sweep_without_trials(tmp_path: Path) -> None:
    reader = TrialReader()

    assert list(reader.read(tmp_path / "absent")) == []
    assert reader.best() is None


def best_of(folder: Path, objective_is: str, *scores: float | None) -> int | None:
    for number, score in enumerate(scores, start=1):
        write_trial(folder, number, objective_is=objective_is, score=score, state="complete")
    reader = TrialReader()
    list(reader.read(folder))
    best = reader.best()
    return best.number if best else None


@pytest.mark.parametrize("objective_is", ["max", "greatest"])
def test_best_has_the_highest_score(tmp_path: Path, objective_is: str) -> None:
    assert best_of(tmp_path, objective_is, 0.5, 0.75, 0.7) == 2


@pytest.mark.parametrize("objective_is", ["min", "least"])
def test_best_has_the_lowest_score(tmp_path: Path, objective_is: str) -> None:
    assert best_of(tmp_path, objective_is, 0.5, 0.25, 0.3) == 2


@pytest.mark.parametrize(("written", "expected"), [("least", "min"), ("greatest", "max")])
def test_trial_reader_reads_trials_of_version_0_1(
    tmp_path: Path, written: str, expected: str
) -> None:
    write_trial(tmp_path, 1, objective_is=written)

    (trial,) = TrialReader().read(tmp_path)

    assert trial.objective_is == expected


def test_best_is_the_first_of_equals(tmp_path: Path) -> None:
    assert best_of(tmp_path, "max", 0.5, 0.75, 0.75) == 2


def test_best_skips_failed_trials(tmp_path: Path) -> None:
    write_trial(tmp_path, 1, objective="loss", score=0.5, state="failed")
    reader = TrialReader()
    list(reader.read(tmp_path))

    assert reader.best() is None


def test_best_skips_trials_without_a_score(tmp_path: Path) -> None:
    assert best_of(tmp_path, "min", None, 0.5, None) == 2


def test_best_is_none_without_scores(tmp_path: Path) -> None:
    assert best_of(tmp_path, "min", None, None) is None
