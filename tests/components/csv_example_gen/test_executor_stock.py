"""CsvExampleGen makes the examples of TFX's own CsvExampleGen."""

from collections import Counter
from pathlib import Path

import numpy as np
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.types import Artifact

from components.csv_example_gen.executor import Executor
from tests.helpers.csv_examples import Example, read_split, run, write_files
from trainer.settings.train import TrainerSettings


def test_executor_equals_the_stock_component(examples: Artifact, input_dir: Path) -> None:
    expected = run(stock.Executor, input_dir, input_dir.parent / "stock")

    both = [
        Counter(read_split(artifact, "train") + read_split(artifact, "eval"))
        for artifact in (examples, expected)
    ]
    assert both[0] == both[1]
    assert both[0].total() == 32


KINDS_OF_RAW_TYPES = {"size": float, "code": str, "weight": float}
"""Columns of whole numbers whose type the model decides here: floats or bytes."""


LABEL_AS_NUMBER = "grade"
"""Label of numbers such as 1.0: floats in the stock component, and classes, integers, here."""


def make_stock_rows(rows: int, seed: int) -> str:
    """Writes rows of many kinds of cells; a column has the same type in every file."""
    random = np.random.default_rng(seed)
    words = ["a", "b c", '"quoted, ""twice"""', '"two\nlines"', "\u00df", " ", "NA", "nan!", "1e"]
    lines = ["id,size,code,weight,number,partial,word,bare,none,grade"]
    for index in range(rows):
        lines.append(
            f"{index - 5 if index else -(2**63)},{random.integers(-9, 9)},{random.integers(5)},"
            f"{index},{random.normal() if index else 0.5},"
            f"{'' if random.random() < 0.3 else random.integers(2**40) / (1 + index % 2)},"
            f"{words[random.integers(len(words))] if index else 'a'},"
            f"{'' if random.random() < 0.3 else random.integers(-(2**40), 2**40)},,"
            f"{random.integers(3)}.0"
        )
    return "\n".join(lines) + "\n"


def as_ours(example: Example) -> Example:
    """Converts an example of the stock component to the types of columns here."""
    features = []
    for name, kind, values in example:
        if kind and KINDS_OF_RAW_TYPES.get(name) is float:
            features.append((name, "float_list", tuple(map(float, values))))
        elif kind and KINDS_OF_RAW_TYPES.get(name) is str:
            features.append((name, "bytes_list", tuple(str(value).encode() for value in values)))
        elif kind and name == LABEL_AS_NUMBER:
            features.append((name, "int64_list", tuple(map(int, values))))
        else:
            features.append((name, kind, values))
    return tuple(features)


def test_executor_equals_stock_for_given_splits(
    tmp_path: Path,
) -> None:
    patterns = {"train": "[ab].csv", "eval": "c.csv"}
    files = {f"{name}.csv": make_stock_rows(60, seed) for seed, name in enumerate("abc")}
    input_dir = write_files(tmp_path / "csv", files)
    settings = TrainerSettings.model_validate(
        {
            "label": LABEL_AS_NUMBER,
            "weight": "weight",
            "features": {"size": "bucketized", "code": "categorical"},
        }
    )
    ours, stocks = (
        run(
            each,
            input_dir,
            tmp_path / each.__module__,
            pattern=patterns,
            settings=settings,
        )
        for each in (Executor, stock.Executor)
    )

    for split, count in (("train", 120), ("eval", 60)):
        expected = Counter(map(as_ours, read_split(stocks, split)))
        assert Counter(read_split(ours, split)) == expected
        assert expected.total() == count
        kinds = {name: kind for example in expected for name, kind, _ in example if kind}
        assert kinds == {
            "id": "int64_list",
            "size": "float_list",
            "code": "bytes_list",
            "weight": "float_list",
            "number": "float_list",
            "partial": "float_list",
            "word": "bytes_list",
            "bare": "int64_list",
            "grade": "int64_list",
        }
