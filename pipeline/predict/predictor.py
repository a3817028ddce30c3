"""Predicts for blocks of rows with a SavedModel, by Beam's RunInference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow.core.protobuf import saved_model_pb2
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from pipeline.predict.blocks import read_block, write_block
from pipeline.predict.model import CLASSES, PREDICTIONS, PROBABILITIES, PushedModel
from tabular.csv.arrow_numpy import as_lists
from tabular.csv.dialect import Dialect
from tabular.csv.plain_numbers import plain_columns
from tabular.csv.types import cast_numbers
from trainer.settings.feature_base import RawType
from trainer.signatures import EXAMPLES_SIGNATURE

_ROWS_PER_CALL = 10_000
"""Limits the memory that wide layers of a network take."""


def signature_names(model_dir: str) -> list[str]:
    """Lists the signatures of a SavedModel without loading it."""
    saved_model = saved_model_pb2.SavedModel()
    path = f"{model_dir}/{tf.saved_model.SAVED_MODEL_FILENAME_PB}"
    with tf.io.gfile.GFile(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    return sorted(saved_model.meta_graphs[0].signature_def)


def predict_blocks(
    model: PushedModel, blocks: Mapping[str, str], dialect: Dialect, beam_args: Sequence[str]
) -> None:
    """Predicts for blocks of rows, each independently, on as many workers as the runner has.

    Args:
        model: The model, with the signature `EXAMPLES_SIGNATURE`.
        blocks: Path of each input block to the path of its output block. An input block has string
            columns, null where a value is missing, whose cells follow the rules; an output block
            has the model's `columns` for the same rows.
        dialect: How numbers are written.
        beam_args: Options of the Beam pipeline.
    """
    # tfx_bsl's RunInference, with an element and a PredictionLog per row, takes five to seven times
    # as long.
    handler = KeyedModelHandler(_Handler(model, dialect))
    with beam.Pipeline(options=PipelineOptions(list(beam_args))) as pipeline:
        _ = (
            pipeline
            | "Blocks" >> beam.Create(list(blocks.items()))
            | "Read" >> beam.MapTuple(lambda source, target: (target, read_block(source)))
            | "Predict" >> RunInference(handler)
            | "Write" >> beam.MapTuple(write_block)
        )


class _Handler(ModelHandler[pa.RecordBatch, pa.RecordBatch, Any]):
    """Loads the model once per worker, and calls it with rows as serialized `tf.Example`s."""

    def __init__(self, model: PushedModel, dialect: Dialect) -> None:
        super().__init__()
        self._model = model
        self._dialect = dialect

    def load_model(self) -> Any:
        return tf.saved_model.load(self._model.path)

    def run_inference(
        self,
        batch: Sequence[pa.RecordBatch],
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[pa.RecordBatch]:
        """Predicts for each block of string columns."""
        return [self._predict(block, model.signatures[EXAMPLES_SIGNATURE]) for block in batch]

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Limits a batch to one element, which is a block of rows already."""
        return {"max_batch_size": 1}

    def _predict(self, block: pa.RecordBatch, signature: Any) -> pa.RecordBatch:
        (argument,) = signature.structured_input_signature[1]
        encode = RecordBatchToExamplesEncoder().encode
        parts = []
        for start in range(0, len(block), _ROWS_PER_CALL):
            rows = block.slice(start, _ROWS_PER_CALL)
            examples = encode(_typed(rows, self._model.inputs, self._dialect))
            outputs = signature(**{argument: tf.constant(examples)})
            arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
            parts.append(list(self._columns(arrays, rows)))
        columns = [pa.concat_arrays(column) for column in zip(*parts, strict=True)]
        return pa.RecordBatch.from_arrays(columns, list(self._model.columns))

    def _columns(self, outputs: Mapping[str, Any], rows: pa.RecordBatch) -> Iterator[pa.Array]:
        """Converts the outputs of the signature to the model's `columns`."""
        if not self._model.classes:
            yield pa.array(outputs[PREDICTIONS].reshape(len(rows)), pa.float32())
            return
        yield pa.array(outputs[CLASSES].reshape(len(rows)), pa.binary()).cast(pa.string())
        probabilities = outputs[PROBABILITIES].reshape(len(rows), len(self._model.classes))
        for column in probabilities.T:
            yield pa.array(np.ascontiguousarray(column), pa.float32())


def _typed(rows: pa.RecordBatch, types: Mapping[str, RawType], dialect: Dialect) -> pa.RecordBatch:
    """Casts the string columns that the model reads, like CsvExampleGen."""
    columns = []
    rows, _ = plain_columns(rows, dialect.numbers, dialect.decimal)
    for name, raw_type in types.items():
        text = rows[name].drop_null()
        is_number = raw_type == "float"
        values = (
            cast_numbers(text, dialect.decimal, pa.float32())
            if is_number
            else text.cast(pa.binary())
        )
        columns.append(as_lists(rows[name], values))
    return pa.RecordBatch.from_arrays(columns, list(types))
