"""The settings of `pipeline_config.yaml`, and the function that loads them."""
