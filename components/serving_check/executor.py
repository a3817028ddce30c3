"""Executor: blesses a model if it loads, predicts as expected, and is fast enough."""

import importlib
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.serving_check.predictions import Predictions, ServedModel, differences, faults_of
from components.serving_check.report import REPORT_FILE

EXAMPLES, MODEL, MODEL_RUN = "examples", "model", "model_run"
TRANSFORM_GRAPH, BLESSING = "transform_graph", "serving_blessing"
SPLIT, ROWS, TOLERANCE = "split", "rows", "tolerance"
MAX_MILLISECONDS, REFERENCE_FN = "max_milliseconds", "reference_fn"
_ONE_BY_ONE = 10
"""Number of examples that are run one by one as well, since clients may send single rows."""
_LONGEST_ERROR = 300


class Executor(base_executor.BaseExecutor):
    """Compares the predictions of the SavedModel with those of the Estimator."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the report and the blessing.

        Args:
            input_dict: `examples`, `model`, `model_run` and `transform_graph`.
            output_dict: `serving_blessing`, whose property `blessed` is 1 or 0.
            exec_properties: The arguments of the component that are not artifacts.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifacts = {
            key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()
        }
        split_dir = artifact_utils.get_split_uri(input_dict[EXAMPLES], exec_properties[SPLIT])
        examples = _read_examples(split_dir, exec_properties[ROWS])
        module, _, name = exec_properties[REFERENCE_FN].rpartition(".")
        expected = getattr(importlib.import_module(module), name)(
            examples, artifacts[TRANSFORM_GRAPH].uri, artifacts[MODEL_RUN].uri
        )
        report = check_model(
            path_utils.serving_model_path(artifacts[MODEL].uri),
            examples,
            expected,
            exec_properties[TOLERANCE],
            exec_properties.get(MAX_MILLISECONDS),
        )
        blessing = artifact_utils.get_single_instance(output_dict[BLESSING])
        io_utils.write_string_file(
            os.path.join(blessing.uri, REPORT_FILE), json.dumps(report, indent=1)
        )
        blessing.set_int_custom_property("blessed", int(not report["faults"]))
        for fault in report["faults"]:
            logging.error("serving check: %s", fault)


def _read_examples(split_dir: str, count: int) -> list[bytes]:
    paths = sorted(fileio.glob(os.path.join(split_dir, "*")))
    records = tf.data.TFRecordDataset(paths, compression_type="GZIP")
    return list(itertools.islice(records.as_numpy_iterator(), count))


def check_model(
    saved_model_dir: str,
    examples: Sequence[bytes],
    expected: Predictions,
    tolerance: float,
    max_milliseconds: float | None = None,
) -> dict[str, Any]:
    """Runs all signatures of a model, and compares the predictions with the expected ones.

    Args:
        saved_model_dir: Folder of the SavedModel.
        examples: Serialized `tf.Example`s of raw columns.
        expected: Predictions of the Estimator for the examples.
        tolerance: By how much predictions may differ, relative to their size.
        max_milliseconds: Longest time for one row; None for no limit.

    Returns:
        The report, described in `components.serving_check.report`.
    """
    report: dict[str, Any] = {"rows": len(examples)}
    try:
        model = ServedModel(saved_model_dir)
        predictions = model.predict(examples)
        alone = model.predict_one_by_one(examples[:_ONE_BY_ONE])
        milliseconds = model.milliseconds(examples[0])
    except Exception as error:
        words = " ".join(str(error).split())[:_LONGEST_ERROR]
        return {**report, "faults": [f"the model cannot be run: {type(error).__name__}: {words}"]}
    first = {name: values[:_ONE_BY_ONE] for name, values in expected.items()}
    compared = [
        *(
            found
            for signature, outputs in predictions.items()
            for found in differences(outputs, expected, signature, tolerance)
        ),
        *differences(alone, first, "serving_default, row by row", tolerance),
    ]
    report["greatest_difference"] = max((greatest for _, greatest in compared), default=0.0)
    report["milliseconds"] = milliseconds
    report["faults"] = [
        *(
            fault
            for signature, outputs in predictions.items()
            for fault in faults_of(outputs, signature)
        ),
        *(fault for fault, _ in compared if fault),
        *_too_slow(milliseconds, max_milliseconds),
    ]
    return report


def _too_slow(milliseconds: float, limit: float | None) -> Iterator[str]:
    if limit is not None and milliseconds > limit:
        yield f"a row takes {milliseconds:.2g} ms, more than push.max_milliseconds, {limit:g}"
