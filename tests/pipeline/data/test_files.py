"""`find_files`: the files it finds, what it refuses, and that TFX finds the same files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.files import find_files, find_globs, list_csv_files
from pipeline.errors import ConfigError, DataError
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tabular.csv.checked_files import CheckedFiles
from tabular.csv.file_patterns import ALL

ROWS = "x,kind\n1,a\n"


def make_config(**data: Any) -> Config:
    return Config.model_validate(
        {
            "name": "t",
            "data": {"label": "kind", **data},
            "features": {"x": "numeric"},
            "evaluation": {"thresholds": {"accuracy": {"min": 0.5}}},
        }
    )


def write(folder: Path, *names: str) -> None:
    """Writes files of rows; a name that ends in a slash is a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(ROWS)


def find(folder: Path, path: str, span: int | None = None) -> list[str]:
    """Lists the files found, as paths below the folder."""
    files = find_files(make_config(path=str(folder / path), span=span))
    assert list(files) == [ALL]
    return [os.path.relpath(file, folder) for file in files[ALL]]


def refuse(folder: Path, path: str, span: int | None = None) -> str:
    with pytest.raises(DataError) as caught:
        find(folder, path, span)
    return str(caught.value).replace(f"{folder}{os.sep}", "")


# Spans


LAYOUTS: list[tuple[str, list[str], int | None, list[str]]] = [
    # path, existing files, data.span, files read
    ("rows.csv", ["rows.csv", "b.csv"], None, ["rows.csv"]),
    ("d", ["d/b.csv", "d/a.csv.gz", "d/c.csv.bak", "d/e/f.csv"], None, ["d/a.csv.gz", "d/b.csv"]),
    ("d[1]", ["d[1]/a.csv", "d1/b.csv"], None, ["d[1]/a.csv"]),
    ("a\\b.csv", ["a\\b.csv", "ab.csv"], None, ["a\\b.csv"]),
    ("{SPAN}", ["1/a.csv", "2/a.csv", "10/a.csv", "10/b.csv"], None, ["10/a.csv", "10/b.csv"]),
    ("{SPAN}", ["1/a.csv", "2/a.csv", "10/a.csv"], 2, ["2/a.csv"]),
    ("{SPAN}", ["0/a.csv"], None, ["0/a.csv"]),
    ("{SPAN}", ["0/a.csv", "1/a.csv"], 0, ["0/a.csv"]),
    ("{SPAN}", ["1/a.csv", "README.md", "notes/x.txt", ".git/config"], None, ["1/a.csv"]),
    ("{SPAN}", ["1/a.csv", "old/a.csv"], 1, ["1/a.csv"]),
    ("s-{SPAN}", ["s-1/a.csv.gz", "t-2/a.csv", "s/a.csv"], None, ["s-1/a.csv.gz"]),
    ("s-{SPAN}.csv", ["s-1.csv", "s-2.csv", "s-2.csv.gz"], None, ["s-2.csv"]),
    ("s-{SPAN}/rows.csv", ["s-1/rows.csv", "s-2/other.csv"], None, ["s-1/rows.csv"]),
    ("{SPAN:3}", ["009/a.csv", "010/a.csv"], None, ["010/a.csv"]),
    ("{SPAN:3}", ["009/a.csv", "010/a.csv"], 9, ["009/a.csv"]),
    ("{SPAN}/v{VERSION}", ["1/v9/a.csv", "2/v1/a.csv", "2/v2/a.csv"], None, ["2/v2/a.csv"]),
    ("{SPAN}/v{VERSION}", ["1/v9/a.csv", "1/v10/a.csv", "2/v1/a.csv"], 1, ["1/v10/a.csv"]),
    ("{SPAN}/v{VERSION}", ["1/v0/a.csv"], None, ["1/v0/a.csv"]),
    ("s{SPAN}-v{VERSION:2}.csv", ["s7-v08.csv", "s7-v11.csv"], None, ["s7-v11.csv"]),
    ("{VERSION}/{SPAN}", ["9/1/a.csv", "1/2/a.csv", "3/2/a.csv"], None, ["3/2/a.csv"]),
    ("{SPAN:2}{VERSION:1}", ["019/a.csv", "020/a.csv", "021/a.csv"], None, ["021/a.csv"]),
    (
        "{YYYY}/{MM}/{DD}",
        ["2023/12/31/a.csv", "2024/01/02/a.csv", "2024/01/01/a.csv"],
        None,
        ["2024/01/02/a.csv"],
    ),
    ("{YYYY}{MM}{DD}", ["20240229/a.csv", "20231231/a.csv"], None, ["20240229/a.csv"]),
    ("{YYYY}-{MM}-{DD}.csv", ["2024-01-01.csv", "2024-01-02.csv"], 19_723, ["2024-01-01.csv"]),
    ("{DD}.{MM}.{YYYY}", ["01.02.2024/a.csv", "02.01.2024/a.csv"], None, ["01.02.2024/a.csv"]),
    (
        "{YYYY}-{MM}-{DD}/{VERSION}",
        ["1970-01-01/3/a.csv", "1970-01-01/12/a.csv"],
        None,
        ["1970-01-01/12/a.csv"],
    ),
    ("a b (1)+é/{SPAN}", ["a b (1)+é/4/a.csv"], None, ["a b (1)+é/4/a.csv"]),
]


@pytest.mark.parametrize(("path", "there", "span", "expected"), LAYOUTS)
def test_find_files_takes_the_newest_or_given_span(
    tmp_path: Path, path: str, there: list[str], span: int | None, expected: list[str]
) -> None:
    write(tmp_path, *there)

    assert find(tmp_path, path, span) == expected


def drive(config: Config) -> Mapping[str, Any]:
    """Runs the driver of the pipeline's ExampleGen, and returns the resolved properties."""
    from tfx.orchestration.portable import data_types
    from tfx.types import standard_artifacts

    from components.csv_example_gen.driver import Driver
    from pipeline.graph.create_pipeline import create_pipeline

    config = config.with_checked_files(CheckedFiles(0, {}, {}), None)
    component = create_pipeline(config).components[0]
    info = data_types.ExecutionInfo(
        exec_properties=dict(component.exec_properties),
        output_dict={"examples": [standard_artifacts.Examples()]},
    )
    output = Driver(None).run(info)
    (artifact,) = output.output_artifacts["examples"].artifacts
    return {
        "exec_properties": {
            key: value.string_value for key, value in output.exec_properties.items()
        },
        "span": artifact.custom_properties["span"].int_value,
        "version": artifact.custom_properties["version"].int_value,
    }


def files_of_tfx(config: Config) -> Iterator[str]:
    """Lists the files that the executor reads by the resolved properties."""
    from google.protobuf import json_format
    from tfx.dsl.io import fileio
    from tfx.proto import example_gen_pb2

    from tabular.csv.file_patterns import list_files

    properties = drive(config)["exec_properties"]
    inputs = json_format.Parse(properties["input_config"], example_gen_pb2.Input())
    for split in inputs.splits:
        yield from list_files(os.path.join(properties["input_base"], split.pattern), fileio.glob)


@pytest.mark.filterwarnings("ignore")  # of TFX and its libraries about each other
@pytest.mark.parametrize(("path", "there", "span", "expected"), LAYOUTS)
def test_find_files_finds_what_tfx_finds(
    tmp_path: Path, path: str, there: list[str], span: int | None, expected: list[str]
) -> None:
    write(tmp_path, *there)

    found = files_of_tfx(make_config(path=str(tmp_path / path), span=span))

    assert [os.path.relpath(file, tmp_path) for file in found] == expected


@pytest.mark.filterwarnings("ignore")  # of TFX and its libraries about each other
def test_driver_keys_the_cache_by_span_and_version(tmp_path: Path) -> None:
    config = make_config(path=str(tmp_path / "{YYYY}-{MM}-{DD}" / "{VERSION}"))

    write(tmp_path, "2024-01-01/3/a.csv")
    first = drive(config)
    write(tmp_path, "2024-01-02/1/a.csv")  # the same rows
    second = drive(config)

    assert (first["span"], first["version"]) == (19_723, 3)
    assert (second["span"], second["version"]) == (19_724, 1)
    assert first["exec_properties"] != second["exec_properties"]


@pytest.mark.parametrize(
    ("path", "there", "span", "message"),
    [
        ("d/{SPAN}", [], None, "there is no 'd' in"),
        ("d/{SPAN}", ["d/"], None, "d/{SPAN}: there is no span (d is empty)"),
        ("d/s{SPAN}", ["d/t1/a.csv"], None, "there is no span (in d there is: 't1')"),
        (
            "d/{SPAN}",
            ["d/x/a.csv", "d/1/a.csv"],
            None,
            "d/x: does not have a number or date for each placeholder",
        ),
        (
            "d/{SPAN}.csv",
            ["d/x.csv", "d/1.csv"],
            None,
            "d/x.csv: does not have a number or date for each placeholder",
        ),
        (
            "{YYYY}{MM}{DD}",
            ["20240230/a.csv"],
            None,
            "20240230: does not have a number or date for each placeholder",
        ),
        ("d/{SPAN}", ["d/1/a.csv", "d/2/"], None, "d/2: no *.csv and *.csv.gz in this folder of"),
        (
            "d/{SPAN}",
            ["d/1/", "d/2/a.csv"],
            1,
            "d/1: no *.csv and *.csv.gz in this folder of span 1",
        ),
        ("{SPAN}/{VERSION}", ["1/1/a.csv", "1/2/"], None, "in this folder of span 1, version 2"),
        ("d/{SPAN}", ["d/01/a.csv"], None, "d/01: a number in it is padded with zeros"),
        ("d/{SPAN}", ["d/01/a.csv"], 1, "d/01: a number in it is padded with zeros"),
        (
            "d/{SPAN}",
            [f"d/{span}/a.csv" for span in (1, 3, 5, 30)],
            4,
            "d/{SPAN}: there is no span 4; expected one of 4, nearest first: 3, 5, 1: correct",
        ),
        (
            "{YYYY}/{MM}-{DD}.csv",
            ["2024/01-01.csv"],
            19_725,
            "no span 19725 (2024-01-03); expected one of 1, nearest first: 19723 (2024-01-01)",
        ),
        ("{YYYY}/{MM}-{DD}.csv", ["2024/01-01.csv"], 10**9, "is not a date"),
        ("{SPAN:2}.csv", ["01.csv"], 100, "100 has more digits than {SPAN:2}"),
        ("[1]/{SPAN}", ["[1]/1/a.csv"], None, "'[' is not allowed in a path"),
    ],
)
def test_find_files_refuses_missing_spans(
    tmp_path: Path, path: str, there: list[str], span: int | None, message: str
) -> None:
    write(tmp_path, *there)
    if path.startswith("["):
        config = make_config(path="{SPAN}").located(tmp_path / "[1]")
        with pytest.raises(DataError) as caught:
            find_files(config)
        assert message in str(caught.value)
    else:
        assert message in refuse(tmp_path, path, span)


# Files of each split


def test_find_files_finds_the_files_of_each_split(tmp_path: Path) -> None:
    write(tmp_path, "train/b.csv", "train/a.csv.gz", "eval.txt", "other/test.csv")
    files = {"train": "train", "eval": "eval.txt", "test": "other/test.csv"}

    found = find_files(make_config(files=files).located(tmp_path))

    assert found == {
        "train": (str(tmp_path / "train/a.csv.gz"), str(tmp_path / "train/b.csv")),
        "eval": (str(tmp_path / "eval.txt"),),
        "test": (str(tmp_path / "other/test.csv"),),
    }


def test_find_globs_gives_a_glob_per_split(tmp_path: Path) -> None:
    write(tmp_path, "d/train/a.csv", "d/eval[1].csv")
    files = {"train": "d/train", "eval": "d/eval[1].csv"}

    globs = find_globs(make_config(files=files).located(tmp_path))

    assert globs == (str(tmp_path / "d"), {"train": "train/*.csv*", "eval": "eval[[]1].csv"})


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train": "d", "eval": "./d"}, "d/a.csv: is in the train and in the eval split"),
        ({"train": "d", "eval": "d/a.csv"}, "correct data.files.train or data.files.eval"),
        ({"train": "e", "eval": "link.csv"}, "e/b.csv: is in the train and in the eval split"),
        ({"train": "d", "eval": "e", "test": "e"}, "correct data.files.eval or data.files.test"),
        ({"train": "d", "eval": "f"}, "there is no 'f' in"),
        ({"train": "d", "eval": "f"}, "correct data.files.eval"),
        ({"train": "empty", "eval": "e"}, "set data.files.train to their folder"),
    ],
)
def test_find_files_refuses_files_of_splits(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    write(tmp_path, "d/a.csv", "e/b.csv", "empty/")
    (tmp_path / "link.csv").symlink_to(tmp_path / "e" / "b.csv")

    with pytest.raises(DataError) as caught:
        find_files(make_config(files=files).located(tmp_path))

    assert message in str(caught.value).replace(f"{tmp_path}{os.sep}", "")


# Configuration


MINIMAL = """\
name: t
data:
  label: kind
features: {x: numeric}
evaluation: {thresholds: {accuracy: {min: 0.5}}}
"""


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "data.path=d/{span}",
            "data.path: '{span}' is not a placeholder of a span (allowed: {SPAN}",
        ),
        ("data.path=d/{SPAN}/{YYYY}", "data.path: a span is either {SPAN} or a date"),
        ("data.path=d/{VERSION}.csv", "data.path: {VERSION} needs a span: add {SPAN}"),
        ("data={path: d, span: 3, label: k}", "data.span: needs {SPAN} or {YYYY}, {MM} and {DD}"),
        ("data={path: 'd/{SPAN}', span: 2147483648, label: k}", "data.span: 2147483648 is not"),
        ("data.files={train: 'd/{SPAN}', eval: e}", "data.files.train: 'd/{SPAN}' has a span ("),
        (
            "data={path: d, files: {train: a, eval: b}, label: k}",
            "data.files: is set as well as path",
        ),
        ("data.label=x", "data.path: is missing: set either path or files"),
        ("data.files={train: a}", "data.files.eval: is missing"),
    ],
)
def test_load_config_refuses_conflicting_inputs(
    tmp_path: Path, override: str, message: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MINIMAL)

    with pytest.raises(ConfigError) as caught:
        load_config(path, [override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "paths", "path"),
    [
        ({"path": "d/{SPAN}"}, {ALL: "d/{SPAN}"}, "d/{SPAN}"),
        (
            {"files": {"train": "d/a.csv", "eval": "d/e/b.csv"}},
            {"train": "d/a.csv", "eval": "d/e/b.csv"},
            "d",
        ),
    ],
)
def test_config_knows_the_paths_of_its_data(
    tmp_path: Path, data: dict[str, Any], paths: dict[str, str], path: str
) -> None:
    config = make_config(**data).located(tmp_path)

    assert config.data_paths == {split: tmp_path / name for split, name in paths.items()}
    assert config.data_path == tmp_path / path


# list_csv_files


def test_list_csv_files_gives_a_file_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").touch()

    assert list_csv_files(tmp_path / "rows.txt") == (str(tmp_path / "rows.txt"),)


def test_list_csv_files_sorts_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt", "B.csv", "b.csv.gz"):
        (tmp_path / name).touch()

    assert list_csv_files(tmp_path) == tuple(
        str(tmp_path / name) for name in ("B.csv", "a.csv", "b.csv", "b.csv.gz")
    )
