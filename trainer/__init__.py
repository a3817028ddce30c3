"""The model: its settings, features, training, tuning and export."""
