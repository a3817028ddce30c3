"""DataGate as TFX runs it, with real artifacts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from tfx.types import Artifact, channel_utils
from tfx.types.standard_artifacts import Examples

from components.data_gate.component import DataFindings, DataGate
from components.data_gate.executor import Executor
from components.data_gate.report import DataRefusedError, read_findings, shorten, to_lines
from tabular.csv.row_counts import LostRowsError
from tests.helpers.measured_data import (
    Columns,
    measure,
    write_anomalies,
    write_schema,
    write_statistics,
)

TRAIN: Columns = {"word": ["a", "b"] * 6, "label": ["x", "y"] * 6}
RARE: Columns = {"word": ["a", "rare"], "label": ["x", "y"]}


def run_gate(
    tmp_path: Path,
    evaluated: Columns,
    numbers: Mapping[str, int] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    statistics = write_statistics(tmp_path / "statistics", train=TRAIN, eval=evaluated)
    schema = tfdv.infer_schema(measure(TRAIN))
    examples = Examples()
    examples.split_names = '["train", "eval"]'
    counts = {"rows": 13 + len(evaluated["label"]), "quarantined": 1, "unlabeled": 0}
    counts |= {"examples_train": 12, "examples_eval": len(evaluated["label"])}
    for name, count in (counts | dict(numbers or {})).items():
        examples.set_int_custom_property(name, count)
    inputs: dict[str, list[Artifact]] = {
        "examples": [examples],
        "statistics": [statistics],
        "anomalies": [write_anomalies(tmp_path / "anomalies", statistics, schema)],
        "schema": [write_schema(tmp_path / "schema", schema)],
    }
    values: dict[str, Any] = {"stop_at": "error", "is_reviewed": False, **settings}
    gate = DataGate(
        **{key: channel_utils.as_channel(value) for key, value in inputs.items()},
        label="label",
        columns=["word", "label"],
        **values,
    )
    findings = DataFindings()
    findings.uri = str(tmp_path / "findings")
    Executor().Do(inputs, {"findings": [findings]}, dict(gate.exec_properties))
    return read_findings(findings.uri)


def test_gate_lets_good_data_pass(tmp_path: Path) -> None:
    assert run_gate(tmp_path, TRAIN) == {"findings": [], "notes": []}


def test_gate_writes_warnings(tmp_path: Path) -> None:
    (found,) = run_gate(tmp_path, RARE)["findings"]

    assert found == {
        "severity": "warning",
        "split": "eval",
        "column": "word",
        "text": "expected one of 'a', 'b'; found 'rare' (1), in 1 of 2 examples",
    }


def test_gate_lets_cells_of_words_be_new(tmp_path: Path) -> None:
    assert run_gate(tmp_path, RARE, columns_of_words=["word"])["findings"] == []


def test_gate_keeps_a_reviewed_schema_for_cells_of_words(tmp_path: Path) -> None:
    with pytest.raises(DataRefusedError, match="expected one of 'a', 'b'; found 'rare'"):
        run_gate(tmp_path, RARE, columns_of_words=["word"], is_reviewed=True)


def test_gate_passes_on_warnings_of_the_check(tmp_path: Path) -> None:
    found = run_gate(tmp_path, TRAIN, warnings=["rows.csv: label: 2 labels have blanks"])

    assert list(to_lines(found["findings"])) == ["rows.csv: label: 2 labels have blanks"]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"rows": 16}, "16 read = 14 examples + 1 quarantined + 0 unlabeled: the numbers of rows"),
        ({"unlabeled": 1}, "15 read = 14 examples + 1 quarantined + 1 unlabeled: the numbers"),
        ({"rows": 16, "examples_eval": 3}, "eval: 3 examples were written and 2 read: the num"),
    ],
)
def test_gate_refuses_numbers_of_rows_that_do_not_add_up(
    tmp_path: Path, numbers: dict[str, int], words: str
) -> None:
    with pytest.raises(LostRowsError, match=re.escape(words)):
        run_gate(tmp_path, RARE, numbers)


REFUSAL = """\
an anomaly in the data (validation.stop_at: {})
eval: word: expected one of 'a', 'b'; found 'rare' (1), in 1 of 2 examples"""


@pytest.mark.parametrize(
    "settings", [{"stop_at": "warning"}, {"stop_at": "error", "is_reviewed": True}]
)
def test_gate_refuses_findings_at_stop_at(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(DataRefusedError) as caught:
        run_gate(tmp_path, RARE, **settings)

    assert str(caught.value) == REFUSAL.format(settings["stop_at"])
    assert not (tmp_path / "findings").exists()


def test_gate_that_never_stops_keeps_errors(tmp_path: Path) -> None:
    (found,) = run_gate(tmp_path, RARE, stop_at="never", is_reviewed=True)["findings"]

    assert found["severity"] == "error"


@pytest.mark.parametrize(
    ("count", "last"), [(5, "line 4"), (6, "and 1 more"), (1205, "and 1,200 more")]
)
def test_shorten_counts_the_other_lines(count: int, last: str) -> None:
    lines = shorten([f"line {index}" for index in range(count)])

    assert lines[-1] == last
    assert lines[:5] == [f"line {index}" for index in range(5)]
