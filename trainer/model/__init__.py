"""The Estimator's `model_fn`: networks, loss, metrics, optimizers, outputs."""
