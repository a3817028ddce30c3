"""User functions are found before a run, and can be imported in it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.user_code import make_importable, modules_of
from pipeline.errors import ConfigError
from pipeline.settings.load import load_config

YAML = """
name: shop
data: {path: data.csv, label: y}
features: {x: numeric}
evaluation: {thresholds: {accuracy: {min: 0}}}
"""
MODULE = """
import json as parser
from os.path import join

if True:
    def in_a_branch(inputs): ...

def steps(inputs): ...

later = steps
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a YAML file and modules of the user beside it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    importlib.invalidate_caches()
    (tmp_path / "pipeline_config.yaml").write_text(YAML)
    (tmp_path / "beside_yaml.py").write_text(MODULE)
    (tmp_path / "beside_stars.py").write_text("from beside_yaml import *\n")
    (tmp_path / "beside_faulty.py").write_text("x = 1\ndef steps(:\n")
    (tmp_path / "beside_package").mkdir()
    (tmp_path / "beside_package" / "deep.py").write_text(MODULE)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("beside_")]:
        del sys.modules[name]


def check(folder: Path, key: str, path: str) -> None:
    make_importable(load_config(folder / "pipeline_config.yaml", [f"model.{key}={path}"]))


def test_make_importable_allows_imports_beside_yaml(folder: Path) -> None:
    check(folder, "preprocessing_fn", "beside_yaml.steps")

    assert importlib.import_module("beside_yaml").__file__ == str(folder / "beside_yaml.py")


def test_make_importable_appends_to_the_path_once(folder: Path) -> None:
    before = list(sys.path)

    check(folder, "model_fn", "beside_yaml.steps")
    check(folder, "model_fn", "beside_yaml.steps")

    assert sys.path == [*before, str(folder)]


@pytest.mark.parametrize("key", ["model_fn", "preprocessing_fn"])
@pytest.mark.parametrize(
    "path",
    [
        *(f"beside_yaml.{name}" for name in ("steps", "later", "in_a_branch", "join", "parser")),
        *("beside_package.deep.steps", "beside_stars.whatever"),
    ],
)
def test_make_importable_does_not_run_modules(folder: Path, key: str, path: str) -> None:
    check(folder, key, path)

    assert path.partition(".")[0] not in sys.modules


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("beside_yaml.step", "beside_yaml.py has no function 'step'; did you mean 'steps'?"),
        ("beside_absent.steps", "no module 'beside_absent': it must be installed, or be in"),
        ("beside_package.wide.steps", "there is no module 'beside_package.wide'"),
        ("beside_faulty.steps", "beside_faulty.py:2: model.model_fn: invalid syntax"),
    ],
)
def test_make_importable_explains_errors(folder: Path, path: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(folder, "model_fn", path)

    assert words in str(raised.value)
    assert "model.model_fn: " in str(raised.value)


def test_modules_of_names_the_module() -> None:
    assert modules_of("shop.steps.transform") == ["shop.steps"]
    assert modules_of(None) == []
