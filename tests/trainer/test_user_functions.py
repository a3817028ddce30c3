"""Loading functions by a dotted path, and locating errors in user code."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from trainer.user_functions import (
    UserFunctionError,
    graph_errors,
    load_function,
    one_line,
    user_errors,
)

MODULES = {
    "fine": """
def function(x):
    return x + 1

class Model:
    @staticmethod
    def function(x):
        return x + 2

    def __call__(self, x):
        return x + 3

instance = Model()
number = 5
""",
    "wrong_syntax": "\n\ndef function(:\n",
    "raises": "\nraise ValueError('no\\nway')\n",
    "ends": "import sys\nsys.exit(3)\n",
    "lacks": "import a_module_that_is_not_there\n",
    "helper": "\ndef helps(x):\n    return int(x)\n",
    "caller": """
import json
from PACKAGE import helper

def function(x):
    return helper.helps(x)

def loads(text):
    return json.loads(text)

def traced():
    raise TypeError("in user code:\\n\\n    File x\\n\\n    TypeError: no such thing\\n")
""",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of MODULES with a name that no other test has imported."""
    name = f"package_{tmp_path.name}"
    folder = tmp_path / "code" / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    for module, source in MODULES.items():
        (folder / f"{module}.py").write_text(source.replace("PACKAGE", name))
    monkeypatch.syspath_prepend(str(folder.parent))
    return name


@pytest.mark.parametrize(
    ("path", "expected"), [("function", 11), ("Model.function", 12), ("instance", 13)]
)
def test_load_function_finds_callables(package: str, path: str, expected: int) -> None:
    assert load_function(f"{package}.fine.{path}")(10) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("fine.functoin", "{0}.fine has no 'functoin'; did you mean 'function'?"),
        (
            "fine.Model.functoin",
            "{0}.fine.Model has no 'functoin'; did you mean 'function'",
        ),
        ("fin.function", "there is no module '{0}.fin'; did you mean 'fine'?"),
        ("fine.number", "is not callable, but of type int"),
        ("wrong_syntax.function", "module '{0}.wrong_syntax' cannot be imported: SyntaxError: "),
        ("wrong_syntax.function", "(wrong_syntax.py:3)"),
        ("raises.f", "module '{0}.raises' cannot be imported: ValueError: no (raises.py:2)"),
        ("ends.f", "module '{0}.ends' cannot be imported: SystemExit: 3 (ends.py:2)"),
        (
            "lacks.f",
            "module '{0}.lacks' cannot be imported: ModuleNotFoundError: No module named"
            " 'a_module_that_is_not_there' (lacks.py:1)",
        ),
    ],
)
def test_load_function_names_fault(package: str, path: str, message: str) -> None:
    with pytest.raises(UserFunctionError) as caught:
        load_function(f"{package}.{path}")

    assert str(caught.value).startswith(f"{package}.{path}: ")
    assert message.format(package) in str(caught.value)


def test_load_function_names_missing_package() -> None:
    with pytest.raises(UserFunctionError, match=r"there is no module 'jsn'; did you mean 'json'"):
        load_function("jsn.loads")


@pytest.mark.parametrize(
    ("function", "argument", "expected"),
    [
        ("function", "x", "invalid literal for int() with base 10: 'x' (helper.py:3)"),
        ("loads", "{", "Expecting property name"),
        ("loads", "{", "(caller.py:9)"),  # not a line of the library
    ],
)
def test_user_errors_names_innermost_user_line(
    package: str, function: str, argument: str, expected: str
) -> None:
    loaded = load_function(f"{package}.caller.{function}")

    with pytest.raises(UserFunctionError) as caught, user_errors(loaded):
        loaded(argument)

    assert expected in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


def test_user_errors_unwraps_autograph_error(package: str) -> None:
    loaded: Callable[[], None] = load_function(f"{package}.caller.traced")

    with pytest.raises(UserFunctionError) as caught, user_errors(loaded):
        loaded()

    assert str(caught.value) == "TypeError: no such thing (caller.py:12)"


def failing(size: int) -> None:
    """Fails in a session; the line of `gather` created the operation."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        places = tf.compat.v1.placeholder(tf.int64, [None])
        values = tf.gather(tf.zeros([size]), places)
        session.run(values, {places: [size]})


def test_graph_errors_names_line_of_operation() -> None:
    line = failing.__code__.co_firstlineno + 4

    with pytest.raises(UserFunctionError) as caught, graph_errors():
        failing(2)

    assert str(caught.value) == (
        f"InvalidArgumentError: indices[0] = 2 is not in [0, 2) (test_user_functions.py:{line})"
    )


def test_graph_errors_passes_others_on() -> None:
    with pytest.raises(KeyError), graph_errors():
        raise KeyError("x")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(), "ValueError"),
        (UserFunctionError("TypeError: no (user.py:3)"), "TypeError: no (user.py:3)"),
        (ValueError("in user code:\n\n  File x\n\n  TypeError: no"), "TypeError: no"),
        (
            RuntimeError("Graph execution error:\n\nDetected at\nNode: 'x'\nbad index\n\t [[x]]"),
            "RuntimeError: bad index",
        ),
        (
            RuntimeError(
                "Graph execution error:\n\nDetected at\nNode: 'x'\n2 root error(s) found.\n"
                "  (0) INVALID_ARGUMENT: bad index\n"
            ),
            "RuntimeError: (0) INVALID_ARGUMENT: bad index",
        ),
        (
            RuntimeError("Graph execution error:\n\nValueError: bad file\nTraceback\n\n\t [[x]]"),
            "RuntimeError: ValueError: bad file",
        ),
    ],
)
def test_one_line_formats_error(error: Exception, expected: str) -> None:
    assert one_line(error) == expected
