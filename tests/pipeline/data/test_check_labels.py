"""Labels of classifications and regressions: which can be learned, and what their classes are."""

import re
from pathlib import Path
from typing import Any

import pytest

from components.csv_example_gen.splits import split_rows
from pipeline.data.check import check_data
from pipeline.data.class_labels import MAX_CLASSES
from tabular.csv.reader import read_batches
from tabular.csv.types import ColumnType
from tests.helpers.data_checks import ROWS, check_error, make_config, make_csv, replace_rows

BINARY: dict[str, Any] = {"task": "binary"}


def find_rare_rows(path: Path, split: int) -> list[str]:
    """Three rows of the class `rare` that fall into one split, 0 for train or 1 for eval."""
    rows = [f"{i},0,rare" for i in range(100)]
    path.write_text(make_csv(*rows))
    (batch,) = read_batches(path)
    splits = split_rows(batch, [2, 1])
    return [row for row, its_split in zip(rows, splits, strict=True) if its_split == split][:3]


def test_whole_numbers_are_classes_by_value(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('10', '9', '9.0', '-1')[i % 4]}" for i in range(60))))

    assert check_data(make_config(path)).classes == ("-1", "9", "10")


def test_hexadecimal_labels_are_words(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('0x10', '0x9')[i % 2]}" for i in range(30))))

    assert check_data(make_config(path)).classes == ("0x10", "0x9")


@pytest.mark.parametrize(
    "labels",
    [("1.0", "0.0"), ("1", "0.0"), ("1e0", "0"), ("0", "1", "-0", "1.0", "0.0", "1e0", "1 ")],
)
def test_labels_such_as_1_0_are_whole_numbers(path: Path, labels: tuple[str, ...]) -> None:
    path.write_text(make_csv(*(f"{i},{i},{labels[i % len(labels)]}" for i in range(60))))

    checked = check_data(make_config(path))

    assert checked.classes == ("0", "1")
    assert checked.config.checked_files.types["kind"] == ColumnType.INT


@pytest.mark.parametrize(
    ("first", "second", "classes"),
    [
        (("0", "1"), ("0.0", "1.0"), ("0", "1")),
        (("0", "1"), ("00", "01"), ("0", "00", "01", "1")),
        (("0", "1"), ("0.0", "one"), ("0", "1", "0.0", "one")),
        (("01", "02"), ("10", "10"), ("01", "02", "10")),
    ],
)
def test_classes_are_decided_by_all_files(
    tmp_path: Path, first: tuple[str, str], second: tuple[str, str], classes: tuple[str, ...]
) -> None:
    (tmp_path / "1.csv").write_text(make_csv(*(f"{i},{i},{first[i % 2]}" for i in range(40))))
    (tmp_path / "2.csv").write_text(make_csv(*(f"{i},{i}.5,{second[i % 2]}" for i in range(40))))

    for count_splits in (True, False):
        assert check_data(make_config(tmp_path), count_splits=count_splits).classes == classes


@pytest.mark.parametrize(
    ("labels", "classes", "warning"),
    [
        (("01", "1"), ("01", "1"), "the classes '01' and '1' are learned as different ones"),
        (("1", "1.0", "one"), ("1", "1.0", "one"), "the classes '1' and '1.0' are learned"),
        (("True", "true", "no"), ("True", "no", "true"), "the classes 'True' and 'true' are"),
        (("+1", "-1", "1"), ("-1", "1", "+1"), "the classes '1' and '+1' are learned"),
        (("a  b", "a b", "c"), ("a  b", "a b", "c"), "the classes 'a  b' and 'a b' are"),
        (("yes", "yes ", " yes", "no"), ("no", "yes"), "labels have blanks around them, such as"),
        (("yes", ' "yes"', "no"), ("no", "yes"), """such as ' "yes"': they are read without"""),
        (("yes", '" yes"', "no"), ("no", "yes"), "such as ' yes': they are read without"),
        (("yes", "yes\u00a0", "no"), ("no", "yes"), "labels have blanks around them"),
    ],
)
def test_labels_are_read_as_written_but_for_blanks(
    path: Path, labels: tuple[str, ...], classes: tuple[str, ...], warning: str
) -> None:
    count = len(labels)
    path.write_text(make_csv(*(f"{i % 7},{i % 5},{labels[i % count]}" for i in range(30 * count))))

    checked = check_data(make_config(path))

    assert checked.classes == classes
    (found,) = checked.config.warnings
    assert found.startswith("kind: ")
    assert warning in found


def test_says_how_many_labels_have_blanks(path: Path) -> None:
    labels = ("no", "yes", "no", "yes ", "no", " yes")
    path.write_text(make_csv(*(f"{i % 7},{i % 5},{labels[i % 6]}" for i in range(240))))

    (warning,) = check_data(make_config(path)).config.warnings

    assert warning.endswith(
        "80 labels have blanks around them, such as 'yes ', ' yes': they are read without"
    )


def test_labels_without_oddities_have_no_warnings(path: Path) -> None:
    path.write_text(
        make_csv(*(f"{i % 7},{i % 5},{('New York', 'Köln')[i % 2]}" for i in range(40)))
    )

    checked = check_data(make_config(path))

    assert (checked.config.warnings, checked.summary.columns) == ((), ())


def test_a_label_of_blanks_is_empty(path: Path) -> None:
    message = check_error(path, replace_rows({6: "1,2, "}))

    assert message.startswith("6: kind: the label is empty")


def test_fault_of_a_label_with_blanks_names_its_line(path: Path) -> None:
    rows = find_rare_rows(path, split=1)
    message = check_error(path, make_csv(*ROWS, *(f"{row} " for row in rows)))

    assert message.startswith("22: kind: the class 'rare' is in the eval split only")


def test_regression_reads_numbers_with_blanks(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i}, {i}.5" for i in range(40))))

    checked = check_data(make_config(path, task="regression"))

    assert sum(checked.rows.values()) == 40
    assert "40 labels have blanks around them" in checked.config.warnings[0]


def test_refuses_an_empty_label(path: Path) -> None:
    assert check_error(path, replace_rows({6: "1,2,"})).startswith("6: kind: the label is empty")


@pytest.mark.parametrize("label", ["a\nb", "a\rb", "a\r\n"])
def test_refuses_a_label_of_two_lines(path: Path, label: str) -> None:
    # The classes are listed in a file, a word a line.
    message = check_error(path, replace_rows({6: f'1,2,"{label}"'}))

    assert message.startswith(f"6: kind: the label {label!r} has a line end in it")


@pytest.mark.parametrize("label", ["1.5", "nan", "1e-3", "9007199254740993.0"])
def test_fractions_ask_for_regression(path: Path, label: str) -> None:
    rows = [f"{i},{i},{i % 3}" for i in range(30)]
    message = check_error(path, make_csv(*rows, f"1,2,{label}", *rows))

    assert message.startswith(f"32: kind: '{label}' is neither a word nor a whole number")
    assert "set task to regression" in message


def test_many_fractions_ask_for_regression(path: Path) -> None:
    rows = [f"{i},{i},{i}.5" for i in range(MAX_CLASSES + 1)]

    assert check_error(path, make_csv(*rows)).startswith("2: kind: '0.5' is neither a word nor")


def test_a_fraction_among_words_is_a_word(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('1.5', 'a')[i % 2]}" for i in range(30))))

    assert check_data(make_config(path)).classes == ("1.5", "a")


def test_numbers_in_one_file_words_in_another(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(make_csv(*ROWS))
    (tmp_path / "2.csv").write_text(make_csv(*(f"{i},{i},{('1', '01')[i % 2]}" for i in range(30))))

    assert check_data(make_config(tmp_path)).classes == ("01", "1", "a", "b")


def test_refuses_more_than_max_classes(path: Path) -> None:
    message = check_error(path, make_csv(*(f"{i},{i},id{i}" for i in range(MAX_CLASSES + 1))))

    assert f"kind: more than {MAX_CLASSES} different labels, such as 'id0'" in message
    assert "data.label" in message


def test_accepts_max_classes(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},id{i % MAX_CLASSES}" for i in range(20 * MAX_CLASSES))))

    assert len(check_data(make_config(path)).classes) == MAX_CLASSES


def test_refuses_a_single_class(path: Path) -> None:
    message = check_error(path, make_csv(*(f"{i},{i},a" for i in range(20))))

    assert "kind: every row has the class 'a'; expected at least 2 classes" in message


def test_1_and_1_0_are_a_single_class(path: Path) -> None:
    message = check_error(path, make_csv(*(f"{i},{i},{('1', '1.0')[i % 2]}" for i in range(20))))

    assert "every row has the class '1'" in message


def test_refuses_a_class_in_eval_only(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS, *find_rare_rows(path, split=1)))

    assert message.startswith("22: kind: the class 'rare' is in the eval split only")
    assert "data.split" in message


def test_accepts_a_class_in_train_only(path: Path) -> None:
    path.write_text(make_csv(*ROWS, *find_rare_rows(path, split=0)))

    assert check_data(make_config(path)).classes == ("a", "b", "rare")


def test_refuses_a_split_of_one_class(path: Path) -> None:
    # Equal rows fall into the same split, so that one split has the class b only.
    message = check_error(path, make_csv(*["1,2,b"] * 5, *["3,4,a"] * 5))

    assert re.search(r"the \w+ split \(5 of 10 rows\) has the class '[ab]' only", message)
    assert "expected at least 2 classes" in message


def test_refuses_a_split_without_rows(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS), split={"train": 1000, "eval": 0.001})

    assert "kind: the eval split (0 of 20 rows) has no row" in message
    assert "data.split.eval" in message


@pytest.mark.parametrize(("positive", "classes"), [(None, ("a", "b")), ("a", ("b", "a"))])
def test_positive_class_is_last(path: Path, positive: str | None, classes: tuple[str, ...]) -> None:
    path.write_text(make_csv(*ROWS))

    assert check_data(make_config(path, **BINARY, positive=positive)).classes == classes


@pytest.mark.parametrize(("positive", "classes"), [("01", ("1", "01")), ("1", ("01", "1"))])
def test_positive_class_may_have_leading_zeros(
    path: Path, positive: str, classes: tuple[str, ...]
) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('01', '1')[i % 2]}" for i in range(40))))

    config = make_config(path, **BINARY, positive=positive, train={"class_weights": {"01": 2.0}})

    assert check_data(config).classes == classes


def test_a_class_is_named_by_its_number(path: Path) -> None:
    rows = [f"{i},{i},{('0.0', '1.0')[i % 2]}" for i in range(40)]

    message = check_error(path, make_csv(*rows), **BINARY, positive="1.0")

    assert "there is no class '1.0'; expected one of '0', '1': correct data.positive" in message


def test_refuses_three_classes_in_a_binary_task(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS, "1,2,c"), **BINARY)

    assert "kind: 3 classes, 'a', 'b', 'c'; expected 2 in a binary task" in message


def test_missing_positive_class_names_the_nearest(path: Path) -> None:
    rows = [f"{i},{i},{('good', 'bad')[i % 2]}" for i in range(30)]
    message = check_error(path, make_csv(*rows), **BINARY, positive="god")

    assert "kind: there is no class 'god'; expected one of 'bad', 'good'" in message
    assert message.endswith("correct data.positive; did you mean 'good'?")


def test_refuses_the_weight_of_a_missing_class(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS), train={"class_weights": {"a": 2.0, "c": 2.0}})

    assert "there is no class 'c'; expected one of 'a', 'b': correct train.class_weights" in message


def test_regression_accepts_any_numbers(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i / 7}" for i in range(2000))))

    summary = check_data(make_config(path, task="regression"))

    assert summary.classes == ()
    assert sum(summary.rows.values()) == 2000


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["1,2,3.5"] * 10, "every row has the number 3.5; expected numbers that differ"),
        (["1,2,3.5"] * 10 + ["2,3,4"] * 10, "has the number|has no row"),
        ([f"{i},{i},a" for i in range(9)], "2: kind: 'a' is not a number"),
    ],
)
def test_regression_refuses_equal_numbers(path: Path, rows: list[str], words: str) -> None:
    assert re.search(words, check_error(path, make_csv(*rows), task="regression"))
