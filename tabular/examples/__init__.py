"""Reads files of `tf.Example`s in batches."""
