"""A user's `preprocessing_fn`: scales numbers, numbers words, fills in missing values."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    filled = tft.sparse_tensor_to_dense_with_shape(inputs["gaps"], [None, 1], -1.0)
    words = tft.sparse_tensor_to_dense_with_shape(inputs["word"], [None, 1], "")
    return {
        "x": tft.scale_to_z_score(inputs["x"]) * custom_config["factor"],
        "gaps": filled - tft.mean(filled),
        "word": tft.compute_and_apply_vocabulary(words, vocab_filename="words"),
        "text": words,
        "label": inputs["label"],
        "several": tf.concat([inputs["x"], filled], axis=1),
        "sparse": inputs["gaps"],
    }


def analyze_in_phases(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Analyzes what another analysis has made."""
    scaled = tft.scale_to_z_score(inputs["x"])
    return {"x": tft.scale_to_0_1(scaled), "label": inputs["label"]}
