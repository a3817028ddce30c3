"""Names of the served model's signatures, and the file that describes them."""

SERVING_SIGNATURE = "serving_default"
"""Takes raw columns by name, each `[batch_size]`; serves JSON rows."""
EXAMPLES_SIGNATURE = "examples"
"""Takes serialized `tf.Example`s of raw columns, string `[batch_size]`; used by TFMA and Beam."""
CLASSIFY_SIGNATURE = "classify"
"""Takes serialized `tf.Example`s, gives a score per class: TensorFlow Serving's Classify."""
REGRESS_SIGNATURE = "regress"
"""Takes serialized `tf.Example`s, gives numbers: TensorFlow Serving's Regress."""
EXAMPLE_WEIGHT = "\x1fexample_weight"
"""Name of the feature with an example's weight in loss and metrics, float32 `[batch_size, 1]`.

No column has it, as it begins with a control character.
"""
SIGNATURE_FILE = "signature.json"
"""File in `assets.extra` that describes `SERVING_SIGNATURE` for readers without TensorFlow.

    {"inputs": {name: {"dtype": "float32", "shape": [-1]}, ...}, "outputs": {...}}
"""
