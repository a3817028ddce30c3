"""The search space of a sweep: settings within settings, and what the best trial is best in."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config

CONFIG = """\
name: t
data: {path: rows.csv, label: kind}
features: {x: numeric}
evaluation: {thresholds: {accuracy: {min: 0.5}}}
"""
SPACE = "{model.dropout: {uniform: [0, 0.5]}}"


def mistake(folder: Path, *lines: str) -> str:
    path = folder / "config.yaml"
    path.write_text(CONFIG + "\n".join(lines))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("section", "space"),
    [
        ("model: {schedule: {kind: cosine}}", "model.schedule.rate: {values: [0.1, 0.5]}"),
        ("", "model.schedule: {values: [null, {kind: cosine}]}"),
        ("", "model.schedule.kind: {values: [cosine, exponential]}"),
        ("model: {model_fn: my.model_fn}", "model.params.depth: {integers: [1, 3]}"),
        ("model: {model_fn: my.model_fn}", "model.params.tower.depth: {integers: [1, 3]}"),
        ("", "train.early_stopping.evaluations: {values: [1, 2]}"),
        ("train: {class_weights: balanced}", "train.class_weights.cat: {uniform: [0.1, 2]}"),
    ],
)
def test_check_space_takes_settings_within_settings(
    tmp_path: Path, section: str, space: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{CONFIG}{section}\ntuner: {{max_trials: 3, space: {{{space}}}}}\n")

    config = load_config(path)

    assert config.tuner is not None
    assert list(config.tuner.space) == [space.partition(":")[0]]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            "model.schedule.rate: {values: [0.5]}",
            "rate.values.0: 0.5 is not allowed: model.schedule.kind is missing",
        ),
        (
            "model.params.x: {values: [1]}",
            "x.values.0: 1 is not allowed: model.params are for an own model_fn",
        ),
        ("model.hidden_units.0: {values: [1]}", "no such setting; did you mean 'model.hidden_uni"),
        ("model.schedule.rat: {values: [1]}", "no such setting; did you mean 'model.schedule.rat"),
        ("model.params.: {values: [1]}", "no such setting"),
        ("train.warm_start: {values: [true, false]}", "no such setting"),
        (
            "model.schedule.kind: {values: [cosine]}, model.schedule: {values: [null]}",
            "space.model.schedule.kind: stands within model.schedule, which is in the space too",
        ),
        ("model.hidden_units: {values: [[9], [0]]}", "values.1: [0] is not allowed: should be "),
    ],
)
def test_check_space_refuses(tmp_path: Path, space: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {{max_trials: 3, space: {{{space}}}}}")


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("objective: f1", "objective_is: must say whether the min or the max of f1 is best"),
        ("objective: auc, objective_is: min", "the min of auc is not the best, but the max"),
    ],
)
def test_load_config_refuses_an_objective(tmp_path: Path, sweep: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {{max_trials: 3, {sweep}, space: {SPACE}}}")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("best_metric: f1", "train.best_is: must say whether the min or the max of f1 is"),
        ("best_metric: r2, best_is: min", "train.best_is: the min of r2 is not the best, but"),
    ],
)
def test_load_config_refuses_a_metric_to_train_by(tmp_path: Path, train: str, message: str) -> None:
    assert message in mistake(tmp_path, f"train: {{{train}}}")
