"""Writes files of transformed examples, as Transform does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from pyarrow import parquet
from tensorflow_transform.impl_helper import make_tensor_to_arrow_converter
from tensorflow_transform.tf_metadata import schema_utils


def write_transformed(path: Path, spec: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Writes a batch of examples: tensors, or for dense features anything like a NumPy array."""
    converter = make_tensor_to_arrow_converter(schema_utils.schema_from_feature_spec(dict(spec)))
    batch = {
        name: np.array(tensor, spec[name].dtype.as_numpy_dtype)
        if isinstance(spec[name], tf.io.FixedLenFeature)
        else tensor
        for name, tensor in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_batches([converter.convert(batch)]), str(path))
