"""Changelog, workflow and hooks fit the project that they belong to."""

import re
import shlex
from importlib.metadata import version

import pytest
import yaml

from tests.helpers.pages import read
from tests.helpers.paths import PROJECT_DIR

HOOKS = [
    hook
    for repository in yaml.safe_load(read(PROJECT_DIR / ".pre-commit-config.yaml"))["repos"]
    for hook in repository["hooks"]
]


def test_changelog_begins_with_this_version() -> None:
    changelog = read(PROJECT_DIR / "CHANGELOG.md")
    versions = re.findall(r"^## ([0-9.]+) - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)

    assert versions[0] == version("estimator-pipeline")
    assert versions == sorted(versions, reverse=True)


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_hook_calls_a_program_of_the_lock(hook: dict[str, str]) -> None:
    program = shlex.split(hook["entry"])[0]

    assert hook["language"] == "system"
    assert re.fullmatch(r"\.venv/bin/(ruff|mypy|lint-imports)", program)
    assert f"$(BIN)/{program.removeprefix('.venv/bin/')}" in read(PROJECT_DIR / "Makefile")


def test_workflow_calls_what_runs_on_any_machine() -> None:
    workflow = yaml.safe_load(read(PROJECT_DIR / ".github" / "workflows" / "ci.yml"))

    assert [step["run"] for step in workflow["jobs"]["ci"]["steps"] if "run" in step] == [".ci/run"]
