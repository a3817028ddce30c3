"""The data of a run in the form of MLflow's datasets."""

import json

from tests.helpers.tracked_run import make_schema, make_statistics
from tracking.projection.datasets import Dataset, make_datasets


def datasets(
    path: str = "/data/iris.csv", fingerprint: str = "ab12", rows: int = 99
) -> list[Dataset]:
    statistics = {"train": make_statistics(rows), "eval": make_statistics(51)}
    return list(make_datasets(path, fingerprint, make_schema(), statistics))


def test_make_datasets_describes_each_split() -> None:
    train, evaluated = datasets()

    assert (train.name, evaluated.name) == ("iris.csv (train)", "iris.csv (eval)")
    assert (train.context, evaluated.context) == ("training", "evaluation")
    assert json.loads(train.source) == {"uri": "/data/iris.csv"}
    assert json.loads(train.profile) == {"num_rows": 99}
    assert json.loads(evaluated.profile) == {"num_rows": 51}


def test_make_datasets_describes_a_test_split() -> None:
    statistics = {split: make_statistics(9) for split in ("train", "eval", "test")}

    found = list(make_datasets("/data/iris.csv", "ab12", make_schema(), statistics))

    assert [data.context for data in found] == ["training", "evaluation", "test"]


def test_make_datasets_has_columns_with_mlflow_types() -> None:
    for data in datasets():
        assert json.loads(data.schema) == {
            "mlflow_colspec": [
                {"name": "width", "type": "double", "required": True},
                {"name": "legs", "type": "long", "required": True},
                {"name": "species", "type": "string", "required": False},
            ]
        }


def test_make_datasets_digests_content_and_split() -> None:
    train, evaluated = datasets()

    assert train.digest != evaluated.digest
    assert train.digest != datasets(fingerprint="cd34")[0].digest
    assert train.digest != datasets(rows=98)[0].digest
    assert train.digest == datasets("/elsewhere/rows.csv")[0].digest


def test_make_datasets_keeps_mlflows_length_limits() -> None:
    for data in datasets():
        assert len(data.digest) <= 36
