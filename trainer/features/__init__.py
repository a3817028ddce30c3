"""Raw columns to features: transformation, vocabularies, feature columns."""
