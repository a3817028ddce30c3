"""The search space, budget and objective of a sweep."""

from pathlib import Path

import pytest

from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistake, write_config

UNIFORM = "{uniform: [0.1, 1]}"
SPACE = "{model.dropout: {uniform: [0, 0.5]}}"


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("model.learning_rate", UNIFORM),
        ("model.learning_rate", "{log_uniform: [1e-4, 1]}"),
        ("model.learning_rate", "{values: [0.1, 1]}"),
        ("model.hidden_units", "{values: [[10, 10], [32]]}"),
        ("model.optimizer", "{values: [adam]}"),
        ("train.steps", "{integers: [1, 1000000000]}"),
    ],
)
def test_load_takes_search_space(tmp_path: Path, key: str, domain: str) -> None:
    text = f"tuner:\n  max_trials: 3\n  space:\n    {key}: {domain}\n"

    config = load_config(write_config(tmp_path, MINIMAL + text))

    assert config.tuner is not None
    assert list(config.tuner.space) == [key]
    assert (config.tuner.method, config.tuner.objective) == ("random", "loss")


@pytest.mark.parametrize(
    ("key", "domain", "message"),
    [
        ("model.lerning_rate", UNIFORM, "; did you mean 'model.learning_rate'? (allowed: model.ty"),
        ("model", "{learning_rate: {values: [1]}}", "must be one dotted key, model.<setting>"),
        ("data.label", "{values: [y]}", "no such setting (allowed: model.type, model.hidden_units"),
        ("model.learning_rate", "0.1", "0.1 is not allowed: should be a mapping"),
        (
            "model.learning_rate",
            "{}",
            "needs exactly one of values, uniform, log_uniform",
        ),
        ("model.learning_rate", "{values: [1], uniform: [0.1, 1]}", "needs exactly one of values"),
        ("model.learning_rate", "{value: [1]}", "value: unknown key; did you mean 'values'?"),
        ("model.learning_rate", "{values: []}", "values: [] is not allowed: "),
        ("model.learning_rate", "{values: 1}", "values: 1 is not allowed: should be a valid list"),
        ("model.learning_rate", "{values: [1, 1.0]}", "values: 1.0 is listed twice"),
        (
            "model.learning_rate",
            "{values: [1, 0]}",
            "values.1: 0 is not allowed: should be grea",
        ),
        ("model.optimizer", "{values: [adm]}", "values.0: 'adm' is not allowed: should be 'adagr"),
        ("model.hidden_units", "{values: [10]}", "values.0: 10 is not allowed: should be a valid "),
        ("model.hidden_units", "{values: [[9], [0]]}", "values.1: [0] is not allowed: should be "),
        ("model.hidden_units", "{integers: [1, 2]}", "integers.0: 1 is not allowed: should be a v"),
        ("model.learning_rate", "{uniform: [1, 0.1]}", "uniform: low 1 is not below high 0.1"),
        ("model.learning_rate", "{uniform: [1, 1]}", "uniform: low 1 is not below high 1"),
        ("model.learning_rate", "{uniform: [0, 1]}", "uniform.0: 0.0 is not allowed: should be gr"),
        ("model.learning_rate", "{uniform: [1]}", "uniform.1: is missing"),
        ("model.learning_rate", "{uniform: [0.1, .inf]}", "uniform.1: must be finite"),
        ("model.learning_rate", "{log_uniform: [0, 1]}", "log_uniform: low 0 must be greater than"),
        ("train.steps", "{uniform: [1, 5]}", "uniform.0: 1.0 is not allowed: should be a valid in"),
        ("train.steps", "{integers: [1.5, 5]}", "integers.0: 1.5 is not allowed: should be a vali"),
        ("train.steps", "{integers: [0, 5]}", "integers.0: 0 is not allowed: should be greater th"),
        ("train.steps", "{integers: [1, 1000000001]}", "integers.1: 1000000001 is not allowed: sh"),
    ],
)
def test_load_refuses_search_space(tmp_path: Path, key: str, domain: str, message: str) -> None:
    line = mistake(tmp_path, f"tuner:\n  max_trials: 3\n  space:\n    {key}: {domain}\n")

    place, _, words = line.partition(f": tuner.space.{key}")
    assert place == "14"
    assert message in words


@pytest.mark.parametrize(
    ("tuner", "message"),
    [
        ("{max_trials: 3}", "11: tuner.space: is missing"),
        ("{max_trials: 3, space: {}}", "11: tuner.space: {} is not allowed: "),
        ("{space: {model.seed: {values: [1]}}}", "11: tuner: random search needs max_trials"),
        ("{method: grid, space: {model.learning_rate: {uniform: [1, 2]}}}", "a grid needs values"),
        ("{method: hyperband, space: {model.seed: {values: [1]}}}", "should be 'random', 'grid'"),
        ("{max_trials: 0, space: {model.seed: {values: [1]}}}", "tuner.max_trials: 0 is not allow"),
        ("{max_minutes: 0, space: {model.seed: {values: [1]}}}", "tuner.max_minutes: 0 is not all"),
        ("{max_trials: 1, seed: 0, space: {model.seed: {values: [1]}}}", "tuner.seed: 0 is not al"),
        ("{max_trails: 1, space: {model.seed: {values: [1]}}}", "did you mean 'max_trials'?"),
        ("true", "11: tuner: True is not allowed: should be a mapping"),
    ],
)
def test_load_refuses_sweep(tmp_path: Path, tuner: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {tuner}\n")


def test_load_takes_grid_without_budget(minimal: Path) -> None:
    config = load_config(minimal, ["tuner={method: grid, space: {model.seed: {values: [1, 2]}}}"])

    assert config.tuner is not None
    assert config.tuner.trial_limit == 2


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
def test_check_space_takes_nested_settings(tmp_path: Path, section: str, space: str) -> None:
    text = f"{section}\ntuner: {{max_trials: 3, space: {{{space}}}}}\n"

    config = load_config(write_config(tmp_path, MINIMAL + text))

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
            "x.values.0: 1 is not allowed: model.params are only for a model_fn of",
        ),
        ("model.hidden_units.0: {values: [1]}", "no such setting; did you mean 'model.hidden_uni"),
        ("model.schedule.rat: {values: [1]}", "no such setting; did you mean 'model.schedule.rat"),
        ("model.params.: {values: [1]}", "no such setting"),
        ("train.warm_start: {values: [true, false]}", "no such setting"),
        (
            "model.schedule.kind: {values: [cosine]}, model.schedule: {values: [null]}",
            "space.model.schedule.kind: is part of model.schedule, which is in the space too",
        ),
        ("model.hidden_units: {values: [[9], [0]]}", "values.1: [0] is not allowed: should be "),
    ],
)
def test_check_space_refuses_key_or_value(tmp_path: Path, space: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {{max_trials: 3, space: {{{space}}}}}")


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("objective: f1", "objective_is: must be min or max: the best value of f1 is not"),
        ("objective: auc, objective_is: min", "objective_is: must be max: the min of auc is not"),
    ],
)
def test_load_refuses_objective(tmp_path: Path, sweep: str, message: str) -> None:
    assert message in mistake(tmp_path, f"tuner: {{max_trials: 3, {sweep}, space: {SPACE}}}")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("best_metric: f1", "train.best_is: must be min or max: the best value of f1 is"),
        ("best_metric: r2, best_is: min", "train.best_is: must be max: the min of r2 is not its"),
    ],
)
def test_load_refuses_metric_to_train_by(tmp_path: Path, train: str, message: str) -> None:
    assert message in mistake(tmp_path, f"train: {{{train}}}")
