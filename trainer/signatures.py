"""Names of the served model's signatures, and the file that describes them; no TensorFlow."""

SERVING_SIGNATURE = "serving_default"
"""Raw columns by name, each `[batch_size]`: what a JSON row becomes."""
EXAMPLES_SIGNATURE = "examples"
"""Serialized `tf.Example`s of raw columns, string `[batch_size]`: what TFMA and Beam feed."""
CLASSIFY_SIGNATURE = "classify"
"""Serialized `tf.Example`s to scores per class, TensorFlow Serving's Classify."""
REGRESS_SIGNATURE = "regress"
"""Serialized `tf.Example`s to numbers, TensorFlow Serving's Regress."""
EXAMPLE_WEIGHT = "example_weight"
"""Feature that holds an example's weight in loss and metrics, float32 `[batch_size, 1]`."""
SIGNATURE_FILE = "signature.json"
"""In `assets.extra`: the inputs and outputs of `SERVING_SIGNATURE`, for readers without TensorFlow.

    {"inputs": {name: {"dtype": "float32", "shape": [-1]}, ...}, "outputs": {...}}
"""
