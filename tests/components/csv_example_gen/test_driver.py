"""The driver of CsvExampleGen: what changes the fingerprint of the input."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from tfx.orchestration.portable import data_types
from tfx.types import standard_artifacts

from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.driver import Driver
from tests.helpers.checked_csv import make_options
from tests.helpers.csv_examples import BUCKETS, SETTINGS, write_files


def drive(input_dir: Path, pattern: str | Mapping[str, str] = "*.csv") -> str:
    """Runs the driver, and returns the fingerprint in the cache key."""
    component = CsvExampleGen(
        str(input_dir),
        pattern,
        BUCKETS if isinstance(pattern, str) else None,
        options=make_options([], SETTINGS),
    )
    info = data_types.ExecutionInfo(
        exec_properties=dict(component.exec_properties),
        output_dict={"examples": [standard_artifacts.Examples()]},
    )
    output = Driver(None).run(info)
    fingerprint = output.exec_properties["input_fingerprint"].string_value
    (artifact,) = output.output_artifacts["examples"].artifacts
    assert artifact.custom_properties["input_fingerprint"].string_value == fingerprint
    return str(fingerprint)


@pytest.fixture
def csv_dir(tmp_path: Path) -> Path:
    return write_files(tmp_path / "csv", {"a.csv": "x\n1\n", "b.csv": "x\n2\n"})


def test_driver_ignores_modification_times(
    csv_dir: Path,
) -> None:
    before = drive(csv_dir)

    os.utime(csv_dir / "a.csv", (1, 1))

    assert drive(csv_dir) == before


def test_driver_ignores_the_folder(csv_dir: Path) -> None:
    copy = write_files(csv_dir.parent / "copy", {"a.csv": "x\n1\n", "b.csv": "x\n2\n"})

    assert drive(copy) == drive(csv_dir)


def test_driver_sees_an_edit_of_same_size_and_time(
    csv_dir: Path,
) -> None:
    path = csv_dir / "a.csv"
    before, times = drive(csv_dir), (path.stat().st_atime_ns, path.stat().st_mtime_ns)

    path.write_text("x\n3\n")
    os.utime(path, ns=times)

    assert drive(csv_dir) != before


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": "x\n1\n"},
        {"a.csv": "x\n1\n", "c.csv": "x\n2\n"},
        {"a.csv": "x\n2\n", "b.csv": "x\n1\n"},
        {"a.csv": "x\n1\n", "b.csv": "x\n2\n", "c.csv": ""},
        {"a.csv": "x\n1\nb.csv\0x\n2\n"},
    ],
    ids=["removed", "renamed", "swapped", "added", "joined"],
)
def test_driver_sees_other_files(csv_dir: Path, files: Mapping[str, str]) -> None:
    others = write_files(csv_dir.parent / "others", files)

    assert drive(others) != drive(csv_dir)


def test_driver_ignores_files_outside_the_pattern(csv_dir: Path) -> None:
    before = drive(csv_dir, "a.csv")

    (csv_dir / "b.csv").write_text("x\n3\n")

    assert drive(csv_dir, "a.csv") == before


def test_driver_sees_a_file_move_to_another_split(
    csv_dir: Path,
) -> None:
    before = drive(csv_dir, {"train": "a.csv", "eval": "b.csv"})

    assert drive(csv_dir, {"train": "[ab].csv", "eval": "c.csv"}) != before
    assert drive(csv_dir, {"train": "a.csv", "eval": "b.csv"}) == before


def test_driver_ignores_files_that_are_not_csv(csv_dir: Path) -> None:
    before = drive(csv_dir, "*.csv*")

    (csv_dir / "a.csv.bak").write_text("x\n3\n")

    assert drive(csv_dir, "*.csv*") == before
