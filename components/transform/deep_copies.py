"""Lets TensorFlow Transform 1.15 copy stages of a pipeline of Beam 2.74.

An analysis in phases, such as a tf-idf of a vocabulary's ids, reads the examples once per phase:
Transform copies the stages that read, so that no phase waits for another with all examples in
memory. Its copies lack two arguments that Beam has come to require.
"""

from apache_beam.pipeline import AppliedPTransform


def allow_deep_copies() -> None:
    """Makes `environment_id` and `annotations` of a stage optional, None by default."""
    AppliedPTransform.__init__.__defaults__ = (None, None)
