"""`pipeline init`: the files that it reads and writes."""

from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from pipeline.settings.load import load_config
from tests.helpers.made_tables import GOOD, init, numbers, rows_of, table, words
from tests.helpers.paths import PROJECT_DIR


def test_init_prints_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run_command(["init", str(PROJECT_DIR / "data/iris/iris.csv"), "--label", "species"]) == 0

    text = (tmp_path / "pipeline_config.yaml").read_text(encoding="utf-8")
    assert "  sepal_length: numeric  # numbers, 4.3 to 7.9\n" in text
    assert "  # The column to predict: 3 words.\n  label: species\n" in text
    assert (
        load_config(tmp_path / "pipeline_config.yaml").evaluation.thresholds["accuracy"].min == 0.33
    )
    assert "multiclass of 'species' from 150 rows" in capsys.readouterr().out


def test_init_writes_path_relative_to_output(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "My Data.csv").write_text(table(["x", "y"], rows_of(numbers(1), words("u", "v"))))
    output = tmp_path / "configs" / "mine.yaml"

    code = run_command(
        ["init", str(tmp_path / "My Data.csv"), "--label", "y", "--output", str(output)]
    )

    assert code == 0
    config = load_config(output)
    assert (config.name, config.data.path) == ("my-data", "../My Data.csv")
    assert config.data_path == tmp_path / "My Data.csv"


def test_init_reads_folder(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for seed in (1, 2):
        content = table(["x", "y"], rows_of(numbers(seed), words("u", "v")))
        (folder / f"{seed}.csv").write_text(content, encoding="utf-8")
    output = tmp_path / "out.yaml"
    assert run_command(["init", str(folder), "--label", "y", "--output", str(output)]) == 0
    assert run_command(["validate", "--config", str(output)]) == 0


def test_init_refuses_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data.csv").touch()
    arguments = ["init", str(tmp_path / "dta.csv"), "--label", "y", "--output", str(tmp_path / "o")]
    assert run_command(arguments) == 2
    assert "did you mean 'data.csv'?" in capsys.readouterr().err


def test_init_keeps_existing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.yaml").write_text("mine", encoding="utf-8")
    code, output = init(tmp_path, GOOD, "y")
    assert (code, output.read_text(encoding="utf-8")) == (2, "mine")
    assert "exists already" in capsys.readouterr().err


def test_init_refuses_missing_output_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.csv").write_text(GOOD, encoding="utf-8")
    output = tmp_path / "nowhere" / "out.yaml"
    code = run_command(
        ["init", str(tmp_path / "data.csv"), "--label", "y", "--output", str(output)]
    )
    assert code == 2
    assert "there is no folder" in capsys.readouterr().err
