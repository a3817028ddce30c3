"""The TFX pipeline: its nodes and what they are told."""
