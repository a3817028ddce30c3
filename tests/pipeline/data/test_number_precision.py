"""Numbers that float32 cannot tell apart are warned of, wherever they are learned as numbers."""

import random
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.check import check_data
from pipeline.data.number_precision import tell_merged
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words

RANDOM = random.Random(5)
SERIALS = [1_000_000_000 + RANDOM.randrange(60) for _ in range(ROWS)]
LOST = "in float32, which holds whole numbers up to 16,777,216 only"


@pytest.mark.parametrize(
    ("column", "left"),
    [
        ([2**24, 2**24 + 1, 2**24 + 2, np.nan], "3 different numbers are 2"),
        ([1e9, 1e9 + 1, 1e9 + 2], "3 different numbers are 1"),
        ([-1e9, -1e9 - 1], "2 different numbers are 1"),
        ([1.6e9 + 0.25, 1.6e9 + 0.5], "2 different numbers are 1"),
        ([1e39, 1e40], "2 different numbers are 1"),
        ([2**24, 2**24 - 1, 0], ""),
        ([0.1, 0.1 + 1e-12], ""),
        ([1e9, 2e9, 3e9], ""),
        ([np.nan, np.inf], ""),
        ([], ""),
    ],
)
def test_tell_merged_counts_numbers_that_become_equal(column: list[float], left: str) -> None:
    finding = tell_merged(np.array(column, np.float64))

    assert (finding is None) if not left else (finding is not None and left in finding.text)


def test_tell_merged_leaves_a_few_among_many_out() -> None:
    column = np.append(np.arange(1000.0) * 1e6, 999e6 + 1)

    assert tell_merged(column) is None


def test_init_and_check_warn_of_a_feature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = table(["serial", "x", "y"], rows_of(SERIALS, numbers(1), words("u", "v")))

    code, path = init(tmp_path, content, "y")

    assert code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert LOST in out
    assert "1000000000 to 1000000059" in out
    warnings = check_data(load_config(path)).config.warnings
    assert [LOST in warning for warning in warnings] == [True]


def test_check_warns_of_the_label_of_a_regression(tmp_path: Path) -> None:
    content = table(["x", "serial"], rows_of(numbers(1), SERIALS))

    _, path = init(tmp_path, content, "serial")

    warnings = check_data(load_config(path)).config.warnings
    assert any(warning.startswith("serial: ") and LOST in warning for warning in warnings)


def test_check_does_not_warn_of_codes(tmp_path: Path) -> None:
    content = table(["serial", "x", "y"], rows_of(SERIALS, numbers(1), words("u", "v")))
    _, path = init(tmp_path, content, "y")

    config = load_config(path, ["features.serial=categorical"])

    assert check_data(config).config.warnings == ()
