"""Makes MLflow models of SavedModels, which can be loaded and served without this project.

This module neither imports TensorFlow nor loads the model: the signature is read from a file.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array
from tensorflow_metadata.proto.v0 import statistics_pb2

from trainer.signatures import SIGNATURE_FILE

_LOADER = Path(__file__).with_name("saved_model_pyfunc.py")
_PACKAGES = ("mlflow", "tensorflow", "numpy", "pandas")
"""The packages that the loader and MLflow's server need; others are their dependencies."""

_DATA_TYPES = {
    "bool": DataType.boolean,
    "float32": DataType.double,  # JSON numbers are doubles, and MLflow does not narrow them
    "float64": DataType.double,
    "int32": DataType.long,
    "int64": DataType.long,
    "string": DataType.string,
}
_CASTS = {
    DataType.boolean: bool,
    DataType.double: float,
    DataType.long: int,
    DataType.string: str,
}


def save_model(
    saved_model_dir: str | Path,
    target_dir: str | Path,
    example: Mapping[str, Any] | None,
    *,
    run_id: str | None = None,
    model_id: str | None = None,
) -> None:
    """Writes the MLflow model of a SavedModel.

    Args:
        saved_model_dir: Folder of the SavedModel, with `assets.extra/signature.json`.
        target_dir: Folder for the MLflow model; absent or empty.
        example: A raw row as input example, None for no example.
        run_id: Id of the MLflow run that trained the model.
        model_id: Id of the LoggedModel that the folder is for.

    Raises:
        FileNotFoundError: If the SavedModel has no `assets.extra/signature.json`.
        KeyError: If the example lacks a column, or if MLflow has no type for a tensor.
    """
    saved_model_dir = Path(saved_model_dir)
    path = saved_model_dir / "assets.extra" / SIGNATURE_FILE
    signature = _to_mlflow(json.loads(path.read_text("utf-8")))
    mlflow.pyfunc.save_model(
        str(target_dir),
        loader_module=_LOADER.stem,
        data_path=str(saved_model_dir),
        code_paths=[str(_LOADER)],
        mlflow_model=Model(run_id=run_id, model_id=model_id),
        signature=signature,
        input_example=None if example is None else _to_frame(example, signature.inputs),
        pip_requirements=[f"{package}=={version(package)}" for package in _PACKAGES],
        # Otherwise MLflow adds the lock file of the working directory.
        uv_project_path=str(saved_model_dir),
    )


def read_columns(saved_model_dir: str | Path) -> list[str]:
    """Lists the raw columns that a SavedModel takes, in alphabetical order."""
    path = Path(saved_model_dir, "assets.extra", SIGNATURE_FILE)
    return sorted(json.loads(path.read_text("utf-8"))["inputs"])


def input_example(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, columns: Iterable[str]
) -> dict[str, Any]:
    """Makes a typical raw row from statistics of the train split.

    Args:
        statistics: Statistics with at most one dataset.
        columns: The columns of the row.

    Returns:
        Value by column: the median, as int if all numbers of the column are whole, or the most
        frequent word. Columns without statistics or values are absent.
    """
    wanted = set(columns)
    row: dict[str, Any] = {}
    for feature in (feature for dataset in statistics.datasets for feature in dataset.features):
        name = feature.name or ".".join(feature.path.step)
        if name in wanted and feature.type == feature.STRING and feature.string_stats.top_values:
            row[name] = feature.string_stats.top_values[0].value
        elif name in wanted and feature.HasField("num_stats"):
            median = feature.num_stats.median
            # The examples hold float32: take the shortest number with the same float32.
            row[name] = (
                round(median) if feature.type == feature.INT else float(str(np.float32(median)))
            )
    return row


def _to_mlflow(description: Mapping[str, Mapping[str, Any]]) -> ModelSignature:
    """Makes MLflow's signature; an output of shape `[-1, k]` is an array unless k is 1."""
    inputs = [
        ColSpec(_DATA_TYPES[tensor["dtype"]], name)
        for name, tensor in sorted(description["inputs"].items())
    ]
    outputs = []
    for name, tensor in sorted(description["outputs"].items()):
        data_type = _DATA_TYPES[tensor["dtype"]]
        is_value = tensor["shape"][1:] in ([], [1])
        outputs.append(ColSpec(data_type if is_value else Array(data_type), name))
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _to_frame(example: Mapping[str, Any], schema: Schema) -> pd.DataFrame:
    """Makes a data frame of one row with the columns and types of the signature."""
    return pd.DataFrame(
        {spec.name: [_CASTS[spec.type](example[spec.name])] for spec in schema.inputs}
    )
