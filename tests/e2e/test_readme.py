"""The README's output of `make run` is that of a first run."""

import re
from pathlib import Path

import pytest

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.pages import README, read

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def shape(output: str) -> str:
    """Takes out of an output what differs from run to run: times, ids, folders, spaces."""
    output = re.sub(r"[^ /]?(/[\w.-]+)+/artifacts\b", "STATE", output)
    output = re.sub(r"\b[0-9a-f]{32}\b|[0-9][0-9.:T+-]*", "0", output)
    return "\n".join(" ".join(line.split()) for line in output.splitlines())


def test_readme_shows_the_output_of_a_first_run(tmp_path: Path) -> None:
    text = read(README)
    begin, end = (f"<!-- output of make run: {part} -->\n" for part in ("begin", "end"))
    shown = text.partition(begin)[2].partition(end)[0]

    done = Workspace(tmp_path / "artifacts").call("run")

    assert done.returncode == 0, done.stderr
    assert shape(shown.removeprefix("```text\n").removesuffix("```\n")) == shape(done.stdout)
