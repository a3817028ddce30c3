"""Words that YAML takes for something else: yes, 01, 2024-05-01."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, mistakes, write_config


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("yes", "true"),
        ("No", "false"),
        ("on", "true"),
        ("01", "a number"),
        ("1", "a number"),
        ("1.0", "a number"),
        ("1e3", "a number"),
        ("0x1F", "a number"),
        ("12:30", "a number"),
        ("2024-05-01", "a date"),
    ],
)
def test_load_tells_to_quote_a_class(tmp_path: Path, written: str, read_as: str) -> None:
    text = MINIMAL.replace("  label: kind", f"  label: kind\n  positive: {written}")

    assert mistakes(write_config(tmp_path, text)) == [
        f"5: data.positive: {written} is read as {read_as}; expected a word: write it in quotes,"
        f' "{written}"'
    ]


@pytest.mark.parametrize("written", ["yes", "01", "1", "2024-05-01"])
def test_load_takes_a_quoted_class(tmp_path: Path, written: str) -> None:
    text = MINIMAL.replace("  label: kind", f'  label: kind\n  positive: "{written}"')

    config = load_config(write_config(tmp_path, text), ["task=binary"])

    assert config.data.positive == written


def test_load_tells_how_to_quote_in_the_shell(minimal: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(minimal, ["task=binary", "data.positive=01"])

    assert str(caught.value) == (
        "--set data.positive: data.positive: 01 is read as a number; expected a word: write it in"
        """ quotes, --set 'data.positive="01"'"""
    )
    config = load_config(minimal, ["task=binary", 'data.positive="01"'])
    assert config.data.positive == "01"


def test_load_tells_to_quote_a_word_in_a_list(tmp_path: Path) -> None:
    text = MINIMAL.replace("  label: kind", "  label: kind\n  csv: {null_values: [NA, no]}")

    assert mistakes(write_config(tmp_path, text)) == [
        '5: data.csv.null_values.1: no is read as false; expected a word: write it in quotes, "no"'
    ]


def test_load_tells_of_a_list_without_a_word_once(tmp_path: Path) -> None:
    feature = "{kind: boolean, true_words: [yes], false_words: [n]}"
    text = MINIMAL.replace("x: numeric", f"x: {feature}")

    assert [message.partition(";")[0] for message in mistakes(write_config(tmp_path, text))] == [
        "6: features.x.true_words.0: yes is read as true"
    ]


def test_load_takes_keys_as_they_are_written(tmp_path: Path) -> None:
    text = MINIMAL + "train:\n  class_weights: {yes: 2, 01: 3, 2024-05-01: 4}\n"

    config = load_config(write_config(tmp_path, text))

    assert config.train.class_weights == {"yes": 2, "01": 3, "2024-05-01": 4}


def test_load_merges_sections(tmp_path: Path) -> None:
    text = MINIMAL + "train: &a {steps: 7}\nmodel: {<<: *a}\n"

    (message,) = mistakes(write_config(tmp_path, text))

    assert "model.steps: unknown key" in message


def test_load_refuses_a_mapping_in_place_of_a_word(tmp_path: Path) -> None:
    text = MINIMAL + "train:\n  best_is: {yes: 1}\n"

    (message,) = mistakes(write_config(tmp_path, text))

    assert message.startswith("12: train.best_is: {'yes': 1} is not allowed")
