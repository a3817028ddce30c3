"""What the Trainer can be told, as strict and frozen models."""
