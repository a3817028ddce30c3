"""Messages of `load_config` about wrong keys and values."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistake, mistakes, write_config
from tests.helpers.paths import SHIPPED


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "trian: {}\n",
            "11: trian: unknown key; did you mean 'train'? (allowed: name, paths, task, data,"
            " validation, features, model, train, tuner, evaluation, push, mlflow, beam, serving,"
            " cache)",
        ),
        (
            "model:\n  seed: 1\n  lerning_rate: 1\n",
            "13: model.lerning_rate: unknown key; did you mean 'learning_rate'? (allowed: type,"
            " hidden_units, activation, dropout, batch_norm, l1, l2, clip_gradients, optimizer,"
            " learning_rate, momentum, schedule, model_fn, params, preprocessing_fn, seed)",
        ),
        ("paths:\n  rot: x\n", "12: paths.rot: unknown key; did you mean 'root'? (allowed: root)"),
        (
            "train:\n  early_stopping: {zzz: 1}\n",
            "12: train.early_stopping.zzz: unknown key (allowed: evaluations, min_change)",
        ),
    ],
)
def test_load_refuses_unknown_key(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition) == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  label: kind",
            "  label: kind\n  schemas: x",
            "5: data.schemas: unknown key; did you mean 'schema'? (allowed: path, files, span, csv,"
            " label, positive, unlabeled, weight, split, schema, quarantine)",
        ),
        (
            "  label: kind",
            "  label: kind\n  split: {train: 1, evl: 1}",
            "5: data.split.evl: unknown key; did you mean 'eval'? (allowed: train, eval, test, by)",
        ),
        (
            "      min: 0.5",
            "      min: 0.5\n      mim: 0.5",
            "11: evaluation.thresholds.accuracy.mim: unknown key; did you mean 'min'? (allowed:"
            " min, max, max_worsening)",
        ),
    ],
)
def test_load_refuses_unknown_key_in_section(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert mistakes(write_config(tmp_path, MINIMAL.replace(old, new))) == [message]


@pytest.mark.parametrize(
    ("old", "key", "now"),
    [
        ("data: {csv: {gaps: [NA]}}", "data.csv.gaps", "'null_values'"),
        ("features: {x: {kind: numeric, gap: mean}}", "features.x.gap", "'fill'"),
        (
            "features: {x: {kind: numeric, gap_flag: true}}",
            "features.x.gap_flag",
            "'missing_indicator'",
        ),
        ("train: {best_metric: f1, best_is: greatest}", "train.best_is", "'max'"),
        ("tuner: {objective: f1, objective_is: least}", "tuner.objective_is", "'min'"),
    ],
)
def test_load_names_new_name_of_old_key(old: str, key: str, now: str) -> None:
    section, _, value = old.partition(": ")

    with pytest.raises(ConfigError) as caught:
        load_config(SHIPPED, [f"{section}={value}"])

    (line,) = [each for each in str(caught.value).splitlines() if key in each]
    assert f"is called {now} now: rename it" in line


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("name: t\n", "name: is missing"),
        ("  label: kind\n", "2: data.label: is missing"),
        ("features:\n  x: numeric\n", "features: is missing"),
    ],
)
def test_load_refuses_missing_key(tmp_path: Path, old: str, message: str) -> None:
    (line,) = mistakes(write_config(tmp_path, MINIMAL.replace(old, "")))

    assert line.strip() == message


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "train:\n  steps: many\n",
            "12: train.steps: 'many' is not allowed: should be a valid int",
        ),
        ("train:\n  steps: 5.0\n", "12: train.steps: 5.0 is not allowed: should be a valid int"),
        ("train:\n  steps: true\n", "12: train.steps: True is not allowed: should be a valid int"),
        ("train:\n  steps: '5'\n", "12: train.steps: '5' is not allowed: should be a valid int"),
        ("train:\n  steps:\n", "12: train.steps: None is not allowed: should be a valid integer"),
        ("model: 5\n", "11: model: 5 is not allowed"),
        ("model:\n", "11: model: None is not allowed"),
        ("cache: 'yes'\n", "11: cache: 'yes' is not allowed: should be a valid boolean"),
        (
            "mlflow:\n  experiment: 5\n",
            "12: mlflow.experiment: 5 is read as a number; expected a",
        ),
        ("model:\n  hidden_units: 10\n", "12: model.hidden_units: 10 is not allowed"),
        ("model:\n  hidden_units: [1, x]\n", "12: model.hidden_units.1: 'x' is not allowed"),
        (
            "push:\n  directory: 2024-12-05\n",
            "12: push.directory: 2024-12-05 is read as a date; expected",
        ),
    ],
)
def test_load_refuses_wrong_type(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "train:\n  steps: -5\n",
            "12: train.steps: -5 is not allowed: should be greater than or eq",
        ),
        ("train:\n  steps: 0\n", "12: train.steps: 0 is not allowed: should be greater than or eq"),
        (
            "train:\n  steps: 10000000000\n",
            "12: train.steps: 10000000000 is not allowed: should be",
        ),
        ("train:\n  batch_size: 0\n", "12: train.batch_size: 0 is not allowed: should be greater"),
        ("train:\n  eval_every_steps: 0\n", "12: train.eval_every_steps: 0 is not allowed"),
        (
            "model:\n  hidden_units: [9, 0]\n",
            "12: model.hidden_units.1: 0 is not allowed: should be",
        ),
        ("model:\n  hidden_units: []\n", "12: model.hidden_units: [] is not allowed"),
        (
            "model:\n  learning_rate: 0\n",
            "12: model.learning_rate: 0 is not allowed: should be gre",
        ),
        ("model:\n  learning_rate: .inf\n", "12: model.learning_rate: "),
        ("model:\n  learning_rate: .nan\n", "12: model.learning_rate: nan is not allowed"),
        ("model:\n  seed: -1\n", "12: model.seed: -1 is not allowed"),
        ("serving:\n  rest_port: 70000\n", "12: serving.rest_port: 70000 is not allowed"),
        ("serving:\n  tls: {key: k}\n", "12: serving.tls.certificate: is missing"),
        (
            "serving:\n  versions: {policy: specific}\n",
            "12: serving.versions: numbers must be set with policy specific",
        ),
        (
            "serving:\n  versions: {labels: {new: -1}}\n",
            "12: serving.versions.labels.new: -1 is not allowed",
        ),
        ("serving:\n  limits: {json_depth: 1000}\n", "12: serving.limits.json_depth: 1000 is not"),
        ("beam:\n  args: [x]\n", "12: beam.args: 'x' is not an option of the form --name=value"),
        ("beam:\n  args: [--runner=x]\n", "12: beam.args: '--runner=x' is not an option"),
        ("paths:\n  root: ''\n", "12: paths.root: '' is not allowed"),
    ],
)
def test_load_refuses_impossible_value(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "model:\n  optimizer: adagard\n",
            "12: model.optimizer: 'adagard' is not allowed: should be 'adagrad', 'adam', 'ftrl',"
            " 'rmsprop' or 'sgd'; did you mean 'adagrad'?",
        ),
        (
            "model:\n  optimizer: 5\n",
            "12: model.optimizer: 5 is not allowed: should be 'adagrad', ",
        ),
        (
            "beam:\n  runner: directrunner\n",
            "12: beam.runner: 'directrunner' is not allowed: should ",
        ),
    ],
)
def test_load_names_allowed_words(tmp_path: Path, addition: str, message: str) -> None:
    assert mistake(tmp_path, addition).startswith(message)


@pytest.mark.parametrize("value", ["0", "-1", ".nan", ".inf"])
def test_load_refuses_impossible_share(tmp_path: Path, value: str) -> None:
    text = MINIMAL.replace("  label: kind", f"  label: kind\n  split:\n    eval: {value}")

    (line,) = mistakes(write_config(tmp_path, text))

    assert line.startswith("6: data.split.eval: ")


@pytest.mark.parametrize("name", ["Iris", "a b", "-a", "", "a" * 64, "ä"])
def test_load_refuses_name_of_pipeline(tmp_path: Path, name: str) -> None:
    (line,) = mistakes(write_config(tmp_path, MINIMAL.replace("name: t", f"name: '{name}'")))

    assert line.startswith(f"1: name: '{name}' is not allowed")


@pytest.mark.parametrize(
    "key", ["push.directory", "mlflow.experiment", "mlflow.tracking_uri", "data.schema"]
)
def test_load_refuses_empty_word(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: '' is not allowed"):
        load_config(SHIPPED, [f"{key}=''"])


def test_load_explains_each_mistake_in_a_line(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: t", "name: T").replace("min: 0.5", "min: 5")

    lines = mistakes(write_config(tmp_path, text + "train:\n  steps: 0\n  stpes: 1\n"), "cache=5")

    assert [line.split(": ")[:2] for line in lines] == [
        ["1", "name"],
        ["12", "train.steps"],
        ["13", "train.stpes"],
        ["10", "evaluation.thresholds.accuracy.min"],
        ["--set cache", "cache"],
    ]
