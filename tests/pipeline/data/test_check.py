"""`check_data` accepts data in the usual forms of CSV, without slow imports or changes."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.check import check_data
from pipeline.settings.load import load_config
from tests.helpers.data_checks import ROWS, make_config, make_csv, replace_rows
from tests.helpers.paths import PROJECT_DIR, SHIPPED


def test_summarizes_iris() -> None:
    summary = check_data(load_config(SHIPPED))

    assert summary.files == (str(PROJECT_DIR / "data" / "iris" / "iris.csv"),)
    assert summary.rows == {"train": 93, "eval": 57}
    assert summary.classes == ("setosa", "versicolor", "virginica")


def test_imports_nothing_slow() -> None:
    code = (
        "import sys; from pipeline.settings.load import load_config;"
        " from pipeline.data.check import check_data;"
        " check_data(load_config('pipeline_config.yaml')); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    slow = {"apache_beam", "mlflow", "pandas", "tensorflow", "tfx"}
    assert "pyarrow" in done.stdout.split()
    assert slow.isdisjoint(done.stdout.split())


def test_changes_no_file(path: Path) -> None:
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
def test_accepts_the_forms_of_csv(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    summary = check_data(make_config(path))

    assert summary.rows == {"train": 12, "eval": 8}
    assert summary.classes == ("a", "b")


def test_quote_inside_an_unquoted_cell_is_plain(path: Path) -> None:
    path.write_text(make_csv('5" pipe,1,1,a', *(f"z,{row}" for row in ROWS), header="w,x,y,kind"))

    assert sum(check_data(make_config(path)).rows.values()) == 21


def test_reads_all_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(make_csv(*ROWS[:10]))
    (tmp_path / "a.csv").write_text(make_csv(*ROWS[10:]))

    summary = check_data(make_config(tmp_path))

    assert summary.files == (str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert sum(summary.rows.values()) == 20


def test_unused_columns_may_hold_anything(path: Path) -> None:
    path.write_text(replace_rows({6: "1,nan,a", 7: "1,,b", 8: "1,word,a"}))

    assert sum(check_data(make_config(path, features=["x"])).rows.values()) == 20


def test_reads_another_dialect(path: Path) -> None:
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
