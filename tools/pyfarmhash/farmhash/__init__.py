"""FarmHash fingerprints, computed by TensorFlow's own copy of FarmHash.

TensorFlow Data Validation imports this module and calls two functions of it: ``fingerprint64``
to compare examples in skew detection, ``fingerprint32`` to spread features over partitions.
"""

import tensorflow as tf


def fingerprint64(text: str) -> int:
    """Returns FarmHash's ``Fingerprint64`` of the text's UTF-8 bytes, in [0, 2**64)."""
    digest = tf.raw_ops.Fingerprint(data=[text.encode("utf-8")], method="farmhash64")
    return int.from_bytes(digest.numpy().tobytes(), "little")


def fingerprint32(text: str) -> int:
    """Returns the lower half of ``fingerprint64``, in [0, 2**32).

    TensorFlow has no 32-bit FarmHash, and these are not its values. Any stable hash serves: the
    one use is to take it modulo a number of partitions within one run.
    """
    return fingerprint64(text) & 0xFFFFFFFF
