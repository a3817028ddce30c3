"""Files of a run that are not artifacts."""

import os
from pathlib import Path

import pytest

from pipeline.run.interrupted import keep_unfinished, read_samples, samples_path, unfinished_dir
from tests.helpers.tracked_run import START_MS, Point, append_points, events_path, write_trial
from tracking.events import Samples, to_line

POINTS: list[Point] = [("loss", 1.5, 1, START_MS)]
RUN_ID = "2024-01-02T03:04:05.678900+00:00"


# unfinished_dir


@pytest.mark.parametrize(
    ("node_id", "folder"),
    [
        ("Trainer", "/state/Trainer/model_run/unfinished"),
        ("Tuner", "/state/Tuner/tuner_results/unfinished"),
    ],
)
def test_unfinished_dir_is_beside_executions(node_id: str, folder: str) -> None:
    assert unfinished_dir(Path("/state"), node_id) == Path(folder)


def test_unfinished_dir_is_none_without_training() -> None:
    assert unfinished_dir(Path("/state"), "Transform") is None


# keep_unfinished


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def trained(root: Path, node_id: str, name: str = "ab12") -> Path:
    folder = unfinished_dir(root, node_id)
    assert folder is not None
    return folder / name


def test_keep_unfinished_copies_curves_only(tmp_path: Path) -> None:
    folder = trained(tmp_path, "Trainer")
    append_points(events_path(folder), POINTS)
    append_points(events_path(folder / "eval"), POINTS)
    curves = files_in(folder)
    (folder / "model.ckpt-10.index").write_bytes(b"x")

    kept = keep_unfinished(tmp_path, "Trainer", RUN_ID, 0)

    assert kept is not None
    assert len(curves) == 2
    assert files_in(Path(kept)) == curves
    assert (folder / "model.ckpt-10.index").exists()  # the training can be resumed


def test_keep_unfinished_copies_trials(tmp_path: Path) -> None:
    folder = trained(tmp_path, "Tuner")
    write_trial(folder, 1, POINTS)
    (folder / "trials" / "1" / "checkpoint").write_bytes(b"x")

    kept = keep_unfinished(tmp_path, "Tuner", RUN_ID, 0)

    assert kept is not None
    assert set(files_in(Path(kept))) == {
        "trials/1/trial.json",
        f"trials/1/eval/{events_path(folder).name}",
    }


def test_keep_unfinished_keeps_each_run_apart(tmp_path: Path) -> None:
    path = events_path(trained(tmp_path, "Trainer"))
    append_points(path, POINTS)
    first = keep_unfinished(tmp_path, "Trainer", RUN_ID, 0)
    append_points(path, POINTS)
    second = keep_unfinished(tmp_path, "Trainer", "another", 0)

    assert first is not None
    assert second is not None
    ((before,), (after,)) = (files_in(Path(kept)).values() for kept in (first, second))
    assert 2 * len(before) == len(after)


def test_keep_unfinished_skips_earlier_trainings(tmp_path: Path) -> None:
    path = events_path(trained(tmp_path, "Trainer"))
    append_points(path, POINTS)
    os.utime(path, (START_MS / 1000 - 1,) * 2)

    assert keep_unfinished(tmp_path, "Trainer", RUN_ID, START_MS) is None


def test_keep_unfinished_is_none_without_training(tmp_path: Path) -> None:
    assert keep_unfinished(tmp_path, "Trainer", RUN_ID, 0) is None
    assert keep_unfinished(tmp_path, "Transform", RUN_ID, 0) is None


# read_samples


def test_read_samples_reads_whole_lines(tmp_path: Path) -> None:
    samples = [Samples(START_MS + index, {"system/cpu": 1.0}) for index in range(3)]
    path = samples_path(tmp_path, RUN_ID)
    path.parent.mkdir()
    path.write_text("".join(map(to_line, samples))[:-5])  # the process was killed meanwhile

    assert list(read_samples(tmp_path, RUN_ID)) == samples[:2]
    assert ":" not in path.name


def test_read_samples_is_empty_without_a_file(tmp_path: Path) -> None:
    assert list(read_samples(tmp_path, RUN_ID)) == []
