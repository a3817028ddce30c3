"""What `init` reads labels as, and what it says of them."""

from pathlib import Path

import pytest

from pipeline.data.check import check_data
from pipeline.init.inspect_csv import Wishes
from pipeline.init.write_config import make_config
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, numbers, rows_of, table, words
from trainer.settings.train import Task


def init(
    folder: Path, labels: list[str], task: Task | None = None
) -> tuple[Config, tuple[str, ...]]:
    """Makes a configuration, and lists what a person is told of the label."""
    data = folder / "data.csv"
    data.write_text(table(["x", "y"], rows_of(numbers(1), labels)), encoding="utf-8")
    found, text = make_config(data, Wishes("y", task), folder)
    path = folder / "pipeline_config.yaml"
    path.write_text(text, encoding="utf-8")
    label = found.summary.columns[0]
    for finding in label.findings:
        assert finding.text in text
    return load_config(path), tuple(finding.text for finding in label.findings)


@pytest.mark.parametrize(
    ("labels", "task", "classes", "positive"),
    [
        (("01", "02", "10"), "multiclass", ("01", "02", "10"), None),
        (("01", "1"), "binary", ("01", "1"), "1"),
        (("no", "yes", "no", "yes ", "no", " yes"), "binary", ("no", "yes"), "yes"),
        (("0", "1", "-0", "1.0", "0.0", "1e0"), "binary", ("0", "1"), "1"),
        (("1", "1.0", "one"), "multiclass", ("1", "1.0", "one"), None),
        (("True", "False"), "binary", ("False", "True"), "True"),
        (("yes", "no", "NA"), "binary", ("no", "yes"), "yes"),
        (("0", "1", "nan"), "binary", ("0", "1"), "1"),
        (("+1", "-1"), "binary", ("+1", "-1"), "+1"),
        (("a", "b", "NA"), "multiclass", ("NA", "a", "b"), None),
        (("true", "false", ""), "binary", ("false", "true"), "true"),
    ],
)
def test_init_reads_labels_as_a_run_does(
    tmp_path: Path,
    labels: tuple[str, ...],
    task: str,
    classes: tuple[str, ...],
    positive: str | None,
) -> None:
    config, _ = init(tmp_path, words(*labels))

    assert config.task == task
    assert config.data.positive == positive
    assert sorted(check_data(config).classes) == sorted(classes)


def test_init_leaves_out_unlabeled_rows_and_says_how_many(tmp_path: Path) -> None:
    config, findings = init(tmp_path, ["", *words("u", "v")[1:-1], " "])

    assert config.data.unlabeled == "skip"
    assert findings == (f"2 of {ROWS} rows have no label and are left out (data.unlabeled: skip)",)
    assert check_data(config).counts.unlabeled == 2


def test_init_leaves_out_unlabeled_rows_of_a_regression(tmp_path: Path) -> None:
    config, findings = init(tmp_path, ["", *numbers(2)[1:]])

    assert (config.task, config.data.unlabeled) == ("regression", "skip")
    assert "1 of 300 rows have no label" in findings[0]


def test_init_does_not_set_unlabeled_needlessly(tmp_path: Path) -> None:
    config, findings = init(tmp_path, words("u", "v"))

    assert (config.data.unlabeled, findings) == ("error", ())


def test_init_says_both_readings_of_counts(tmp_path: Path) -> None:
    counts = words(*map(str, range(10)))

    as_classes, (classes,) = init(tmp_path, counts)
    as_numbers, (read_as_numbers,) = init(tmp_path, counts, "regression")

    assert (as_classes.task, as_numbers.task) == ("multiclass", "regression")
    assert "10 whole numbers are learned as classes" in classes
    assert "init --task regression" in classes
    assert "10 whole numbers are learned as numbers" in read_as_numbers
    assert "init --task multiclass" in read_as_numbers


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("no", "yes", "yes "), "labels have blanks around them, such as 'yes '"),
        (("01", "1"), "the classes '01' and '1' are learned as different ones"),
        (("True", "true", "False"), "the classes 'True' and 'true' are learned as different"),
        (("a", "b", "NA"), "'NA' is learned as a class; if it means that the label is missing"),
    ],
)
def test_init_tells_of_odd_labels(tmp_path: Path, labels: tuple[str, ...], said: str) -> None:
    _, findings = init(tmp_path, words(*labels))

    assert any(said in finding for finding in findings)


def test_init_tells_of_a_word_that_makes_words_of_numbers(tmp_path: Path) -> None:
    config, findings = init(tmp_path, ["x"] * 12 + words("0", "1", "2")[12:])

    assert (config.task, config.data.csv.numbers) == ("multiclass", {})
    assert findings == (
        "'x' makes words of all labels, most of which are whole numbers; if it is a mistake,"
        " correct it",
    )


def test_init_puts_a_word_among_the_numbers_of_a_regression_aside(tmp_path: Path) -> None:
    config, findings = init(tmp_path, ["abc", *numbers(2)[1:]])

    assert (config.task, config.data.quarantine.max_rows) == ("regression", 1)
    assert any("'abc' in line 2 is not a number" in finding for finding in findings)


def test_many_numbers_with_leading_zeros_are_a_regression(tmp_path: Path) -> None:
    config, _ = init(tmp_path, [f"{number:04}" for number in range(ROWS)])

    assert config.task == "regression"
