"""`pipeline init`: the files that it reads and writes."""

from pathlib import Path
from typing import get_args

import pytest

from pipeline.__main__ import run_command
from pipeline.commands.init import TASKS
from pipeline.settings.load import load_config
from tests.helpers.made_tables import GOOD, ROWS, init, numbers, rows_of, table, words
from tests.helpers.paths import PROJECT_DIR
from trainer.settings.train import Task


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


REPEATED = [str(number * 7 % 40) for number in range(ROWS)]
MANY = table(
    ["größe", "a name", "when", "y"],
    rows_of(numbers(1), REPEATED, ["2024-05-01", "2024-06-02"] * (ROWS // 2), words("1", "0")),
)


def test_init_offers_all_tasks() -> None:
    assert get_args(Task) == TASKS


def run_init(folder: Path, content: str, *options: str) -> tuple[int, Path]:
    (folder / "data.csv").write_text(content, encoding="utf-8")
    output = folder / "out.yaml"
    data = ["init", str(folder / "data.csv"), "--label", "y"]
    return run_command([*data, "--output", str(output), *options]), output


def test_init_takes_task_and_ignored_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = run_init(
        tmp_path, MANY, "--task", "regression", "--ignore", "größe", "--ignore", "when"
    )

    printed = capsys.readouterr().out
    assert code == 0
    config = load_config(output)
    assert config.task == "regression"
    left_out = [name for name, feature in config.features.items() if feature.kind == "ignore"]
    assert len(left_out) == 2
    assert "left out: as --ignore asks" in printed
    assert (
        "out.yaml: regression of 'y' from 300 rows; 1 column to learn from, 2 left out" in printed
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ignore", "wehn"], "correct --ignore; did you mean 'when'?"),
        (["--ignore", "y"], "y: is the label; expected another column in --ignore"),
        (["--ignore", "größe", "--ignore", "a name", "--ignore", "when"], "no column is left"),
    ],
)
def test_init_refuses_ignored_columns(
    tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = run_init(tmp_path, MANY, *options)
    assert code == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("labels", "task", "allowed"),
    [
        (words("u", "v"), "regression", "binary or multiclass"),
        (words("u", "v", "w"), "binary", "multiclass"),
        (numbers(3), "multiclass", "regression"),
        (words("1", "0"), "multiclass", ""),
        (words("1", "0"), "regression", ""),
        (words("1", "2", "3"), "regression", ""),
        ([str(number * 7 % 30) for number in range(ROWS)], "multiclass", ""),
    ],
)
def test_init_allows_tasks_that_the_label_allows(
    tmp_path: Path, labels: list[str], task: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = table(["x", "y"], rows_of(numbers(1), labels))
    code, output = run_init(tmp_path, content, "--task", task)
    if allowed:
        assert code == 2
        assert f"which --task {task} does not allow; expected {allowed}:" in capsys.readouterr().err
    else:
        assert code == 0
        assert load_config(output).task == task


def test_init_force_replaces_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.yaml").write_text("mine", encoding="utf-8")
    assert run_init(tmp_path, GOOD)[0] == 2
    assert "replace it by --force" in capsys.readouterr().err

    code, output = run_init(tmp_path, GOOD, "--force")

    assert (code, load_config(output).task) == (0, "binary")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "out.yaml"]


def test_init_force_keeps_output_if_data_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("mine", encoding="utf-8")
    code, output = run_init(tmp_path, "x,y\n", "--force")
    assert (code, output.read_text(encoding="utf-8")) == (2, "mine")


@pytest.mark.parametrize(("output", "message"), [("data.csv", "is the data"), (".", "is a folder")])
def test_init_force_replaces_no_data_and_no_folder(
    tmp_path: Path, output: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run_init(tmp_path, GOOD, "--force", "--output", str(tmp_path / output))
    assert code == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == GOOD


def test_init_writes_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _ = run_init(tmp_path, GOOD, "--output", "-")

    printed = capsys.readouterr()
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    (tmp_path / "piped.yaml").write_text(printed.out, encoding="utf-8")
    assert load_config(tmp_path / "piped.yaml").data.path == "data.csv"
    assert "standard output: binary of 'y'" in printed.err
    assert "becomes" in printed.err
