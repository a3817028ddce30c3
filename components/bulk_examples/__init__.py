"""Reads TFRecord files of examples by the batch, in place of Beam's element per row."""
