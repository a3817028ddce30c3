"""Settings that `--set` replaces."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistakes, write_config


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.steps=5", "train.steps", 5),
        ("cache=false", "cache", False),
        ("model.learning_rate=1", "model.learning_rate", 1.0),
        ("model.hidden_units=[3, 4]", "model.hidden_units", [3, 4]),
        ("mlflow.experiment=a=b", "mlflow.experiment", "a=b"),
        ("mlflow.experiment=null", "mlflow.experiment", None),
        ("mlflow.experiment='5'", "mlflow.experiment", "5"),
        ("train={steps: 7}", "train.steps", 7),
        ("features.y=numeric", "features.y", "numeric"),
        (" name = other", "name", "other"),
        ("features.Width (cm)=numeric", "features.Width (cm)", "numeric"),
        ('features."sepal.length"=numeric', 'features."sepal.length"', "numeric"),
        ('features."a=b"={kind: numeric, scale: raw}', 'features."a=b".scale', "raw"),
    ],
)
def test_override_has_typed_value(minimal: Path, override: str, key: str, value: Any) -> None:
    assert load_config(minimal, [override]).flatten()[key] == value


def test_last_override_of_key_wins(minimal: Path) -> None:
    assert load_config(minimal, ["train.steps=5", "train.steps=6"]).train.steps == 6


def test_override_keeps_other_settings(tmp_path: Path) -> None:
    path = write_config(tmp_path, MINIMAL + "train:\n  steps: 7\n")

    config = load_config(path, ["train.batch_size=3"])

    assert (config.train.steps, config.train.batch_size) == (7, 3)


@pytest.mark.parametrize("override", ["train.steps", "=5", "train..steps=5", "", "."])
def test_override_needs_key_and_value(minimal: Path, override: str) -> None:
    (line,) = mistakes(minimal, override)

    assert line == f"--set {override}: must have the form key=value, such as train.steps=500"


@pytest.mark.parametrize("value", ["[", "{[1]: 2}", "{{ x }}", "2024-13-45", "\x07", "a: b: c"])
def test_override_must_be_yaml(minimal: Path, value: str) -> None:
    (line,) = mistakes(minimal, f"name={value}")

    assert line.startswith(f"--set name={value}: the value is not valid YAML: ")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.steps=x", "train.steps: 'x' is not allowed: should be a valid integer"),
        ("train.stpes=5", "train.stpes: unknown key; did you mean 'steps'? (allowed: steps, "),
        ("train=5", "train: 5 is not allowed"),
        ("data.path.x=1", "data.path: {'x': 1} is not allowed: should be a valid string"),
        ("train.steps=-1", "train.steps: -1 is not allowed: should be greater than or equal to 1"),
    ],
)
def test_mistake_names_its_override(minimal: Path, override: str, words: str) -> None:
    (line,) = mistakes(minimal, override)

    assert line.startswith(f"--set {override.split('=')[0]}: {words}")
