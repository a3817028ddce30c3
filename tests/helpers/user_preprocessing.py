"""A `preprocessing_fn` for the tests: numbers scaled, words numbered, a gap filled."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    gaps = tft.sparse_tensor_to_dense_with_shape(inputs["gaps"], [None, 1], -1.0)
    words = tft.sparse_tensor_to_dense_with_shape(inputs["word"], [None, 1], "")
    return {
        "x": tft.scale_to_z_score(inputs["x"]) * custom_config["factor"],
        "gaps": gaps - tft.mean(gaps),
        "word": tft.compute_and_apply_vocabulary(words, vocab_filename="words"),
        "text": words,
        "label": inputs["label"],
        "several": tf.concat([inputs["x"], gaps], axis=1),
        "sparse": inputs["gaps"],
    }
