"""`pipeline init` over numbers that are not plain, and over columns with a few other cells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words

LARGE = [float(number) * 1000 for number in numbers(3)]


def init_column(folder: Path, cells: list[str]) -> tuple[Path, dict[str, Any]]:
    """Runs `init` over a column `a` of quoted cells; gives the YAML file and its `data.csv`."""
    quoted = [f'"{cell}"' for cell in cells]
    code, path = init(folder, table(["a", "y"], rows_of(quoted, words("u", "v"))), "y")
    assert code == 0
    csv = load_config(path).data.csv.model_dump(exclude_defaults=True)
    return path, csv


@pytest.mark.parametrize(
    ("write", "numbers"),
    [
        (lambda x: f"{x - 5000:+.2f}", {}),
        (lambda x: f"{x - 5000:.2f}".replace("-", "\u2212"), {}),
        (lambda x: f"${x:,.2f}", {"prefix": ("$",), "thousands": ","}),
        (lambda x: f"{x / 100:.2f}%", {"suffix": ("%",)}),
        (lambda x: f"{x * 100:,.0f}", {"thousands": ","}),
        (lambda x: f"{x * 100:,.0f}".replace(",", "\u202f"), {"thousands": " "}),
        (
            lambda x: f"({5000 - x:.2f})" if x < 5000 else f"{x - 5000:.2f}",
            {"negative": "brackets"},
        ),
        (lambda x: f"{x:.1f} km/h", {"suffix": ("km/h",)}),
        (
            lambda x: f"{x:,.2f} \u20ac".translate({44: ".", 46: ","}),
            {"suffix": ("\u20ac",), "thousands": ".", "decimal": ","},
        ),
    ],
    ids=["plus", "minus", "dollar", "percent", "thousands", "blanks", "accounting", "unit", "euro"],
)
def test_init_reads_numbers_as_they_are_written(
    tmp_path: Path, write: Callable[[float], str], numbers: dict[str, Any]
) -> None:
    path, csv = init_column(tmp_path, [write(x) for x in LARGE])

    assert csv == ({"numbers": {"a": numbers}} if numbers else {})
    config = load_config(path)
    assert config.features["a"].kind == "numeric"
    assert check_data(config).quarantined == 0


def test_init_puts_the_row_of_a_single_word_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = numbers(3)
    cells[239] = "abc"

    path, csv = init_column(tmp_path, cells)

    assert csv == {}
    config = load_config(path)
    assert config.data.quarantine.max_rows == 1
    assert config.features["a"].kind == "numeric"
    checked = check_data(config)
    assert (checked.quarantined, sum(checked.rows.values())) == (1, ROWS - 1)
    assert "'abc' in line 241 is not a number, and its row goes to quarantine" in (
        capsys.readouterr().out
    )


def test_init_reads_a_word_that_repeats_as_a_missing_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["T" if row % 20 == 7 else cell for row, cell in enumerate(numbers(3))]

    path, csv = init_column(tmp_path, cells)

    assert csv == {"numbers": {"a": {"null_values": ("T",)}}}
    assert check_data(load_config(path)).quarantined == 0
    assert "'T' in lines 9, 29, 49 and 12 more is a missing value" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["inf", "-Infinity", "\u221e", "1e400", "-1e39"])
def test_init_reads_infinity_as_a_missing_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    cells = numbers(3)
    cells[30] = word

    path, csv = init_column(tmp_path, cells)

    assert csv == {"numbers": {"a": {"infinite": "missing"}}}
    assert check_data(load_config(path)).quarantined == 0
    assert f"{word!r} in line 32 is a missing value" in capsys.readouterr().out


def test_init_finds_words_among_numbers_that_are_not_plain(tmp_path: Path) -> None:
    cells = [f"${cell}" for cell in numbers(3)]
    cells[5] = "5.5"  # without the currency
    cells[9:50:8] = ["ask"] * 6
    cells[7] = "NA"

    path, csv = init_column(tmp_path, cells)

    assert csv == {"numbers": {"a": {"prefix": ("$",), "null_values": ("NA", "ask")}}}
    config = load_config(path)
    assert config.data.quarantine.max_rows == 1
    assert check_data(config).quarantined == 1


def test_init_leaves_a_null_value_of_one_column_alone_in_others(tmp_path: Path) -> None:
    rain = ["T" if row % 20 == 7 else cell for row, cell in enumerate(numbers(3))]
    content = table(["rain", "wet", "y"], rows_of(rain, words("T", "F"), words("u", "v", "w")))

    code, path = init(tmp_path, content, "y")

    assert code == 0
    config = load_config(path)
    assert config.data.csv.null_values == ()
    assert config.features["wet"].kind == "boolean"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (words("1", "2", "3", "4+"), "categorical"),
        (words("5%", "10%", "20%"), "categorical"),
        ([f"{row:03d}" if row % 9 else f"{row}" for row in range(ROWS)], "ignore"),
        ([f"{n}%" if row % 3 else n for row, n in enumerate(numbers(3))], "ignore"),
        ([f"word{row}" if row % 4 else n for row, n in enumerate(numbers(3))], "ignore"),
    ],
    ids=["levels", "few", "codes", "mixed", "words"],
)
def test_init_takes_no_other_words_for_numbers(tmp_path: Path, cells: list[str], kind: str) -> None:
    content = table(["a", "b", "y"], rows_of(cells, numbers(4), words("u", "v")))

    code, path = init(tmp_path, content, "y")

    assert code == 0
    config = load_config(path)
    assert config.features["a"].kind == kind
    assert (config.data.csv.numbers, config.data.quarantine.max_rows) == ({}, 0)


def test_init_says_that_numbers_are_written_in_different_ways(tmp_path: Path) -> None:
    cells = [f"{n}%" if row % 3 else n for row, n in enumerate(numbers(3))]
    content = table(["a", "b", "y"], rows_of(cells, numbers(4), words("u", "v")))

    _, path = init(tmp_path, content, "y")

    assert "numbers that are written in different ways, '" in path.read_text()


def test_init_reads_a_label_as_it_is_written(tmp_path: Path) -> None:
    content = table(["x", "price"], rows_of(numbers(1), [f'"${x:,.2f}"' for x in LARGE]))

    code, path = init(tmp_path, content, "price")

    assert code == 0
    config = load_config(path)
    assert config.task == "regression"
    assert config.data.csv.numbers["price"].prefix == ("$",)


def test_init_names_the_file_of_a_cell_where_there_are_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    cells = numbers(3)
    cells[239] = "abc"
    rows = rows_of(cells, words("u", "v"))
    (folder / "1.csv").write_text(table(["a", "y"], rows[:200]))
    (folder / "2.csv").write_text(table(["a", "y"], rows[200:]))
    from pipeline.__main__ import run_command

    code = run_command(["init", str(folder), "--label=y", f"--output={tmp_path / 'out.yaml'}"])

    assert code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "2.csv:41 is not a number" in out
