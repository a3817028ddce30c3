"""The index of the tests' helpers."""

import re

from tests import helpers
from tests.helpers.paths import PROJECT_DIR


def test_helpers_are_all_described() -> None:
    modules = {path.stem for path in (PROJECT_DIR / "tests" / "helpers").glob("[a-z]*.py")}

    described = re.findall(r"^    (\w+)  ", helpers.__doc__ or "", re.MULTILINE)

    assert sorted(described) == sorted(modules)
