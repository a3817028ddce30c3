"""The commands that the pages show exist."""

import shlex
import subprocess
from pathlib import Path

import pytest

from pipeline.commands.parser import make_parser
from tests.helpers.pages import command_lines
from tests.helpers.paths import PROJECT_DIR


def test_pages_show_commands() -> None:
    assert len(command_lines("make")) >= 10
    assert len(command_lines(".venv/bin/pipeline")) >= 20


@pytest.mark.parametrize(
    "command", sorted({command for _, command in command_lines("make")}), ids=str
)
def test_make_target_exists(command: str) -> None:
    done = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=PROJECT_DIR, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "command"), command_lines(".venv/bin/pipeline"))
def test_pipeline_command_parses(page: str, command: str) -> None:
    make_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize(
    ("page", "command"),
    [
        (page, command)
        for word in (".venv/bin/python", ".venv/bin/pytest")
        for page, command in command_lines(word)
    ],
)
def test_files_named_by_a_command_exist(page: str, command: str) -> None:
    paths = [word for word in shlex.split(command)[1:] if "/" in word and word[0] not in "-2"]

    assert paths
    assert [path for path in paths if not Path(PROJECT_DIR, path).exists()] == []
