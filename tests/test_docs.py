"""README, configuration reference, benchmarks, Makefile and command line say the same."""

import re
import shlex
import subprocess

import pytest

from pipeline.__main__ import make_parser
from pipeline.run.report import make_report
from tests.benchmarks.measurements import Results
from tests.helpers.paths import PROJECT_DIR
from tools import readme

README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")


def commands(start: str) -> list[str]:
    """Lists the README's command lines that begin with a word, comments and notation left out."""
    lines = re.findall(rf"^ +({re.escape(start)} .*)$", README, re.MULTILINE)
    return [re.sub(r"\s+#.*|\s*\[.*", "", line) for line in lines]


def test_readme_parts_are_those_that_are_made() -> None:
    assert readme.fill(README) == README


def test_benchmarks_table_is_that_of_their_results() -> None:
    folder = PROJECT_DIR / "docs" / "bench"
    results = Results.model_validate_json((folder / "results.json").read_bytes())

    assert (folder / "table.md").read_text("utf-8") == results.make_table()


def test_readme_shows_commands() -> None:
    assert len(commands("make")) >= 5
    assert len(commands(".venv/bin/pipeline")) >= 6


@pytest.mark.parametrize("command", commands("make"))
def test_readme_make_target_exists(command: str) -> None:
    done = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=PROJECT_DIR, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", commands(".venv/bin/pipeline"))
def test_readme_pipeline_command_parses(command: str) -> None:
    make_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize(
    "option",
    ["--json", "--verbose", "--require-blessed", "--set", "--port", "--validate", "--workers"],
)
def test_readme_names_each_option(option: str) -> None:
    assert option in README


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_readme_link_leads_somewhere(target: str) -> None:
    assert (PROJECT_DIR / target).exists()


LAYOUT = set(re.findall(r"^ {4,}([a-z_]+/)(?:[a-z]+/)? ", README, re.MULTILINE))


@pytest.mark.parametrize("folder", sorted(LAYOUT - {"artifacts/"}))  # that is made by a run
def test_readme_layout_names_folders_that_exist(folder: str) -> None:
    assert (PROJECT_DIR / folder).is_dir() or (PROJECT_DIR / "components" / folder).is_dir()


def test_readme_names_the_keys_of_the_json_object() -> None:
    text = README[README.index("` prints one object and nothing else:") :].partition("\n\n")[0]
    fields = make_report("id", None, []).to_json()

    assert re.findall(r"`(\w+)`", text) == [*fields, "id", "state", "seconds"]
