"""Executor: analyzes with TensorFlow Transform, and transforms the examples file by file.

TFX's executor passes single examples through Beam before and after the transformation, and writes
them in dozens of Beam stages, whose overhead is larger than the work on small data.
"""

import functools
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform import analyzer_nodes, graph_tools, impl_helper, nodes
from tensorflow_transform.tf_metadata import metadata_io
from tfx import types
from tfx.components.transform import executor_utils
from tfx.components.util import examples_utils, udf_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, json_utils

from components.transform.deep_copies import allow_deep_copies
from components.transform.files import File, TransformFiles
from components.transform.source_keys import find_source_keys_by_identity, source_keys
from tabular.examples.in_process import is_in_process, run_in_process
from tabular.examples.tfxio import BulkExamples, split_tfxio, with_defaults

_PREFIX = "transformed_examples"

_Preprocessing = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Executor(base_beam_executor.BaseBeamExecutor):
    """Analyzes the examples in batches, then writes one transformed file for each file."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the transform graph and the transformed examples.

        Args:
            input_dict: `examples` and `schema`.
            output_dict: `transform_graph` and `transformed_examples`.
            exec_properties: TFX's `splits_config`, `preprocessing_fn` (a dotted path) and
                `custom_config`, which is passed to the function.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = input_dict[standard_component_specs.EXAMPLES_KEY]
        schema_dir = artifact_utils.get_single_uri(input_dict[standard_component_specs.SCHEMA_KEY])
        schema = with_defaults(
            io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_dir))
        )
        splits = executor_utils.ResolveSplitsConfig(
            exec_properties.get(standard_component_specs.SPLITS_CONFIG_KEY), examples
        )
        transformed = output_dict[standard_component_specs.TRANSFORMED_EXAMPLES_KEY]
        executor_utils.SetSplitNames(splits.transform, transformed)
        for artifact in transformed:
            examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_PARQUET)
            examples_utils.set_file_format(artifact, "FILE_FORMAT_PARQUET")
        graph_dir = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.TRANSFORM_GRAPH_KEY]
        )
        metadata_io.write_metadata(
            tft.DatasetMetadata(schema),
            os.path.join(graph_dir, tft.TFTransformOutput.RAW_METADATA_DIR),
        )
        allow_deep_copies()
        find_source_keys_by_identity()
        preprocessing_fn = _bind(exec_properties)
        columns = _columns_read(split_tfxio(examples, splits.analyze[0], schema), preprocessing_fn)
        analyzed = [
            split_tfxio(examples, split, schema).Project(columns) for split in splits.analyze
        ]
        files = [
            file
            for split in splits.transform
            for file in _plan(
                split_tfxio(examples, split).paths,
                artifact_utils.get_split_uri(transformed, split),
            )
        ]
        transform = TransformFiles(graph_dir, columns)
        is_here = is_in_process(self._beam_pipeline_args)
        with (
            self._make_beam_pipeline() as pipeline,
            tft_beam.Context(temp_dir=self._get_tmp_dir(), use_deep_copy_optimization=True),
        ):
            transform_fn = _analyze(pipeline, analyzed, preprocessing_fn)
            written = transform_fn | tft_beam.WriteTransformFn(graph_dir)
            if not is_here:
                _ = (
                    pipeline
                    | "Files" >> beam.Create(files)
                    | "TransformFiles" >> beam.ParDo(transform, beam.pvalue.AsSingleton(written))
                )
        if is_here:
            deque(run_in_process(transform, files), maxlen=0)


def _bind(exec_properties: Mapping[str, Any]) -> _Preprocessing:
    """Imports `preprocessing_fn`, and binds `custom_config` to it as TFX does."""
    function = udf_utils.get_fn(dict(exec_properties), "preprocessing_fn")
    config = json_utils.loads(exec_properties["custom_config"])
    return functools.partial(function, custom_config=config)


def _columns_read(tfxio: BulkExamples, preprocessing_fn: _Preprocessing) -> list[str]:
    """Lists the raw columns that the function uses, including those for analysis only.

    Transform's own functions for this build the graph once for each of the two, and walk it once
    for each output.
    """
    specs = tfxio.TensorAdapter().OriginalTypeSpecs()
    graph, inputs, outputs = impl_helper.trace_preprocessing_function(
        preprocessing_fn, specs, use_tf_compat_v1=False
    )
    visitor = graph_tools.SourcedTensorsVisitor()
    for sink in graph.get_collection(analyzer_nodes.TENSOR_REPLACEMENTS):
        nodes.Traverser(visitor).visit_value_node(sink.future)
    used = [*tf.nest.flatten(outputs, expand_composites=True), *visitor.sourced_tensors]
    return sorted(source_keys(used, inputs, ignore_control_dependencies=False))


def _plan(paths: Sequence[str], folder: str) -> list[File]:
    """Names the transformed file of each file of a split, in the pattern of TFX's Transform."""
    return [
        File(path, os.path.join(folder, f"{_PREFIX}-{index:05d}-of-{len(paths):05d}.parquet"))
        for index, path in enumerate(paths)
    ]


def _analyze(
    pipeline: beam.Pipeline, analyzed: Sequence[BulkExamples], preprocessing_fn: _Preprocessing
) -> Any:
    """Analyzes the examples; returns the transform graph as a value in the Beam pipeline."""
    batches = [
        pipeline | f"Read[{index}]" >> tfxio.BeamSource() for index, tfxio in enumerate(analyzed)
    ]
    batch = batches[0] if len(batches) == 1 else batches | "Flatten" >> beam.Flatten()
    config = analyzed[0].TensorAdapterConfig()
    return (batch, config) | tft_beam.AnalyzeDataset(preprocessing_fn)
