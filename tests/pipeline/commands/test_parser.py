"""The command line: help, examples, version, and what answers without slow imports."""

import argparse
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.commands.parser import make_parser
from tests.helpers.config_files import MINIMAL, write_config
from tests.helpers.paths import PROJECT_DIR


def find_commands() -> dict[str, argparse.ArgumentParser]:
    """Returns the parser of each command by its name."""
    (action,) = (
        action
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(action.choices)


def examples(parser: argparse.ArgumentParser) -> list[str]:
    """Returns the command lines at the end of a help."""
    title, *lines = (parser.epilog or "").splitlines()
    assert title == "examples:"
    return lines


PARSERS = {"": make_parser(), **find_commands()}
EXAMPLES = [example for parser in PARSERS.values() for example in examples(parser)]


def test_each_module_of_a_command_is_listed() -> None:
    modules = (PROJECT_DIR / "pipeline" / "commands").glob("*.py")
    with_parser = {path.stem for path in modules if "def add_parser" in path.read_text()}

    assert find_commands().keys() == with_parser


@pytest.mark.parametrize("name", PARSERS)
def test_help_ends_in_one_or_two_examples(name: str) -> None:
    parser = PARSERS[name]

    assert 1 <= len(examples(parser)) <= 2
    assert parser.format_help().rstrip().endswith(examples(parser)[-1])


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_parses(example: str) -> None:
    command = re.search(r"\bpipeline ([^#)]*)", example)
    assert command is not None

    options = make_parser().parse_args(shlex.split(command[1]))

    assert callable(options.handler)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--json=1"], "run: error: --json takes no argument: remove '1'"),
        (["run", "--verbose=a b"], "run: error: --verbose takes no argument: remove 'a b'"),
        (["schema", "show", "--force=yes"], "--force takes no argument: remove 'yes'"),
        (["serve", "--access-log=x"], "--access-log takes no argument: remove 'x'"),
        (["--version=2"], "pipeline: error: --version takes no argument: remove '2'"),
        (["run", "--help=all"], "-h/--help takes no argument: remove 'all'"),
    ],
)
def test_flag_takes_no_argument(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"{message}\n")


def test_version_names_package_and_stack(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == (
        f"pipeline {version('estimator-pipeline')} (TensorFlow {version('tensorflow')},"
        f" TFX {version('tfx')}, Beam {version('apache-beam')}, MLflow {version('mlflow')})\n"
    )


def run_and_list_modules(*arguments: str) -> tuple[str, set[str]]:
    """Runs a command in a new process; returns its exit code and the packages it has imported."""
    code = (
        "import sys\n"
        "from pipeline.__main__ import run_command\n"
        "try:\n"
        "    code = run_command(sys.argv[1:])\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        "print()\n"
        "print(code, *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    exit_code, *modules = done.stdout.splitlines()[-1].split()
    return exit_code, set(modules)


SLOW = {"apache_beam", "ml_metadata", "mlflow", "tensorflow", "tfx"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["--version"], ["completion", "bash"]]
)
def test_help_version_and_completion_answer_at_once(arguments: list[str]) -> None:
    code, modules = run_and_list_modules(*arguments)

    assert code == "0"
    assert modules.isdisjoint({*SLOW, "numpy", "pyarrow", "pydantic", "rich", "yaml"})


@pytest.mark.parametrize("command", sorted(find_commands().keys() - {"init", "completion"}))
def test_error_in_yaml_answers_at_once(command: str, tmp_path: Path) -> None:
    arguments = {
        "schema": ["show"],
        "predict": ["--input=rows.csv", "--output=predictions.csv"],
        "promote": ["1"],
        "compare": ["latest"],
    }
    path = write_config(tmp_path, MINIMAL + "trian: {}\n")

    code, modules = run_and_list_modules(
        command, *arguments.get(command, []), "--config", str(path)
    )

    assert code == "2"
    assert modules.isdisjoint(SLOW)


@pytest.mark.parametrize(
    "module", ["comparison", "mlflow_sync", "model_server", "promotion", "schema_actions"]
)
def test_command_needs_no_tensorflow(module: str) -> None:
    code = f"import sys, pipeline.commands.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    )

    assert {"apache_beam", "mlflow", "tensorflow"}.isdisjoint(done.stdout.split())
