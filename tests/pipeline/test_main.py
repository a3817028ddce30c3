"""The command line as a process."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent


def test_main_ends_quietly_if_nobody_reads_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipeline", "validate"]

    done = subprocess.run(
        command, cwd=PROJECT_DIR, stdout=writer, stderr=subprocess.PIPE, text=True
    )

    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
