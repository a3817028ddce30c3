"""Redirected output; each test runs a process, since file descriptors are replaced."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

CHATTER = """
    print("Python's output")
    print("Python's error", file=sys.stderr)
    os.write(1, b"C's output\\n")
    os.write(2, b"C's error\\n")
    subprocess.run(["sh", "-c", "echo output of a child; echo error of a child >&2"])
"""
CHATTER_LINES = {
    "Python's output",
    "Python's error",
    "C's output",
    "C's error",
    "output of a child",
    "error of a child",
}


def run(log_path: Path, body: str, *, verbose: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs a script in which `redirected()` redirects the output."""
    head = f"""
        import os, subprocess, sys
        from pathlib import Path
        from pipeline.run.log_capture import redirected_output

        def redirected():
            return redirected_output(Path({str(log_path)!r}), verbose={verbose})
    """
    script = dedent(head) + dedent(body)
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # print buffers, as usual
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )


def in_with(*lines: str) -> str:
    """Makes a script whose lines run with redirected output."""
    return "with redirected() as screen:\n" + "".join(f"    {line}\n" for line in lines)


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "logs" / "run.log"


def chatter() -> list[str]:
    return dedent(CHATTER).strip().splitlines()


def test_redirected_output_redirects_to_the_log(log_path: Path) -> None:
    result = run(log_path, in_with(*chatter()))

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert set(log_path.read_text().splitlines()) == CHATTER_LINES


def test_redirected_output_yields_the_screen(log_path: Path) -> None:
    result = run(log_path, in_with("print('shown', file=screen)", "print('hidden')"))

    assert (result.stdout, result.stderr) == ("shown\n", "")
    assert log_path.read_text() == "hidden\n"


def test_redirected_output_verbose_copies_to_stderr(log_path: Path) -> None:
    result = run(log_path, in_with("print('shown', file=screen)", *chatter()), verbose=True)

    assert result.stdout == "shown\n"
    assert set(result.stderr.splitlines()) == CHATTER_LINES
    assert set(log_path.read_text().splitlines()) == CHATTER_LINES


@pytest.mark.parametrize("verbose", [False, True])
def test_redirected_output_restores_both_streams(log_path: Path, verbose: bool) -> None:
    after = """
        print("output after")
        print("error after", file=sys.stderr)
        os.write(1, b"")
    """
    result = run(log_path, in_with("print('hidden')") + dedent(after), verbose=verbose)

    assert result.stdout == "output after\n"
    assert "error after" in result.stderr.splitlines()
    assert log_path.read_text() == "hidden\n"


@pytest.mark.parametrize("verbose", [False, True])
def test_redirected_output_restores_after_an_exception(log_path: Path, verbose: bool) -> None:
    body = """
        try:
            with redirected():
                print("before")
                1 / 0
        except ZeroDivisionError as error:
            print("output after:", error)
            print("error after", file=sys.stderr)
    """
    result = run(log_path, body, verbose=verbose)

    assert (result.returncode, result.stdout) == (0, "output after: division by zero\n")
    assert "error after" in result.stderr.splitlines()
    assert log_path.read_text() == "before\n"


def test_redirected_output_flushes_the_log_at_its_end(log_path: Path) -> None:
    lines = in_with("print('hidden')") + f"print(Path({str(log_path)!r}).read_text())"

    assert run(log_path, lines, verbose=True).stdout == "hidden\n\n"


def test_redirected_output_flushes_earlier_prints(log_path: Path) -> None:
    result = run(log_path, "print('before')\n" + in_with("print('hidden')"))

    assert result.stdout == "before\n"
    assert log_path.read_text() == "hidden\n"


def test_redirected_output_appends_to_the_log(log_path: Path) -> None:
    run(log_path, in_with("print('first')"))
    run(log_path, in_with("print('second')"))

    assert log_path.read_text() == "first\nsecond\n"


def test_redirected_output_closes_its_descriptors(log_path: Path) -> None:
    body = """
        def count():
            return len(os.listdir("/proc/self/fd"))

        before = count()
        for _ in range(3):
            with redirected():
                pass
        print(count() - before)
    """

    assert run(log_path, body).stdout == "0\n"


def test_redirected_output_keeps_the_log_after_a_kill(log_path: Path) -> None:
    lines = ["print('hidden', flush=True)", "os.kill(os.getpid(), 9)"]

    result = run(log_path, in_with(*lines), verbose=True)

    assert result.returncode == -9
    assert log_path.read_text() == "hidden\n"
    assert result.stderr == "hidden\n"
