"""What `pipeline_config.yaml` may say, and how it is loaded."""
