"""Measurement of a run."""

import sys

from tests.benchmarks.pipeline_runs import measure

HOLD = "import time; held = b'.' * 200 * 2**20; time.sleep({})"
"""Allocates 200 MiB for a time."""


def test_measure_counts_memory_of_children() -> None:
    child = [sys.executable, "-c", HOLD.format(1)]
    code = f"{HOLD.format(0)}; import subprocess; subprocess.run({child}); print('done')"

    seconds, cpu_seconds, peak_mib, printed = measure([sys.executable, "-c", code], {})

    assert printed == "done"
    assert seconds > 1
    assert 0 < cpu_seconds < seconds
    assert 400 < peak_mib < 500
