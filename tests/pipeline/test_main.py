"""The command line as a process."""

import os
import subprocess
import sys

from tests.helpers.paths import PROJECT_DIR


def test_main_ends_quietly_when_pipe_is_closed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipeline", "validate"]

    done = subprocess.run(
        command, cwd=PROJECT_DIR, stdout=writer, stderr=subprocess.PIPE, text=True
    )

    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_no_module_hides_a_standard_one() -> None:
    # TFX starts pipeline/local_runner.py by its path, which puts the folder first on sys.path.
    names = {path.stem for path in (PROJECT_DIR / "pipeline").glob("*.py")}

    assert names & sys.stdlib_module_names == set()
