"""The custom Estimator: model_fn, networks, loss, metrics, optimizers."""
