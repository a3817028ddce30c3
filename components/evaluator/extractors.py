"""TFMA extractors that replace the label's words with class ids and slice whole batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors.unbatch_extractor import UNBATCH_EXTRACTOR_STAGE_NAME

from components.evaluator.slices import slice_batches
from trainer.signatures import EXAMPLES_SIGNATURE

UNKNOWN_CLASS = -1
_HIDDEN = "hidden"


def make_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: Any,
    classes: Sequence[bytes] | None,
) -> list[tfma.extractors.Extractor]:
    """Makes TFMA's extractors, but slices whole batches, as `components.evaluator.combining` wants.

    Args:
        eval_shared_model: The candidate, or candidate and baseline.
        eval_config: Its slices are the ones extracted.
        tensor_adapter_config: How the batches become tensors.
        classes: The label's words in the order of their class ids; None in a regression, whose
            labels stay as they are.

    Returns:
        The extractors, in the order in which they are applied.
    """
    extractors: list[tfma.extractors.Extractor] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    names = [extractor.stage_name for extractor in extractors]
    if EXAMPLES_SIGNATURE in tensor_adapter_config.arrow_schema.names:
        predict = names.index(
            tfma.extractors.predictions_extractor.PREDICTIONS_EXTRACTOR_STAGE_NAME
        )
        extractors[predict : predict + 1] = _hide_examples(extractors[predict])
        names = [extractor.stage_name for extractor in extractors]
    extractors[names.index(UNBATCH_EXTRACTOR_STAGE_NAME) :] = [slice_batches(eval_config)]
    if classes is None:
        return extractors
    after_labels = names.index(tfma.extractors.labels_extractor.LABELS_EXTRACTOR_STAGE_NAME) + 1
    extractors.insert(
        after_labels,
        tfma.extractors.Extractor("ExtractClassIds", _ExtractClassIds(classes)),
    )
    return extractors


def _hide_examples(predict: tfma.extractors.Extractor) -> list[tfma.extractors.Extractor]:
    """Hides a column called as the input of serialized examples while TFMA predicts.

    TFMA would give the model that column instead of the examples.
    """
    return [
        tfma.extractors.Extractor("HideExamples", beam.Map(_hide)),
        predict,
        tfma.extractors.Extractor("ShowExamples", beam.Map(_show)),
    ]


def _hide(extracts: tfma.Extracts) -> tfma.Extracts:
    features = dict(extracts[tfma.FEATURES_KEY])
    hidden = features.pop(EXAMPLES_SIGNATURE)
    return {**extracts, tfma.FEATURES_KEY: features, _HIDDEN: hidden}


def _show(extracts: tfma.Extracts) -> tfma.Extracts:
    shown = {key: value for key, value in extracts.items() if key != _HIDDEN}
    features = {**extracts[tfma.FEATURES_KEY], EXAMPLES_SIGNATURE: extracts[_HIDDEN]}
    return {**shown, tfma.FEATURES_KEY: features}


class _ExtractClassIds(beam.PTransform):
    """Replaces the labels of batched extracts with class ids."""

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
    """Replaces labels with class ids.

    Args:
        labels: Words (bytes or str) or numbers, array of any shape.
        ids: Word to class id; the word of a whole number is its decimal digits, also if it is a
            float.

    Returns:
        int64 array of the same shape, `UNKNOWN_CLASS` for a label that is not one of the words.
    """
    array = np.asarray(labels)
    codes, words = pd.factorize(array.ravel())
    known = [ids.get(_word(word), UNKNOWN_CLASS) for word in words.tolist()]
    # pandas codes NaN as -1, which picks the last place.
    return np.array([*known, UNKNOWN_CLASS], np.int64)[codes].reshape(array.shape)


def _word(label: bytes | str | float) -> bytes:
    if isinstance(label, bytes):
        return label
    is_whole = isinstance(label, float) and label.is_integer()
    return str(int(label) if is_whole else label).encode()
