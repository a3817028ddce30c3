"""What a run imports before its inputs are checked."""

import subprocess
import sys

SCRIPT = """
import sys
import pipeline.run.session
print(*sorted({"apache_beam", "mlflow", "tensorflow", "tfx"} & sys.modules.keys()))
"""


def test_session_imports_no_large_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
