"""The committed Iris rows are what their script writes."""

import csv
import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

IRIS_DIR = Path(__file__).parents[2] / "data" / "iris"


@pytest.fixture(scope="module")
def make_iris() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_iris", IRIS_DIR / "make_iris.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_write_iris_writes_the_committed_bytes(make_iris: ModuleType, tmp_path: Path) -> None:
    make_iris.write_iris(tmp_path / "iris.csv")

    assert (tmp_path / "iris.csv").read_bytes() == (IRIS_DIR / "iris.csv").read_bytes()


def test_main_writes_to_the_path_given(
    make_iris: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["make_iris.py", str(tmp_path / "other.csv")])

    make_iris.main()

    assert (tmp_path / "other.csv").read_bytes() == (IRIS_DIR / "iris.csv").read_bytes()


def test_committed_rows_are_fishers() -> None:
    with (IRIS_DIR / "iris.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert Counter(row["species"] for row in rows) == {
        "setosa": 50,
        "versicolor": 50,
        "virginica": 50,
    }
    # The two rows in which the copy of the UCI repository differs from the paper: 35 and 38.
    lengths = [list(row.values())[:4] for row in rows]
    assert lengths[34] == ["4.9", "3.1", "1.5", "0.2"]
    assert lengths[37] == ["4.9", "3.6", "1.4", "0.1"]
