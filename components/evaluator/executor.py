"""Executor: evaluates whole batches with TFMA, and blesses the model by the thresholds."""

import os
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, json_utils, path_utils

from components.evaluator.baseline import why_incomparable
from components.evaluator.classes import read_classes
from components.evaluator.extractors import make_extractors
from components.evaluator.summarize import write_summary
from components.evaluator.thresholds import thresholds_from_json
from tabular.examples.columns import read_columns
from tabular.examples.tfxio import split_tfxio, with_defaults

_MODEL = standard_component_specs.MODEL_KEY
_BASELINE = standard_component_specs.BASELINE_MODEL_KEY
_EVAL_CONFIG = standard_component_specs.EVAL_CONFIG_KEY
TASK, THRESHOLDS = "task", "thresholds"
_PRINTED = 10
"""NumPy prints longer arrays without their middle."""
_POSITIVE = 1
"""Class id of the positive class in a binary task."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Evaluates as TFX does, and writes `summary.json` beside TFMA's files.

    The checks of the summary decide the blessing, not TFMA's validation: that one fails every bound
    on an undefined metric, such as the recall of a class that the split lacks, and every change
    from a baseline of 0.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, and the baseline if there is one that can read the examples.

        Args:
            input_dict: `examples`, `model`, `schema` and, if one is blessed, `baseline_model`.
            output_dict: `evaluation` and `blessing`.
            exec_properties: TFX's `eval_config` and `example_splits`, `task` and `thresholds`.
                Metrics specs with `binarize` are evaluated for the positive class in a binary
                task, for every class otherwise.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        classes = _classes_of(input_dict[_MODEL])
        obstacle = _obstacle(input_dict)
        if obstacle:
            input_dict = {**input_dict, _BASELINE: []}
        eval_config = json_format.Parse(exec_properties[_EVAL_CONFIG], tfma.EvalConfig())
        task = exec_properties[TASK]
        for spec in eval_config.metrics_specs:
            if spec.HasField("binarize"):
                class_ids = [_POSITIVE] if task == "binary" else range(len(classes))
                spec.binarize.class_ids.values.extend(class_ids)
        self._evaluate(
            input_dict,
            output_dict,
            eval_config,
            _splits_of(exec_properties),
            None if task == "regression" else classes,
        )
        is_blessed = write_summary(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]),
            task,
            [word.decode() for word in classes],
            thresholds_from_json(exec_properties[THRESHOLDS]),
            has_baseline=bool(input_dict.get(_BASELINE)),
            obstacle=obstacle,
        )
        _bless(input_dict, output_dict, is_blessed)

    def _evaluate(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        eval_config: tfma.EvalConfig,
        splits: list[str],
        classes: Sequence[bytes] | None,
    ) -> None:
        """Writes TFMA's files as TFX does, but reads the examples in large batches."""
        eval_config = tfma.utils.update_eval_config_with_defaults(
            eval_config, has_baseline=bool(input_dict.get(_BASELINE)), rubber_stamp=True
        )
        tfma.utils.verify_eval_config(eval_config)
        models = [
            tfma.default_eval_shared_model(
                _saved_model_dir(input_dict[_BASELINE if spec.is_baseline else _MODEL]),
                model_name=spec.name,
                eval_config=eval_config,
            )
            for spec in eval_config.model_specs
        ]
        model = models[0] if len(models) == 1 else models
        schema_dir = artifact_utils.get_single_uri(input_dict[standard_component_specs.SCHEMA_KEY])
        schema = with_defaults(
            io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_dir))
        )
        examples = input_dict[standard_component_specs.EXAMPLES_KEY]
        columns = _columns_read(eval_config, schema)
        tfxios = [
            split_tfxio(examples, split, schema, tfma.constants.ARROW_INPUT_COLUMN).Project(columns)
            for split in splits
        ]
        adapter_config = tfxios[0].TensorAdapterConfig()
        evaluation_dir = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.EVALUATION_KEY]
        )
        # Calling a model, TFMA makes TensorFlow print the serialized examples for an error message,
        # which it drops; NumPy prints up to 1,000 of them whole, 10 MB for a thousand columns.
        with np.printoptions(threshold=_PRINTED), self._make_beam_pipeline() as pipeline:
            batches = [
                pipeline | f"Read[{split}]" >> tfxio.BeamSource()
                for split, tfxio in zip(splits, tfxios, strict=True)
            ]
            _ = (
                batches
                | "Flatten" >> beam.Flatten()
                | "Evaluate"
                >> tfma.ExtractEvaluateAndWriteResults(
                    eval_shared_model=model,
                    eval_config=eval_config,
                    extractors=make_extractors(model, eval_config, adapter_config, classes),
                    writers=_make_writers(model, eval_config, evaluation_dir),
                    output_path=evaluation_dir,
                    tensor_adapter_config=adapter_config,
                )
            )


def _columns_read(eval_config: tfma.EvalConfig, schema: schema_pb2.Schema) -> list[str]:
    """Lists the columns that TFMA itself reads; the models read whole serialized examples."""
    wanted = {key for spec in eval_config.slicing_specs for key in spec.feature_keys}
    for spec in eval_config.model_specs:
        wanted |= {spec.label_key, spec.example_weight_key}
    return sorted(wanted & {feature.name for feature in schema.feature})


def _make_writers(
    model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    evaluation_dir: str,
) -> list[tfma.writers.Writer]:
    """Makes TFMA's writers, without those whose files would be empty; each is ten Beam stages.

    No metric is a plot or an attribution, and TFMA is given no thresholds to validate.
    """
    *writers, _ = tfma.default_writers(
        evaluation_dir, eval_shared_model=model, eval_config=eval_config
    )
    path = os.path.join(evaluation_dir, tfma.METRICS_KEY)
    metrics = tfma.writers.MetricsPlotsAndValidationsWriter({tfma.METRICS_KEY: path}, eval_config)
    return [*writers, metrics]


def _obstacle(input_dict: dict[str, list[types.Artifact]]) -> str | None:
    """Says why the baseline cannot be evaluated; None if it can, or there is none."""
    baseline = input_dict.get(_BASELINE)
    if not baseline:
        return None
    examples = artifact_utils.get_single_instance(input_dict[standard_component_specs.EXAMPLES_KEY])
    return why_incomparable(
        _saved_model_dir(input_dict[_MODEL]),
        _saved_model_dir(baseline),
        read_columns(examples.uri),
    )


def _splits_of(exec_properties: dict[str, Any]) -> list[str]:
    splits: list[str] = json_utils.loads(
        exec_properties[standard_component_specs.EXAMPLE_SPLITS_KEY]
    )
    return splits


def _classes_of(models: list[types.Artifact]) -> list[bytes]:
    return read_classes(_saved_model_dir(models))


def _saved_model_dir(models: list[types.Artifact]) -> str:
    model = artifact_utils.get_single_instance(models)
    path: str = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
    return path


def _bless(
    input_dict: dict[str, list[types.Artifact]],
    output_dict: dict[str, list[types.Artifact]],
    is_blessed: bool,
) -> None:
    """Writes the blessing as TFX does."""
    blessing = artifact_utils.get_single_instance(
        output_dict[standard_component_specs.BLESSING_KEY]
    )
    model = artifact_utils.get_single_instance(input_dict[_MODEL])
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
