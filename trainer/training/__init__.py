"""Training and evaluation of an Estimator."""
