"""`pipeline init`: from a CSV file to a configuration by which the pipeline runs."""

import gzip
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.__main__ import run_command
from pipeline.init.inspect_csv import examine
from pipeline.init.render_yaml import render
from pipeline.settings.load import load_config

IRIS = Path(__file__).parents[3] / "data/iris/iris.csv"
ROWS = 300


def rows_of(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True))


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], separator: str = ",") -> str:
    return "".join(
        separator.join(map(str, row)) + "\n" for row in [*([header] if header else []), *rows]
    )


def numbers(seed: int, decimal: str = ".") -> list[str]:
    random_numbers = random.Random(seed)
    return [f"{random_numbers.gauss(5, 2):.3f}".replace(".", decimal) for _ in range(ROWS)]


def words(*choices: str) -> list[str]:
    return [choices[(row * 7 + row // 3) % len(choices)] for row in range(ROWS)]


def init(
    folder: Path, content: str | bytes, label: str, name: str = "data.csv"
) -> tuple[int, Path]:
    """Runs `pipeline init`, and gives the exit code and the file that it was to write."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    output = folder / "out.yaml"
    return run_command(["init", str(path), "--label", label, "--output", str(output)]), output


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
def test_init_writes_a_configuration_that_is_valid(
    tmp_path: Path, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, label, task = SHAPES[shape]

    code, output = init(tmp_path, content, label)

    assert (code, capsys.readouterr().err) == (0, "")
    assert run_command(["validate", "--config", str(output)]) == 0
    config = load_config(output)
    assert config.task == task
    assert any(feature.kind != "ignore" for feature in config.features.values())


def test_init_reads_gzip_in_another_encoding(tmp_path: Path) -> None:
    text = table(["Größe", "y"], rows_of(numbers(1), words("schön", "öde")), ";")
    code, output = init(tmp_path, gzip.compress(text.encode("latin-1")), "y", "data.csv.gz")
    assert code == 0
    assert run_command(["validate", "--config", str(output)]) == 0
    assert load_config(output).data.csv.encoding == "latin-1"
    assert "Grosse" in load_config(output).features


def test_init_of_iris_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run_command(["init", str(IRIS), "--label", "species"]) == 0

    text = (tmp_path / "pipeline_config.yaml").read_text(encoding="utf-8")
    assert "  sepal_length: numeric  # numbers, 4.3 to 7.9\n" in text
    assert "  # The column to predict: 3 words.\n  label: species\n" in text
    assert (
        load_config(tmp_path / "pipeline_config.yaml").evaluation.thresholds["accuracy"].min == 0.33
    )
    assert "multiclass of 'species' (3 words) by 4 columns of 150 rows" in capsys.readouterr().out


def test_init_comments_each_column(tmp_path: Path) -> None:
    content = table(
        ["id", "x", "city", "same", "y"],
        rows_of(
            range(ROWS), ["", *numbers(1)[1:]], words("a", "b", "c"), ["k"] * ROWS, words("u", "v")
        ),
    )
    _, output = init(tmp_path, content, "y")
    lines = output.read_text(encoding="utf-8").splitlines()
    start = lines.index("features:")
    assert lines[start + 1] == "  id: ignore  # whole numbers, 0 to 299: an id: all different"
    assert lines[start + 2].startswith(
        "  x: {kind: numeric, fill: mean, missing_indicator: true}  # numbers, "
    )
    assert lines[start + 2].endswith(", 1 missing")
    assert lines[start + 3] == "  city: categorical  # 3 words"
    assert lines[start + 4] == "  same: ignore  # 1 word: every cell is 'k'"
    assert lines[start + 5] == ""


def test_init_names_data_from_the_folder_of_the_file_it_writes(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "My Data.csv").write_text(table(["x", "y"], rows_of(numbers(1), words("u", "v"))))
    output = tmp_path / "configs" / "mine.yaml"

    code = run_command(
        ["init", str(tmp_path / "My Data.csv"), "--label", "y", "--output", str(output)]
    )

    assert code == 0
    config = load_config(output)
    assert (config.name, config.data.path) == ("my-data", "../My Data.csv")
    assert config.data_path == tmp_path / "My Data.csv"


def test_init_reads_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for seed in (1, 2):
        content = table(["x", "y"], rows_of(numbers(seed), words("u", "v")))
        (folder / f"{seed}.csv").write_text(content, encoding="utf-8")
    output = tmp_path / "out.yaml"
    assert run_command(["init", str(folder), "--label", "y", "--output", str(output)]) == 0
    assert run_command(["validate", "--config", str(output)]) == 0


def test_init_gives_train_more_rows_where_a_class_is_rare(tmp_path: Path) -> None:
    labels = ["u"] * 30 + ["v"] * 30 + ["rare"]
    for seed in range(200):
        content = table(["x", "y"], rows_of([*numbers(seed)[:60], f"{seed}.5"], labels))
        code, output = init(tmp_path, content, "y")
        if code == 0 and load_config(output).data.split.train > 2:
            return
        output.unlink(missing_ok=True)
    raise AssertionError("2 to 1 was enough each time")


GOOD = table(["x", "y"], rows_of(numbers(1), words("u", "v")))


@pytest.mark.parametrize(
    ("content", "label", "words"),
    [
        (GOOD, "Y", ["no column 'Y'", "'x', 'y'"]),
        (GOOD.replace("x,y", "size,kind", 1), "kin", ["did you mean 'kind'?"]),
        (table([], rows_of(numbers(1), numbers(2))), "y", ["'column_2'", "is no header"]),
        (
            table(["x", "y"], rows_of(numbers(1), ["u"] * ROWS)),
            "y",
            ["every row has the label 'u'"],
        ),
        (
            table(["x", "y"], rows_of(numbers(1), ["", *words("u", "v")[1:]])),
            "y",
            ["label is empty in 1"],
        ),
        (table(["x", "y"], rows_of(numbers(1), [f"w{n}" for n in range(ROWS)])), "y", ["too many"]),
        (
            table(["x", "y"], rows_of(["k"] * ROWS, words("u", "v"))),
            "y",
            ["no column is left", "x: 1 word"],
        ),
        (GOOD + "1,2,3\n", "y", ["data.csv"]),
        ("x,y\n", "y", ["no rows"]),
        ("", "y", ["is empty"]),
        (b"\x89PNG\r\n\x1a\n\0\0", "y", ["is a binary file"]),
    ],
)
def test_init_refuses_what_cannot_be_learned_and_writes_nothing(
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


def test_init_reports_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.csv").touch()
    arguments = ["init", str(tmp_path / "dta.csv"), "--label", "y", "--output", str(tmp_path / "o")]
    assert run_command(arguments) == 2
    assert "did you mean 'data.csv'?" in capsys.readouterr().err


def test_init_leaves_a_file_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.yaml").write_text("mine", encoding="utf-8")
    code, output = init(tmp_path, GOOD, "y")
    assert (code, output.read_text(encoding="utf-8")) == (2, "mine")
    assert "is there already" in capsys.readouterr().err


def test_init_reports_an_output_folder_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.csv").write_text(GOOD, encoding="utf-8")
    output = tmp_path / "nowhere" / "out.yaml"
    code = run_command(
        ["init", str(tmp_path / "data.csv"), "--label", "y", "--output", str(output)]
    )
    assert code == 2
    assert "there is no folder" in capsys.readouterr().err


CELLS = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.sampled_from(
        ["", "NA", "?", "yes", "no", "2024-05-01", "x: y # z", "{a}", "[b]", "- c", "'"]
    ),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='",;\t|\r\n'), max_size=8
    ),
)
TITLES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='",;\t|\r\n'), max_size=6
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    titles=st.lists(TITLES, min_size=1, max_size=4),
    data=st.data(),
    labels=st.sampled_from([("u", "v"), ("1", "0"), ("no", "yes"), ("null", "~"), ("a: b", "#c")]),
)
def test_init_writes_yaml_that_loads_whatever_is_in_the_table(
    tmp_path: Path, titles: list[str], data: st.DataObject, labels: tuple[str, str]
) -> None:
    columns = [data.draw(st.lists(CELLS, min_size=8, max_size=8)) for _ in titles]
    rows = rows_of(range(8), *columns, labels * 4)
    path = tmp_path / "data.csv"
    path.write_text(table(["number", *titles, "the label"], rows), encoding="utf-8")

    found = examine(path, "the label", tmp_path)
    text = render(found, 2, 1)

    output = tmp_path / "out.yaml"
    output.write_text(text, encoding="utf-8")
    config = load_config(output)
    assert config.data.positive in labels
    written = {name: choice.feature for name, choice in found.features.items()}
    assert dict(config.features) == written
    assert yaml.safe_load(text)["data"]["label"] == found.label.name
