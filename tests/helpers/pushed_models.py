"""Small models in a serving folder, as the pipeline would have pushed them."""

import json
from pathlib import Path
from typing import Any

import tensorflow as tf

WORDS = ["blue", "red, dark", "grün"]
"""The classes of `Classifier`."""


class Classifier(tf.Module):
    """Classifies by a number x (1 if missing) and a string, of which it knows "ab" and "cd"."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self._shift = shift
        words = tf.lookup.KeyValueTensorInitializer(["ab", "cd"], [1.0, 2.0])
        self._table = tf.lookup.StaticHashTable(words, 0.0)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.string)]
    )
    def columns(self, x: tf.Tensor, word: tf.Tensor) -> dict[str, tf.Tensor]:
        x = tf.where(tf.math.is_nan(x), tf.ones_like(x), x)
        known = self._table.lookup(word)
        logits = tf.stack([x, known, tf.fill(tf.shape(x), 1.5 + self._shift)], axis=1)
        ids = tf.argmax(logits, axis=1)[:, tf.newaxis]
        return {
            "class_ids": ids,
            "classes": tf.gather(tf.constant(WORDS), ids),
            "probabilities": tf.nn.softmax(logits),
            "logits": logits,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self.columns(**parse(examples))
        return outputs


class Regressor(tf.Module):
    """Predicts twice the number x (1 if missing); fails for the string "?"."""

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.string)]
    )
    def columns(self, x: tf.Tensor, word: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies(
            [tf.debugging.assert_none_equal(word, "?", message="no such word")]
        ):
            return {"predictions": 2 * tf.where(tf.math.is_nan(x), tf.ones_like(x), x)[:, None]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self.columns(**parse(examples))
        return outputs


def parse(examples: tf.Tensor) -> dict[str, tf.Tensor]:
    spec = {
        "x": tf.io.FixedLenFeature([], tf.float32, float("nan")),
        "word": tf.io.FixedLenFeature([], tf.string, b""),
    }
    return dict(tf.io.parse_example(examples, spec))


def push(model: Any, push_dir: Path, version: int, *, has_examples: bool = True) -> Path:
    """Saves a model as a version in a serving folder."""
    path = push_dir / str(version)
    signatures = {"serving_default": model.columns}
    if has_examples:
        signatures["examples"] = model.examples
    tf.saved_model.save(model, str(path), signatures=signatures)
    extra = path / "assets.extra"
    extra.mkdir()
    is_classifier = isinstance(model, Classifier)
    if is_classifier:
        (extra / "classes").write_text("".join(f"{word}\n" for word in WORDS), "utf-8")
    outputs = (
        ["class_ids", "classes", "logits", "probabilities"] if is_classifier else ["predictions"]
    )
    description = {
        "inputs": {
            "x": {"dtype": "float32", "shape": [-1]},
            "word": {"dtype": "string", "shape": [-1]},
        },
        "outputs": {name: {} for name in outputs},
    }
    (extra / "signature.json").write_text(json.dumps(description), "utf-8")
    return path
