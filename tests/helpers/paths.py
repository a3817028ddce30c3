"""The checkout and the configuration in it."""

from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[2]
SHIPPED = PROJECT_DIR / "pipeline_config.yaml"
"""The configuration of the Iris pipeline."""
