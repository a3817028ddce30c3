"""Executor: TFX's Evaluator, told the classes of the model it evaluates."""

from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import types
from tfx.components.evaluator import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import path_utils

from components.evaluator.classes import read_classes
from components.evaluator.summarize import write_summary


class Executor(executor.Executor):
    """Evaluates as TFX does, and writes `summary.json` beside TFMA's files."""

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
            exec_properties: TFX's `eval_config`; its metrics specs other than the first are of a
                single class, and are evaluated for each.
        """
        classes = _classes_of(input_dict[standard_component_specs.MODEL_KEY])
        baseline = input_dict.get(standard_component_specs.BASELINE_MODEL_KEY)
        if baseline and _classes_of(baseline) != classes:
            input_dict = {**input_dict, standard_component_specs.BASELINE_MODEL_KEY: []}
            baseline = None
        eval_config = json_format.Parse(
            exec_properties[standard_component_specs.EVAL_CONFIG_KEY], tfma.EvalConfig()
        )
        for spec in eval_config.metrics_specs[1:]:
            spec.binarize.class_ids.values.extend(range(len(classes)))
        exec_properties = {
            **exec_properties,
            standard_component_specs.EVAL_CONFIG_KEY: json_format.MessageToJson(eval_config),
        }
        super().Do(input_dict, output_dict, exec_properties)
        write_summary(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]),
            [word.decode() for word in classes],
            eval_config,
            has_baseline=bool(baseline),
        )


def _classes_of(models: list[types.Artifact]) -> list[bytes]:
    model = artifact_utils.get_single_instance(models)
    return read_classes(
        path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
    )
