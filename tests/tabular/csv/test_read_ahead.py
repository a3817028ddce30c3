"""Arrow's thread that reads ahead: how it starts, fails and ends."""

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tabular.csv.reader import BLOCK_BYTES, read_batches
from tests.helpers.paths import PROJECT_DIR


def test_a_process_may_end_right_after_reading() -> None:
    code = (
        "from tabular.csv.reader import read_batches\n"
        "for _ in read_batches('data/iris/iris.csv'): pass"
    )
    processors = os.sched_getaffinity(0)
    # On a busy processor, Arrow's thread ends late: without the wait, one exit in four aborts.
    os.sched_setaffinity(0, {min(processors)})
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        exit_codes = [
            subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, check=False).returncode
            for _ in range(16)
        ]
    finally:
        busy.kill()
        busy.wait()
        os.sched_setaffinity(0, processors)

    assert exit_codes == [0] * 16


def test_file_error_is_raised_after_earlier_batches(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    numbers = random.Random(0)
    rows = "".join(f"{numbers.random()},{numbers.random()}\n" for _ in range(200_000))
    whole = gzip.compress(f"a,b\n{rows}".encode())
    path.write_bytes(whole[: len(whole) // 2])

    batches = read_batches(path)

    assert next(batches).num_rows > 0
    with pytest.raises(EOFError):
        list(batches)


def test_a_file_that_is_read_in_part_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * (10 * BLOCK_BYTES))  # 40 blocks; Arrow reads 32 ahead.

    batches = read_batches(path)
    next(batches)
    was_open = _is_open(path)
    del batches

    assert was_open
    assert not _is_open(path)


def test_failed_reader_does_not_wait_for_its_thread(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * 100 + f"1,{'x' * 3 * BLOCK_BYTES}\n")
    code = (
        "import pyarrow as pa, sys\n"
        "from tabular.csv.reader import read_batches\n"
        "for _ in range(60):\n"
        "    try: list(read_batches(sys.argv[1]))\n"
        "    except pa.ArrowInvalid: pass\n"
        "    else: sys.exit(1)\n"
    )
    # With the GIL held, most of several readers on two processors wait for ever.
    running = [
        subprocess.Popen([sys.executable, "-c", code, path], cwd=PROJECT_DIR) for _ in range(3)
    ]
    try:
        assert [process.wait(100) for process in running] == [0, 0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait()


def _is_open(path: Path) -> bool:
    return any(file.resolve() == path for file in Path("/proc/self/fd").iterdir())
