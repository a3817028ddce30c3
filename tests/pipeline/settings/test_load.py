"""Valid configurations: defaults, paths, numbers, and what loading imports."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config
from tests.helpers.paths import PROJECT_DIR, SHIPPED


def test_load_fills_in_defaults(minimal: Path) -> None:
    config = load_config(minimal)

    assert config.name == "t"
    assert config.data.split.train == 2
    assert config.model.hidden_units == (10, 10)
    assert config.cache is True


def test_load_resolves_paths_from_folder_of_file(
    minimal: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    config = load_config(minimal)

    assert config.data_path == minimal.parent / "rows.csv"
    assert config.root_dir == minimal.parent / "artifacts"
    assert config.push_dir == minimal.parent / "artifacts" / "serving" / "t"


def test_load_takes_relative_path_of_file(minimal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(minimal.parent.parent)

    config = load_config(f"{minimal.parent.name}/config.yaml")
    monkeypatch.chdir("/")

    assert config.data_path == minimal.parent / "rows.csv"


def test_load_keeps_absolute_paths(minimal: Path) -> None:
    assert load_config(minimal, ["data.path=/d/rows.csv"]).data_path == Path("/d/rows.csv")


def test_load_expands_home_folder(minimal: Path) -> None:
    assert load_config(minimal, ["paths.root=~/runs"]).root_dir == Path.home() / "runs"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("1", 1.0),
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("1e3", 1000.0),
        ("2.5e-1", 0.25),
        ("2.e-1", 0.2),
        (".5e1", 5.0),
        ("+1e-3", 0.001),
    ],
)
def test_load_reads_numbers(minimal: Path, text: str, value: float) -> None:
    assert load_config(minimal, [f"model.learning_rate={text}"]).model.learning_rate == value


def test_load_takes_slice_as_word(minimal: Path) -> None:
    config = load_config(minimal, ["evaluation.slices=[kind, [kind, x]]"])

    assert config.evaluation.slices == (("kind",), ("kind", "x"))


def test_load_imports_nothing_slow() -> None:
    code = "import sys; from pipeline.settings.load import load_config; load_config(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)", SHIPPED],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    slow = {"apache_beam", "mlflow", "pandas", "pyarrow", "numpy", "tensorflow", "tfx"}
    assert "pydantic" in done.stdout.split()
    assert slow.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("key", ["name", "data.path", "model.seed", "evaluation.slices"])
def test_config_is_frozen(minimal: Path, key: str) -> None:
    section: Any = load_config(minimal)
    *parents, name = key.split(".")
    for parent in parents:
        section = getattr(section, parent)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(section, name, "new")


def test_config_holds_tuples(minimal: Path) -> None:
    config = load_config(minimal, ["model.hidden_units=[3, 4]", "beam.args=[--a=b]"])

    assert config.model.hidden_units == (3, 4)
    assert config.beam.args == ("--a=b",)


@pytest.mark.parametrize("override", ["data.split=null", "evaluation.thresholds=3"])
def test_message_names_no_class(override: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(SHIPPED, [override])

    assert "Settings" not in str(caught.value)
