"""What `check_data` accepts, and what it says of data that the pipeline cannot learn from."""

import gzip
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.csv_example_gen.splits import hash_buckets, split_rows
from pipeline.data.check import check_data
from pipeline.data.labels import MAX_CLASSES
from pipeline.errors import DataError
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tabular.csv.reader import BLOCK_BYTES, read_batches
from tests.helpers.checked_csv import make_options
from tests.helpers.paths import PROJECT_DIR, SHIPPED

ROWS = [f"{i}.5,{i},{'ab'[i % 2]}" for i in range(20)]
"""Rows that can be learned from; the row of index i stands on line i + 2 of the file."""


def make_csv(*rows: str, header: str = "x,y,kind") -> str:
    return "".join(f"{line}\n" for line in (header, *rows))


def replace_rows(rows: dict[int, str]) -> str:
    """A good file in which some lines, counted from 1, are replaced."""
    return make_csv(*(rows.get(line, row) for line, row in enumerate(ROWS, start=2)))


def make_config(
    path: Path | None,
    label: str = "kind",
    features: Sequence[str] = ("x", "y"),
    slices: Sequence[Sequence[str]] = (),
    validation: Mapping[str, Any] | None = None,
    task: str = "multiclass",
    train: dict[str, Any] | None = None,
    **data: Any,
) -> Config:
    return Config.model_validate(
        {
            "name": "t",
            "data": {"path": path and str(path), "label": label, **data},
            "validation": validation or {},
            "features": dict.fromkeys(features, "numeric"),
            "task": task,
            "train": train or {},
            "evaluation": {
                "thresholds": {"rmse" if task == "regression" else "accuracy": {"min": 0.5}},
                "slices": [list(columns) for columns in slices],
            },
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def check(path: Path, content: str | bytes, **settings: Any) -> str:
    """Checks a file of this content and gives what is said of it, its path left out."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return check_path(path, **settings).replace(f"{path}:", "")


def check_path(path: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        check_data(make_config(path, **settings))
    return str(caught.value)


def test_check_data_summarizes_iris() -> None:
    summary = check_data(load_config(SHIPPED))

    assert summary.files == (str(PROJECT_DIR / "data" / "iris" / "iris.csv"),)
    assert summary.rows == {"train": 93, "eval": 57}
    assert summary.classes == ("setosa", "versicolor", "virginica")


def test_check_data_imports_nothing_slow() -> None:
    code = (
        "import sys; from pipeline.settings.load import load_config;"
        " from pipeline.data.check import check_data;"
        " check_data(load_config('pipeline_config.yaml')); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    )

    slow = {"apache_beam", "mlflow", "pandas", "tensorflow", "tfx"}
    assert "pyarrow" in done.stdout.split()
    assert slow.isdisjoint(done.stdout.split())


def test_check_data_changes_no_file(path: Path) -> None:
    path.write_text(make_csv(*ROWS))

    check_data(make_config(path))

    assert list(path.parent.iterdir()) == [path]
    assert path.read_text() == make_csv(*ROWS)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + make_csv(*ROWS).encode(),
        make_csv(*ROWS).replace("\n", "\r\n").encode(),
        make_csv(*ROWS).rstrip("\n").encode(),
        b"\n\n" + make_csv(*ROWS).replace("\n", "\n\n").encode(),
        make_csv(*(re.sub(r"(\w+)$", r'"\1"', row) for row in ROWS)).encode(),
    ],
    ids=["byte order mark", "CRLF", "no last line end", "blank lines", "quotes"],
)
def test_check_data_accepts_the_forms_of_csv(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    summary = check_data(make_config(path))

    assert summary.rows == {"train": 12, "eval": 8}
    assert summary.classes == ("a", "b")


def test_check_data_accepts_a_quote_inside_an_unquoted_cell(path: Path) -> None:
    path.write_text(make_csv('5" pipe,1,1,a', *(f"z,{row}" for row in ROWS), header="w,x,y,kind"))

    assert sum(check_data(make_config(path)).rows.values()) == 21


def test_check_data_reads_all_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(make_csv(*ROWS[:10]))
    (tmp_path / "a.csv").write_text(make_csv(*ROWS[10:]))

    summary = check_data(make_config(tmp_path))

    assert summary.files == (str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert sum(summary.rows.values()) == 20


def test_check_data_orders_whole_numbers_by_value_and_takes_01_for_1(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('10', '9', '09', '-1')[i % 4]}" for i in range(60))))

    assert check_data(make_config(path)).classes == ("-1", "9", "10")


def test_check_data_takes_hexadecimal_labels_for_words(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('0x10', '0x9')[i % 2]}" for i in range(30))))

    assert check_data(make_config(path)).classes == ("0x10", "0x9")


def test_check_data_takes_the_shares_of_the_configuration(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i % 2}" for i in range(5000))))

    rows = check_data(make_config(path, split={"train": 0.9, "eval": 0.1})).rows

    assert rows["train"] + rows["eval"] == 5000
    assert rows["eval"] == pytest.approx(500, abs=100)  # over 4 standard deviations of 21


@pytest.mark.filterwarnings("ignore")  # of TFX and its libraries about each other
def test_check_data_splits_rows_as_csv_example_gen_does(tmp_path: Path) -> None:
    import tensorflow as tf
    from tfx.types import standard_artifacts

    from components.csv_example_gen.component import CsvExampleGen
    from components.csv_example_gen.executor import Executor

    odd_rows = ['1,2,a,"x\ny"', "1,2,a,", '1,2,b,"1,5"', "01,2,b,é"]
    for name in ("1.csv", "2.csv"):
        rows = [*odd_rows, *(f"{row},{name}" for row in ROWS)]
        (tmp_path / name).write_text(make_csv(*rows, header="x,y,kind,note"))
    buckets = hash_buckets({"train": 0.6, "eval": 0.4})
    settings = make_config(tmp_path).trainer_settings
    options = make_options(sorted(tmp_path.glob("*.csv")), settings)
    spec = CsvExampleGen(str(tmp_path), "*.csv", buckets, options=options).spec
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")

    context = Executor.Context(["--runner=DirectRunner"], tmp_dir=str(tmp_path), unique_id="1")
    Executor(context).Do({}, {"examples": [examples]}, dict(spec.exec_properties))

    assert check_data(make_config(tmp_path, split={"train": 0.6, "eval": 0.4})).rows == {
        split: sum(
            1
            for path in (tmp_path / "examples" / f"Split-{split}").iterdir()
            for _ in tf.data.TFRecordDataset(str(path), "GZIP")
        )
        for split in ("train", "eval")
    }


# Paths


def test_check_data_names_the_file_nearest_to_a_missing_one(path: Path) -> None:
    path.touch()

    message = check_path(path.with_name("row.csv"))

    assert message.startswith(f"{path.with_name('row.csv')}: there is no 'row.csv'")
    assert "data.path" in message
    assert message.endswith("did you mean 'rows.csv'?")


def test_check_data_names_the_folder_nearest_to_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    message = check_path(tmp_path / "dta" / "rows.csv")

    assert f"there is no 'dta' in {tmp_path}" in message
    assert message.endswith("did you mean 'data'?")


def test_check_data_refuses_a_path_below_a_file(path: Path) -> None:
    path.touch()

    assert f"there is no 'x.csv' in {path}" in check_path(path / "x.csv")


def test_check_data_refuses_an_empty_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}: no *.csv and *.csv.gz in this folder (it is empty)" in check_path(tmp_path)


def test_check_data_says_what_a_folder_without_csv_holds(tmp_path: Path) -> None:
    (tmp_path / "rows.CSV").touch()

    assert "no *.csv and *.csv.gz in this folder (there is: 'rows.CSV')" in check_path(tmp_path)


def test_check_data_refuses_a_folder_named_as_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()

    assert check_path(tmp_path).startswith(f"{tmp_path / 'rows.csv'}: is not a file")


@pytest.fixture
def unreadable_path() -> Iterator[Path]:
    """A file that this process may not read, even where the tests run as root."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        path.write_text(make_csv(*ROWS))
        path.chmod(0)
        Path(folder).chmod(0o755)
        if user == 0:
            os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(user)


def test_check_data_refuses_a_file_that_it_may_not_read(unreadable_path: Path) -> None:
    message = check_path(unreadable_path)

    assert message.startswith(f"{unreadable_path}: cannot be read, Permission denied")
    assert "chmod" in message


def test_check_data_reports_an_error_while_reading(tmp_path: Path) -> None:
    # The first page of a process's memory is mapped to nothing, so that reading fails.
    (tmp_path / "rows.csv").symlink_to("/proc/self/mem")

    assert "cannot be read, Input/output error" in check_path(tmp_path / "rows.csv")


def test_check_data_refuses_a_missing_schema(path: Path) -> None:
    path.write_text(make_csv(*ROWS))
    (path.parent / "schema.pbtxt").touch()

    message = check_path(path, schema=str(path.parent / "shema.pbtxt"))

    assert "there is no 'shema.pbtxt'" in message
    assert "data.schema" in message
    assert message.endswith("did you mean 'schema.pbtxt'?")


def test_check_data_refuses_a_folder_for_a_schema(path: Path) -> None:
    path.write_text(make_csv(*ROWS))

    message = check_path(path, schema=str(path.parent))

    assert message.startswith(f"{path.parent}: is a folder; expected a schema.pbtxt")


# Files that are no table


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_check_data_refuses_an_empty_file(path: Path, content: bytes) -> None:
    assert "is empty; expected a header line" in check(path, content)


@pytest.mark.parametrize("content", ["x,y,kind", "x,y,kind\n", "x,y,kind\n\n"])
def test_check_data_refuses_a_header_without_rows(path: Path, content: str) -> None:
    assert "has a header and no rows" in check(path, content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00", "is damaged, Compressed file ended"),
        (gzip.compress(b"PK\x03\x04\x14\x00", mtime=0), "is a zip archive or Excel file"),
        (b"PK\x03\x04\x14\x00", "is a zip archive or Excel file"),
        (b"PAR1\x15\x04", "is a Parquet file"),
        (make_csv(*ROWS).encode("utf-16"), "is UTF-16; expected UTF-8"),
    ],
)
def test_check_data_names_another_format(path: Path, content: bytes, words: str) -> None:
    assert words in check(path, content)


def test_check_data_refuses_a_nul_byte(path: Path) -> None:
    assert check(path, replace_rows({7: "1,\0,a"})).startswith("7: holds a NUL byte")


def test_check_data_finds_a_nul_byte_beyond_the_first_chunk(path: Path) -> None:
    rows = ["1.5,2,a"] * 200_000  # 1.6 MB, read in chunks of 1 MiB

    assert check(path, make_csv(*rows, "1.5,\0,a")).startswith("200002: holds a NUL byte")


def test_check_data_finds_bytes_that_are_not_utf8(path: Path) -> None:
    message = check(path, replace_rows({3: "1,2,caf\xe9", 9: "\xff,2,a"}).encode("latin1"))

    first, second = message.splitlines()
    assert first.startswith("3: column 'kind': the byte 0xe9 is not UTF-8")
    assert "iconv" in first
    assert second.startswith("9: column 'x': the byte 0xff")


def test_check_data_finds_bytes_that_are_not_utf8_in_the_header(path: Path) -> None:
    content = make_csv(*ROWS, header="x,\xe4,kind").encode("latin1")

    assert re.match("1: column .*: the byte 0xe4 is not UTF-8", check(path, content))


def test_check_data_finds_bytes_that_are_not_utf8_far_below_the_header(path: Path) -> None:
    rows = ["1.5,2,a"] * 1000
    content = make_csv(*rows, "1.5,2,caf\xe9", header="x,y,kind").encode("latin1")

    assert check(path, content).startswith("1002: column 'kind': the byte 0xe9")


def test_check_data_finds_the_line_of_a_byte_inside_a_cell_of_many_lines(path: Path) -> None:
    content = replace_rows({3: '1,2,"one\r\ntwo\ncaf\xe9"'}).encode("latin1")

    assert check(path, content).startswith("5: column 'kind': the byte 0xe9")


def test_check_data_finds_rows_of_too_many_or_too_few_fields(path: Path) -> None:
    message = check(path, replace_rows({4: "1,2,3,a", 8: "1,a"}))

    first, second = message.splitlines()
    assert first.startswith("4: 4 fields in '1,2,3,a'; expected 3")
    assert second.startswith("8: 2 fields in '1,a'; expected 3")


def test_check_data_counts_lines_inside_quoted_cells(path: Path) -> None:
    note = '"two\nlines"'
    rows = [f"{row},{note}" for row in ROWS[:4]]
    content = make_csv(*rows, "1,2", header="x,y,kind,note")

    assert check(path, content).startswith("10: 2 fields in '1,2'; expected 4")


def test_check_data_counts_blank_lines(path: Path) -> None:
    assert check(path, f"\n{make_csv(*ROWS)}\n\n1,a\n").startswith("25: 2 fields")


def test_check_data_finds_a_quote_that_never_closes(path: Path) -> None:
    message = check(path, replace_rows({5: '1,"2,a'}))

    assert message.startswith("5: a quote opens in '1,2,a\\n4.5,4,a\\n")
    assert "never closes" in message
    assert len(message) < 250


def test_check_data_finds_a_quote_that_never_closes_in_the_last_cell(path: Path) -> None:
    assert check(path, make_csv(*ROWS, '1,2,"a')).startswith("22: a quote opens in '1,2,a")


def test_check_data_finds_a_quote_that_never_closes_in_the_header(path: Path) -> None:
    assert check(path, make_csv(*ROWS, header='x,"y,kind')).startswith("1: a quote opens")


def test_check_data_shows_five_places_and_counts_the_rest(path: Path) -> None:
    lines = check(path, make_csv(*ROWS, *["1,a"] * 12)).splitlines()

    assert len(lines) == 6
    assert lines[4].startswith("26: ")
    assert lines[5] == "and 7 more"


# Headers


def test_check_data_refuses_a_column_that_stands_twice(path: Path) -> None:
    assert check(path, make_csv(*ROWS, header="x,x,kind")).startswith(
        "1: 2 columns have the name 'x'"
    )


@pytest.mark.parametrize("name", ["", "  "])
def test_check_data_refuses_a_blank_column_name(path: Path, name: str) -> None:
    message = check(path, make_csv(*ROWS, header=f"x,{name},kind"))

    assert message.startswith(f"1: column 2 has no name, {name!r}")
    assert "index=False" in message


def test_check_data_refuses_files_of_different_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv(*ROWS))
    (tmp_path / "b.csv").write_text(make_csv(*ROWS, header="xx,y,kind"))

    message = check_path(tmp_path)

    assert message.startswith(f"{tmp_path / 'b.csv'}:1: lacks 'x' and has 'xx' in addition")
    assert f"expected 'x', 'y', 'kind', as in {tmp_path / 'a.csv'}" in message
    assert message.endswith("did you mean 'x'?")


def test_check_data_refuses_files_of_different_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv(*ROWS))
    (tmp_path / "b.csv").write_text(make_csv(*ROWS, header="y,x,kind"))

    message = check_path(tmp_path)

    assert f"{tmp_path / 'b.csv'}:1: the columns have another order: 'y', 'x'" in message


@pytest.mark.parametrize(
    ("settings", "name", "key", "nearest"),
    [
        ({"label": "knd"}, "knd", "data.label", "kind"),
        ({"features": ["x", "yy"]}, "yy", "features", "y"),
        ({"slices": [["kind"], ["x", "kinds"]]}, "kinds", "evaluation.slices", "kind"),
        ({"validation": {"drift": {"*": 1, "kidn": 0.1}}}, "kidn", "validation.drift", "kind"),
    ],
)
def test_check_data_refuses_a_column_that_is_not_there(
    path: Path, settings: dict[str, Any], name: str, key: str, nearest: str
) -> None:
    message = check(path, make_csv(*ROWS), **settings)

    assert message == (
        f"1: there is no column '{name}'; expected one of 'x', 'y', 'kind': correct {key} or the"
        f" header; did you mean '{nearest}'?"
    )


def test_check_data_asks_whether_the_header_is_missing(path: Path) -> None:
    assert "is the header missing?" in check(path, make_csv(*ROWS[1:], header=ROWS[0]))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_check_data_names_another_separator(path: Path, separator: str) -> None:
    message = check(path, make_csv(*ROWS).replace(",", separator))

    assert f"holds {separator!r}: separate the cells by commas" in message


# Cells


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("five", "'five' is not a number; expected one such as 5.1"),
        (" 5", "' 5' is not a number"),
        ("+5", "'+5' is not a number"),
        ("5 cm", "'5 cm' is not a number"),
        ("1_000", "'1_000' is not a number"),
        ("0x1F", "'0x1F' is not a number"),
        ('"1,5"', "'1,5' is not a number"),
        ('"5\n"', "'5\\n' is not a number"),
        ("", "the cell is empty; expected a number"),
        ('""', "the cell is empty; expected a number"),
        ("nan", "'nan' is not finite; expected a number"),
        ("NaN", "'NaN' is not finite"),
        ("inf", "'inf' is not finite"),
        ("-Infinity", "'-Infinity' is not finite"),
        ("1e999", "'1e999' is infinite in float32; expected a number up to 3.4e38"),
        ("-3.5e38", "'-3.5e38' is infinite in float32"),
    ],
)
@pytest.mark.parametrize("beside", ["5", "word"], ids=["among numbers", "among words"])
def test_check_data_refuses_a_cell_that_is_no_number(
    path: Path, cell: str, words: str, beside: str
) -> None:
    message = check(path, replace_rows({6: f"1,{cell},a", 20: f"1,{beside},a"}))

    assert message.splitlines()[0].startswith(f"6: y: {words}")


@pytest.mark.parametrize("cell", ["5", "-5.", ".5", "1e-3", "1E+5", "3.4e38", "1e-60", "007"])
def test_check_data_accepts_a_number(path: Path, cell: str) -> None:
    path.write_text(replace_rows({6: f"1,{cell},a"}))

    assert sum(check_data(make_config(path)).rows.values()) == 20


def test_check_data_accepts_anything_in_a_column_that_is_not_used(path: Path) -> None:
    path.write_text(replace_rows({6: "1,nan,a", 7: "1,,b", 8: "1,word,a"}))

    assert sum(check_data(make_config(path, features=["x"])).rows.values()) == 20


def test_check_data_orders_wrong_cells_by_line_and_counts_them_all(path: Path) -> None:
    message = check(path, replace_rows({4: "1,?,a", 5: "?,?,a", 7: "?,1,", 9: "?,?,a"}))

    places = [re.match(r"\d+: \w+", line) for line in message.splitlines()[:5]]
    assert [place[0] for place in places if place] == ["4: y", "5: x", "5: y", "7: kind", "7: x"]
    assert message.splitlines()[5:] == ["and 2 more"]


def test_check_data_finds_wrong_cells_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(replace_rows({3: "1,?,a"}))
    (tmp_path / "b.csv").write_text(replace_rows({8: "1,?,a"}))

    first, second = check_path(tmp_path).splitlines()

    assert first.startswith(f"{tmp_path / 'a.csv'}:3: y: ")
    assert second.startswith(f"{tmp_path / 'b.csv'}:8: y: ")


def test_check_data_counts_wrong_cells_over_files(tmp_path: Path) -> None:
    for name, count in (("a.csv", 3), ("b.csv", 6), ("c.csv", 6)):
        (tmp_path / name).write_text(make_csv(*ROWS, *["1,?,a"] * count))

    *_, fifth, rest = check_path(tmp_path).splitlines()

    assert fifth.startswith(f"{tmp_path / 'b.csv'}:23: y: ")
    assert rest == "and 10 more"


def test_check_data_finds_wrong_cells_in_every_block(path: Path) -> None:
    wrong = ["1,?,a,x"] * 3
    rows = [f"1,2,{'ab'[i % 2]},{'x' * 2000}" for i in range(5000)]  # 10 MB, blocks of 2 MiB
    content = make_csv(*wrong, *rows, *wrong, header="x,y,kind,note")

    *places, rest = check(path, content).splitlines()

    assert [place.split(":")[0] for place in places] == ["2", "3", "4", "5005", "5006"]
    assert rest == "and 1 more"


def test_check_data_finds_the_line_of_a_cell_after_cells_of_many_lines(path: Path) -> None:
    rows = [f'{row},"one\r\ntwo"' for row in ROWS[:3]]
    content = make_csv(*rows, "1,?,a,x", header="x,y,kind,note")

    assert check(path, content).startswith("8: y: '?'")


def test_check_data_asks_whether_a_quote_is_open_where_a_cell_has_a_line_end(path: Path) -> None:
    message = check(path, replace_rows({5: '1,"2,a', 8: '1,"2,a'}))

    assert message.startswith("5: y: '2,a\\n")
    assert "is a quote left open before it?" in message


def test_check_data_refuses_a_row_longer_than_a_block(path: Path) -> None:
    message = check(path, make_csv(*ROWS, f"1,2,{'x' * 3 * BLOCK_BYTES}"))

    assert "expected rows of up to 2 MiB" in message


def test_check_data_shortens_a_long_cell(path: Path) -> None:
    message = check(path, replace_rows({5: f"1,{'x' * 500_000},a"}))

    assert f"'{'x' * 60}...' is not a number" in message


# Labels


def test_check_data_refuses_an_empty_label(path: Path) -> None:
    assert check(path, replace_rows({6: "1,2,"})).startswith("6: kind: the label is empty")


@pytest.mark.parametrize("label", ["a\nb", "a\rb", "a\r\n"])
def test_check_data_refuses_a_label_of_two_lines(path: Path, label: str) -> None:
    # The classes are listed in a file, a word a line.
    message = check(path, replace_rows({6: f'1,2,"{label}"'}))

    assert message.startswith(f"6: kind: the label {label!r} has a line end in it")


@pytest.mark.parametrize("label", ["1.5", "nan", "1e-3", "9007199254740993.0"])
def test_check_data_refuses_labels_that_ask_for_regression(path: Path, label: str) -> None:
    rows = [f"{i},{i},{i % 3}" for i in range(30)]
    message = check(path, make_csv(*rows, f"1,2,{label}", *rows))

    assert message.startswith(f"32: kind: '{label}' is neither a word nor a whole number")
    assert "set task to regression" in message


def test_check_data_refuses_many_labels_that_ask_for_regression(path: Path) -> None:
    rows = [f"{i},{i},{i}.5" for i in range(MAX_CLASSES + 1)]

    assert check(path, make_csv(*rows)).startswith("2: kind: '0.5' is neither a word nor")


def test_check_data_accepts_a_number_among_labels_that_are_words(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('1.5', 'a')[i % 2]}" for i in range(30))))

    assert check_data(make_config(path)).classes == ("1.5", "a")


def test_check_data_takes_numbers_for_words_where_another_file_has_words(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(make_csv(*ROWS))
    (tmp_path / "2.csv").write_text(make_csv(*(f"{i},{i},{('1', '01')[i % 2]}" for i in range(30))))

    assert check_data(make_config(tmp_path)).classes == ("01", "1", "a", "b")


def test_check_data_refuses_more_labels_than_classes_can_be(path: Path) -> None:
    message = check(path, make_csv(*(f"{i},{i},id{i}" for i in range(MAX_CLASSES + 1))))

    assert f"kind: more than {MAX_CLASSES} different labels, such as 'id0'" in message
    assert "data.label" in message


def test_check_data_accepts_as_many_labels_as_classes_can_be(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},id{i % MAX_CLASSES}" for i in range(20 * MAX_CLASSES))))

    assert len(check_data(make_config(path)).classes) == MAX_CLASSES


def test_check_data_refuses_a_single_class(path: Path) -> None:
    message = check(path, make_csv(*(f"{i},{i},a" for i in range(20))))

    assert "kind: every row has the class 'a'; expected at least 2 classes" in message


def test_check_data_takes_01_and_1_for_a_single_class(path: Path) -> None:
    message = check(path, make_csv(*(f"{i},{i},{('1', '01')[i % 2]}" for i in range(20))))

    assert "every row has the class '1'" in message


def find_rare_rows(path: Path, split: int) -> list[str]:
    """Three rows of the class `rare` that fall into one split, 0 for train or 1 for eval."""
    rows = [f"{i},0,rare" for i in range(100)]
    path.write_text(make_csv(*rows))
    (batch,) = read_batches(path)
    splits = split_rows(batch, [2, 1])
    return [row for row, its_split in zip(rows, splits, strict=True) if its_split == split][:3]


def test_check_data_refuses_a_class_that_is_in_eval_only(path: Path) -> None:
    message = check(path, make_csv(*ROWS, *find_rare_rows(path, split=1)))

    assert message.startswith("22: kind: the class 'rare' is in the eval split only")
    assert "data.split" in message


def test_check_data_accepts_a_class_that_is_in_train_only(path: Path) -> None:
    path.write_text(make_csv(*ROWS, *find_rare_rows(path, split=0)))

    assert check_data(make_config(path)).classes == ("a", "b", "rare")


def test_check_data_refuses_a_split_of_one_class(path: Path) -> None:
    # Equal rows fall into the same split, so that one split has the class b only.
    message = check(path, make_csv(*["1,2,b"] * 5, *["3,4,a"] * 5))

    assert re.search(r"the \w+ split \(5 of 10 rows\) has the class '[ab]' only", message)
    assert "expected at least 2 classes" in message


def test_check_data_refuses_a_split_without_rows(path: Path) -> None:
    message = check(path, make_csv(*ROWS), split={"train": 1000, "eval": 0.001})

    assert "kind: the eval split (0 of 20 rows) has no row" in message
    assert "data.split.eval" in message


# Splits


def check_files(folder: Path, **rows: Sequence[str]) -> str:
    """Checks files of given splits, and gives what is said of them."""
    files = {}
    for split, lines in rows.items():
        (folder / f"{split}.csv").write_text(make_csv(*lines))
        files[split] = str(folder / f"{split}.csv")
    with pytest.raises(DataError) as caught:
        check_data(make_config(None, files=files))
    return str(caught.value).replace(f"{folder}{os.sep}", "")


def test_check_data_keeps_the_splits_of_the_guide(tmp_path: Path) -> None:
    iris = (PROJECT_DIR / "data" / "iris" / "iris.csv").read_text().splitlines()
    rows = {"train": [row for index, row in enumerate(iris[1:]) if index % 5], "test": iris[1::5]}
    for split, lines in rows.items():
        (tmp_path / f"{split}.csv").write_text("".join(f"{line}\n" for line in (iris[0], *lines)))
    config = load_config(
        SHIPPED,
        [
            "data.path=null",
            f"data.files={{train: {tmp_path}/train.csv, eval: {tmp_path}/test.csv}}",
        ],
    )

    assert check_data(config).rows == {"train": 120, "eval": 30}


def test_check_data_counts_the_rows_of_each_split_of_files(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("eval", 6), ("test", 4)):
        (tmp_path / split).mkdir()
        for name in ("1.csv", "2.csv"):
            (tmp_path / split / name).write_text(make_csv(*ROWS[: count // 2]))
    files = {split: str(tmp_path / split) for split in ("train", "eval", "test")}

    summary = check_data(make_config(None, files=files))

    assert summary.rows == {"train": 20, "eval": 6, "test": 4}
    assert [Path(file).parent.name for file in summary.files] == [
        "train",
        "train",
        "eval",
        "eval",
        "test",
        "test",
    ]


@pytest.mark.parametrize("split", ["eval", "test"])
def test_check_data_refuses_a_class_that_is_in_no_file_of_train(tmp_path: Path, split: str) -> None:
    rows = {"train": ROWS, "eval": ROWS[:4], "test": ROWS[4:8]}
    rows[split] = [*rows[split], "1,2,rare"]

    message = check_files(tmp_path, **rows)

    assert message.startswith(f"{split}.csv:6: kind: the class 'rare' is in the {split} split only")
    assert "data.files" in message


def test_check_data_refuses_a_file_of_a_split_without_rows(tmp_path: Path) -> None:
    message = check_files(tmp_path, train=ROWS, eval=[])

    assert message.startswith("eval.csv: has a header and no rows")


def test_check_data_refuses_headers_that_differ_between_splits(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(make_csv(*ROWS))
    (tmp_path / "eval.csv").write_text(make_csv("1,2", header="x,y"))
    files = {split: str(tmp_path / f"{split}.csv") for split in ("train", "eval")}

    with pytest.raises(DataError, match=r"eval.csv:1: lacks 'kind'; expected .*train.csv"):
        check_data(make_config(None, files=files))


def test_check_data_keeps_equal_cells_of_the_split_column_together(path: Path) -> None:
    keys = [f"c{i % 40}" if i % 40 else "" for i in range(400)]
    path.write_text(
        make_csv(
            *(f"{i},{i},{'ab'[(i // 40) % 2]},{key}" for i, key in enumerate(keys)),
            header="x,y,kind,customer",
        )
    )

    rows = check_data(make_config(path, split={"by": "customer"})).rows

    assert sum(rows.values()) == 400
    assert all(count and count % 10 == 0 for count in rows.values())  # whole customers of 10 rows


def test_check_data_makes_a_test_split(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i % 2}" for i in range(4000))))

    rows = check_data(make_config(path, split={"train": 2, "eval": 1, "test": 1})).rows

    assert rows == {
        "train": pytest.approx(2000, abs=130),  # 4 standard deviations of 32, and 110 of 27
        "eval": pytest.approx(1000, abs=110),
        "test": pytest.approx(1000, abs=110),
    }


def test_check_data_refuses_a_split_column_that_is_not_there(path: Path) -> None:
    message = check(path, make_csv(*ROWS), split={"by": "kin"})

    assert "there is no column 'kin'" in message
    assert "correct data.split.by" in message
    assert message.endswith("did you mean 'kind'?")


def test_check_data_reads_the_newest_span(tmp_path: Path) -> None:
    for span, count in ((9, 10), (10, 20)):
        (tmp_path / f"{span}.csv").write_text(make_csv(*ROWS[:count]))
    config = make_config(tmp_path / "{SPAN}.csv")

    assert check_data(config).files == (str(tmp_path / "10.csv"),)
    assert sum(check_data(config).rows.values()) == 20


# The schema and the rows to compare with


def test_check_data_refuses_a_schema_that_is_none(path: Path) -> None:
    schema = path.parent / "schema.pbtxt"
    schema.write_text("name: iris")

    message = check(path, make_csv(*ROWS), schema=str(schema))

    assert message.startswith(f"{schema}: is not a schema: ")


def check_skew(path: Path, content: str, *columns: str) -> str:
    """Gives what is said of rows to compare with, their path left out."""
    other = path.parent / "other.csv"
    other.write_text(content)
    skew = {"path": str(other), "columns": dict.fromkeys(columns, 0.5)}
    message = check(path, make_csv(*ROWS), validation={"skew": skew})
    return message.replace(f"{other}:", "other:")


def test_check_data_refuses_rows_to_compare_with_that_are_not_there(path: Path) -> None:
    skew = {"path": str(path.parent / "row.csv")}

    message = check(path, make_csv(*ROWS), validation={"skew": skew})

    assert message.endswith("correct validation.skew.path; did you mean 'rows.csv'?")


def test_check_data_refuses_columns_that_the_rows_to_compare_with_lack(path: Path) -> None:
    assert check_skew(path, make_csv("1,2", header="x,y"), "*", "kind") == (
        "other:1: there is no column 'kind'; expected one of 'x', 'y': correct"
        " validation.skew.columns or the header"
    )


def test_check_data_refuses_columns_to_compare_that_the_data_lacks(path: Path) -> None:
    message = check_skew(path, make_csv("1,2", header="x,z"), "z")

    assert message.startswith("1: there is no column 'z'; expected one of 'x', 'y', 'kind'")


def test_check_data_refuses_rows_to_compare_with_that_are_no_table(path: Path) -> None:
    message = check_skew(path, make_csv("1,2", "3", header="x,y"), "x")

    assert message.startswith("other:3: 1 fields in '3'; expected 2")


def test_check_data_takes_rows_to_compare_with_that_have_no_label(path: Path) -> None:
    path.write_text(make_csv(*ROWS))
    other = path.parent / "other.csv"
    other.write_text(make_csv("1,2", header="x,y"))
    skew = {"path": str(other), "columns": {"*": 0.5}}

    assert check_data(make_config(path, validation={"skew": skew})).classes == ("a", "b")


@pytest.mark.parametrize("label", [("1.0", "0.0"), ("1", "0.0"), ("1e0", "00")])
def test_check_data_takes_whole_numbers_with_a_point_for_whole(
    path: Path, label: tuple[str, str]
) -> None:
    path.write_text(make_csv(*(f"{i},{i},{label[i % 2]}" for i in range(30))))

    assert check_data(make_config(path)).classes == ("0", "1")


BINARY: dict[str, Any] = {"task": "binary"}


@pytest.mark.parametrize(("positive", "classes"), [(None, ("a", "b")), ("a", ("b", "a"))])
def test_check_data_puts_the_positive_class_last(
    path: Path, positive: str | None, classes: tuple[str, ...]
) -> None:
    path.write_text(make_csv(*ROWS))

    assert check_data(make_config(path, **BINARY, positive=positive)).classes == classes


def test_check_data_refuses_three_classes_in_a_binary_task(path: Path) -> None:
    message = check(path, make_csv(*ROWS, "1,2,c"), **BINARY)

    assert "kind: 3 classes, 'a', 'b', 'c'; expected 2 in a binary task" in message


def test_check_data_names_the_class_nearest_to_a_positive_one_that_is_not_there(path: Path) -> None:
    rows = [f"{i},{i},{('good', 'bad')[i % 2]}" for i in range(30)]
    message = check(path, make_csv(*rows), **BINARY, positive="god")

    assert "kind: there is no class 'god'; expected one of 'bad', 'good'" in message
    assert message.endswith("correct data.positive; did you mean 'good'?")


def test_check_data_refuses_the_weight_of_a_class_that_is_not_there(path: Path) -> None:
    message = check(path, make_csv(*ROWS), train={"class_weights": {"a": 2.0, "c": 2.0}})

    assert "there is no class 'c'; expected one of 'a', 'b': correct train.class_weights" in message


def test_check_data_accepts_any_numbers_in_a_regression(path: Path) -> None:
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
def test_check_data_refuses_numbers_that_cannot_be_learned(
    path: Path, rows: list[str], words: str
) -> None:
    assert re.search(words, check(path, make_csv(*rows), task="regression"))


# Quarantine

FAULTY = {4: "w,2,a", 6: "1,2", 8: "1,2,", 9: "w,w,b"}


@pytest.mark.parametrize("budget", [{"max_rows": 4}, {"max_share": 0.2}])
def test_check_data_puts_rows_aside_within_the_budget(path: Path, budget: dict[str, Any]) -> None:
    path.write_text(replace_rows(FAULTY))

    summary = check_data(make_config(path, quarantine=budget))

    assert summary.quarantined == 4
    assert sum(summary.rows.values()) == 16


def test_check_data_says_by_how_much_a_budget_is_exceeded(path: Path) -> None:
    message = check(path, replace_rows(FAULTY), quarantine={"max_rows": 3})

    first, *lines = message.splitlines()
    assert first.startswith("4 of 20 rows cannot be used; expected at most 3")
    assert [line.split(":")[0] for line in lines] == ["4", "6", "8", "9", "9"]


def test_check_data_refuses_data_of_which_no_row_can_be_used(path: Path) -> None:
    message = check(path, make_csv("w,2,a", "w,3,b"), quarantine={"max_rows": 9})

    assert message.startswith("no row can be used\n2: x: 'w' is not a number")


def test_check_data_refuses_an_open_quote_whatever_the_budget(path: Path) -> None:
    message = check(path, replace_rows({5: '1,"2,a'}), quarantine={"max_rows": 1000})

    assert "never closes" in message


# Dialects


@pytest.mark.parametrize(
    ("content", "dialect", "words"),
    [
        (make_csv(*ROWS), {"separator": ";"}, "this line holds ',': separate the cells by ';'"),
        (make_csv(*ROWS), {"names": ["x", "y"]}, "1: 3 columns, 'x,y,kind'; expected 2: correct"),
        (make_csv(*ROWS), {"header": False, "names": ["x"]}, "1: 3 columns, 'x,y,kind'; expected"),
        ("", {"header": False, "names": ["x", "y", "kind"]}, "is empty"),
        (make_csv(*ROWS), {"encoding": "utf-16"}, "is not utf-16, UTF-16 stream"),
        (b"x,y,kind\n1,2,\x81\n", {"encoding": "cp1252"}, "2: column 'kind': the byte 0x81"),
        (gzip.compress(make_csv(*ROWS).encode(), mtime=0)[:-9], {}, "is damaged"),
    ],
)
def test_check_data_says_what_does_not_fit_the_dialect(
    path: Path, content: str | bytes, dialect: dict[str, Any], words: str
) -> None:
    assert words in check(path, content, csv=dialect)


def test_check_data_reads_another_dialect(path: Path) -> None:
    text = "".join(f"{i},5;{i};'{'ab'[i % 2]};\u00e9'\n" for i in range(20))
    path.write_bytes(gzip.compress(f"# by hand\n{text}".encode("utf-16")))
    dialect = {
        "separator": ";",
        "quote": "'",
        "header": False,
        "names": ["x", "y", "kind"],
        "comment": "#",
        "decimal": ",",
        "encoding": "utf-16",
    }

    summary = check_data(make_config(path, csv=dialect))

    assert summary.classes == ("a;\u00e9", "b;\u00e9")
    assert sum(summary.rows.values()) == 20
