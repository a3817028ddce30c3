"""The files of `validation.skew`, and the reviewed schema."""

from pathlib import Path

from pipeline.data.check import check_data
from tests.helpers.data_checks import ROWS, check_error, check_error_at, make_config, make_csv


def check_skew(path: Path, content: str, *columns: str) -> str:
    """Gives what is said of rows to compare with, their path left out."""
    other = path.parent / "other.csv"
    other.write_text(content)
    skew = {"path": str(other), "columns": dict.fromkeys(columns, 0.5)}
    message = check_error(path, make_csv(*ROWS), validation={"skew": skew})
    return message.replace(f"{other}:", "other:")


def test_refuses_a_missing_skew_path(path: Path) -> None:
    skew = {"path": str(path.parent / "row.csv")}

    message = check_error(path, make_csv(*ROWS), validation={"skew": skew})

    assert message.endswith("correct validation.skew.path; did you mean 'rows.csv'?")


def test_refuses_columns_that_the_skew_file_lacks(path: Path) -> None:
    assert check_skew(path, make_csv("1,2", header="x,y"), "*", "kind") == (
        "other:1: there is no column 'kind'; expected one of 'x', 'y': correct"
        " validation.skew.columns or the header"
    )


def test_refuses_skew_columns_that_the_data_lacks(path: Path) -> None:
    message = check_skew(path, make_csv("1,2", header="x,z"), "z")

    assert message.startswith("1: there is no column 'z'; expected one of 'x', 'y', 'kind'")


def test_refuses_a_skew_file_that_is_not_a_table(path: Path) -> None:
    message = check_skew(path, make_csv("1,2", "3", header="x,y"), "x")

    assert message.startswith("other:3: 1 fields in '3'; expected 2")


def test_skew_file_needs_no_label(path: Path) -> None:
    path.write_text(make_csv(*ROWS))
    other = path.parent / "other.csv"
    other.write_text(make_csv("1,2", header="x,y"))
    skew = {"path": str(other), "columns": {"*": 0.5}}

    assert check_data(make_config(path, validation={"skew": skew})).classes == ("a", "b")


def test_refuses_a_missing_schema(path: Path) -> None:
    path.write_text(make_csv(*ROWS))
    (path.parent / "schema.pbtxt").touch()

    message = check_error_at(path, schema=str(path.parent / "shema.pbtxt"))

    assert "there is no 'shema.pbtxt'" in message
    assert "data.schema" in message
    assert message.endswith("did you mean 'schema.pbtxt'?")


def test_refuses_a_folder_for_a_schema(path: Path) -> None:
    path.write_text(make_csv(*ROWS))

    message = check_error_at(path, schema=str(path.parent))

    assert message.startswith(f"{path.parent}: is a folder; expected a schema.pbtxt")


def test_refuses_a_file_that_is_not_a_schema(path: Path) -> None:
    schema = path.parent / "schema.pbtxt"
    schema.write_text("name: iris")

    message = check_error(path, make_csv(*ROWS), schema=str(schema))

    assert message.startswith(f"{schema}: is not a schema: ")
