"""Executor: TFX's Evaluator, told the classes of the model it evaluates, and its own verdict."""

import os
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import path_utils

from components.evaluator.classes import read_classes
from components.evaluator.summarize import write_summary
from components.evaluator.tasks import task_of

_BASELINE = standard_component_specs.BASELINE_MODEL_KEY
_EVAL_CONFIG = standard_component_specs.EVAL_CONFIG_KEY


class Executor(executor.Executor):
    """Evaluates as TFX does, writes `summary.json` beside TFMA's files, and blesses by its checks.

    TFMA lets no bound hold of a metric that is undefined, as the recall of a class that the split
    lacks, and no change against a baseline of 0.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, against the baseline where there is one with the same classes.

        Args:
            input_dict: `examples`, `model` and, where one is blessed, `baseline_model`.
            output_dict: `evaluation` and `blessing`.
            exec_properties: TFX's `eval_config`; its metrics specs with `binarize` but without
                class ids are evaluated for each class.
        """
        classes = _classes_of(input_dict[standard_component_specs.MODEL_KEY])
        baseline = input_dict.get(_BASELINE)
        if baseline and _classes_of(baseline) != classes:
            input_dict = {**input_dict, _BASELINE: []}
            baseline = None
        eval_config = json_format.Parse(exec_properties[_EVAL_CONFIG], tfma.EvalConfig())
        task = task_of(eval_config)
        measured = _without_thresholds(eval_config)
        for spec in measured.metrics_specs:
            if spec.HasField("binarize") and not spec.binarize.class_ids.values:
                spec.binarize.class_ids.values.extend(range(len(classes)))
        properties = {**exec_properties, _EVAL_CONFIG: json_format.MessageToJson(measured)}
        super().Do(input_dict, output_dict, properties)
        is_blessed = write_summary(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]),
            task,
            [word.decode() for word in classes],
            eval_config,
            has_baseline=bool(baseline),
        )
        _bless(input_dict, output_dict, is_blessed)


def _classes_of(models: list[types.Artifact]) -> list[bytes]:
    model = artifact_utils.get_single_instance(models)
    return read_classes(
        path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
    )


def _without_thresholds(eval_config: tfma.EvalConfig) -> tfma.EvalConfig:
    """Leaves out what TFX would bless the model by."""
    result = tfma.EvalConfig()
    result.CopyFrom(eval_config)
    for spec in result.metrics_specs:
        for metric in spec.metrics:
            del metric.per_slice_thresholds[:]
    return result


def _bless(
    input_dict: dict[str, list[types.Artifact]],
    output_dict: dict[str, list[types.Artifact]],
    is_blessed: bool,
) -> None:
    """Writes the blessing as TFX does."""
    blessing = artifact_utils.get_single_instance(
        output_dict[standard_component_specs.BLESSING_KEY]
    )
    model = artifact_utils.get_single_instance(input_dict[standard_component_specs.MODEL_KEY])
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for baseline in input_dict.get(_BASELINE) or []:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    name, value = (
        (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE)
        if is_blessed
        else (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE)
    )
    fileio.makedirs(blessing.uri)
    with fileio.open(os.path.join(blessing.uri, name), "w") as file:
        file.write("")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
