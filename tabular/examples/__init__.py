"""Files of tf.Examples, read by the batch."""
