"""From CSV files of many shapes to a configuration by which the pipeline runs."""

import gzip
from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from pipeline.settings.load import load_config
from tests.helpers.made_tables import GOOD, ROWS, init, numbers, rows_of, table, words

SHAPES = {
    "multiclass": (
        table(["x", "c", "y"], rows_of(numbers(1), words("a", "b"), words("u", "v", "w"))),
        "y",
        "multiclass",
    ),
    "binary": (
        table(["x", "y"], rows_of(numbers(1), words("0", "1"))),
        "y",
        "binary",
    ),
    "regression": (
        table(["x", "d", "y"], rows_of(numbers(1), words("2024-05-01", "2023-01-02"), numbers(2))),
        "y",
        "regression",
    ),
    "whole numbers": (
        table(["x", "y"], rows_of(numbers(1), range(ROWS))),
        "y",
        "regression",
    ),
    "whole numbers with a point": (
        table(["x", "y"], rows_of(numbers(1), words("1.0", "0.0"))),
        "y",
        "binary",
    ),
    "few whole numbers": (
        table(["x", "y"], rows_of(numbers(1), words("1", "2", "3"))),
        "y",
        "multiclass",
    ),
    "null_values": (
        table(
            ["x", "z", "y"],
            rows_of([*numbers(1)[1:], ""], ["NA", *numbers(2)[1:]], words("u", "v")),
        ),
        "y",
        "binary",
    ),
    "decimal comma": (
        table(["x", "y"], rows_of(numbers(1, ","), numbers(2, ",")), ";"),
        "y",
        "regression",
    ),
    "no header": (
        table([], rows_of(numbers(1), words("u", "v")), "\t"),
        "column_2",
        "binary",
    ),
    "names of all kinds": (
        table(
            ["yes", "1e5", "a name", "größe", "", "null", "t y"],
            rows_of(*[numbers(seed) for seed in range(6)], words("u", "v")),
        ),
        "t y",
        "binary",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_init_writes_valid_configuration(
    tmp_path: Path, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, label, task = SHAPES[shape]

    code, output = init(tmp_path, content, label)

    assert (code, capsys.readouterr().err) == (0, "")
    assert run_command(["validate", "--config", str(output)]) == 0
    config = load_config(output)
    assert config.task == task
    assert any(feature.kind != "ignore" for feature in config.features.values())


def test_init_reads_gzip_in_latin_1(tmp_path: Path) -> None:
    text = table(["Größe", "y"], rows_of(numbers(1), words("schön", "öde")), ";")
    code, output = init(tmp_path, gzip.compress(text.encode("latin-1")), "y", "data.csv.gz")
    assert code == 0
    assert run_command(["validate", "--config", str(output)]) == 0
    assert load_config(output).data.csv.encoding == "latin-1"
    assert "Größe" in load_config(output).features


def test_init_enlarges_train_for_rare_class(tmp_path: Path) -> None:
    labels = ["u"] * 30 + ["v"] * 30 + ["rare"]
    for seed in range(200):
        content = table(["x", "y"], rows_of([*numbers(seed)[:60], f"{seed}.5"], labels))
        code, output = init(tmp_path, content, "y")
        if code == 0 and load_config(output).data.split.train > 2:
            return
        output.unlink(missing_ok=True)
    raise AssertionError("2 to 1 was enough each time")


@pytest.mark.parametrize(
    ("content", "label", "words"),
    [
        (GOOD, "Y", ["no column 'Y'", "'x', 'y'"]),
        (GOOD.replace("x,y", "size,kind", 1), "kin", ["did you mean 'kind'?"]),
        (table([], rows_of(numbers(1), numbers(2))), "y", ["'column_2'", "is not a header"]),
        (
            table(["x", "y"], rows_of(numbers(1), ["u"] * ROWS)),
            "y",
            ["every row has the label 'u'"],
        ),
        (
            table(["x", "y"], rows_of(numbers(1), ["", " ", '" "'] * (ROWS // 3))),
            "y",
            [f"the label is missing in all {ROWS} rows"],
        ),
        (table(["x", "y"], rows_of(numbers(1), [f"w{n}" for n in range(ROWS)])), "y", ["too many"]),
        (
            table(["x", "y"], rows_of(["k"] * ROWS, words("u", "v"))),
            "y",
            ["no column is left", "x: 1 word"],
        ),
        ("x,y\n", "y", ["no rows"]),
        ("", "y", ["is empty"]),
        (b"\x89PNG\r\n\x1a\n\0\0", "y", ["is a binary file"]),
    ],
)
def test_init_refuses_data_and_writes_nothing(
    tmp_path: Path,
    content: str | bytes,
    label: str,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, output = init(tmp_path, content, label)

    message = capsys.readouterr().err
    assert code == 2
    assert message.startswith("error: ")
    for word in words:
        assert word in message
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    assert not output.exists()
