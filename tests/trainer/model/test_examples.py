"""Runs the examples in the docstrings of trainer.model."""

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import trainer.model
from tests.helpers.model_graphs import WARNINGS

pytestmark = WARNINGS

MODULES = [
    importlib.import_module(f"{trainer.model.__name__}.{module.name}")
    for module in pkgutil.iter_modules(trainer.model.__path__)
]


def public_functions(module: ModuleType) -> list[str]:
    return [
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def examples_of(module: ModuleType) -> dict[str, doctest.DocTest]:
    """Finds the examples of the module's functions by their names."""
    found = doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__)
    return {test.name.removeprefix(f"{module.__name__}."): test for test in found if test.examples}


@pytest.mark.parametrize(
    ("module", "function"),
    [
        pytest.param(module, function, id=f"{module.__name__.rpartition('.')[2]}.{function}")
        for module in MODULES
        for function in public_functions(module)
    ],
)
def test_example_gives_what_it_shows(module: ModuleType, function: str) -> None:
    examples = examples_of(module)
    assert function in examples, f"{module.__name__}.{function} has no example"
    report: list[str] = []

    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples[function], out=report.append)

    assert report == []


def test_modules_with_functions_are_found() -> None:
    assert {"compute_loss", "make_metrics"} <= {*public_functions(trainer.model.loss_and_metrics)}
