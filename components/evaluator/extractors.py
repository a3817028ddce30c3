"""TFMA extractors that turn the label's words into class ids, as sparse metrics need them."""

from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors.unbatch_extractor import UNBATCH_EXTRACTOR_STAGE_NAME

from components.evaluator.classes import read_classes
from components.evaluator.slices import slice_batches
from components.evaluator.tasks import task_of

UNKNOWN_CLASS = -1


def make_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: Any,
) -> list[tfma.extractors.Extractor]:
    """Gives TFMA's own extractors, in a classification the labels replaced by their class ids.

    Batches are sliced whole, which `components.evaluator.combining` takes.
    """
    extractors: list[tfma.extractors.Extractor] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    names = [extractor.stage_name for extractor in extractors]
    extractors[names.index(UNBATCH_EXTRACTOR_STAGE_NAME) :] = [slice_batches(eval_config)]
    if task_of(eval_config) == "regression":
        return extractors
    models = eval_shared_model if isinstance(eval_shared_model, list) else [eval_shared_model]
    classes = read_classes(models[0].model_path)
    after_labels = names.index(tfma.extractors.labels_extractor.LABELS_EXTRACTOR_STAGE_NAME) + 1
    extractors.insert(
        after_labels,
        tfma.extractors.Extractor("ExtractClassIds", _ExtractClassIds(classes)),
    )
    return extractors


class _ExtractClassIds(beam.PTransform):
    """Replaces the labels of batched extracts by class ids."""

    def __init__(self, classes: Sequence[bytes]) -> None:
        super().__init__()
        self._ids = {word: index for index, word in enumerate(classes)}

    def expand(self, extracts: beam.PCollection[tfma.Extracts]) -> beam.PCollection[tfma.Extracts]:
        return extracts | beam.Map(_with_class_ids, self._ids)


def _with_class_ids(extracts: tfma.Extracts, ids: Mapping[bytes, int]) -> tfma.Extracts:
    labels = extracts[tfma.LABELS_KEY]
    if isinstance(labels, Mapping):
        labels = {name: to_class_ids(words, ids) for name, words in labels.items()}
    else:
        labels = to_class_ids(labels, ids)
    return {**extracts, tfma.LABELS_KEY: labels}


def to_class_ids(labels: Any, ids: Mapping[bytes, int]) -> Any:
    """Numbers the labels.

    Args:
        labels: Words (bytes or str) or numbers, array of any shape.
        ids: Word to class id; a whole number's word is its decimal digits, be it a float.

    Returns:
        int64 array of the same shape, `UNKNOWN_CLASS` for a label that is not among the words.
    """
    array = np.asarray(labels)
    codes, words = pd.factorize(array.ravel())
    known = [ids.get(_word(word), UNKNOWN_CLASS) for word in words.tolist()]
    # The code of a NaN is -1, the last place.
    return np.array([*known, UNKNOWN_CLASS], np.int64)[codes].reshape(array.shape)


def _word(label: bytes | str | float) -> bytes:
    if isinstance(label, bytes):
        return label
    is_whole = isinstance(label, float) and label.is_integer()
    return str(int(label) if is_whole else label).encode()
