"""How the numbers of a column are written, found by its words."""

from collections.abc import Sequence

import pytest

from pipeline.data.written_numbers import find_written_numbers
from tabular.csv.number_format import NumberFormat


def find(words: Sequence[str], decimal: str = ".") -> NumberFormat | None:
    """Finds the format of words, each in one cell; None also if there is not one way."""
    found = find_written_numbers(dict.fromkeys(words, 1), decimal)
    return None if found is None else found.format


@pytest.mark.parametrize(
    ("words", "number_format"),
    [
        (["$5", "$1,234.50", "-$3"], NumberFormat(prefix=("$",), thousands=",")),
        (["US$ 5", "US$ 6.5"], NumberFormat(prefix=("US$",))),
        (["CHF 1'234", "CHF 5.50"], NumberFormat(prefix=("CHF",), thousands="'")),
        (["CHF 1\u2019234", "CHF 5.50"], NumberFormat(prefix=("CHF",), thousands="'")),
        (["Rs. 5", "Rs. 1,23,456"], NumberFormat(prefix=("Rs.",), thousands=",")),
        (["5%", "4.5 %"], NumberFormat(suffix=("%",))),
        (["80 kg", "75kg", "60 KG"], NumberFormat(suffix=("kg", "KG"))),
        (["1.5\u00a0m\u00b2", "3 m\u00b2"], NumberFormat(suffix=("m\u00b2",))),
        (["81 m2", "96m2", "1,234 m2"], NumberFormat(suffix=("m2",), thousands=",")),
        (["0.5 g/m3", "-1.25 g/m3"], NumberFormat(suffix=("g/m3",))),
        (["1,234", "999", "12,345,678"], NumberFormat(thousands=",")),
        (["1 234", "999"], NumberFormat(thousands=" ")),
        (["1\u202f234", "999,5"], NumberFormat(thousands=" ", decimal=",")),
        (["1.234,5", "2,25"], NumberFormat(thousands=".", decimal=",")),
        (["3,14", "2,7"], NumberFormat(decimal=",")),
        (["(5.5)", "3"], NumberFormat(negative="brackets")),
        (["(1,200)", "1,300"], NumberFormat(thousands=",", negative="brackets")),
        (["5.5-", "3.25"], NumberFormat(negative="trailing")),
        (["$5", "NA", "$6.5"], NumberFormat(prefix=("$",))),
    ],
)
def test_finds_one_way_of_writing(words: Sequence[str], number_format: NumberFormat) -> None:
    assert find(words) == number_format


def test_keeps_the_decimal_point_of_the_table_where_both_fit() -> None:
    assert find(["1.234 \u20ac", "5.000 \u20ac"], ",") == NumberFormat(
        suffix=("\u20ac",), thousands=".", decimal=","
    )


@pytest.mark.parametrize(
    "words",
    [
        ["red", "green"],
        ["A12", "A13"],
        ["v1", "v2"],
        ["007%", "008%"],
        ["02134", "10001"],
        ["1A", "2B", "3C", "4D"],
        ["12B3", "45B3"],
        ["5x2", "7x2"],
        ["81 m4", "96 m4"],
        ["192.168.0.1", "10.0.0.1"],
        ["10:30", "11:45"],
        ["555-1234", "555-9876"],
        ["01 23 45 67 89", "02 23 45 67 89"],
        ["0x1F", "0x2F"],
        ["12-14", "15-20"],
        ["3 rooms and a kitchen", "4 rooms and a kitchen"],
        ["", " "],
    ],
)
def test_takes_no_codes_for_numbers(words: Sequence[str]) -> None:
    assert find(words) is None


@pytest.mark.parametrize(
    ("words", "examples"),
    [
        ([*(f"{n}%" for n in range(30)), *(f"0.{n}" for n in range(20))], ("0%", "0.0")),
        ([*(f"{n} kg" for n in range(30)), *(f"{n} lb" for n in range(20))], ("0 kg", "0 lb")),
        ([*(f"${n}" for n in range(30)), *(f"\u20ac{n}" for n in range(20))], ("$0", "\u20ac0")),
    ],
)
def test_tells_of_numbers_that_are_written_in_different_ways(
    words: Sequence[str], examples: tuple[str, ...]
) -> None:
    found = find_written_numbers(dict.fromkeys(words, 1), ".")

    assert found is not None
    assert (found.format, found.examples) == (None, examples)


def test_a_few_words_among_numbers_do_not_hide_their_format() -> None:
    counts = {f"${n}": 1 for n in range(95)} | {"call us": 5}

    found = find_written_numbers(counts, ".")

    assert found is not None
    assert found.format == NumberFormat(prefix=("$",))
