"""The TFX components of this project, one folder per node."""
