"""DistributionValidator as TFX runs it, with real artifacts."""

from pathlib import Path
from typing import Any

import pytest
from tfx.types import Artifact, channel_utils

from components.distribution_validator.component import DataDistances, DistributionValidator
from components.distribution_validator.executor import Executor
from components.distribution_validator.report import read_distances
from tests.helpers.measured_data import Columns, write_statistics

DATA: Columns = {"word": ["a", "a", "b", "b"], "x": [1.5, 2.5, 3.5, 4.5]}


def validate(
    tmp_path: Path, baselines: list[Artifact], limits: dict[str, float], baseline: str = ""
) -> dict[str, Any]:
    other: Columns = {"word": ["z"], "x": [0.0]}
    statistics = [write_statistics(tmp_path / "statistics", eval=other, train=DATA)]
    validator = DistributionValidator(
        "drift",
        channel_utils.as_channel(statistics),
        channel_utils.as_channel(baselines or statistics),
        limits,
        baseline,
    )
    distances = DataDistances()
    distances.uri = str(tmp_path / "distances")
    inputs = {"statistics": statistics, "baseline_statistics": baselines}
    Executor().Do(inputs, {"distances": [distances]}, dict(validator.exec_properties))
    return read_distances(distances.uri)


def test_validator_compares_the_train_splits(tmp_path: Path) -> None:
    baseline = write_statistics(tmp_path / "before", span=3, train=DATA, eval={"word": ["z"]})

    report = validate(tmp_path, [baseline], {"*": 0.5, "x": 0.25})

    found = {each["column"]: (each["distance"], each["limit"]) for each in report["distances"]}
    assert found == {"word": (pytest.approx(0), 0.5), "x": (pytest.approx(0), 0.25)}
    assert report["kind"] == "drift"
    assert report["baseline"] == "the data of span 3"
    assert report["examples"] == 4


def test_validator_takes_the_only_split_there_is(tmp_path: Path) -> None:
    baseline = write_statistics(tmp_path / "before", all={"word": ["b", "b", "a", "a"]})

    report = validate(tmp_path, [baseline], {}, "skew.csv")

    assert report["baseline"] == "skew.csv"
    assert report["distances"][0]["distance"] == pytest.approx(0)


def test_validator_measures_without_a_limit(tmp_path: Path) -> None:
    baseline = write_statistics(tmp_path / "before", train={**DATA, "word": ["a"] * 4})

    word, _ = validate(tmp_path, [baseline], {"x": 0.5})["distances"]

    assert (word["distance"], word["limit"]) == (pytest.approx(0.5), None)


@pytest.mark.parametrize(("limits", "limit"), [({"*": 0.5}, None), ({"word": 0.5}, 0.5)])
def test_validator_allows_absent_columns_unless_named(
    tmp_path: Path, limits: dict[str, float], limit: float | None
) -> None:
    baseline = write_statistics(tmp_path / "before", train={"x": DATA["x"]})

    word, _ = validate(tmp_path, [baseline], limits)["distances"]

    assert (word["distance"], word["limit"]) == (None, limit)


def test_validator_without_a_baseline(tmp_path: Path) -> None:
    report = validate(tmp_path, [], {"*": 0.5})

    assert (report["baseline"], report["distances"]) == (None, [])
