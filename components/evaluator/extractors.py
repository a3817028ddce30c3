"""TFMA extractors that turn the label's words into class ids, as sparse metrics need them."""

from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors.unbatch_extractor import UNBATCH_EXTRACTOR_STAGE_NAME

from components.evaluator.classes import read_classes
from components.evaluator.tasks import task_of

UNKNOWN_CLASS = -1


def custom_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: Any,
) -> list[tfma.extractors.Extractor]:
    """Gives TFMA's own extractors, in a classification the labels replaced by their class ids.

    Where there are no slices, batches stay whole, which `components.evaluator.combining` takes. The
    name and the arguments are those by which TFX's Evaluator looks for it.
    """
    extractors: list[tfma.extractors.Extractor] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    names = [extractor.stage_name for extractor in extractors]
    if not any(spec.ByteSize() for spec in eval_config.slicing_specs):
        extractors[names.index(UNBATCH_EXTRACTOR_STAGE_NAME)] = tfma.extractors.Extractor(
            "KeepBatches", beam.Map(_without_features)
        )
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


def _without_features(extracts: tfma.Extracts) -> tfma.Extracts:
    kept = (tfma.LABELS_KEY, tfma.PREDICTIONS_KEY, tfma.EXAMPLE_WEIGHTS_KEY)
    return {tfma.FEATURES_KEY: {}, **{key: extracts[key] for key in kept if key in extracts}}


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
    words = (_word(label) for label in array.ravel().tolist())
    flat = np.fromiter((ids.get(word, UNKNOWN_CLASS) for word in words), np.int64, array.size)
    return flat.reshape(array.shape)


def _word(label: bytes | str | float) -> bytes:
    if isinstance(label, bytes):
        return label
    is_whole = isinstance(label, float) and label.is_integer()
    return str(int(label) if is_whole else label).encode()
