"""What a model is: everything behind `preprocessing_fn` and `run_fn`."""
