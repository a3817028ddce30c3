"""Dates as several programs write them, in a file with a title, from `init` to predictions."""

import csv
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.paths import PROJECT_DIR

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

START = datetime(2022, 1, 1, tzinfo=timezone.utc)
HEADER = ["when", "created_ms", "stamp", "month", "shift"]


def make_rows(count: int) -> list[list[str]]:
    """Makes rows whose label is told by the hour, in each of three ways to write it."""
    numbers = random.Random(3)
    rows = []
    for _ in range(count):
        instant = START + timedelta(minutes=numbers.randrange(2 * 365 * 1440))
        rows.append(
            [
                f"{instant:%d %b %Y %I:%M %p}",
                str(int(instant.timestamp() * 1000)),
                f"{instant:%a, %d %b %Y %H:%M:%S %z}",
                f"{instant:%Y-%m}",
                "day" if 8 <= instant.hour < 20 else "night",
            ]
        )
    return rows


def write_report(path: Path, rows: list[list[str]], width: int) -> None:
    lines = ["Shifts of two years;;;;", "", *(";".join(row[:width]) for row in [HEADER, *rows])]
    path.write_text("\n".join(lines) + "\n\x1a", encoding="utf-16")


def test_dates_as_written_lead_to_predictions(tmp_path: Path) -> None:
    rows, config = make_rows(600), tmp_path / "shifts.yaml"
    write_report(tmp_path / "shifts.csv", rows, len(HEADER))
    write_report(tmp_path / "new.csv", rows[:40], len(HEADER) - 1)
    command = [sys.executable, "-m", "pipeline", "init", str(tmp_path / "shifts.csv")]
    subprocess.run([*command, "--label=shift", f"--output={config}"], cwd=PROJECT_DIR, check=True)
    workspace = Workspace(tmp_path / "state")

    report = workspace.run("--config", str(config))
    new, output = str(tmp_path / "new.csv"), tmp_path / "out.csv"
    done = workspace.call(
        "predict", "--config", str(config), "--input", new, "--output", str(output)
    )

    assert report["metrics"]["accuracy"] > 0.9
    assert done.returncode == 0, done.stderr
    with output.open(encoding="utf-16", newline="") as file:
        predicted = [row["predicted"] for row in csv.DictReader(file, delimiter=";")]
    hits = [found == row[-1] for found, row in zip(predicted, rows, strict=False)]
    assert len(hits) == 40
    assert sum(hits) >= 36
