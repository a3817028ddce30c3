"""CSV tables for `pipeline init`, and the command over them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.__main__ import run_command

ROWS = 300
"""Number of rows of each table."""


def rows_of(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Makes rows of columns."""
    return list(zip(*columns, strict=True))


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], separator: str = ",") -> str:
    """Writes rows as CSV, without a header if that is empty."""
    return "".join(
        separator.join(map(str, row)) + "\n" for row in [*([header] if header else []), *rows]
    )


def numbers(seed: int, decimal: str = ".") -> list[str]:
    """Makes a column of random numbers."""
    random_numbers = random.Random(seed)
    return [f"{random_numbers.gauss(5, 2):.3f}".replace(".", decimal) for _ in range(ROWS)]


def words(*choices: str) -> list[str]:
    """Makes a column of words, each of them about as often."""
    return [choices[(row * 7 + row // 3) % len(choices)] for row in range(ROWS)]


GOOD = table(["x", "y"], rows_of(numbers(1), words("u", "v")))
"""A number `x` and two classes `y`."""


def init(
    folder: Path, content: str | bytes, label: str, name: str = "data.csv"
) -> tuple[int, Path]:
    """Runs `pipeline init` and returns the exit code and the path of its output."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    output = folder / "out.yaml"
    return run_command(["init", str(path), "--label", label, "--output", str(output)]), output
