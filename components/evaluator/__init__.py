"""Evaluator that knows the label's words: per-class metrics and one JSON summary of the verdict."""
