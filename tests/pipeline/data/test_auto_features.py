"""`auto` features: the kinds that the data suggests."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.__main__ import run_command
from pipeline.data.auto_features import choose_features
from pipeline.data.check import check_data
from pipeline.data.files import find_files
from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.run.provenance import make_run_start
from pipeline.settings.config import Config
from pipeline.settings.load import load_config

ROWS = 60
COLUMNS: Mapping[str, Callable[[int], Any]] = {
    "size": lambda row: row * 1.5,
    "color": lambda row: ["red", "green"][row % 2],
    "note": lambda row: f"n{row}",
    "same": lambda row: "x",
    "kind": lambda row: ["a", "b", "c"][row % 3],
}

MakeConfig = Callable[..., Config]


@pytest.fixture
def make_config(tmp_path: Path) -> MakeConfig:
    """Writes a configuration and its data."""

    def make(
        features: Any,
        columns: Mapping[str, Callable[[int], Any]] = COLUMNS,
        overrides: Sequence[str] = (),
        **data: Any,
    ) -> Config:
        rows = [",".join(columns)]
        rows += [",".join(str(cell(row)) for cell in columns.values()) for row in range(ROWS)]
        (tmp_path / "data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        settings = {
            "name": "auto",
            "data": {"path": "data.csv", "label": "kind", **data},
            "features": features,
            "evaluation": {"thresholds": {"accuracy": {"min": 0}}},
        }
        path = tmp_path / "pipeline_config.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return load_config(path, overrides)

    return make


def resolved(config: Config) -> Config:
    return check_data(config).config


def kinds(config: Config) -> dict[str, str]:
    return {name: feature.kind for name, feature in config.features.items()}


def test_auto_chooses_a_kind_for_all_but_the_label(make_config: MakeConfig) -> None:
    config = resolved(make_config("auto"))
    assert kinds(config) == {
        "size": "numeric",
        "color": "categorical",
        "note": "ignore",
        "same": "ignore",
    }


def test_auto_keeps_configured_features_and_order(make_config: MakeConfig) -> None:
    features = {"note": "categorical", "*": "auto", "size": "bucketized", "same": "ignore"}
    config = resolved(make_config(features))
    assert list(kinds(config).items()) == [
        ("note", "categorical"),
        ("color", "categorical"),
        ("size", "bucketized"),
        ("same", "ignore"),
    ]


def test_auto_chooses_for_a_single_column(make_config: MakeConfig) -> None:
    config = resolved(make_config({"color": "auto"}))
    assert kinds(config) == {"color": "categorical"}


def test_auto_ignores_weight_and_split_column(make_config: MakeConfig) -> None:
    columns = {**COLUMNS, "w": lambda row: row + 1, "city": lambda row: row % 5}
    config = make_config("auto", columns, weight="w", split={"by": "city"})

    chosen = resolved(config)

    assert "w" not in chosen.features
    assert chosen.features["city"].kind == "ignore"
    assert any("city" in note and "rows are split by it" in note for note in chosen.notes)


def test_auto_notes_what_was_chosen_and_why_not(make_config: MakeConfig) -> None:
    chosen, note, same = resolved(make_config("auto")).notes
    assert chosen == "chosen: 1 numeric, 1 categorical"
    assert re.fullmatch(r"note: ignored, \d+ words: ids: most cells are different", note)
    assert same == "same: ignored, 1 word: every cell is 'x'"


def test_auto_chooses_by_the_train_split_only(make_config: MakeConfig) -> None:
    config = make_config("auto")
    train_rows = check_data(config).rows["train"]
    assert 0 < train_rows < ROWS
    assert any(f"note: ignored, {train_rows} words" in note for note in resolved(config).notes)


def test_auto_allows_missing_values_in_other_rows(make_config: MakeConfig) -> None:
    size = resolved(make_config("auto")).features["size"]
    assert size.model_dump() == {"kind": "numeric", "fill": "mean"}


def test_auto_ignores_a_column_whose_title_cannot_be_a_name(make_config: MakeConfig) -> None:
    config = resolved(make_config("auto", {**COLUMNS, "a\tname": lambda row: row}))
    assert "a\tname" not in config.features
    assert any(note.startswith("a\tname: ignored") for note in config.notes)


def test_auto_configuration_can_be_loaded_again(make_config: MakeConfig, tmp_path: Path) -> None:
    config = resolved(make_config("auto", {**COLUMNS, "a\tname": lambda row: row}))
    again = tmp_path / "again.yaml"
    again.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(again).features == config.features


def test_auto_explains_why_no_column_is_left(make_config: MakeConfig) -> None:
    columns = {name: COLUMNS[name] for name in ("note", "same", "kind")}
    with pytest.raises(DataError) as caught:
        resolved(make_config("auto", columns))
    lines = str(caught.value).splitlines()
    assert "no column is left to learn from" in lines[0]
    assert re.search(r"note: \d+ words: ids", lines[1])
    assert "same: 1 word: every cell is 'x'" in lines[2]


def test_auto_names_the_nearest_column(make_config: MakeConfig) -> None:
    with pytest.raises(DataError, match=r"no column 'colour'.* did you mean 'color'\?"):
        resolved(make_config({"colour": "auto"}))


@pytest.mark.parametrize("path", ["nowhere.csv", "pipeline_config.yaml"])
def test_auto_reports_data_that_cannot_be_read(make_config: MakeConfig, path: str) -> None:
    with pytest.raises(DataError, match=path):
        resolved(make_config("auto", overrides=[f"data.path={path}"]))


def test_auto_leaves_faults_to_the_check(
    make_config: MakeConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_config("auto")
    with (tmp_path / "data.csv").open("a", encoding="utf-8") as file:
        file.write("1,2\n")
    validate = ["validate", "--config", str(tmp_path / "pipeline_config.yaml")]

    assert run_command(validate) == 2
    assert "data.csv:62: 2 fields" in capsys.readouterr().err
    assert run_command([*validate, "--set", "data.quarantine.max_rows=1"]) == 0


SCHEMA = """
feature { name: "size" type: FLOAT }
feature { name: "level" type: INT int_domain { is_categorical: true } }
feature { name: "note" type: BYTES domain: "notes" }
feature { name: "color" type: BYTES string_domain { value: "red" } }
feature { name: "flag" type: BYTES bool_domain { true_value: "on" false_value: "off" } }
feature { name: "odd" type: BYTES bool_domain { } }
feature { name: "count" type: INT }
string_domain { name: "notes" value: "n1" }
"""


def test_auto_follows_a_reviewed_schema(make_config: MakeConfig, tmp_path: Path) -> None:
    columns = {
        **COLUMNS,
        "size": lambda row: row % 3,
        "level": lambda row: row,
        "flag": lambda row: ["on", "off"][row % 2],
        "odd": lambda row: row % 3,
        "count": lambda row: row * 7 % 61,
    }
    (tmp_path / "schema.pbtxt").write_text(SCHEMA, encoding="utf-8")

    config = make_config("auto", columns, schema="schema.pbtxt")
    rows = Rows(config, find_files(config), profiled=[name for name in columns if name != "kind"])
    config, _ = choose_features(config, list(columns), rows.profiles)

    assert kinds(config) == {
        "size": "numeric",
        "color": "categorical",
        "note": "categorical",
        "same": "ignore",
        "level": "categorical",
        "flag": "boolean",
        "odd": "boolean",
        "count": "numeric",
    }
    flag = config.features["flag"].model_dump()
    assert flag == {"kind": "boolean", "true_words": ["on"], "false_words": ["off"]}


def test_auto_reports_a_file_that_is_no_schema(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "schema.pbtxt").write_text("no schema", encoding="utf-8")
    with pytest.raises(DataError, match="is not a schema"):
        resolved(make_config("auto", schema="schema.pbtxt"))


@pytest.mark.usefixtures("make_config")
def test_validate_shows_what_was_chosen(
    make_config: MakeConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_config("auto")
    assert run_command(["validate", "--config", str(tmp_path / "pipeline_config.yaml")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["color", "2", "words:", "green,", "red", "categorical"] in lines
    assert ["!", "note:", "left", "out:", "ids:", "most", "cells", "are", "different"] in lines


def test_run_start_tells_what_was_chosen(make_config: MakeConfig) -> None:
    from datetime import datetime, timezone

    config = resolved(make_config("auto"))

    start = make_run_start(config, datetime.now(timezone.utc))

    assert start.params["features.color"] == "categorical"
    assert start.provenance["features.auto"].startswith("chosen: 1 numeric, 1 categorical; note: ")


def test_auto_refuses_numbers_that_are_not_plain_and_names_the_setting(
    make_config: MakeConfig,
) -> None:
    columns = {
        **COLUMNS,
        "price": lambda row: f"${row * 1.5}",
        "share": lambda row: f"{row * 0.25}%",
    }

    with pytest.raises(DataError) as caught:
        resolved(make_config("auto", columns))

    price, share = str(caught.value).splitlines()
    assert "data.csv: price: '$" in price
    assert "set data.csv.numbers.price to {prefix: $}, or name its kind" in price
    assert "set data.csv.numbers.share to {suffix: '%'}" in share


def test_auto_reads_numbers_that_are_described(make_config: MakeConfig) -> None:
    columns = {**COLUMNS, "share": lambda row: f"{row * 0.25}%"}
    csv = {"numbers": {"share": {"suffix": "%"}}}

    assert kinds(resolved(make_config("auto", columns, csv=csv)))["share"] == "numeric"


def test_auto_refuses_another_format_among_numbers_that_are_described(
    make_config: MakeConfig,
) -> None:
    columns = {**COLUMNS, "share": lambda row: "0.5" if row == 50 else f"{row * 0.25}%"}
    csv = {"numbers": {"share": {"suffix": "%"}}}

    with pytest.raises(DataError, match=r"52: share: '0\.5' is not a number as data\.csv\.numbers"):
        resolved(make_config("auto", columns, csv=csv))


def test_auto_reads_a_column_with_a_few_words_as_numbers(make_config: MakeConfig) -> None:
    columns = {**COLUMNS, "size": lambda row: "abc" if row == 50 else row * 1.5}

    with pytest.raises(DataError, match="52: size: 'abc' is not a number"):
        resolved(make_config("auto", columns))
    checked = check_data(make_config("auto", columns, quarantine={"max_rows": 1}))
    assert checked.quarantined == 1
    assert kinds(checked.config)["size"] == "numeric"


def test_auto_leaves_codes_with_leading_zeros_words(make_config: MakeConfig) -> None:
    columns = {**COLUMNS, "code": lambda row: f"{row % 5:03d}"}

    assert kinds(resolved(make_config("auto", columns)))["code"] == "categorical"
