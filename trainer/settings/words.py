"""Settings of the features whose cells hold several words: tags and text; imports no TensorFlow."""

from typing import Literal

from pydantic import Field, model_validator

from trainer.settings.feature_base import BaseFeature, RawType

UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}])"
"""Matches a character of the scripts that are written without blanks, in RE2's syntax."""
_MAX_IDS = 1_000_000


class WordsFeature(BaseFeature):
    """A column whose cells hold any number of words; an empty cell holds none."""

    ids: Literal["vocabulary", "hash"] = Field(
        "vocabulary",
        description="How words become ids: by a `vocabulary` of the train split, or by their"
        " `hash`.",
    )
    size: int = Field(
        10_000,
        ge=2,
        le=_MAX_IDS,
        description="With `vocabulary`: how many of the most frequent words to keep. With `hash`:"
        " the number of ids.",
    )
    min_count: int = Field(
        1,
        ge=1,
        description="How many times a word must occur in the train split to be in the vocabulary.",
    )
    oov_buckets: int = Field(
        1,
        ge=0,
        le=_MAX_IDS,
        description="Number of ids shared by the words outside the vocabulary, which are assigned"
        " by a hash; with 0, these words are left out.",
    )
    dimension: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Length of the vector that is learned for each word; null: the fourth root of"
        " the number of ids.",
    )

    @model_validator(mode="after")
    def _check_ids(self) -> "WordsFeature":
        if self.ids == "hash":
            for name in ("min_count", "oov_buckets"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name} needs ids: vocabulary, not hash")
        return self

    @property
    def raw_type(self) -> RawType:
        """Always bytes."""
        return "bytes"

    @property
    def max_ids(self) -> int:
        """Upper bound of the number of ids."""
        return self.size if self.ids == "hash" else self.size + self.oov_buckets

    @property
    def has_weights(self) -> bool:
        """Whether each word of a cell has a weight, in a transformed feature of its own."""
        return False


class Tags(WordsFeature):
    """Any number of words between separators, in any order: `red|blue`.

    Blanks around a word do not count, and neither does how often a word stands in a cell, unless
    words have weights, which are added up.
    """

    kind: Literal["tags"] = "tags"
    separator: str = Field("|", min_length=1, description="What stands between two words.")
    weight_separator: str | None = Field(
        None,
        min_length=1,
        description="What stands between a word and its weight, such as `:` in `red:2|blue:0.5`; a"
        " word without a weight has the weight 1. Null: words have no weights.",
    )
    encode: Literal["one_hot", "embedding"] = Field(
        "one_hot",
        description="How a network sees the words: `one_hot`, an input per word, 1 or its weight"
        " if the cell has the word, else 0; or `embedding`, the average of a vector that is learned"
        " for each word, by weight if words have weights.",
    )

    @model_validator(mode="after")
    def _check_encoding(self) -> "Tags":
        if self.dimension is not None and self.encode != "embedding":
            raise ValueError("dimension needs encode: embedding")
        if self.weight_separator == self.separator:
            raise ValueError(f"weight_separator is the separator too: {self.separator!r}")
        return self

    @property
    def has_weights(self) -> bool:
        """Whether cells give weights."""
        return self.weight_separator is not None

    def for_transform(self) -> "Tags":
        """Drops the encoding, which only the Trainer reads."""
        return self.model_copy(update={"encode": "one_hot", "dimension": None})


class Text(WordsFeature):
    """Free text: its words and pairs of neighbouring words.

    A word is a run of letters and digits, in lower case. Chinese and Japanese, which are written
    without blanks, are split into characters.
    """

    kind: Literal["text"] = "text"
    ngrams: int = Field(
        2,
        ge=1,
        le=5,
        description="How many neighbouring words count as one: with 1 only single words, with 2"
        " also pairs, with 3 also triples, and so on.",
    )
    max_words: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="How many words of a cell are read; the rest is left out.",
    )
    min_count: int = Field(
        2,
        ge=1,
        description="How many times a word or pair must occur in the train split to be in the"
        " vocabulary.",
    )
    oov_buckets: int = Field(
        0,
        ge=0,
        le=_MAX_IDS,
        description="Number of ids shared by the words and pairs outside the vocabulary, which are"
        " assigned by a hash; with 0, they are left out.",
    )
    encode: Literal["tf_idf", "embedding"] = Field(
        "tf_idf",
        description="How much a word of a cell counts: by `tf_idf`, its share of the words in the"
        " cell, times 1 + log((rows + 1) / (rows with it + 1)); or all alike (`embedding`). A"
        " network sees the sum, or with `embedding` the average, of a vector that is learned for"
        " each word.",
    )

    @property
    def has_weights(self) -> bool:
        """Whether words count by their tf-idf."""
        return self.encode == "tf_idf"

    def for_transform(self) -> "Text":
        """Drops the length of the vectors, which only the Trainer reads."""
        return self.model_copy(update={"dimension": None})
