"""The places of cells in files."""

from pathlib import Path

from pipeline.data.file_errors import find_cell
from tabular.csv.dialect import Dialect


def test_find_cell_gives_the_first_of_all_files(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("1.csv", "2.csv")]
    Path(paths[0]).write_text("a,b\nx,1\n")
    Path(paths[1]).write_text("b,a\ny,1\nx,y\nx,z\n")  # in another order

    assert find_cell(paths, Dialect(), "b", {"x"}.__contains__) == (f"{paths[1]}:3", "x")
