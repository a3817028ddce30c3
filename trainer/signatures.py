"""Names of the served model's signatures; no TensorFlow."""

SERVING_SIGNATURE = "serving_default"
"""Raw columns by name, each `[batch_size]`: what a JSON row becomes."""
EXAMPLES_SIGNATURE = "examples"
"""Serialized `tf.Example`s of raw columns, string `[batch_size]`: what TFMA and Beam feed."""
CLASSIFY_SIGNATURE = "classify"
"""Serialized `tf.Example`s to scores per class, TensorFlow Serving's Classify."""
