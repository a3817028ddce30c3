"""The examples' scripts write the rows that they say, and the configurations take them."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import PROJECT_DIR

EXAMPLES = sorted(path.parent.name for path in PROJECT_DIR.glob("examples/*/pipeline_config.yaml"))


def make_rows(name: str, path: Path) -> list[dict[str, str]]:
    script = PROJECT_DIR / "examples" / name / "make_data.py"
    subprocess.run([sys.executable, script, path], check=True)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_taxi_has_tfxs_trips_and_a_label_made_of_tips(tmp_path: Path) -> None:
    rows = make_rows("taxi", tmp_path / "new" / "taxi.csv")

    assert len(rows) == 15_002
    assert len(rows[0]) == 19
    assert all(
        (float(row["tips"]) > 0.2 * float(row["fare"])) == (row["big_tipper"] == "1")
        for row in rows
    )
    assert any(not row["company"] for row in rows)


def test_digits_has_a_picture_a_row(tmp_path: Path) -> None:
    rows = make_rows("digits", tmp_path / "digits.csv")

    assert len(rows) == 1797
    assert list(rows[0])[8:10] == ["p10", "p11"]
    # The first picture is a 0: a ring, with white in its middle.
    pixels = [[int(rows[0][f"p{row}{column}"]) for column in range(8)] for row in range(8)]
    assert rows[0]["digit"] == "0"
    assert pixels[0] == [0, 0, 5, 13, 9, 1, 0, 0]
    assert [row[3] for row in pixels[3:5]] == [0, 0]


def test_diabetes_has_measures_as_they_were_taken(tmp_path: Path) -> None:
    rows = make_rows("diabetes", tmp_path / "diabetes.csv")

    assert len(rows) == 442
    assert list(rows[0].values()) == [
        *("59", "2", "32.1", "101", "157", "93.2", "38", "4", "4.8598", "87", "151"),
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_configuration_takes_the_rows(name: str, tmp_path: Path) -> None:
    make_rows(name, tmp_path / f"{name}.csv")
    config = PROJECT_DIR / "examples" / name / "pipeline_config.yaml"
    command = [sys.executable, "-m", "pipeline", "validate", f"--config={config}"]

    done = subprocess.run(
        [*command, "--set", f"data.path={tmp_path / name}.csv"],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
