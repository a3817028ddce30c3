"""`pipeline schema` with a real MLMD."""

import shutil
from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from pipeline.data.schema_text import read_schema
from pipeline.run.history import History
from pipeline.settings.load import load_config
from tests.helpers.history_run import record_run
from tests.helpers.mlmd_recorder import Recorder
from tests.helpers.paths import SHIPPED
from tests.helpers.tracked_run import make_schema, make_start


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    """A copy of the shipped configuration with a new state folder."""
    path = tmp_path / "project" / "pipeline_config.yaml"
    path.parent.mkdir()
    text = SHIPPED.read_text("utf-8").replace("root: artifacts", f"root: {tmp_path}")
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def run(config_path: Path, recorder: Recorder, tmp_path: Path) -> None:
    """A run that has inferred the schema of `tracked_run`."""
    record_run(History(load_config(config_path)), recorder, make_start(), tmp_path / "run")


def call(config_path: Path, *arguments: str) -> int:
    return run_command(["schema", *arguments, "--config", str(config_path)])


def test_schema_show_lists_columns_of_latest_run(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(config_path, "show") == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["column", "width", "legs", "species"]


def test_schema_show_prefers_reviewed_schema(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (config_path.parent / "mine.pbtxt").write_text('feature { name: "mine" type: INT }')

    assert call(config_path, "show", "--set", "data.schema=mine.pbtxt") == 0

    assert capsys.readouterr().out.splitlines()[1].split() == [
        *("mine", "whole", "numbers", "may", "be", "empty", "any")
    ]


def test_schema_write_writes_beside_config(config_path: Path, run: None) -> None:
    assert call(config_path, "write") == 0

    assert read_schema(config_path.parent / "schema.pbtxt") == make_schema()


def test_schema_write_writes_to_output(config_path: Path, run: None, tmp_path: Path) -> None:
    assert call(config_path, "write", "--output", str(tmp_path / "other.pbtxt")) == 0

    assert read_schema(tmp_path / "other.pbtxt") == make_schema()


def test_schema_write_replaces_only_if_forced(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config_path.parent / "schema.pbtxt"
    path.write_text("mine")

    assert call(config_path, "write") == 2
    assert path.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert call(config_path, "write", "--force") == 0
    assert read_schema(path) == make_schema()


def test_schema_write_names_unwritable_path(
    config_path: Path, run: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(config_path, "write", "--output", str(tmp_path / "absent" / "x.pbtxt")) == 2

    assert "cannot be written, No such file or directory" in capsys.readouterr().err


def test_schema_diff_of_written_schema_is_empty(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call(config_path, "write")

    assert call(config_path, "diff", "--set", "data.schema=schema.pbtxt") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no differences"


def test_schema_diff_fails_on_difference(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call(config_path, "write")
    path = config_path.parent / "schema.pbtxt"
    path.write_text(path.read_text().replace("INT", "FLOAT"))

    assert call(config_path, "diff", "--set", "data.schema=schema.pbtxt") == 1
    assert "legs: type: numbers by the schema, whole numbers in the data" in capsys.readouterr().out


def test_schema_diff_needs_a_reviewed_schema(
    config_path: Path, run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(config_path, "diff") == 2
    assert "data.schema is null" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["show", "write"])
def test_schema_needs_a_run(
    config_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    assert call(config_path, action) == 2
    assert "no run of 'iris' has a schema yet" in capsys.readouterr().err


def test_schema_reports_deleted_artifacts(
    config_path: Path, run: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tmp_path / "run")

    assert call(config_path, "show") == 2
    assert "there is no such file" in capsys.readouterr().err
