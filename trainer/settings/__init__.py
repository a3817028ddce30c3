"""Settings of features, model, training and tuning: strict, frozen pydantic models."""
