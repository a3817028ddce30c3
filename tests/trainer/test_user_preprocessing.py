"""The user's preprocessing_fn, called in place of the built-in one."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.helpers.preprocessed import analyze
from trainer.preprocessing import preprocessing_fn
from trainer.user_functions import UserFunctionError

MODULE = """
import tensorflow as tf
import tensorflow_transform as tft

def one_argument(inputs):
    return {"twice": inputs["x"] * 2}

def two_arguments(inputs, custom_config):
    name = custom_config["settings"]["label"]
    return {"z": tft.scale_to_z_score(inputs["x"]), name: inputs["x"] * 0, "w": inputs["x"]}

def no_argument():
    return {}

def three_arguments(inputs, custom_config, more):
    return {}

def returns_none(inputs):
    pass

def returns_words(inputs):
    return {"x": "word"}

def returns_float64(inputs):
    return {"x": tf.cast(inputs["x"], tf.float64)}

def raises(inputs):
    raise ZeroDivisionError("some words")

NUMBER = 1
"""


@pytest.fixture
def user_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user_steps.py").write_text(MODULE)
    (tmp_path / "user_broken.py").write_text("import absent_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def user_settings(function: str, **settings: Any) -> dict[str, Any]:
    return {
        "label": "label",
        "features": {"x": "numeric"},
        "model": {"preprocessing_fn": f"user_steps.{function}"},
        **settings,
    }


@pytest.mark.usefixtures("user_modules")
def test_user_preprocessing_fn_gets_label_and_weight(tmp_path: Path) -> None:
    columns = {"x": [1.0, 3.0], "label": [b"yes", b"no"], "w": [3, 4]}

    table, _ = analyze(columns, user_settings("one_argument", weight="w"), tmp_path)

    assert {name: column.ravel().tolist() for name, column in table.items()} == {
        "twice": [2, 6],
        "label": [1, 0],
        "w": [3, 4],
    }


@pytest.mark.usefixtures("user_modules")
def test_user_preprocessing_fn_may_return_label(tmp_path: Path) -> None:
    columns = {"x": [1.0, 3.0], "label": [b"yes", b"no"], "w": [7, 7]}
    settings = user_settings("two_arguments", weight="w", task="regression")

    table, _ = analyze(columns, settings, tmp_path)

    assert {name: column.ravel().tolist() for name, column in table.items()} == {
        "z": [-1, 1],
        "label": [0, 0],
        "w": [1, 3],
    }


@pytest.mark.usefixtures("user_modules")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("user_steps.absent", "user_steps has no 'absent'"),
        ("user_steps.NUMBER", "is not callable, but of type int"),
        ("user_absent.fn", "there is no module 'user_absent'"),
        ("user_broken.fn", "cannot be imported: ModuleNotFoundError: No module named 'abse"),
        ("user_steps.no_argument", r"must take \(inputs\) or \(inputs, custom_config\): too many"),
        ("user_steps.three_arguments", "must take .*: missing a required argument: 'more'"),
        ("user_steps.returns_none", "must return a dict of tensors by name, not None"),
        ("user_steps.returns_words", "float32, int64 or string; 'x' is 'word'"),
        ("user_steps.returns_float64", "float32, int64 or string; 'x' is float64"),
    ],
)
def test_user_preprocessing_fn_errors_name_fault(path: str, words: str) -> None:
    settings = user_settings("", model={"preprocessing_fn": path})

    with pytest.raises(UserFunctionError, match=words) as raised:
        preprocessing_fn({"x": tf.zeros([1, 1])}, {"settings": settings})

    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("user_modules")
def test_user_preprocessing_fn_errors_name_line() -> None:
    words = r"^ZeroDivisionError: some words \(user_steps.py:[0-9]+\)$"
    with pytest.raises(UserFunctionError, match=words):
        preprocessing_fn({"x": tf.zeros([1, 1])}, {"settings": user_settings("raises")})
